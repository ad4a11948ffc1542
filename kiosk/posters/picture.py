"""A poster as PNG: the page of the PDF (``layout``) as dots, for who prints from a picture or sends one on."""

from functools import lru_cache
from io import BytesIO
from typing import Final

from PIL import Image

from kiosk.posters.fonts import family_of
from kiosk.posters.layout import HEIGHT, PAPER, POINT, SMALLER, TALL, WIDTH, Color, Text, draw_page
from kiosk.posters.shaped_text import FINER, NASTALIQ, Line, lines_of, shade_line
from kiosk.posters.texts import Poster

DOTS_PER_INCH: Final = 200
"""A module of the code is 13 dots and more, and the smallest letters can be read."""
A_MM: Final = DOTS_PER_INCH / 25.4
"""Dots."""
UNBROKEN: Final = 1_000_000
"""Dots: every text is one line."""
COLORS: Final = 32
"""Five, and what lies between them at the edges of letters. The file is a third of one in full colours."""


def picture(poster: Poster) -> bytes:
    """The PNG, A4. It takes 1 to 2 s of CPU: see ``drawing``."""
    page = Image.new("RGB", (_dots(WIDTH), _dots(HEIGHT)), PAPER)
    draw_page(_Canvas(page), poster)
    out = BytesIO()
    page.quantize(COLORS).save(out, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH), optimize=True)
    return out.getvalue()


class _Canvas:
    def __init__(self, page: "Image.Image") -> None:
        self._page = page

    def box(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        left, top = _dots(x), _dots(y)
        self._page.paste(color, (left, top, max(left + 1, _dots(x + width)), max(top + 1, _dots(y + height))))

    def text(self, text: Text) -> None:
        lines, pitch = _fitting(text)
        # Twice as high as the box: strokes of Urdu reach beyond their line.
        ink = Image.new("L", (_dots(text.width), 2 * _dots(text.height)))
        top = (ink.height - pitch * len(lines)) / 2
        for line in lines:
            shade_line(ink, line, round(top + (pitch - line.ascent - line.descent) / 2))
            top += pitch
        ink = ink.rotate(text.turned, expand=True)
        x, y = _dots(text.x + text.width / 2) - ink.width // 2, _dots(text.y + text.height / 2) - ink.height // 2
        self._page.paste(text.color, (x, y), ink)


def _fitting(text: Text) -> tuple[list[Line], float]:
    """The text in lines, as large as they fit, and the height of one in dots."""
    width, height, tall = _dots(text.width), text.height * A_MM, TALL[family_of(text.words)] * POINT * A_MM
    size = max(text.smallest, min(text.largest, _guess(text, width, height / tall)))
    while True:
        lines = _lines(text.words, size, width, text.bold, text.rtl)
        if len(lines) * size * tall <= height or size <= text.smallest:
            return lines, size * tall
        size *= SMALLER


def _guess(text: Text, width: int, tall: float) -> float:
    """The size in points that fits if lines could be broken anywhere. ``tall``: the size that fills the height."""
    whole = _lines(text.words, text.largest, UNBROKEN, text.bold, text.rtl)
    one_line = sum(line.width for line in whole) / FINER / text.largest
    return max(min(tall / lines, lines * width / max(one_line, 0.001)) for lines in range(1, 5))


@lru_cache(maxsize=64)
def _lines(text: str, size: float, width: int, bold: bool, rtl: bool | None) -> list[Line]:
    larger = NASTALIQ if family_of(text) == "nastaliq" else 1
    return lines_of(text, size * POINT * A_MM / larger, width, bold=bold, rtl=rtl)


def _dots(mm: float) -> int:
    return round(mm * A_MM)
