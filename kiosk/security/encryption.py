"""Seals and opens the envelopes of patients. ``queueing`` stores them and cannot read them.

AES-256-GCM with a key for each UTC day. Facility, purpose and request id are authenticated too, so an envelope moved to
another ticket does not open. Day keys are random, wrapped by that day's master key and stored in the
store. The key ring forgets a day's master key after the retention. Then that day cannot be opened from any copy of the
store, its journal or its backups, even with the present ring. A copy of the ring from before still opens it.

A day has a second key when the first one may have been read by a thief (``kiosk keys revoke --all``).
"""

import base64
import os
import struct
from collections.abc import Callable, Mapping
from itertools import count
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from queueing.day_keys import DayKeys

VERSION: Final = 1
DAY_S: Final = 86_400
HOUR_S: Final = 3_600
_HEAD: Final = struct.Struct(">BH")
"""The head of a sealed envelope: version with the day's key it uses (``VERSION`` is the first key), and the day."""
_DAY_BITS: Final = 16
"""The low bits of a day key's number are its day; the bits above say which of the day's keys it is."""
_KEY_HEAD: Final = struct.Struct(">BI")
"""The head of a day's wrapped key: version, and the number of the master key."""
_NONCE_BYTES: Final = 12
_PREFIX_BYTES: Final = 6


class SealBroken(Exception):
    """The envelope does not open: it was altered or moved, or this ring has no key of its day."""


class MasterKey(Protocol):
    """As ``tokens.keyring.SealMaster``."""

    @property
    def stolen(self) -> bool: ...
    def for_day(self, day: int) -> bytes | None: ...


class Seal:
    """Seals and opens in one process. ``refresh`` reads the day keys; call it at the start and regularly."""

    def __init__(
        self, masters: Mapping[int, MasterKey], master_id: int, *, now_s: Callable[[], int], retention_h: int
    ) -> None:
        self._now_s = now_s
        self.retention_s = retention_h * HOUR_S
        self._keys: dict[int, AESGCM] = {}
        """By number."""
        self._sealing: dict[int, tuple[bytes, AESGCM]] = {}
        """By day: head of what is sealed, and the key."""
        self.lost_days: list[int] = []
        """Days that stay closed, if the last ``refresh`` replaced today's key because its ring is lost."""
        self.day_is_sure = True
        """No while the clock may be wrong by days: then no day is over, so that no profile is closed by mistake."""
        self._prefix = os.urandom(_PREFIX_BYTES)
        self._numbers = count(int.from_bytes(os.urandom(4)))
        self.use(masters, master_id)

    def use(self, masters: Mapping[int, MasterKey], master_id: int) -> None:
        """Take the master keys of a rotated ring; days already open stay open."""
        self._masters = dict(masters)
        self._master_id = master_id

    async def refresh(self, keys: DayKeys, *, announce: bool = False, erase: bool = True) -> None:
        """Make the keys of today and tomorrow if they are missing, read all keys, and erase old ones.

        ``announce``: keep sealing with the present keys until every process had time to read the new ones. Without
        ``erase`` old keys are not used here, and stay in the store: for a clock that may yet be set right.
        """
        today = self._now_s() // DAY_S
        known = await keys.all()
        replaced = [day for day in (today, today + 1) if await self._offer(day, known, keys)]
        known = await keys.all()
        self.lost_days = self.closed_days(known) if today in replaced else []
        over = [number for number in known if self.day_is_sure and self._is_over(number)]
        if erase:
            await keys.erase(over)
        living = {number: known[number] for number in sorted(known.keys() - set(over))}
        self._keys = {number: key for number, wrapped in living.items() if (key := self._unwrap(number, wrapped))}
        if not announce or today not in self._sealing:
            self._sealing = {
                _day(number): (_HEAD.pack(VERSION + (number >> _DAY_BITS), _day(number)), self._keys[number])
                for number, wrapped in living.items()
                if number in self._keys and self._may_seal(wrapped)
            }
        if today not in self._sealing:
            raise SealBroken(f"the key of day {today} does not open with this key ring")

    def closed_days(self, known: Mapping[int, bytes]) -> list[int]:
        """Days within the retention that another key ring sealed: a key of theirs does not open with this ring."""
        return sorted(
            {_day(n) for n, wrapped in known.items() if not self._is_over(n) and self._unwrap(n, wrapped) is None}
        )

    @staticmethod
    def days_of(known: Mapping[int, bytes]) -> set[int]:
        """The days that have keys."""
        return {_day(number) for number in known}

    async def _offer(self, day: int, known: Mapping[int, bytes], keys: DayKeys) -> bool:
        """Make a key for the day if no key of it opens and may seal. True: this process replaced an older key."""
        numbers = [number for number in known if _day(number) == day]
        if any(self._may_seal(known[n]) and self._unwrap(n, known[n]) for n in numbers):
            return False
        turn = 1 + max((number >> _DAY_BITS for number in numbers), default=-1)
        return await keys.offer(turn << _DAY_BITS | day, self._wrap(day, AESGCM.generate_key(256))) and turn > 0

    @property
    def has_todays_key(self) -> bool:
        """No only after the clock was changed by days, until the next ``refresh``."""
        return self._now_s() // DAY_S in self._sealing

    def _is_over(self, number: int) -> bool:
        return (_day(number) + 1) * DAY_S + self.retention_s <= self._now_s()

    def close(self, purpose: str, facility: str, binding: str, plain: bytes) -> bytes:
        """Seal ``plain`` for one purpose, facility and request.

        Nobody is refused because the clock was changed: until the next ``refresh`` the key of the nearest day seals.
        """
        day = self._now_s() // DAY_S
        head, key = self._sealing.get(day) or self._sealing[min(self._sealing, key=lambda known: abs(known - day))]
        nonce = self._nonce()
        return head + nonce + key.encrypt(nonce, plain, _bound(head, purpose, facility, binding))

    def open(self, purpose: str, facility: str, binding: str, sealed: bytes) -> bytes:
        """The plain bytes again. Raises SealBroken."""
        try:
            head, nonce, body = _parts(sealed, _HEAD.size)
            version, day = _HEAD.unpack(head)
            return self._keys[(version - VERSION) << _DAY_BITS | day].decrypt(
                nonce, body, _bound(head, purpose, facility, binding)
            )
        except (struct.error, KeyError, InvalidTag, ValueError):
            raise SealBroken from None

    def _nonce(self) -> bytes:
        # A random prefix for each process and a counter that never repeats in it: all nonces of a day differ.
        return self._prefix + next(self._numbers).to_bytes(_NONCE_BYTES - _PREFIX_BYTES)

    def _wrap(self, day: int, key: bytes) -> bytes:
        master = self._masters[self._master_id].for_day(day)
        if master is None:
            raise SealBroken(f"the key ring has forgotten day {day}: is the clock behind?")
        nonce = os.urandom(_NONCE_BYTES)
        head = _KEY_HEAD.pack(VERSION, self._master_id)
        return head + nonce + AESGCM(master).encrypt(nonce, key, _bound(head, "day", str(day), ""))

    def _may_seal(self, wrapped: bytes) -> bool:
        """Whether this key may seal: its master is in the ring and was not stolen."""
        master = self._masters.get(_master_id(wrapped))
        return master is not None and not master.stolen

    def _unwrap(self, number: int, wrapped: bytes) -> AESGCM | None:
        """None when the key does not open with this ring: its day was forgotten, or the ring is older or another."""
        head, nonce, body = _parts(wrapped, _KEY_HEAD.size)
        master = self._masters.get(_master_id(wrapped))
        key = master.for_day(_day(number)) if master else None
        try:
            return AESGCM(AESGCM(key).decrypt(nonce, body, _bound(head, "day", str(_day(number)), ""))) if key else None
        except (InvalidTag, ValueError):
            return None


class LastingSeal:
    """Seals secrets of authenticator apps, which must open longer than a profile. Each is bound to its login."""

    def __init__(self, key: bytes) -> None:
        self._key = AESGCM(key)

    def use(self, key: bytes) -> None:
        """Take the key of another ring; what the old one sealed does not open any more."""
        self._key = AESGCM(key)

    def close(self, login: str, plain: bytes) -> str:
        """Seal for one login, as text. Nonces are random: a few thousand secrets in the life of a key."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._key.encrypt(nonce, plain, login.encode())).decode()

    def open(self, login: str, sealed: str) -> bytes | None:
        """The plain bytes again; None when another ring or login sealed them, or they were altered."""
        try:
            packed = base64.b64decode(sealed, validate=True)
            return self._key.decrypt(packed[:_NONCE_BYTES], packed[_NONCE_BYTES:], login.encode())
        except (InvalidTag, ValueError):
            return None


def _day(number: int) -> int:
    return number & ((1 << _DAY_BITS) - 1)


def _master_id(wrapped: bytes) -> int:
    return int(_KEY_HEAD.unpack_from(wrapped)[1]) if len(wrapped) >= _KEY_HEAD.size else 0


def _bound(head: bytes, purpose: str, facility: str, binding: str) -> bytes:
    return head + f"\0{purpose}\0{facility}\0{binding}".encode("utf-8", "surrogatepass")


def _parts(sealed: bytes, head: int) -> tuple[bytes, bytes, bytes]:
    """Head, nonce, and what only the key opens."""
    return sealed[:head], sealed[head : head + _NONCE_BYTES], sealed[head + _NONCE_BYTES :]
