"""The words on patients' screens, in the five official languages of Jammu & Kashmir.

``en.toml`` is the measure; every language has exactly its keys. Read once, when the process starts.
"""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct

LANGUAGES: Final = ("en", "hi", "ur", "ks", "doi")
"""In the order in which a rotating screen shows them; the first is what nobody's wish falls back to."""
_LONGEST_WISH: Final = 500
"""Characters of an Accept-Language looked at; real ones have under a hundred."""


class Words(Struct, frozen=True, kw_only=True):
    """Everything our screens say in one language."""

    code: str
    name: str
    """The language's own name for itself."""
    direction: str
    """``ltr`` or ``rtl``."""
    native_digits: str
    said: dict[str, str]
    """``group.key`` → words, perhaps with {placeholders}."""

    def say(self, key: str, **values: object) -> str:
        """The words of a key with its placeholders filled. A key nobody wrote is our own mistake: KeyError."""
        return self.said[key].format(**values)

    def book(self, *groups: str) -> dict[str, str]:
        """The words of these groups and about the language itself, for a page's script."""
        chosen = {key: words for key, words in self.said.items() if key.partition(".")[0] in groups}
        about = {"name": self.name, "direction": self.direction, "native_digits": self.native_digits}
        return about | chosen


def _read(code: str) -> Words:
    groups = tomllib.loads((Path(__file__).parent / f"{code}.toml").read_text("utf-8"))
    about = groups.pop("language")
    said = {f"{group}.{key}": words for group, lines in groups.items() for key, words in lines.items()}
    return Words(code=code, said=said, **about)


BOOK: Final[dict[str, Words]] = {code: _read(code) for code in LANGUAGES}
ENGLISH: Final = BOOK["en"]


def choose(asked: str = "", accept_language: str = "") -> Words:
    """The language of a page: what its address asks for, else what the browser prefers, else English."""
    if asked in BOOK:
        return BOOK[asked]
    return next((BOOK[code] for code in _wishes(accept_language) if code in BOOK), ENGLISH)


def several(asked: str) -> tuple[str, ...]:
    """The languages of a screen that shows one after another: those of ``ur,en`` that we have, else all."""
    wished = dict.fromkeys(code for code in asked.split(",")[:16] if code in BOOK)
    return tuple(wished) or LANGUAGES


def books(codes: Iterable[str], *groups: str) -> dict[str, dict[str, str]]:
    """The words of several languages, for a page's script."""
    return {code: BOOK[code].book(*groups) for code in codes}


def _wishes(accept_language: str) -> list[str]:
    """Primary codes of an Accept-Language, best first (RFC 9110, 12.5.4); what cannot be read counts nothing."""
    wishes = []
    for part in accept_language[:_LONGEST_WISH].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if quality > 0:
            wishes.append((-quality, tag.partition("-")[0].strip().lower()))
    return [code for _, code in sorted(wishes, key=lambda wish: wish[0])]
