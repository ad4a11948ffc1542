"""The counter code: twenty letters and digits. They prove that a screen showed them recently.

ABDM carries 1 to 20 letters and digits as ``counter-id`` and hands them back unchanged as ``metaData.context``
(NHA portal, user counter rules). No other field comes back, so the whole proof fits in twenty characters:

    M001 ZQ4P 7K2M9XWD4R0C      counter (4), time slot (4), truncated HMAC-SHA256 (12, 60 bits)

The counter comes first, so that the history on a phone shows a name that people know. Slot and proof use 32 letters and
digits of one case without look-alikes (no I, L, O, U). The proof covers HIP id, counter and the whole slot number, of
which the code carries the last 20 bits (two years of minutes); the missing bits are those that give the slot nearest
to now. Case is exact: apps must not change the text, and the gateway needs it back unchanged.
"""

import hmac
import re
from functools import lru_cache

from tokens.claims import LONGEST_LIFE_S, STALE_LIFE_S, CounterProof, Grade
from tokens.errors import (
    CounterCodeExpired,
    CounterCodeForged,
    CounterCodeTooEarly,
    CounterNotCodable,
    NotACounterCode,
)
from tokens.keyring import KeyRing

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32."""

_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
_PAIR_VALUES = {pair: value for value, pair in enumerate(_PAIRS)}

SLOTS = 1 << 20
"""How many slots four characters tell apart."""

PROVED_REMEMBERED = 16_384
"""Verified codes in memory: one for each counter of a state's hospitals, about 4 MB. A full cache is emptied."""

SLOTS_AHEAD = 1
"""A machine whose clock is ahead may show the next slot already. More than one slot means a wrong clock."""

HIP_ID_LENGTH = 250
"""NHA portal: the wire field's intended ceiling."""

_CODE = re.compile(f"([A-Z][A-Z0-9]{{3}})([{ALPHABET}]{{4}})([{ALPHABET}]{{12}})")
_NAME = re.compile("([A-Z]{1,4})([1-9][0-9]{0,2})?")
_FIELD = re.compile("([A-Z]{1,4})([0-9]{0,3})")


def codable(counter: str) -> bool:
    """Whether this counter name may stand in a signed code: letters, then a number or none, four characters at most."""
    return len(counter) <= 4 and _NAME.fullmatch(counter) is not None


class CounterCodes:
    """Makes and reads the codes of all counters of all facilities. It reads no clock, no file and no store."""

    def __init__(self, ring: KeyRing, *, slot_s: int = 60, fresh_s: int = 600, stale_s: int = STALE_LIFE_S) -> None:
        """``slot_s``: how long a screen shows one code. ``fresh_s``, ``stale_s``: ages up to which it has that grade.

        Ten minutes fresh: between scan and share may lie a login, an installation and a consent (NHA portal).
        """
        if not 0 < slot_s <= 86_400 or not 0 <= fresh_s <= stale_s <= LONGEST_LIFE_S - slot_s:
            raise ValueError(f"slot {slot_s} s, fresh {fresh_s} s, stale {stale_s} s: not in rising order or too long")
        if stale_s // slot_s >= SLOTS // 2 - 2:
            raise ValueError(f"slots of {slot_s} s cannot tell {stale_s} s apart")
        self._slot_s = slot_s
        self._fresh_s = fresh_s
        self._stale_s = stale_s
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Verify and sign with this ring from now on. The cache of verified codes is emptied."""
        self._keys = tuple(hmac.new(g.counter_key(), digestmod="sha256") for g in ring.believed)
        self._proved: dict[tuple[str, str], tuple[str, int]] = {}

    def mint(self, hip_id: str, counter: str, now_s: int) -> str:
        """The code a screen of this counter shows now, exactly 20 characters. Raises CounterNotCodable."""
        field, hip = _field(counter), _hip(hip_id)
        if field is None or not 0 < len(hip_id) <= HIP_ID_LENGTH:
            raise CounterNotCodable("a signed code needs a HIP id and a counter of letters, then a number, like M1")
        slot = now_s // self._slot_s
        return field + _PAIRS[slot >> 10 & 1023] + _PAIRS[slot & 1023] + _proof(self._keys[0], field, slot, hip)

    def read(self, text: str, hip_id: str, now_s: int) -> CounterProof:
        """What the code proves about a screen of this facility.

        Raises NotACounterCode, CounterCodeForged, CounterCodeTooEarly or CounterCodeExpired; the last two only for
        codes that are genuine.
        """
        counter, slot = self._proved.get((text, hip_id)) or self._prove(text, hip_id, now_s)
        if slot > now_s // self._slot_s + SLOTS_AHEAD:
            raise CounterCodeTooEarly("the code's slot has not begun")
        age_s = max(0, now_s - (slot + 1) * self._slot_s)
        if age_s > self._stale_s:
            raise CounterCodeExpired("the code left its screen too long ago")
        return CounterProof(counter=counter, grade=Grade.FRESH if age_s <= self._fresh_s else Grade.STALE, age_s=age_s)

    def rotates_at(self, now_s: int) -> int:
        """When the code shown at ``now_s`` ends, unix seconds. Minting at that moment gives the next code."""
        return (now_s // self._slot_s + 1) * self._slot_s

    def _prove(self, text: str, hip_id: str, now_s: int) -> tuple[str, int]:
        """Counter and slot of a genuine code. Many people scan one code, so it is verified once."""
        shape = _CODE.fullmatch(text) if len(text) == 20 else None
        counter = _counter(shape[1]) if shape else None
        if shape is None or counter is None:
            raise NotACounterCode("not a signed counter code")
        slot = self._nearest_slot(shape[2], now_s)
        self._believe(shape[1], slot, shape[3], hip_id)
        if len(self._proved) >= PROVED_REMEMBERED:
            self._proved.clear()
        self._proved[text, hip_id] = (counter, slot)
        return counter, slot

    def _nearest_slot(self, text: str, now_s: int) -> int:
        """The whole slot number whose last 20 bits these are and which lies nearest to now."""
        tail = _PAIR_VALUES[text[:2]] << 10 | _PAIR_VALUES[text[2:]]
        oldest = now_s // self._slot_s - SLOTS // 2
        return oldest + (tail - oldest) % SLOTS

    def _believe(self, field: str, slot: int, proof: str, hip_id: str) -> None:
        hip = _hip(hip_id)
        if slot >= 0:
            for key in self._keys:
                if hmac.compare_digest(_proof(key, field, slot, hip), proof):
                    return
        raise CounterCodeForged("no key of ours made this code for this facility")


def _hip(hip_id: str) -> bytes:
    return hip_id.encode("utf-8", "surrogatepass")


def _proof(key: hmac.HMAC, field: str, slot: int, hip: bytes) -> str:
    """60 bits as 12 characters. The HIP id is last, after fields of fixed length, so no two inputs are alike."""
    mac = key.copy()
    mac.update(field.encode() + slot.to_bytes(8, "big") + hip)
    bits = int.from_bytes(mac.digest()[:8], "big") >> 4
    return (
        _PAIRS[bits >> 50]
        + _PAIRS[bits >> 40 & 1023]
        + _PAIRS[bits >> 30 & 1023]
        + _PAIRS[bits >> 20 & 1023]
        + _PAIRS[bits >> 10 & 1023]
        + _PAIRS[bits & 1023]
    )


@lru_cache(maxsize=4096)
def _field(counter: str) -> str | None:
    """The name in four characters, zeros before the number: ``M1`` → ``M001``, ``ENT`` → ``ENT0``, or None."""
    name = _NAME.fullmatch(counter)
    if name is None or len(counter) > 4:
        return None
    letters, number = name.groups("")
    return letters + number.rjust(4 - len(letters), "0")


@lru_cache(maxsize=4096)
def _counter(field: str) -> str | None:
    """The counter name of this field, or None if it has none. No name has the number 0: none is ambiguous."""
    parts = _FIELD.fullmatch(field)
    return parts[1] + parts[2].lstrip("0") if parts else None
