"""Posters as one PDF, a page for each (``layout``).

A page is A4 or A3 with cut marks; A3 is A4 made larger. Text is real text, shaped by HarfBuzz with the fonts of the
pages. The code is drawn as vectors, so the printer alone limits its edges.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Final

from kiosk.posters.fonts import FAMILIES, STYLES, family_of, font_file, is_right_to_left
from kiosk.posters.layout import HEIGHT, POINT, SMALLER, TALL, WIDTH, Color, Text, draw_page
from kiosk.posters.texts import Poster

if TYPE_CHECKING:
    from fpdf import FPDF

SIZES: Final = {"A4": 1.0, "A3": 2**0.5}
"""Paper → how much larger than A4."""


def draw(posters: Iterable[Poster], *, paper: str = "A4") -> bytes:
    """The PDF, a page for each poster. It takes 2 s of CPU, and 0.3 s more for each page: see ``drawing``."""
    from fpdf import FPDF  # here: only who prints posters pays for loading it

    scale = SIZES[paper]
    pdf = FPDF(unit="mm", format=(WIDTH * scale, HEIGHT * scale))
    pdf.set_auto_page_break(False)
    pdf.set_title("Posters")
    pdf.set_creator("abdm-kiosk")
    for family in FAMILIES:
        for style in STYLES:
            pdf.add_font(family, style, font_file(family, style))
    pdf.set_text_shaping(True)
    sizes: dict[tuple[str, str, float, float], tuple[float, int]] = {}
    for poster in posters:
        pdf.add_page()
        draw_page(_Page(pdf, scale, sizes), poster)
    out = BytesIO()
    pdf.output(out)
    return out.getvalue()


class _Page:
    """The canvas of one page."""

    def __init__(
        self, pdf: "FPDF", scale: float, sizes: dict[tuple[str, str, float, float], tuple[float, int]]
    ) -> None:
        self._pdf, self._scale, self._sizes = pdf, scale, sizes

    def box(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        k = self._scale
        self._pdf.set_fill_color(*color)
        self._pdf.rect(x * k, y * k, width * k, height * k, style="F")

    def text(self, text: Text) -> None:
        pdf, k, family, style = self._pdf, self._scale, family_of(text.words), "B" if text.bold else ""
        pdf.set_text_color(*text.color)
        pdf.set_fallback_fonts([one for one in FAMILIES if one != family], exact_match=False)
        rtl = is_right_to_left(text.words) if text.rtl is None else text.rtl
        pdf.set_text_shaping(True, direction="rtl" if rtl else "ltr")
        size, lines = self._fitting(text, family, style)
        pdf.set_font(family, style, size)
        line = size * POINT * TALL[family]
        with pdf.rotation(text.turned, (text.x + text.width / 2) * k, (text.y + text.height / 2) * k):
            pdf.set_xy(text.x * k, text.y * k + max(0.0, (text.height * k - lines * line) / 2))
            pdf.multi_cell(text.width * k, line, text.words, align="C")

    def _fitting(self, text: Text, family: str, style: str) -> tuple[float, int]:
        """The size in points, and how many lines. Every page has the same sentences: each is measured once."""
        key = (text.words, style, text.width, text.height)
        if key not in self._sizes:
            width, height, smallest = text.width * self._scale, text.height * self._scale, text.smallest
            high = POINT * TALL[family]
            guess = max(smallest, self._guess(text.words, family, style, width, height / high))
            size = min(text.largest * self._scale, guess)
            lines = self._lines(text.words, family, style, size, width)
            while lines * size * high > height and size > smallest:
                size *= SMALLER
                lines = self._lines(text.words, family, style, size, width)
            self._sizes[key] = (size, lines)
        return self._sizes[key]

    def _guess(self, text: str, family: str, style: str, width: float, tall: float) -> float:
        """The size in points that fits if lines could be broken anywhere. ``tall``: the size that fills the height."""
        self._pdf.set_font(family, style, tall)
        one_line = self._pdf.get_string_width(text) / tall
        return max(min(tall / lines, lines * width / max(one_line, 0.001)) for lines in range(1, 5))

    def _lines(self, text: str, family: str, style: str, size: float, width: float) -> int:
        self._pdf.set_font(family, style, size)
        lines = self._pdf.multi_cell(width, 1, text, align="C", dry_run=True, output="LINES")
        assert isinstance(lines, list)  # noqa: S101  (what LINES asks for; says so to the type checker)
        return len(lines)
