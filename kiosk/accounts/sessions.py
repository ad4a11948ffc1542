"""Open sessions: a random reference in the browser, its digest in the store.

Twelve hours at most, half an hour without a hand on the keyboard. The screen's own refreshing does not count as use.
"""

import secrets
from collections.abc import Callable

from msgspec import Struct, json, structs

from kiosk.accounts import redis_keys
from kiosk.accounts.redis_keys import Digest
from queueing.store.store import Store

LONGEST_S = 12 * 3600
"""One long shift."""
IDLE_S = 30 * 60


class Opened(Struct, frozen=True, kw_only=True):
    """What the store keeps of a session."""

    who: Digest
    generation: int
    csrf: str
    ends_s: int
    chosen: str = ""
    """HIP id a state administrator works in now."""


class Session(Struct, frozen=True, kw_only=True):
    """Somebody signed in, as the guards hand it to a controller. Its facility is the only one a request may touch."""

    key: Digest
    ends_s: int
    csrf: str
    login: str
    name: str
    role: str
    home: str
    """HIP id this login belongs to, or ``*``."""
    facility: str
    """HIP id worked in; empty while a state administrator has not chosen."""
    counter: str
    must_change: bool


_encoder = json.Encoder()
_decoder = json.Decoder(Opened)


class Sessions:
    """Sessions in the store; each lives until it is idle or over."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def open(self, who: Digest, generation: int) -> str:
        """A new session; returns the reference for the cookie. Nothing a browser sent before becomes part of it."""
        reference = secrets.token_urlsafe(32)
        opened = Opened(
            who=who, generation=generation, csrf=secrets.token_urlsafe(32), ends_s=int(self._clock()) + LONGEST_S
        )
        await self._keep(self.key_of(reference), opened)
        return reference

    async def read(self, reference: str) -> Opened | None:
        key = redis_keys.session(self.key_of(reference))
        kept = await self._store.call(key, "GET", key)
        opened = _decoder.decode(kept) if isinstance(kept, bytes) else None
        return opened if opened and opened.ends_s > self._clock() else None

    async def used(self, session: Session) -> None:
        """A hand was on the keyboard: half an hour more, never past the end."""
        key = redis_keys.session(session.key)
        await self._store.call(key, "EXPIRE", key, self._life_s(session.ends_s))

    async def choose(self, session: Session, facility: str) -> None:
        """A state administrator goes to work in another facility."""
        key = redis_keys.session(session.key)
        kept = await self._store.call(key, "GET", key)
        if isinstance(kept, bytes):
            await self._keep(session.key, structs.replace(_decoder.decode(kept), chosen=facility))

    async def close(self, reference: str) -> None:
        key = redis_keys.session(self.key_of(reference))
        await self._store.call(key, "DEL", key)

    async def _keep(self, of: Digest, opened: Opened) -> None:
        key = redis_keys.session(of)
        await self._store.call(key, "SET", key, _encoder.encode(opened), "EX", self._life_s(opened.ends_s))

    def _life_s(self, ends_s: int) -> int:
        return max(1, min(IDLE_S, ends_s - int(self._clock())))

    @staticmethod
    def key_of(reference: str) -> Digest:
        return redis_keys.digest("session\0" + reference)
