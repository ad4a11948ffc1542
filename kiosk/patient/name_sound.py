"""How an Indian name sounds, so that two spellings of one name are seen as one.

A word becomes the row of its consonants. Vowels, the h of ``bh`` and doubled letters go, because they are written in
many ways: Mohammad, Muhammed and Mohd; Parveen and Parwin; Anita and अनीता; Bashir, بشیر and ਬਸ਼ੀਰ. The rule is our own,
because Soundex and its kin know English alone. It proposes and never decides: no patient is matched by it.
"""

import re
import unicodedata
from typing import Final

NAME_MAX: Final = 128
"""Characters of a name that are compared: screens show half as many."""
WORDS_MAX: Final = 8
"""Words of a name that are compared. The longest names of the register have six."""

_TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "dr", "sh", "shri", "sri", "smt", "kum", "baby", "master"})
_SHORT: Final = {"md": "mohammad", "mohd": "mohammad", "mhd": "mohammad", "muhd": "mohammad"}
"""How registers shorten the name that a third of a district bears."""

_ARABIC: Final = {
    sign: sound
    for signs, sound in (
        ("اآأإعىئیيېےۓ", "a"), ("ب", "ba"), ("پ", "pa"), ("تٹطة", "ta"), ("ثسص", "sa"), ("ج", "ja"), ("چ", "cha"),
        ("حہهۃ", "ha"), ("خقکك", "ka"), ("دڈ", "da"), ("ذزضظژ", "za"), ("رڑ", "ra"), ("ش", "sha"), ("غگ", "ga"),
        ("ف", "fa"), ("ل", "la"), ("م", "ma"), ("نںڻ", "na"), ("وؤۄ", "wa"),
    )
    for sign in signs
}  # fmt: skip
"""Consonants of Urdu and Kashmiri. The script writes no short vowels, so each stands with one."""
_NASAL: Final = ("ANUSVARA", "CANDRABINDU", "BINDI", "TIPPI")
_CLASSES: Final = (
    (re.compile("x"), "ks"),
    (re.compile("q"), "k"),
    (re.compile("chh?"), "q"),
    (re.compile("(?<![aeiou])(?<=.)h|h$"), ""),  # bh, Fatimah
    (re.compile("c(?=[eiy])"), "s"),
    (re.compile("c"), "k"),
    (re.compile("[zj]"), "j"),
    (re.compile("f"), "p"),
    (re.compile("w"), "v"),
    (re.compile("^[aeiouy]+"), "a"),
    (re.compile("(?<=.)[aeiouyv]"), ""),
    (re.compile(r"(.)\1+"), r"\1"),
    (re.compile("ng"), "n"),  # Singh, सिंह
    (re.compile("m(?=[pb])"), "n"),  # Champa, चंपा
)
"""Spellings of one sound, in this order."""


def same_sound(one: str, other: str) -> bool:
    """Whether two names may be one person's: every word of the shorter name sounds like a word of the longer one."""
    first, second = sounds_of(one), sounds_of(other)
    if not first or not second:
        return False
    return first <= second or second <= first or _joined(one) == _joined(other)


def sounds_of(name: str) -> frozenset[str]:
    """The sounds of a name's words, without titles."""
    words = re.findall(r"[a-z]+", _latin(name[:NAME_MAX]))
    named = [_SHORT.get(word, word) for word in words if word not in _TITLES] or words
    return frozenset(filter(None, map(_sound, named[:WORDS_MAX])))


def _joined(name: str) -> str:
    """Abdul Rashid and Abdulrashid."""
    return _sound("".join(re.findall(r"[a-z]+", _latin(name[:NAME_MAX]))))


def _sound(word: str) -> str:
    for spelling, sound in _CLASSES:
        word = spelling.sub(sound, word)
    return word


def _latin(name: str) -> str:
    """The name in Latin letters by sound, in lower case; what is no letter parts words."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(_sound_of_sign(char, plain[at + 1 : at + 2]) for at, char in enumerate(plain))


def _sound_of_sign(char: str, after: str) -> str:
    if char.isascii():
        return char if char.isalpha() else " "
    if sound := _ARABIC.get(char):
        return sound if after.isalpha() or sound != "ha" else "h"
    title = unicodedata.name(char, "")
    if "VOCALIC R" in title:
        return "r"
    if title.endswith(_NASAL):
        return "n"
    if title.startswith(("DEVANAGARI LETTER", "GURMUKHI LETTER")):
        return _indic(title.rpartition(" ")[2].lower())
    return "" if unicodedata.category(char)[0] in "LM" else " "


def _indic(named: str) -> str:
    """The sound of a letter by its name: ``ka``, ``ttha``, ``nga``; a short vowel stands with each consonant."""
    return {"nga": "na", "nya": "na", "ca": "cha", "cha": "cha"}.get(named, named)
