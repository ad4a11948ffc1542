"""Keys by which other programs call the API: a facility or all, and scopes. The store has digests alone.

A key reads ``kiosk_<id>_<secret>``. The secret has 256 bits of chance, so a plain digest cannot be guessed. Every
process knows the keys it saw; ``KNOWN_S`` after a key was revoked no process takes it any more.
"""

import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct

from queueing import library
from queueing.audit import Act, facility_digest
from queueing.display_text import shown_name
from queueing.errors import QueueingError
from queueing.redis_keys import STAFF_SLOT as SLOT
from queueing.store.store import Store

KEYS_MAX: Final = 5_000
"""A key for each of a state's facilities, and some."""
KNOWN_S: Final = 3.0
"""Seconds for which a process trusts what it knows of keys: with the call to the store under five."""
USED_EACH_S: Final = 60
"""The last use of a key is written once in so many seconds by each process."""
NAME_MAX: Final = 60
"""Characters: one line of a table."""
EVERY_FACILITY: Final = "*"
_ID_BYTES, _SECRET_BYTES = 5, 32
_KEYS: Final = f"{SLOT}:apikeys"
_USED: Final = f"{SLOT}:apikeys:used"
_FORM: Final = re.compile(r"kiosk_([0-9a-f]{10})_[A-Za-z0-9_-]{43}")


class Scope(StrEnum):
    """What a key may do."""

    TICKETS_READ = "tickets:read"
    TICKETS_WRITE = "tickets:write"
    PROFILES_READ = "profiles:read"


class ApiKey(Struct, frozen=True, kw_only=True):
    """One key as the store has it. New fields have defaults."""

    id: str
    name: str
    facility: str
    """HIP id, or ``*`` for every facility."""
    scopes: tuple[Scope, ...]
    digest: str
    """SHA-256 of the whole key, in hex."""
    made_s: int
    by: str
    """Login of who made it."""

    @property
    def login(self) -> str:
        """How it stands in the audit and in events as the one who acts."""
        return f"api:{self.id}"

    @property
    def is_for_all(self) -> bool:
        """Whether it is for every facility."""
        return self.facility == EVERY_FACILITY

    def may_see(self, hip: str) -> bool:
        """Whether it is for this facility."""
        return self.facility in {hip, EVERY_FACILITY}


class TooManyKeys(QueueingError):
    """The store has ``KEYS_MAX`` keys."""


_write = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(ApiKey).decode


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()


def _act(facility: str, act: Act) -> tuple[str, ...]:
    return (facility_digest(facility), *act.parts())


class ApiKeys:
    """Adds, finds and revokes keys. Raises ``QueueingError`` when the store cannot answer."""

    def __init__(self, store: Store, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock_s = clock_s
        self._known: dict[str, ApiKey] = {}
        self._changed = b""
        self._checked_s = -KNOWN_S
        self._used_s: dict[str, float] = {}

    async def add(
        self, name: str, facility: str, scopes: Iterable[Scope], *, by: str, address: str = ""
    ) -> tuple[ApiKey, str]:
        """Make a key: what is kept of it, and its text, which cannot be had again. Durable when it returns."""
        key_id = secrets.token_hex(_ID_BYTES)
        text = f"kiosk_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        key = ApiKey(
            id=key_id, name=shown_name(name, NAME_MAX, key_id), facility=facility,
            scopes=tuple(sorted(set(scopes))), digest=_digest(text), made_s=int(time.time()), by=by,
        )  # fmt: skip
        act = Act(kind="api_key_added", by=by, address=address, why=f"{key.login} {' '.join(key.scopes)}")
        if not await self._call("api_keys_add", key_id, _write(key), KEYS_MAX, *_act(facility, act)):
            raise TooManyKeys(f"there are {KEYS_MAX} API keys: revoke some that nobody uses")
        await self._store.durable(SLOT)
        return key, text

    async def revoke(self, key_id: str, *, by: str, address: str = "", within: str = EVERY_FACILITY) -> ApiKey | None:
        """End a key of this facility; None when there is none. Durable when it returns."""
        key = await self._stored(key_id)
        if key is None or within not in {key.facility, EVERY_FACILITY}:
            return None
        act = Act(kind="api_key_revoked", by=by, address=address, why=key.login)
        revoked = await self._call("api_keys_revoke", key_id, *_act(key.facility, act))
        await self._store.durable(SLOT)
        return key if revoked else None

    async def of(self, facility: str = "") -> list[tuple[ApiKey, int]]:
        """The keys of a facility (``""``: all keys), oldest first, each with its last use, unix s (0: never)."""
        flat: Any = await self._store.call(_KEYS, "HVALS", _KEYS)
        pairs: Any = await self._store.call(_USED, "HGETALL", _USED)
        used = {key.decode(): int(at_s) for key, at_s in zip(pairs[::2], pairs[1::2], strict=True)}
        keys = sorted(map(_read, flat), key=lambda key: (key.made_s, key.id))
        return [(key, used.get(key.id, 0)) for key in keys if facility in {"", key.facility}]

    async def find(self, text: str) -> ApiKey | None:
        """The key of this text, unless it is unknown or revoked. Its use is noted."""
        form = _FORM.fullmatch(text)
        if form is None:
            return None
        await self._forget_if_changed()
        key = self._known.get(form[1]) or await self._learn(form[1])
        if key is None or not hmac.compare_digest(key.digest, _digest(text)):
            return None
        await self._note_use(key.id)
        return key

    async def counts_still(self, key: ApiKey) -> bool:
        """Whether a key that was found before is not revoked: for streams."""
        await self._forget_if_changed()
        return key.id in self._known or await self._learn(key.id) is not None

    async def _learn(self, key_id: str) -> ApiKey | None:
        """A key from the store. An unknown one is not remembered: guesses must not fill the memory."""
        changed = self._changed
        key = await self._stored(key_id)
        if key is not None and changed == self._changed:
            self._known[key_id] = key
        return key

    async def _forget_if_changed(self) -> None:
        now_s = self._clock_s()
        if now_s - self._checked_s < KNOWN_S:
            return
        changed = await self._call("api_keys_changed")
        if changed != self._changed:
            self._known.clear()
        self._changed, self._checked_s = changed, now_s

    async def _note_use(self, key_id: str) -> None:
        now_s = self._clock_s()
        if now_s - self._used_s.get(key_id, -USED_EACH_S) < USED_EACH_S:
            return
        self._used_s[key_id] = now_s
        with suppress(QueueingError):  # the time of the last use is not worth a refusal
            await self._call("api_keys_used", key_id, int(time.time()))

    async def _stored(self, key_id: str) -> ApiKey | None:
        packed: Any = await self._store.call(_KEYS, "HGET", _KEYS, key_id)
        return _read(packed) if packed else None

    async def _call(self, operation: str, *arguments: str | bytes | int) -> Any:
        return await library.call(self._store, operation, SLOT, *arguments)
