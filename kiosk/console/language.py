"""The language of the staff pages. Each clerk chooses it; it is kept with the login.

English sentences stand in the templates (``_("…")``) and in the modules of messages. A catalogue ``staff.po``
translates them by the English text; a sentence without a translation stays English. The language belongs to the
request: a guard sets it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar

from msgspec import Struct

from kiosk import locales
from kiosk.locales.catalogue import read_catalogue


class Language(Struct, frozen=True, kw_only=True):
    """A language that clerks can choose."""

    code: str
    name: str
    direction: str
    texts: dict[str, str]
    """English → the language."""


K = TypeVar("K")
ENGLISH: Final = Language(code="en", name="English", direction="ltr", texts={})
_current: Final[ContextVar[Language]] = ContextVar("staff_language", default=ENGLISH)


@cache
def languages() -> dict[str, Language]:
    """Every language with a staff catalogue, read when the first page is asked for."""
    found = {ENGLISH.code: ENGLISH}
    for path in sorted(Path(locales.__file__).parent.glob("*/LC_MESSAGES/staff.po")):
        code, messages = path.parents[1].name, locales.BOOK[path.parents[1].name]
        texts = {english: forms[0] for english, forms in read_catalogue(path).translated.items()}
        found[code] = Language(code=code, name=messages.name, direction=messages.direction, texts=texts)
    return found


def use(code: str, accept_language: str = "") -> None:
    """Answer this request in the language of the login, else in the browser's."""
    known = languages()
    _current.set(known.get(code) or known.get(locales.choose("", accept_language).code, ENGLISH))


@contextmanager
def in_english() -> Iterator[None]:
    """What is made for another program, such as a CSV, is the same whoever asks for it."""
    before = _current.set(ENGLISH)
    try:
        yield
    finally:
        _current.reset(before)


def current() -> Language:
    return _current.get()


def book() -> locales.Messages:
    """Names of days and months, and sentences of screens, in the clerk's language."""
    return locales.BOOK[_current.get().code]


def tr(text: str) -> str:
    """An English sentence in the clerk's language."""
    return _current.get().texts.get(text, text)


def translated(value: Any) -> Any:
    """A table of sentences in the clerk's language: the same keys and shape."""
    if isinstance(value, str):
        return tr(value)
    if isinstance(value, Mapping):
        return {key: translated(one) for key, one in value.items()}
    return value


class Sentences(Mapping[K, str]):
    """A table of sentences, each in the language of the request that reads it."""

    def __init__(self, english: Mapping[K, str]) -> None:
        self._english = english

    def __getitem__(self, key: K) -> str:
        return tr(self._english[key])

    def __iter__(self) -> Iterator[K]:
        return iter(self._english)

    def __len__(self) -> int:
        return len(self._english)


class Tables:
    """A module of messages as templates see it: each table in the clerk's language."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return translated(getattr(self._module, name))
