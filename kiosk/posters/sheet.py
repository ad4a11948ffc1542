"""One poster on each page: the hospital, the code, the counter, and what to do in every language.

A page is A4 or A3 with cut marks; A3 is A4 made larger. Text is real text, shaped by HarfBuzz with the fonts of the
pages. The code is drawn as vectors, so the printer alone limits its edges. The foot tells staff where the poster
belongs. What a poster says is written in ``kiosk.posters.texts``.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Final

from kiosk.posters.fonts import FAMILIES, STYLES, family_of, font_file, is_right_to_left
from kiosk.posters.texts import Block, Poster
from tokens import qr

if TYPE_CHECKING:
    from fpdf import FPDF

SIZES: Final = {"A4": 1.0, "A3": 2**0.5}
"""Paper → how much larger than A4."""
WIDTH, HEIGHT = 210.0, 297.0
"""Millimetres of A4."""
TRIM: Final = 8.0
"""From the paper's edge to the cut: no office printer prints nearer than 5 mm."""
MARK: Final = 5.0
"""Length of a cut mark. It ends before the cut, so that none is left on the poster."""
QR_MM: Final = 94.0
"""Read from 90 cm: ten times its side is the rule for phones."""
INNER: Final = 9.0
"""From the cut to the text."""
POINT: Final = 25.4 / 72
"""Millimetres."""
SMALLEST: Final = 6.0
"""Points: what is longer than this at the smallest size is no name of a hospital."""
SMALLER: Final = 0.94
"""Each try, until the text fits."""
TALL: Final = {"latin": 1.25, "gurmukhi": 1.4, "devanagari": 1.4, "nastaliq": 2.2}
"""Line height, in heights of the font."""
INK: Final = (17, 24, 39)
FRAME: Final = (13, 94, 87)
PAPER: Final = (255, 255, 255)
SOFT: Final = (75, 85, 99)


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
    sizes: dict[tuple[str, str, float], tuple[float, int]] = {}
    for poster in posters:
        pdf.add_page()
        _Page(pdf, scale, sizes).draw(poster)
    out = BytesIO()
    pdf.output(out)
    return out.getvalue()


class _Page:
    """One page, in millimetres of A4."""

    def __init__(self, pdf: "FPDF", scale: float, sizes: dict[tuple[str, str, float], tuple[float, int]]) -> None:
        self._pdf, self._scale, self._sizes = pdf, scale, sizes

    def draw(self, poster: Poster) -> None:
        self._cut_marks()
        self._box(TRIM, TRIM, WIDTH - 2 * TRIM, 24, FRAME)
        self._text(poster.facility, TRIM + 2, 20, largest=30, color=PAPER, bold=True)
        self._code(poster.text, top=40)
        if poster.counter:
            self._text(poster.counter, 139, 19, largest=58, color=INK, bold=True)
            self._text(poster.queue, 158, 10, largest=22, color=INK)
        else:
            self._text(poster.queue, 140, 27, largest=44, color=INK, bold=True)
        self._blocks(poster.blocks, top=169, bottom=HEIGHT - TRIM - 8)
        self._text(poster.label, HEIGHT - TRIM - 7, 5.5, largest=10, color=SOFT, rtl=False)

    def _blocks(self, blocks: Iterable[Block], *, top: float, bottom: float) -> None:
        """One language below another: its title, what to do, and the opening hours."""
        listed = list(blocks)
        each = (bottom - top) / max(1, len(listed))
        for at, block in enumerate(listed):
            y, has_hours = top + at * each, bool(block.hours)
            title, steps = (0.42, 0.29) if has_hours else (0.54, 0.42)
            rtl = block.is_right_to_left
            self._text(block.title, y, each * title, largest=17, color=FRAME, bold=True, rtl=rtl)
            self._text(block.steps, y + each * title, each * steps, largest=12, color=INK, rtl=rtl)
            if has_hours:
                self._text(block.hours, y + each * (title + steps), each * 0.27, largest=12, color=INK, rtl=rtl)

    def _code(self, text: str, *, top: float) -> None:
        """The symbol with its quiet zone, in a frame. Level Q: a quarter of it may be scratched."""
        rows = qr.modules(text)
        side = QR_MM + 8
        left = (WIDTH - side) / 2
        self._box(left, top - 4, side, side, FRAME)
        self._box(left + 2, top - 2, side - 4, side - 4, PAPER)
        module = QR_MM / (len(rows) + 2 * qr.MARGIN)
        for y, row in enumerate(rows):
            for start, end in _runs(row):
                x = left + 4 + (qr.MARGIN + start) * module
                # A run of dark modules is one box, a hair higher than a module: no white seam between two rows.
                self._box(x, top + (qr.MARGIN + y) * module, (end - start) * module, module * 1.02, (0, 0, 0))

    def _cut_marks(self) -> None:
        pdf, k = self._pdf, self._scale
        pdf.set_draw_color(0, 0, 0)
        pdf.set_line_width(0.1)
        for x in (TRIM, WIDTH - TRIM):
            for start in (1.0, HEIGHT - 1.0 - MARK):
                pdf.line(x * k, start * k, x * k, (start + MARK) * k)
        for y in (TRIM, HEIGHT - TRIM):
            for start in (1.0, WIDTH - 1.0 - MARK):
                pdf.line(start * k, y * k, (start + MARK) * k, y * k)

    def _box(self, x: float, y: float, width: float, height: float, color: tuple[int, int, int]) -> None:
        k = self._scale
        self._pdf.set_fill_color(*color)
        self._pdf.rect(x * k, y * k, width * k, height * k, style="F")

    def _text(
        self, text: str, y: float, height: float, *, largest: float, color: tuple[int, int, int], bold: bool = False,
        rtl: bool | None = None,
    ) -> None:  # fmt: skip
        """Lines in the middle of the page, as large as they fit between ``y`` and ``height`` below it.

        ``rtl``: whether the text runs from right to left; None: as its letters do.
        """
        pdf, k, family, style = self._pdf, self._scale, family_of(text), "B" if bold else ""
        pdf.set_text_color(*color)
        pdf.set_fallback_fonts([one for one in FAMILIES if one != family], exact_match=False)
        pdf.set_text_shaping(True, direction="rtl" if (is_right_to_left(text) if rtl is None else rtl) else "ltr")
        width = (WIDTH - 2 * (TRIM + INNER)) * k
        size, lines = self._fitting(text, family, style, width, height * k, largest * k)
        pdf.set_font(family, style, size)
        line = size * POINT * TALL.get(family, TALL["latin"])
        pdf.set_xy((TRIM + INNER) * k, y * k + max(0.0, (height * k - lines * line) / 2))
        pdf.multi_cell(width, line, text, align="C")

    def _fitting(
        self, text: str, family: str, style: str, width: float, height: float, largest: float
    ) -> tuple[float, int]:  # fmt: skip
        """The size in points, and how many lines. Every page has the same sentences: each is measured once."""
        key = (text, style, height)
        if key not in self._sizes:
            high = POINT * TALL.get(family, TALL["latin"])
            size = min(largest, self._guess(text, family, style, width, height / high))
            while (lines := self._lines(text, family, style, size, width)) * size * high > height and size > SMALLEST:
                size *= SMALLER
            self._sizes[key] = (size, lines)
        return self._sizes[key]

    def _guess(self, text: str, family: str, style: str, width: float, tall: float) -> float:
        """The size in points that fits if lines could be broken anywhere. ``tall``: the size that fills the height."""
        self._pdf.set_font(family, style, SMALLEST)
        one_line = self._pdf.get_string_width(text) / SMALLEST
        return max(SMALLEST, *(min(tall / lines, lines * width / max(one_line, 0.001)) for lines in range(1, 5)))

    def _lines(self, text: str, family: str, style: str, size: float, width: float) -> int:
        self._pdf.set_font(family, style, size)
        lines = self._pdf.multi_cell(width, 1, text, align="C", dry_run=True, output="LINES")
        assert isinstance(lines, list)  # noqa: S101  (what LINES asks for; says so to the type checker)
        return len(lines)


def _runs(row: Iterable[int]) -> list[tuple[int, int]]:
    """First and one past the last of each run of dark modules."""
    found: list[tuple[int, int]] = []
    for at, dark in enumerate(row):
        if not dark:
            continue
        if found and found[-1][1] == at:
            found[-1] = (found[-1][0], at + 1)
        else:
            found.append((at, at + 1))
    return found
