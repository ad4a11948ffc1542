"""A token slip as a picture for printers of 58 and 80 mm paper: 203 dots an inch, black and white.

The patient reads the own language first; English stands below it, small, for staff. It names nobody.
"""

from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from kiosk.posters.shaped_text import Line, draw_line, lines_of
from tokens import qr

if TYPE_CHECKING:
    from PIL.Image import Image

Paper = Literal[58, 80]
DOTS: Final[dict[Paper, int]] = {58: 384, 80: 576}
"""Width of paper in mm → dots that its printers print: 48 and 72 mm at 8 dots a mm."""
EM: Final[dict[Paper, int]] = {58: 27, 80: 31}
"""Size of ordinary text in dots: 3.4 and 3.9 mm."""
TOKEN: Final[dict[Paper, int]] = {58: 120, 80: 150}
LARGE: Final = 1.5
"""For who does not see well: text this much larger. The number grows as wide as the paper."""
SMALL: Final = 0.8
"""English below another language, and the date."""
QR_DOTS: Final = 400
"""50 mm. Modules of today's links have 6 or 7 dots. Longer links have smaller ones; 4 dots (half a millimetre) are
still read easily."""
GAP: Final = 4
"""Dots above each sentence: marks of Hindi stand above its letters."""
SIDE: Final = 8
"""Dots left and right: few printers feed the paper straight."""


class SlipText(Struct, frozen=True, kw_only=True):
    """What a slip says. A line that is empty is left out."""

    token: str
    link: str
    """What the QR says."""
    facility: str = ""
    queue: str = ""
    before: str = ""
    lane: str = ""
    hint: str = ""
    at: str = ""
    local_facility: str = ""
    local_queue: str = ""
    local_title: str = ""
    local_ahead: str = ""
    local_hint: str = ""
    """In the patient's language."""


def draw(slip: SlipText, paper: Paper, *, large: bool) -> "Image":
    """The picture, of mode 1, as wide as the paper's dots. 50 ms of CPU; the first of a process more than a second."""
    from PIL import Image  # here: only who prints slips pays for loading it

    em = EM[paper] * (LARGE if large else 1)
    local = any((slip.local_facility, slip.local_queue, slip.local_title, slip.local_ahead, slip.local_hint))
    below = em * SMALL if local else em
    page = _Page(DOTS[paper])
    page.text(slip.local_facility or slip.facility, EM[paper], bold=True)
    page.text(slip.local_queue or slip.queue, em, bold=True)
    page.text(slip.local_title, em)
    # Two letters, a hyphen and three digits fill the paper in large type; a longer number is smaller.
    page.text(slip.token, min(TOKEN[paper] * (LARGE if large else 1), 1.5 * page.width / len(slip.token)), bold=True)
    page.text(slip.local_ahead or slip.before, em)
    page.code(slip.link)
    page.text(slip.local_hint or slip.hint, em)
    for english in _second(slip):
        page.text(english, below)
    page.text(slip.at, EM[paper] * SMALL)
    drawn = Image.new("L", (page.width, page.height), 255)
    for line, top in page.lines:
        draw_line(drawn, line, top)
    for box in page.boxes:
        drawn.paste(0, box)
    return drawn.convert("1", dither=Image.Dither.NONE)


def _second(slip: SlipText) -> tuple[str, ...]:
    """The English lines that stand below those of the patient's language, and what has no other language."""
    return (
        slip.facility if slip.local_facility else "",
        slip.queue if slip.local_queue else "",
        slip.before if slip.local_ahead else "",
        slip.lane,
        slip.hint if slip.local_hint else "",
    )  # fmt: skip


class _Page:
    """Lines below each other, in the middle of the paper."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.height = GAP
        self.lines: list[tuple[Line, int]] = []
        self.boxes: list[tuple[int, int, int, int]] = []
        """Dark modules: left, top, right, bottom."""

    def text(self, text: str, size: float, *, bold: bool = False) -> None:
        self.height += GAP if text else 0
        for line in lines_of(text, size, self.width - 2 * SIDE, bold=bold):
            self.lines.append((line, self.height))
            self.height += line.ascent + line.descent

    def code(self, text: str) -> None:
        """The QR with its quiet zone; modules are a whole number of dots."""
        rows = qr.modules(text, error="m")
        side = len(rows) + 2 * qr.MARGIN
        module = max(1, min(self.width, QR_DOTS) // side)
        left = (self.width - side * module) // 2 + qr.MARGIN * module
        top = self.height + qr.MARGIN * module
        self.boxes += [
            (left + x * module, top + y * module, left + (x + 1) * module, top + (y + 1) * module)
            for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
        ]  # fmt: skip
        self.height += side * module
