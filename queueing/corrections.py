"""Sentences of the screens that a facility's administrator corrected: their form in the store."""

from functools import lru_cache
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from queueing.limits import LanguageCode

CORRECTIONS_MAX: Final = 200
"""Of one facility: every sentence of a language, and some of another."""
CORRECTION_MAX: Final = 240
"""Characters: the longest sentence of ours has 130."""
CORRECTIONS_BYTES_MAX: Final = 65_536
"""Of all corrections as they are stored: each page reads them. Those of a whole language take 50,000."""
FORMS_MAX: Final = 6
"""Plural forms: no language has more."""

Sentence = Annotated[str, Meta(min_length=1, max_length=CORRECTION_MAX)]


class Correction(Struct, frozen=True, kw_only=True):
    """What a facility reads in place of a sentence of ours."""

    language: LanguageCode
    key: Annotated[str, Meta(pattern=r"\A[a-z_]{1,32}\.[a-z_0-9]{1,32}\Z")]
    """As ``kiosk.locales`` has it: ``board.closed``."""
    forms: Annotated[tuple[Sentence, ...], Meta(min_length=1, max_length=FORMS_MAX)]
    """One, or one of each plural form."""
    source: Annotated[str, Meta(max_length=32)]
    """Mark of the English sentence: a correction of an earlier one is not shown."""
    by: str
    """Login of the administrator."""
    at_ms: int

    @property
    def name(self) -> str:
        """Of all corrections of a facility only one has it."""
        return f"{self.language} {self.key}"


class Corrections(Struct, frozen=True, kw_only=True):
    """All of one facility. They can be hashed, so that what is made of them is made once."""

    changes: int = 0
    """How often they changed so far; a page that sees another number in the snapshot reads them anew."""
    entries: tuple[Correction, ...] = ()

    def of(self, language: str) -> dict[str, Correction]:
        """Those of a language, by key."""
        return {one.key: one for one in self.entries if one.language == language}


NO_CORRECTIONS: Final = Corrections()
_read = msgspec.msgpack.Decoder(dict[str, Correction]).decode


def corrections_of(packed: bytes | None, changes: bytes | None) -> Corrections:
    """As ``functions/corrections.lua`` stores them; nearly no facility has any."""
    return _corrections_of(packed, changes) if changes else NO_CORRECTIONS


@lru_cache(maxsize=64)
def _corrections_of(packed: bytes | None, changes: bytes) -> Corrections:
    found = _read(packed) if packed else {}
    return Corrections(changes=int(changes), entries=tuple(found[name] for name in sorted(found)))
