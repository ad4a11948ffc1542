"""The display form of text from outside: one rule for names of patients, facilities, queues and staff.

It is one line of bounded length. It keeps every script, the joiners that shape Indic and Urdu words, and punctuation
such as ``S/o``. It drops control characters (ESC moves a terminal's cursor), characters that change the reading
direction, and characters that take no room. Stored names of facilities, queues and staff are read in this form, so that
a name that an earlier release stored as it came is harmless on every board, page and terminal.
"""

import unicodedata
from collections.abc import Mapping
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
UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Control, format, surrogate, private use, unassigned. Format holds every bidi control and the zero-width space."""
_REPLACEMENT: Final = "\ufffd"


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


def marked_text(text: str, limit: int = SHOWN_MAX) -> str:
    """The display form, at most ``limit`` characters wide; where it was longer, it ends with an ellipsis.

    For what people read: without the mark a part of a name passes for the name.
    """
    whole = display_text(text, RAW_MAX)
    return whole if _cut(whole, limit) == whole else f"{_cut(whole, limit - 1).rstrip()}…"


def shown_name(text: str, limit: int, otherwise: str) -> str:
    """A stored name in its display form; ``otherwise`` when nothing of it is left."""
    return display_text(text, limit) or otherwise


def shown_names(names: Mapping[str, str], limit: int) -> dict[str, str]:
    """Names by language in their display form; without those of which nothing is left."""
    shown = {language: display_text(name, limit) for language, name in names.items()}
    return {language: name for language, name in shown.items() if name}


def _is_dropped(char: str, before: str) -> bool:
    if char in _JOINERS:
        return unicodedata.category(before)[0] not in "LM"
    return char in _FILLERS or is_variation_selector(char) or unicodedata.category(char) in UNSEEN


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


def terminal_text(text: str) -> str:
    """Lines for a terminal: tabs and ends of lines stay, and every other character that the display form drops goes."""
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    for char in text:
        if char in "\t\n" or not _is_dropped(char, shown[-1] if shown else " "):
            shown.append(char)
    return "".join(shown)


def ascii_where_unseen(text: str) -> str:
    r"""JSON for a program, safe on a terminal too: what the display form drops stands as ``\uXXXX``."""
    if text.isascii() and "\x7f" not in text:
        return text
    stays = _JOINERS | {"\n"}
    return "".join(_escaped(char) if char not in stays and _is_dropped(char, " ") else char for char in text)


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
