"""Messages on patients' screens, in the five official languages of Jammu & Kashmir.

Every language has exactly the keys of ``en.toml``. The files are read once, when the process starts.
"""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct

LANGUAGES: Final = ("en", "hi", "ur", "ks", "doi")
"""In the order in which a rotating screen shows them. The first one is the fallback."""
_HEADER_MAX: Final = 500
"""Characters of an Accept-Language header that are read; real ones have under a hundred."""


class Words(Struct, frozen=True, kw_only=True):
    """All messages of one language."""

    code: str
    name: str
    """The language's own name for itself."""
    direction: str
    """``ltr`` or ``rtl``."""
    native_digits: str
    texts: dict[str, str]
    """``group.key`` → message, which may hold {placeholders}."""

    def say(self, key: str, **values: object) -> str:
        """The message of a key, placeholders filled in. A missing key is a mistake in our code: KeyError."""
        return self.texts[key].format(**values)

    def book(self, *groups: str) -> dict[str, str]:
        """The messages of these groups and facts about the language, for a page's script."""
        chosen = {key: words for key, words in self.texts.items() if key.partition(".")[0] in groups}
        about = {"name": self.name, "direction": self.direction, "native_digits": self.native_digits}
        return about | chosen


def _read(code: str) -> Words:
    groups = tomllib.loads((Path(__file__).parent / f"{code}.toml").read_text("utf-8"))
    about = groups.pop("language")
    texts = {f"{group}.{key}": words for group, lines in groups.items() for key, words in lines.items()}
    return Words(code=code, texts=texts, **about)


BOOK: Final[dict[str, Words]] = {code: _read(code) for code in LANGUAGES}
ENGLISH: Final = BOOK["en"]


def choose(wanted: str = "", accept_language: str = "") -> Words:
    """The language of a page: the one in its address, else the browser's, else English."""
    if wanted in BOOK:
        return BOOK[wanted]
    return next((BOOK[code] for code in _preferred(accept_language) if code in BOOK), ENGLISH)


def several(wanted: str) -> tuple[str, ...]:
    """The languages of a screen that rotates: those of ``ur,en`` that exist here, else all."""
    chosen = dict.fromkeys(code for code in wanted.split(",")[:16] if code in BOOK)
    return tuple(chosen) or LANGUAGES


def books(codes: Iterable[str], *groups: str) -> dict[str, dict[str, str]]:
    """The messages of several languages, for a page's script."""
    return {code: BOOK[code].book(*groups) for code in codes}


def _preferred(accept_language: str) -> list[str]:
    """Primary codes of an Accept-Language header, best first (RFC 9110, 12.5.4). Unreadable parts are ignored."""
    found = []
    for part in accept_language[:_HEADER_MAX].split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if quality > 0:
            found.append((-quality, tag.partition("-")[0].strip().lower()))
    return [code for _, code in sorted(found, key=lambda pair: pair[0])]
