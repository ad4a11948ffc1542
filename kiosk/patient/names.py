"""Names that people wrote: what is a name, and what is wrong with one. Patients are never matched by name.

The display form itself is ``queueing.display_text``: names of facilities and queues are read in it as well.
"""

import unicodedata
from typing import Final

from queueing.display_text import RAW_MAX, UNSEEN, display_text, marked_text

NAME_MAX: Final = 128
"""Characters of a person's name: with ``S/o`` and a village names of eighty are written, and no longer one was seen."""

_NOT_IN_NAMES: Final = frozenset("<>{}[]@#$%^*=|\\;_~")
"""Characters of code, addresses, masks and barcodes. A slash, digits and brackets stand in ``S/o``, ``Twin 2 of``."""


def person_name(text: str) -> str:
    """A patient's name, whole as far as names go; empty when it holds no letter."""
    name = marked_text(text, NAME_MAX)
    return name if _is_written(name) else ""


def name_fault(text: str) -> str:
    """What is wrong with a name that somebody typed: ``missing``, ``long``, ``odd``, or empty when it is a name."""
    name = display_text(text, RAW_MAX)
    if not name:
        return "missing"
    if len(name) > NAME_MAX:
        return "long"
    odd = not _is_written(name) or "://" in name or not _NOT_IN_NAMES.isdisjoint(name)
    return "odd" if odd else ""


def unsafe_character(text: str) -> str:
    """The first character that no name may hold, described as ``U+001B ESCAPE``; empty when there is none.

    For text that an operator can correct, such as a file. Marks that only hint at a direction and zero-width spaces are
    left behind by keyboards and spreadsheets: they are dropped without a word.
    """
    for char in text:
        category = unicodedata.category(char)
        if (category in UNSEEN and category != "Cf" and char not in "\t\r\n") or char in _OVERRIDES:
            return f"U+{ord(char):04X} {_name_of(char)}"
    return ""


_OVERRIDES: Final = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
"""Bidi embeddings, overrides and isolates: they turn around what follows them."""
_CONTROL_NAMES: Final = {"\x1b": "ESCAPE", "\x00": "NULL", "\x07": "BELL", "\x08": "BACKSPACE", "\x7f": "DELETE"}


def _name_of(char: str) -> str:
    return unicodedata.name(char, _CONTROL_NAMES.get(char, "a character without a name"))


def _is_written(text: str) -> bool:
    return any(unicodedata.category(char).startswith("L") for char in text)
