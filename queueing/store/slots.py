"""The slot of a key, by which a cluster divides its keys. Source: cluster specification, "Key distribution model"."""

from binascii import crc_hqx
from typing import Final

SLOTS: Final = 16_384


def slot_of(key: bytes | str) -> int:
    """CRC16 (XMODEM) of the hash tag, or of the whole key where there is none."""
    raw = key.encode() if isinstance(key, str) else key
    start = raw.find(b"{")
    if start >= 0:
        end = raw.find(b"}", start + 1)
        if end > start + 1:
            raw = raw[start + 1 : end]
    return crc_hqx(raw, 0) % SLOTS
