"""Text that people wrote, made safe to show: one rule for names of patients, facilities, queues and staff.

The display form is one line of bounded length. It keeps every script, the joiners that shape Indic and Urdu words, and
punctuation such as ``S/o``. It drops control characters (ESC moves a terminal's cursor), characters that change the
reading direction, and characters that take no room. Patients are never matched by name.
"""

import unicodedata
from typing import Final

SHOWN_MAX: Final = 64
"""Characters of a name or address line that a screen shows: longer text overruns a line of the console."""
MARKS_MAX: Final = 4
"""Combining marks in a row: every Indic script needs fewer, and a hundred of them paint over the neighbours."""
RAW_MAX: Final = 1024
"""Characters that are read at all: the cost of normalising grows with the text."""

_JOINERS: Final = frozenset("\u200c\u200d")
"""ZWNJ and ZWJ shape words of Indic scripts and Urdu; after anything but a letter or a mark they do nothing."""
_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and symbols that draw nothing: a name made of them would look empty."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Control, format, surrogate, private use, unassigned. Format holds every bidi control and the zero-width space."""
_REPLACEMENT: Final = "\ufffd"
_NOT_IN_NAMES: Final = frozenset("<>{}[]@#$%^*=|\\")
"""Characters of code, addresses and masks. A slash, digits and brackets stand in ``S/o`` and ``Twin 2 of``."""


def display_text(text: str, limit: int = SHOWN_MAX) -> str:
    """The display form of text from outside, at most ``limit`` characters wide."""
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text.strip()
    shown: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", text[:RAW_MAX]):
        if char.isspace():
            char = " "
        elif _is_dropped(char, shown[-1] if shown else " "):
            continue
        category = unicodedata.category(char)
        marks = marks + 1 if category == "Mn" or unicodedata.combining(char) else 0
        if marks <= MARKS_MAX:
            shown.append(char)
    return _cut("".join(shown), limit).strip(" " + _REPLACEMENT)


def _is_dropped(char: str, before: str) -> bool:
    if char in _JOINERS:
        return unicodedata.category(before)[0] not in "LM"
    return char in _FILLERS or is_variation_selector(char) or unicodedata.category(char) in _UNSEEN


def is_variation_selector(char: str) -> bool:
    """They choose a picture of the character before and draw nothing themselves."""
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef" or "\u180b" <= char <= "\u180f"


def _cut(text: str, limit: int) -> str:
    """At most ``limit`` characters that take room of their own; a mark stays with its letter."""
    width = 0
    for at, char in enumerate(text):
        width += not unicodedata.category(char).startswith("M")
        if width > limit:
            return text[:at]
    return text


def person_name(text: str) -> str:
    """A patient's name as screens show it; empty when it holds no letter."""
    name = display_text(text)
    return name if _is_written(name) else ""


def name_fault(text: str) -> str:
    """What is wrong with a name that somebody typed: ``missing``, ``long``, ``odd``, or empty when it is a name."""
    name = display_text(text, RAW_MAX)
    if not name:
        return "missing"
    if len(name) > SHOWN_MAX:
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
        if (category in _UNSEEN and category != "Cf" and char not in "\t\r\n") or char in _OVERRIDES:
            return f"U+{ord(char):04X} {_name_of(char)}"
    return ""


def terminal_text(text: str) -> str:
    """Text without characters that move a terminal's cursor, change its colours or turn its line around."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char for char in text if char in "\t\n" or not (unicodedata.category(char) == "Cc" or char in _OVERRIDES)
    )


_OVERRIDES: Final = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
"""Bidi embeddings, overrides and isolates: they turn around what follows them."""
_CONTROL_NAMES: Final = {"\x1b": "ESCAPE", "\x00": "NULL", "\x07": "BELL", "\x08": "BACKSPACE", "\x7f": "DELETE"}


def _name_of(char: str) -> str:
    return unicodedata.name(char, _CONTROL_NAMES.get(char, "a character without a name"))


def _is_written(text: str) -> bool:
    return any(unicodedata.category(char).startswith("L") for char in text)
