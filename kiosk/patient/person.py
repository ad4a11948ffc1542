"""Who came, as every door hands it to ``checkin``: plain data, and the one rule for text that people will see.

What a phone or a clerk typed is kept raw where it is sealed; what stands here is its display form: safe on a screen,
in a table cell and on a printed slip, and bounded. Nobody is ever matched by name.
"""

import unicodedata
from typing import Final

from msgspec import Struct

from queueing.models import Refusal

SHOWN_MAX: Final = 64
"""Characters of a name or address line that a screen shows: longer text overruns a line of the console."""
MARKS_MAX: Final = 4
"""Combining marks in a row: every Indic script needs fewer, and a hundred of them paint over the neighbours."""
RAW_MAX: Final = 1024
"""Characters looked at at all: normalising costs grow with the text."""

_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINERS: Final = frozenset("\u200c\u200d")
"""Zero-width joiners shape honest Indic and Urdu words; every other invisible character is dropped."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


class Person(Struct, frozen=True, kw_only=True):
    """As much of somebody as a place depends on, normalised. Empty text and None mean that nobody said."""

    abha_number: str = ""
    """Fourteen digits, or empty."""
    abha_address: str = ""
    """As written; compare it without case."""
    year_of_birth: int | None = None
    month_of_birth: int | None = None
    day_of_birth: int | None = None


class Patient(Person, frozen=True, kw_only=True):
    """The whole profile, as people see it."""

    name: str = ""
    gender: str = ""
    """``M F O D T U``, or empty."""
    phone: str = ""
    """Digits only, without the country's 91; or empty."""
    line: str = ""
    district: str = ""
    state: str = ""
    pincode: str = ""


class Scan(Struct, frozen=True, kw_only=True):
    """One share, as the gateway's door understood it."""

    facility: str
    """HIP id; empty when the message named none."""
    context: str
    """Counter text as it came, at most 250 characters."""
    request_id: str
    """Idempotency key: the REQUEST-ID in lower case, without braces."""
    person: Person | None
    position: tuple[float, float] | None = None
    """Latitude and longitude of the phone, in degrees, when it said."""
    body: bytes
    """The message as it came."""
    note: bytes
    """What the answer will need (``kiosk.abdm.inbound.Note``), not sealed yet."""
    profile: bytes = b""
    """What was told of the patient, unread and not sealed yet; empty when nothing was."""
    refusal: Refusal | None = None
    """Already refused at the door; a known request still gets its old answer."""


class StatusQuery(Struct, frozen=True, kw_only=True):
    """Somebody's app asks which number is being served."""

    facility: str
    context: str
    request_id: str
    body: bytes
    note: bytes
    refusal: Refusal | None = None


def shown(text: str, limit: int = SHOWN_MAX) -> str:
    """The display form of text from outside: one line, no invisible or direction-changing characters, bounded."""
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text.strip()
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text[:RAW_MAX]):
        if char.isspace():
            char = " "
        elif char in _BIDI or (unicodedata.category(char) in _UNSEEN and char not in _JOINERS):
            continue
        marks = marks + 1 if unicodedata.combining(char) or unicodedata.category(char) == "Mn" else 0
        if marks <= MARKS_MAX:
            kept.append(char)
    return _cut("".join(kept), limit).strip()


def _cut(text: str, limit: int) -> str:
    """At most ``limit`` characters that take room of their own; a mark stays with its envelope."""
    width = 0
    for at, char in enumerate(text):
        width += not unicodedata.category(char).startswith("M")
        if width > limit:
            return text[:at]
    return text
