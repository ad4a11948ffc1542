"""Closes and opens what queueing carries and must not read: the letters of those who come.

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
from zstandard import DICT_TYPE_RAWCONTENT, ZstdCompressionDict, ZstdCompressor, ZstdDecompressor, ZstdError

from queueing.daykeys import DayKeys

VERSION: Final = 1
DAY_S: Final = 86_400
HOUR_S: Final = 3_600
_HEAD: Final = struct.Struct(">BHH")
"""Version, day, length of the plain text when it was pressed (0: it was not)."""
_NONCE_BYTES: Final = 12
_PREFIX_BYTES: Final = 6
_PRESS_FROM: Final = 96
"""Bytes from which pressing pays; a shorter text gains nothing."""
_PRESS_UP_TO: Final = 65_535
_LEVEL: Final = -1
"""Of zstd: 310 bytes for a profile of 697 in 4 µs; level 1 takes 304 bytes and 8 µs, zlib at its best 256 and 14."""

# What nearly every profile holds: a body is pressed against these words, so that only what differs is stored.
_WORDS: Final = (
    b'{"intent":"PROFILE_SHARE","metaData":{"hipId":"IN","context":"","hprId":null,"latitude":"34.","longitude":"74.'
    b'","latitude":null,"longitude":null},"profile":{"patient":{"abhaNumber":"91-","abhaNumber":null,"abhaAddress":"@sbx'
    b'@abdm","name":"","gender":"M","gender":"F","dayOfBirth":"1","monthOfBirth":"1","yearOfBirth":"19","yearOfBirth":"20'
    b'","address":{"line":"","district":"Srinagar","district":"Jammu","state":"Jammu and Kashmir","pincode":"19'
    b'"},"phoneNumber":"9"}}}'
)
_DICTIONARY: Final = ZstdCompressionDict(_WORDS, dict_type=DICT_TYPE_RAWCONTENT)
_presser: Final = ZstdCompressor(level=_LEVEL, dict_data=_DICTIONARY, write_checksum=False, write_content_size=False)
_unpresser: Final = ZstdDecompressor(dict_data=_DICTIONARY)


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
        pressed, length = _press(plain)
        head = _HEAD.pack(VERSION, day, length)
        nonce = self._nonce()
        return head + nonce + self._days[day].encrypt(nonce, pressed, _bound(head, purpose, facility, binding))

    def open(self, purpose: str, facility: str, binding: str, sealed: bytes) -> bytes:
        """The plain bytes again. Raises SealBroken."""
        try:
            head, nonce, body = sealed[:5], sealed[5 : 5 + _NONCE_BYTES], sealed[5 + _NONCE_BYTES :]
            version, day, length = _HEAD.unpack(head)
            if version != VERSION:
                raise SealBroken
            pressed = self._days[day].decrypt(nonce, body, _bound(head, purpose, facility, binding))
        except (struct.error, KeyError, InvalidTag, ValueError):
            raise SealBroken from None
        return _unpress(pressed, length) if length else pressed

    def _nonce(self) -> bytes:
        # A random prefix for each process and a number that never repeats in it: no two nonces of a day meet.
        return self._prefix + next(self._numbers).to_bytes(_NONCE_BYTES - _PREFIX_BYTES)

    def _wrap(self, day: int, key: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        head = struct.pack(">BI", VERSION, self._master_id)
        return head + nonce + self._masters[self._master_id].encrypt(nonce, key, _bound(head, "day", str(day), ""))

    def _unwrap(self, day: int, wrapped: bytes) -> bytes:
        head, nonce, body = wrapped[:5], wrapped[5 : 5 + _NONCE_BYTES], wrapped[5 + _NONCE_BYTES :]
        try:
            _, master_id = struct.unpack(">BI", head)
            return self._masters[master_id].decrypt(nonce, body, _bound(head, "day", str(day), ""))
        except (struct.error, KeyError, InvalidTag, ValueError):
            raise SealBroken(f"the key of day {day} does not open with this key ring") from None


def _bound(head: bytes, purpose: str, facility: str, binding: str) -> bytes:
    return head + f"\0{purpose}\0{facility}\0{binding}".encode("utf-8", "surrogatepass")


def _press(plain: bytes) -> tuple[bytes, int]:
    if not _PRESS_FROM <= len(plain) <= _PRESS_UP_TO:
        return plain, 0
    return _presser.compress(plain), len(plain)


def _unpress(pressed: bytes, length: int) -> bytes:
    # Never more than was pressed, whatever the bytes claim.
    try:
        plain = _unpresser.decompress(pressed, max_output_size=length)
    except ZstdError:
        raise SealBroken from None
    if len(plain) != length:
        raise SealBroken
    return plain
