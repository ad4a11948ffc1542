"""What stands where on a poster: the hospital, the code, the counter, what to do in every language, a foot for staff.

All measures are millimetres of A4. The page is drawn on a canvas: the PDF (``sheet``) and the picture (``picture``) are
the two that there are. What a poster says is written in ``kiosk.posters.texts``.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol

from msgspec import Struct

from kiosk.posters.texts import Block, Poster
from tokens import qr

Color = tuple[int, int, int]

WIDTH, HEIGHT = 210.0, 297.0
"""Of A4."""
TRIM: Final = 8.0
"""From the paper's edge to the cut: no office printer prints nearer than 5 mm."""
MARK: Final = 5.0
"""Length of a cut mark. It ends before the cut, so that none is left on the poster."""
HAIR: Final = 0.1
"""Its width."""
QR_MM: Final = 88.0
"""Read from 85 cm: ten times its side is the rule for phones."""
BAND: Final = 6.0
"""Width of the frame around the code."""
INNER: Final = 9.0
"""From the cut to the text."""
POINT: Final = 25.4 / 72
"""Millimetres."""
SMALLEST: Final = 6.0
"""Points: what is longer than this at the smallest size is no name of a hospital."""
SMALLEST_IN_BAND: Final = 3.0
"""Points: the name stands large above the code too."""
NAMES_IN_ROW: Final = 3
"""Names of the hospital in other languages beside each other: each has 55 mm."""
SMALLER: Final = 0.94
"""Each try, until the text fits."""
TALL: Final = {"latin": 1.25, "gurmukhi": 1.4, "devanagari": 1.4, "nastaliq": 2.2}
"""Line height, in heights of the font."""
INK: Final = (17, 24, 39)
FRAME: Final = (13, 94, 87)
PAPER: Final = (255, 255, 255)
SOFT: Final = (75, 85, 99)
BLACK: Final = (0, 0, 0)


class Text(Struct, frozen=True, kw_only=True):
    """A text in the middle of a box, in lines as large as they fit into it."""

    words: str
    x: float = TRIM + INNER
    y: float
    """Of the box's upper edge."""
    width: float = WIDTH - 2 * (TRIM + INNER)
    height: float
    largest: float
    """Points."""
    smallest: float = SMALLEST
    color: Color = INK
    bold: bool = False
    rtl: bool | None = None
    """Whether it runs from right to left; None: as its letters do."""
    turned: int = 0
    """Degrees against the clock, about the middle of the box."""


class Canvas(Protocol):
    """What draws a page."""

    def box(self, x: float, y: float, width: float, height: float, color: Color) -> None: ...

    def text(self, text: Text) -> None: ...


def draw_page(canvas: Canvas, poster: Poster) -> None:
    """The whole page."""
    _cut_marks(canvas)
    canvas.box(TRIM, TRIM, WIDTH - 2 * TRIM, 24, FRAME)
    for text in _head(poster):
        canvas.text(text)
    _code(canvas, poster, top=TRIM + 28)
    if poster.counter:
        canvas.text(Text(words=poster.counter, y=139, height=19, largest=58, bold=True))
        canvas.text(Text(words=poster.queue, y=158, height=10, largest=22))
    else:
        canvas.text(Text(words=poster.queue, y=140, height=27, largest=44, bold=True))
    for text in _blocks(poster.blocks, top=169, bottom=HEIGHT - TRIM - 8):
        canvas.text(text)
    canvas.text(Text(words=poster.label, y=HEIGHT - TRIM - 7, height=5.5, largest=10, color=SOFT, rtl=False))


def _head(poster: Poster) -> Iterator[Text]:
    """The hospital: its registered name, and below it the names in other languages, three beside each other."""
    names, top, left, width, gap = poster.facility_names, TRIM + 2, TRIM + INNER, WIDTH - 2 * (TRIM + INNER), 4.0
    rows = [names[at : at + NAMES_IN_ROW] for at in range(0, len(names), NAMES_IN_ROW)]
    plain = 20.0 / (1 + len(rows))
    style: dict[str, Any] = {"color": PAPER, "bold": True, "smallest": SMALLEST_IN_BAND}
    yield Text(words=poster.facility, y=top, height=plain, largest=30, **style)
    for at, row in enumerate(rows, 1):
        each = (width - gap * (len(row) - 1)) / len(row)
        for column, name in enumerate(row):
            x = left + column * (each + gap)
            yield Text(words=name, x=x, y=top + at * plain, width=each, height=plain, largest=24, **style)


def _blocks(blocks: Iterable[Block], *, top: float, bottom: float) -> Iterator[Text]:
    """One language below another: its title, what to do, and the opening hours."""
    listed = list(blocks)
    each = (bottom - top) / max(1, len(listed))
    for at, block in enumerate(listed):
        y, rtl = top + at * each, block.is_right_to_left
        title, steps = (0.42 * each, 0.29 * each) if block.hours else (0.54 * each, 0.42 * each)
        yield Text(words=block.title, y=y, height=title, largest=17, color=FRAME, bold=True, rtl=rtl)
        yield Text(words=block.steps, y=y + title, height=steps, largest=12, rtl=rtl)
        if block.hours:
            yield Text(words=block.hours, y=y + title + steps, height=0.27 * each, largest=12, rtl=rtl)


def _code(canvas: Canvas, poster: Poster, *, top: float) -> None:
    """The symbol with its quiet zone, in a frame that carries the hospital's name along each side.

    So a sticker pasted over the code alone is seen. Level Q: a quarter of the code may be scratched.
    """
    side = QR_MM + 2 * BAND + 2
    left = (WIDTH - side) / 2
    canvas.box(left, top, side, side, FRAME)
    canvas.box(left + BAND, top + BAND, side - 2 * BAND, side - 2 * BAND, PAPER)
    for text in _bands(poster.facility, left, top, side):
        canvas.text(text)
    rows = qr.modules(poster.text)
    module = QR_MM / (len(rows) + 2 * qr.MARGIN)
    x, y = (edge + BAND + 1 + qr.MARGIN * module for edge in (left, top))
    for at, row in enumerate(rows):
        for start, end in _runs(row):
            # A run of dark modules is one box, a hair higher than a module: no white seam between two rows.
            canvas.box(x + start * module, y + at * module, (end - start) * module, module * 1.02, BLACK)


def _bands(name: str, left: float, top: float, side: float) -> Iterator[Text]:
    """The name on each side of a square frame. On the right and the left it is turned about the middle of the band."""
    width, height = side - 2 * BAND, BAND - 1
    middles = {
        0: ((side / 2, BAND / 2), (side / 2, side - BAND / 2)),
        90: ((BAND / 2, side / 2),),
        270: ((side - BAND / 2, side / 2),),
    }
    for turned, places in middles.items():
        for x, y in places:
            yield Text(
                words=name, x=left + x - width / 2, y=top + y - height / 2, width=width, height=height, largest=11,
                smallest=SMALLEST_IN_BAND, color=PAPER, turned=turned,
            )  # fmt: skip


def _cut_marks(canvas: Canvas) -> None:
    for x in (TRIM, WIDTH - TRIM):
        for start in (1.0, HEIGHT - 1.0 - MARK):
            canvas.box(x - HAIR / 2, start, HAIR, MARK, BLACK)
    for y in (TRIM, HEIGHT - TRIM):
        for start in (1.0, WIDTH - 1.0 - MARK):
            canvas.box(start, y - HAIR / 2, MARK, HAIR, BLACK)


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
