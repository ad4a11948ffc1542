"""Answers to requests that carry an Idempotency-Key, for a day: the same request again gets the same answer.

A key is claimed before the work begins and holds the answer after it. A claim whose process died ends by itself.
"""

from typing import Any, Final

from msgspec import Struct

from queueing import library
from queueing.redis_keys import facility_root, request_digest
from queueing.store.store import Store

KEPT_S: Final = 86_400
"""A day, as the interface promises."""
CLAIM_S: Final = 30
"""The longest work behind a key takes some seconds; after this the request may be tried anew."""


class Earlier(Struct, frozen=True, kw_only=True):
    """What a key held already."""

    fingerprint: bytes
    """Digest of the first body."""
    answer: bytes
    """Empty while the first request is not answered."""


class Idempotency:
    """Claims keys and keeps answers. ``caller`` and ``key`` name the request; keys of two callers never meet."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def claim(self, hip: str, caller: str, key: str, fingerprint: bytes) -> Earlier | None:
        """None: the work may begin. Otherwise what the key holds."""
        reply: Any = await library.call(
            self._store, "idempotency_claim", facility_root(hip), _digest(hip, caller, key), fingerprint, CLAIM_S
        )
        return Earlier(fingerprint=reply[0], answer=reply[1]) if reply else None

    async def keep(self, hip: str, caller: str, key: str, answer: bytes) -> None:
        """Keep the answer for a day. Durable when it returns."""
        root = facility_root(hip)
        await library.call(self._store, "idempotency_keep", root, _digest(hip, caller, key), answer, KEPT_S)
        await self._store.durable(root)

    async def release(self, hip: str, caller: str, key: str) -> None:
        """The work was not done: the same request may come again."""
        await library.call(self._store, "idempotency_release", facility_root(hip), _digest(hip, caller, key))


def _digest(hip: str, caller: str, key: str) -> str:
    return request_digest(hip, f"idempotency\0{caller}\0{key}")
