"""The pages' own fonts, as a PDF takes them. They are packed for browsers (WOFF2) and unpacked once in each process."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[1] / "static" / "fonts"
FAMILIES: Final = {
    "latin": "noto-sans",
    "devanagari": "noto-sans-devanagari",
    "gurmukhi": "noto-sans-gurmukhi",
    "nastaliq": "noto-nastaliq-urdu",
}
"""Family → beginning of its file's name."""
STYLES: Final = {"": "400", "B": "700"}
SCRIPTS: Final = {"devanagari": (0x0900, 0x097F), "gurmukhi": (0x0A00, 0x0A7F), "nastaliq": (0x0600, 0x08FF)}
"""Unicode blocks of each family; everything else is Latin."""


def family_of(text: str) -> str:
    """The family whose letters a text has most of; the others stand in where it lacks one."""
    counts = {family: sum(first <= ord(mark) <= last for mark in text) for family, (first, last) in SCRIPTS.items()}
    best = max(counts, key=lambda family: counts[family])
    return best if counts[best] else "latin"


def is_right_to_left(text: str) -> bool:
    return family_of(text) == "nastaliq"


@cache
def font_file(family: str, style: str) -> Path:
    """A TrueType file of this font. It lies in a folder that ends with the process."""
    from fontTools.ttLib import TTFont  # here: only who prints posters pays for loading it

    weight = "400" if family == "nastaliq" else STYLES[style]  # its bold build parts words after alif
    target = Path(_folder().name) / f"{family}-{style}{weight}.ttf"
    with TTFont(FOLDER / f"{FAMILIES[family]}-{weight}.woff2") as font:
        font.flavor = None
        font.save(target)
    return target


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="kiosk-fonts-")
