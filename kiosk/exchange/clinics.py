"""The usual clinics of a hospital: names in the languages of the screens, and SNOMED CT codes, proposed for a queue."""

import re
import tomllib
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from queueing.limits import DepartmentCode, QueueNames


class Clinic(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is proposed for a queue."""

    words: tuple[str, ...]
    """In small letters: of a queue's id or name."""
    code: DepartmentCode
    names: QueueNames


def _read() -> dict[str, Clinic]:
    text = (Path(__file__).parent / "clinics.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Clinic])


CLINICS: Final = _read()
"""By key, in the order in which lists show them."""
_BY_WORD: Final = {word: clinic for clinic in CLINICS.values() for word in clinic.words}
_LONGEST_FIRST: Final = sorted(_BY_WORD, key=lambda word: -len(word))


def clinic_of(queue_id: str, name: str) -> Clinic | None:
    """The usual clinic that a queue seems to be, by its id or a word of its name."""
    if (found := _BY_WORD.get(queue_id.lower())) is not None:
        return found
    text = name.lower()
    word = next((one for one in _LONGEST_FIRST if re.search(rf"\b{re.escape(one)}\b", text)), None)
    return _BY_WORD[word] if word else None
