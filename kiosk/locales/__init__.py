"""Messages on patients' screens: gettext catalogues, one file for each language, read once when the process starts.

The template ``kiosk.pot`` holds the English messages. ``xx/LC_MESSAGES/kiosk.po`` holds those of language ``xx``; a new
file there is a new language. README.md says how to add a language or a message.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec import Struct

from kiosk.locales.catalogue import Catalogue, read_catalogue
from queueing.opening_hours import Opening

_HEADER_MAX: Final = 500
"""Characters of an Accept-Language header that are read; real ones have under a hundred."""
_HEADERS_KNOWN: Final = 256
"""Read headers of one worker: the phones of a town send some dozens of different ones."""
_LAST: Final = 99
"""The place of a language whose catalogue names none: behind the others, by code."""


class Messages(Struct, frozen=True, kw_only=True):
    """All messages of one language."""

    code: str
    name: str
    """The language's own name for itself."""
    direction: str
    """``ltr`` or ``rtl``."""
    native_digits: str
    date: str
    """How a day is written: CLDR's pattern of weekday (EEEE), day (d) and month (MMMM)."""
    weekdays: tuple[str, ...]
    """From Sunday, as JavaScript counts."""
    months: tuple[str, ...]
    draft: bool
    """Whether the catalogue says that no native speaker has read it."""
    turn: int
    """The place on a screen that takes turns; 0: only where it is asked for."""
    texts: dict[str, str]
    """``group.key`` → message, which may hold {placeholders}; of a message with plural forms, the last."""
    plurals: dict[str, tuple[str, ...]]
    """Messages that change with a number: key → each form."""
    plural: Callable[[int], int]
    """Number → which form."""

    def say(self, key: str, **values: object) -> str:
        """The message of a key, placeholders filled in. A missing key is a mistake in our code: KeyError.

        A message with plural forms takes the form of the number ``count``.
        """
        if key in self.plurals:
            count = values["count"]
            assert isinstance(count, int)  # noqa: S101 - a mistake in our code
            return self.plurals[key][self.plural(count)].format(**values)
        return self.texts[key].format(**values)

    def day(self, iso: str) -> str:
        """A date in words."""
        day = date.fromisoformat(iso)
        parts = {"EEEE": self.weekdays[day.isoweekday() % 7], "d": str(day.day), "MMMM": self.months[day.month - 1]}
        return re.sub("EEEE|MMMM|d", lambda part: parts[part[0]], self.date)

    def opening(self, opening: Opening) -> str:
        """When a queue opens, in a sentence without a full stop."""
        key = {0: "common.opens_today", 1: "common.opens_tomorrow"}.get(opening.days, "common.opens_on")
        return self.say(key, time=opening.time, date=self.day(opening.date))

    def book(self, *groups: str) -> dict[str, str]:
        """The messages of these groups and facts about the language, for a page's script."""
        chosen = {key: text for key, text in self.texts.items() if key.partition(".")[0] in groups}
        about = {
            "name": self.name,
            "direction": self.direction,
            "native_digits": self.native_digits,
            "date": self.date,
            "weekdays": "|".join(self.weekdays),
            "months": "|".join(self.months),
        }
        return about | chosen


def _messages(code: str, read: Catalogue, english: Catalogue) -> Messages:
    """The messages of a catalogue. A message that it lacks is English."""
    forms = english.english | read.translated
    header = read.header
    return Messages(
        code=code,
        name=header["x-language-name"],
        direction=header["x-direction"],
        native_digits=header["x-digits"],
        date=header["x-date"],
        weekdays=tuple(header["x-weekdays"].split("|")),
        months=tuple(header["x-months"].split("|")),
        draft="x-draft" in header,
        turn=int(header.get("x-turn", 0)),
        texts={key: several[-1] for key, several in forms.items()},
        plurals={key: several for key, several in forms.items() if len(several) > 1},
        plural=read.plural(),
    )


def _all() -> list[Messages]:
    here = Path(__file__).parent
    english = read_catalogue(here / "kiosk.pot")
    paths = here.glob("*/LC_MESSAGES/kiosk.po")
    others = (_messages(path.parents[1].name, read_catalogue(path), english) for path in paths)
    return sorted(
        [_messages("en", english, english), *others], key=lambda messages: (messages.turn or _LAST, messages.code)
    )


BOOK: Final[dict[str, Messages]] = {messages.code: messages for messages in _all()}
LANGUAGES: Final = tuple(BOOK)
"""In the order in which pages offer them. The first one is the fallback."""
ROTATION: Final = tuple(code for code, messages in BOOK.items() if messages.turn)
"""The languages that take turns on a screen that was given none."""
ENGLISH: Final = BOOK["en"]


def choose(wanted: str = "", accept_language: str = "") -> Messages:
    """The language of a page: the one in its address, else the browser's, else English."""
    if wanted in BOOK:
        return BOOK[wanted]
    return next((BOOK[code] for code in _preferred(accept_language[:_HEADER_MAX]) if code in BOOK), ENGLISH)


def several(wanted: str) -> tuple[str, ...]:
    """The languages of a screen that rotates: those of ``ur,en`` that exist here, else ``ROTATION``."""
    chosen = dict.fromkeys(code for code in wanted.split(",")[:16] if code in BOOK)
    return tuple(chosen) or ROTATION


def books(codes: Iterable[str], *groups: str) -> dict[str, dict[str, str]]:
    """The messages of several languages, for a page's script."""
    return {code: BOOK[code].book(*groups) for code in codes}


@lru_cache(maxsize=_HEADERS_KNOWN)
def _preferred(accept_language: str) -> tuple[str, ...]:
    """Primary codes of an Accept-Language header, best first (RFC 9110, 12.5.4). Unreadable parts are ignored."""
    found = []
    for part in accept_language.split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if quality > 0:
            found.append((-quality, tag.partition("-")[0].strip().lower()))
    return tuple(code for _, code in sorted(found, key=lambda pair: pair[0]))
