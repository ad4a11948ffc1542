"""Sentences that a facility's administrator corrected: what fits, what is shown, and the file that takes them home.

A correction is of one English sentence. When a release changes that sentence, its own translation is shown again until
somebody corrects that.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from kiosk.locales import BOOK, ENGLISH, Messages
from kiosk.locales.catalogue import Catalogue, read_catalogue
from queueing.corrections import CORRECTION_MAX, Correction, Corrections

CORRECTABLE: Final = tuple(code for code in BOOK if code != ENGLISH.code)
"""English is the source; its sentences change with a release."""
FIXED: Final = frozenset({"form.consent"})
"""Sentences that say what a person agreed to: each wording has a version, by which it is found again."""
ONLY_EXPORTED: Final = ("home.", "pairing.", "push.")
"""Of pages that belong to no facility, and of messages to closed phones: a correction is exported, not shown."""
_HEADER: Final = (
    "Project-Id-Version", "Language", "Plural-Forms", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    "X-Language-Name", "X-Direction", "X-Digits", "X-Date", "X-Weekdays", "X-Months", "X-Turn", "X-Draft",
)  # fmt: skip
_PLACE: Final = re.compile(r"\{(\w+)\}")
_PICTURE: Final = re.compile(r": docs/\S+$")


class Unfit(Exception):
    """A correction that cannot be shown. ``kind`` says why; ``names``: the placeholders in question."""

    def __init__(self, kind: str, names: Iterable[str] = ()) -> None:
        super().__init__(kind)
        self.kind, self.names = kind, ", ".join(f"{{{name}}}" for name in sorted(names))


class Entry(Struct, frozen=True, kw_only=True):
    """One sentence of ours, as somebody who corrects it needs it."""

    key: str
    english: tuple[str, ...]
    forms: tuple[str, ...]
    seen: str
    """Where it is seen."""
    note: str
    """What it means there."""
    doubt: str


@cache
def entries_of(code: str) -> tuple[Entry, ...]:
    """Every sentence of a language, in the order of its catalogue. Read when the first administrator looks."""
    read = _catalogue(code)
    return tuple(
        Entry(
            key=key, english=english, forms=_forms(BOOK[code], key),
            seen=_PICTURE.sub(".", "".join(read.notes[key][:1])), note=" ".join(read.notes[key][1:]),
            doubt=read.doubts.get(key, ""),
        )
        for key, english in read.english.items()
    )  # fmt: skip


@cache
def source_mark(key: str) -> str:
    """Another one for another English sentence."""
    return blake2b("\0".join(_forms(ENGLISH, key)).encode(), digest_size=6).hexdigest()


def check(code: str, key: str, forms: Sequence[str]) -> None:
    """Raises Unfit unless these forms may stand in place of ours."""
    messages = BOOK[code]
    if key not in messages.texts:
        raise Unfit("unknown")
    if key in FIXED:
        raise Unfit("fixed")
    if len(forms) != len(_forms(messages, key)) or not all(forms):
        raise Unfit("empty")
    if max(map(len, forms)) > CORRECTION_MAX:
        raise Unfit("long")
    if tuple(forms) == _forms(messages, key):
        raise Unfit("same")
    for form, own in zip(forms, _forms(messages, key), strict=True):
        _check_placeholders(form, own)


def _check_placeholders(form: str, own: str) -> None:
    """Placeholders are filled in by ``str.format`` and by a page's script: nothing but plain names stands in braces."""
    if re.search(r"[{}]", _PLACE.sub("", form)):
        raise Unfit("braces")
    here, there = set(_PLACE.findall(form)), set(_PLACE.findall(own))
    if there - here:
        raise Unfit("missing", there - here)
    if here - there:
        raise Unfit("foreign", here - there)


def stands(correction: Correction) -> bool:
    """Whether a stored correction is still of a sentence of this release, and may be shown."""
    try:
        check(correction.language, correction.key, correction.forms)
    except Unfit:
        return False
    return correction.source == source_mark(correction.key)


def own_messages(code: str, corrections: Corrections) -> Messages:
    """The sentences of a language as a facility reads them; those of the catalogue for nearly all facilities."""
    return _own_messages(code, corrections) if corrections.entries else BOOK[code]


@lru_cache(maxsize=256)
def _own_messages(code: str, corrections: Corrections) -> Messages:
    own = {key: one.forms for key, one in corrections.of(code).items() if code in CORRECTABLE and stands(one)}
    messages = BOOK[code]
    return msgspec.structs.replace(
        messages,
        texts=messages.texts | {key: forms[-1] for key, forms in own.items()},
        plurals=messages.plurals | {key: forms for key, forms in own.items() if key in messages.plurals},
    )


def own_books(codes: Iterable[str], corrections: Corrections, *groups: str) -> dict[str, dict[str, str]]:
    """The messages of several languages as a facility reads them, for a page's script."""
    return {code: own_messages(code, corrections).book(*groups) for code in codes}


def contribution(code: str, corrections: Corrections) -> str:
    """The corrections of a language as a gettext catalogue that holds nothing else: ``msgmerge`` and Babel read it."""
    own = corrections.of(code)
    return "\n".join(_lines(code, [(one, own[one.key]) for one in entries_of(code) if one.key in own]))


def _lines(code: str, corrected: Iterable[tuple[Entry, Correction]]) -> Iterator[str]:
    header = _catalogue(code).header
    yield 'msgid ""\nmsgstr ""'
    yield from (f'"{name}: {header[name.lower()]}\\n"' for name in _HEADER if name.lower() in header)
    for entry, correction in corrected:
        yield ""
        yield from (f"#. {line}" for line in (entry.seen, entry.note, f"Before: {entry.forms[-1]}") if line)
        if any(map(_PLACE.search, entry.english)):
            yield "#, python-brace-format"
        yield f"msgctxt {_quoted(entry.key)}\nmsgid {_quoted(entry.english[0])}"
        if len(entry.english) == 1:
            yield f"msgstr {_quoted(correction.forms[0])}"
            continue
        yield f"msgid_plural {_quoted(entry.english[1])}"
        yield from (f"msgstr[{at}] {_quoted(form)}" for at, form in enumerate(correction.forms))
    yield ""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _forms(messages: Messages, key: str) -> tuple[str, ...]:
    return messages.plurals.get(key) or (messages.texts[key],)


@cache
def _catalogue(code: str) -> Catalogue:
    return read_catalogue(Path(__file__).parent / code / "LC_MESSAGES" / "kiosk.po")
