"""The small fonts with the letters of the languages' own names. ``make words`` draws them.

Every page offers all languages by name. Without these fonts a page in one language would fetch the whole fonts of the
others for six words: 220 kilobytes, half a minute on slow 3G.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fontTools import subset

import kiosk
from kiosk.locales import BOOK

FONTS: Final = Path(kiosk.__file__).parent / "static" / "fonts"
SCRIPTS: Final = {
    "arabic": ("noto-nastaliq-urdu-400.woff2", range(0x0600, 0x0900)),
    "devanagari": ("noto-sans-devanagari-400.woff2", range(0x0900, 0x0980)),
    "gurmukhi": ("noto-sans-gurmukhi-400.woff2", range(0x0A01, 0x0A77)),
}
"""Script → the font that its letters come from, and its part of Unicode."""


def file_of(script: str) -> Path:
    """Where the small font of a script stands."""
    return FONTS / f"language-names-{script}.woff2"


def wanted() -> Iterator[tuple[str, set[int]]]:
    """Each script with the letters that the names of its languages need."""
    names = {ord(character) for messages in BOOK.values() for character in messages.name}
    for script, (_, block) in SCRIPTS.items():
        yield script, names.intersection(block)


def draw() -> None:
    """Write the fonts whose letters have changed: the same letters give other bytes in each release of fontTools."""
    for script, needed in wanted():
        if needed and needed != drawn(script):
            _draw(script, needed)


def drawn(script: str) -> set[int]:
    """The letters that the small font of a script has."""
    path = file_of(script)
    if not path.exists():
        return set()
    with subset.load_font(path, subset.Options()) as font:
        return set(font.getBestCmap()).intersection(SCRIPTS[script][1])


def _draw(script: str, needed: set[int]) -> None:
    options = subset.Options(flavor="woff2", layout_features=["*"])  # whole joining: Nastaliq stacks its letters
    with subset.load_font(FONTS / SCRIPTS[script][0], options) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=needed)
        cutter.subset(font)
        subset.save_font(font, file_of(script), options)
