"""Lines of text as dots, shaped by HarfBuzz with the fonts of the pages: black and white for slips, shaded for posters.

Printers of slips have letters of their own for few languages and shape none of ours, so they get pictures.
"""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

import uharfbuzz as hb
from msgspec import Struct

from kiosk.posters.fonts import FAMILIES, family_of, font_file, is_right_to_left

if TYPE_CHECKING:
    from PIL.Image import Image

DARK: Final = 105
"""Of 255: a dot whose area is covered this much becomes black. Below one half, so that thin strokes stay whole."""
FINER: Final = 64
"""Units of HarfBuzz to a dot."""
SMALLEST: Final = 0.6
"""Of the wished size: what is still too wide is broken within words."""
SMALLER: Final = 0.93
"""Each try."""
NASTALIQ: Final = 1.2
"""Its letters are small for their size."""


class _Font(Struct, frozen=True):
    font: hb.Font
    characters: frozenset[int]


class _Run(Struct, frozen=True):
    """Letters of one font and one direction, shaped."""

    font: hb.Font
    glyphs: tuple[tuple[int, int, int], ...]
    """Number of the glyph, and where it stands in units from the run's left end and the line."""
    width: int


class Line(Struct, frozen=True):
    """One line of text, from left to right."""

    runs: tuple[_Run, ...]
    width: int
    """Units."""
    ascent: int
    descent: int
    """Dots above and below the line where the letters stand."""


def lines_of(text: str, size: float, width: int, *, bold: bool = False, rtl: bool | None = None) -> list[Line]:
    """The text in lines of at most ``width`` dots; ``size`` is the em in dots. A wide word makes the text smaller.

    ``rtl``: whether the text runs from right to left; None: as the letters of each line do.
    """
    words, now = text.split(), size
    whole = _line(words, size, bold, rtl)
    if whole.width <= width * FINER:
        return [whole] if words else []
    while any(_line([word], now, bold, rtl).width > width * FINER for word in words):
        now *= SMALLER
        if now < size * SMALLEST:
            words = [piece for word in words for piece in _broken(word, now, bold, width)]
            break
    lines: list[list[str]] = []
    for word in words:
        if lines and _line([*lines[-1], word], now, bold, rtl).width <= width * FINER:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [_line(line, now, bold, rtl) for line in lines]


def draw_line(page: "Image", line: Line, top: int) -> None:
    """The line in the middle of a picture of mode L, in which white is 255: each dot is black or stays."""
    if ink := _ink(line, page.width):
        black = ink.covered.point(lambda covered: 255 if covered >= DARK else 0)
        page.paste(0, (ink.left, top + ink.below), black)


def shade_line(page: "Image", line: Line, top: int) -> None:
    """The line in the middle of a picture of mode L, in which 255 is a dot that letters cover wholly."""
    if ink := _ink(line, page.width):
        page.paste(255, (ink.left, top + ink.below), ink.covered)


class _Ink(Struct, frozen=True):
    covered: "Image"
    """Mode L: how much of each dot letters cover, of 255."""
    left: int
    below: int
    """Dots from the top of the line to the top of the letters."""


def _ink(line: Line, width: int) -> _Ink | None:
    """The letters of a line in the middle of so many dots; None for one without letters."""
    from PIL import Image

    raster = hb.RasterDraw()
    raster.scale_factor = (FINER, FINER)
    x = (width * FINER - line.width) // 2
    for run in line.runs:
        for glyph, right, up in run.glyphs:
            raster.transform = (1, 0, 0, 1, x + right, up)
            raster.draw_glyph(run.font, glyph)
        x += run.width
    drawn = raster.render()
    if drawn is None or not drawn.extents.width or not drawn.extents.height:
        return None
    at = drawn.extents
    covered = Image.frombytes("L", (at.width, at.height), drawn.buffer, "raw", "L", at.stride, -1)
    return _Ink(covered, at.x_origin, line.ascent - at.y_origin - at.height)


def _broken(word: str, size: float, bold: bool, width: int) -> Iterator[str]:
    while word:
        fitting = next(
            (n for n in range(len(word), 1, -1) if _line([word[:n]], size, bold, None).width <= width * FINER), 1
        )  # fmt: skip
        yield word[:fitting]
        word = word[fitting:]


def _line(words: list[str], size: float, bold: bool, rtl: bool | None) -> Line:
    text = " ".join(words)
    style = "B" if bold else ""
    first = family_of(text)
    order = (first, *(family for family in FAMILIES if family != first))
    runs: list[_Run] = []
    ascent = descent = 0
    for piece, backwards in _one_way(text, is_right_to_left(text) if rtl is None else rtl):
        found = [_shaped(part, family, style, size, backwards) for part, family in _by_font(piece, order, style)]
        runs += reversed(found) if backwards else found
    for run in runs:
        extents = run.font.get_font_extents("ltr")
        ascent, descent = max(ascent, extents.ascender), max(descent, -extents.descender)
    return Line(
        tuple(runs), sum(run.width for run in runs), -(-ascent // FINER), -(-descent // FINER)
    )  # fmt: skip


def _one_way(text: str, rtl: bool) -> Iterator[tuple[str, bool]]:
    """The pieces of one direction in the order in which they are seen, and whether they run from right to left.

    ``rtl``: the direction of the whole text.
    """
    if not any(map(is_right_to_left, text)):
        yield text, False
        return
    from fpdf.bidi import BidiParagraph  # here: only lines of Urdu pay for loading it
    from fpdf.enums import TextDirection

    base = TextDirection.RTL if rtl else TextDirection.LTR
    pieces = BidiParagraph(text, base).get_bidi_fragments()
    for piece, direction in reversed(pieces) if base is TextDirection.RTL else pieces:
        yield piece, direction is TextDirection.RTL


def _by_font(text: str, order: tuple[str, ...], style: str) -> Iterator[tuple[str, str]]:
    """Parts of a text and the family that has their letters. What none has is drawn by the first: a box is seen."""
    part, current = "", order[0]
    for character in text:
        # One after another: a family that is not needed is not loaded.
        family = next((one for one in (current, *order) if ord(character) in _font(one, style).characters), current)
        if part and family != current:
            yield part, current
            part = ""
        part, current = part + character, family
    if part:
        yield part, current


def _shaped(text: str, family: str, style: str, size: float, backwards: bool) -> _Run:
    buffer = hb.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if backwards else "ltr"
    font = _sized(family, style, round(size * FINER * (NASTALIQ if family == "nastaliq" else 1)))
    hb.shape(font, buffer)
    glyphs, x = [], 0
    for info, at in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        glyphs.append((info.codepoint, x + at.x_offset, at.y_offset))
        x += at.x_advance
    return _Run(font, tuple(glyphs), x)


@cache
def _font(family: str, style: str) -> _Font:
    face = hb.Face(font_file(family, style).read_bytes())
    return _Font(hb.Font(face), frozenset(face.unicodes))


@cache
def _sized(family: str, style: str, scale: int) -> hb.Font:
    font = hb.Font(_font(family, style).font.face)
    font.scale = (scale, scale)
    return font
