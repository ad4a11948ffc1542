"""Closes and opens what queueing carries and must not read: the envelopes of those who come.

AES-256-GCM with a key for each UTC day; facility, purpose and the request that brought it are bound in, so that a
sealed body moved to another ticket does not open. Day keys are random, wrapped by the master key of the key ring and
kept in the store; a day is erased by erasing its key, in every backup and journal at once.
"""

import os
import struct
from collections.abc import Callable, Mapping
from itertools import count
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from queueing.day_keys import DayKeys

VERSION: Final = 1
DAY_S: Final = 86_400
HOUR_S: Final = 3_600
_HEAD: Final = struct.Struct(">BH")
"""Of what is sealed: version, day."""
_KEY_HEAD: Final = struct.Struct(">BI")
"""Of a day's wrapped key: version, number of the master key."""
_NONCE_BYTES: Final = 12
_PREFIX_BYTES: Final = 6


class SealBroken(Exception):
    """It does not open: altered, moved from elsewhere, or its day was erased."""


class Seal:
    """Seals for one process. ``refresh`` brings the days' keys; call it at start and every hour."""

    def __init__(
        self, masters: Mapping[int, bytes], master_id: int, *, now_s: Callable[[], int], retention_h: int
    ) -> None:
        self._now_s = now_s
        self._retention_s = retention_h * HOUR_S
        self._days: dict[int, AESGCM] = {}
        self._prefix = os.urandom(_PREFIX_BYTES)
        self._numbers = count(int.from_bytes(os.urandom(4)))
        self.use(masters, master_id)

    def use(self, masters: Mapping[int, bytes], master_id: int) -> None:
        """Take the master keys of a rotated ring; days already open stay open."""
        self._masters = {number: AESGCM(key) for number, key in masters.items()}
        self._master_id = master_id

    async def refresh(self, keys: DayKeys) -> None:
        """Make today's and tomorrow's key where they are missing, read all, erase those whose time is over."""
        today = self._now_s() // DAY_S
        known = await keys.all()
        for day in (today, today + 1):
            if day not in known:
                await keys.offer(day, self._wrap(day, AESGCM.generate_key(256)))
        known = await keys.all()
        over = [day for day in known if (day + 1) * DAY_S + self._retention_s <= self._now_s()]
        await keys.erase(over)
        self._days = {day: AESGCM(self._unwrap(day, wrapped)) for day, wrapped in known.items() if day not in over}

    def close(self, purpose: str, facility: str, binding: str, plain: bytes) -> bytes:
        """Seal ``plain`` for one purpose, facility and request."""
        day = self._now_s() // DAY_S
        head = _HEAD.pack(VERSION, day)
        nonce = self._nonce()
        return head + nonce + self._days[day].encrypt(nonce, plain, _bound(head, purpose, facility, binding))

    def open(self, purpose: str, facility: str, binding: str, sealed: bytes) -> bytes:
        """The plain bytes again. Raises SealBroken."""
        try:
            head, nonce, body = _parts(sealed, _HEAD.size)
            version, day = _HEAD.unpack(head)
            if version != VERSION:
                raise SealBroken
            return self._days[day].decrypt(nonce, body, _bound(head, purpose, facility, binding))
        except (struct.error, KeyError, InvalidTag, ValueError):
            raise SealBroken from None

    def _nonce(self) -> bytes:
        # A random prefix for each process and a number that never repeats in it: no two nonces of a day meet.
        return self._prefix + next(self._numbers).to_bytes(_NONCE_BYTES - _PREFIX_BYTES)

    def _wrap(self, day: int, key: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        head = _KEY_HEAD.pack(VERSION, self._master_id)
        return head + nonce + self._masters[self._master_id].encrypt(nonce, key, _bound(head, "day", str(day), ""))

    def _unwrap(self, day: int, wrapped: bytes) -> bytes:
        head, nonce, body = _parts(wrapped, _KEY_HEAD.size)
        try:
            _, master_id = _KEY_HEAD.unpack(head)
            return self._masters[master_id].decrypt(nonce, body, _bound(head, "day", str(day), ""))
        except (struct.error, KeyError, InvalidTag, ValueError):
            raise SealBroken(f"the key of day {day} does not open with this key ring") from None


def _bound(head: bytes, purpose: str, facility: str, binding: str) -> bytes:
    return head + f"\0{purpose}\0{facility}\0{binding}".encode("utf-8", "surrogatepass")


def _parts(sealed: bytes, head: int) -> tuple[bytes, bytes, bytes]:
    """Head, nonce, and what only the key opens."""
    return sealed[:head], sealed[head : head + _NONCE_BYTES], sealed[head + _NONCE_BYTES :]
