"""Reads a gettext catalogue (.po) as it lies in the repository: nothing has to be compiled.

The standard library reads only compiled catalogues. This reader takes what Babel writes, and refuses a line that it
does not understand.
"""

import gettext
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

_FORMS: Final = ("msgstr", *(f"msgstr[{form}]" for form in range(6)))
"""One translation, or one of each plural form. No language has more than six."""
_WORDS: Final = frozenset({"msgctxt", "msgid", "msgid_plural", *_FORMS})
"""What a line may begin with."""
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
_DOUBT: Final = "# doubt: "
_PLURAL: Final = re.compile(r"plural=([^;]+)")


class Catalogue(Struct, frozen=True):
    """One language. The key of a message is its context (``msgctxt``), or the English text where it has none."""

    header: dict[str, str]
    """Lower-case name → value."""
    english: dict[str, tuple[str, ...]]
    """Key → the English message: one form, or singular and plural."""
    translated: dict[str, tuple[str, ...]]
    """Key → the message: one form, or each plural form. Without what is empty or marked *fuzzy*."""
    notes: dict[str, tuple[str, ...]]
    """Key → the lines of the note for translators: where the message is seen, and what it means there."""
    doubts: dict[str, str]
    """Key → what a reader of the language should look at."""

    def plural(self) -> Callable[[int], int]:
        """Number → which plural form it takes."""
        rule = _PLURAL.search(self.header.get("plural-forms", ""))
        return gettext.c2py(rule.group(1).strip() if rule else "n != 1")


class NotUnderstood(ValueError):
    """A line of a catalogue is not as gettext writes it."""


def read_catalogue(path: Path) -> Catalogue:
    """Read a whole file. Raises NotUnderstood with its line."""
    header: dict[str, str] = {}
    english: dict[str, tuple[str, ...]] = {}
    translated: dict[str, tuple[str, ...]] = {}
    notes: dict[str, tuple[str, ...]] = {}
    doubts: dict[str, str] = {}
    for fields, comments in _entries(path):
        forms = tuple(fields[name] for name in _FORMS if name in fields)
        if not fields["msgid"]:
            header = _header(forms[0])
            continue
        key = fields["msgctxt"] or fields["msgid"]
        english[key] = (fields["msgid"], fields["msgid_plural"]) if "msgid_plural" in fields else (fields["msgid"],)
        if all(forms) and not any(line.startswith("#,") and "fuzzy" in line for line in comments):
            translated[key] = forms
        notes[key] = tuple(line[3:] for line in comments if line.startswith("#. "))
        if doubt := next((line for line in comments if line.startswith(_DOUBT)), ""):
            doubts[key] = doubt.removeprefix(_DOUBT)
    return Catalogue(header, english, translated, notes, doubts)


def _entries(path: Path) -> list[tuple[dict[str, str], list[str]]]:
    """Each entry's fields, and the comments above it. The translation of one that is marked *fuzzy* may be of an older
    English sentence.
    """
    entries: list[tuple[dict[str, str], list[str]]] = []
    fields: dict[str, str] = {}
    comments: list[str] = []
    word = ""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line or line[0] == "#":
            comments.append(line)
            continue
        begins, _, text = line.partition('"')
        if begins:
            word = begins[:-1]
            if word == "msgctxt" or (word == "msgid" and "msgid" in fields) or not entries:
                fields = {"msgctxt": ""}
                entries.append((fields, comments))
                comments = []
            fields[word] = ""
        if word not in _WORDS or not text.endswith('"'):
            raise NotUnderstood(f"{path}, line {number}: not a line of a gettext catalogue")
        fields[word] += _ESCAPE.sub(_unescaped, text[:-1]) if "\\" in text else text[:-1]
    return entries


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPED.get(found.group(1), found.group(0))


def _header(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines() if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
