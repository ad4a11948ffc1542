"""Text → picture. The only file that knows which library draws.

segno draws what screens and slips show (small, fast); qrcode draws the styled poster. Drawing costs 10 to 30 ms of CPU
and a poster far more: results are kept by content, nothing here belongs on the path of a scan, and a caller inside an
event loop draws in a thread.
"""

import unicodedata
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import quote

import segno

from tokens.errors import PictureError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

LONGEST_TEXT = 1_200
"""Bytes. An address of ours with the longest link fits; denser symbols are hard to scan from a screen anyway."""

LONGEST_LABEL = 250

MARGIN = 4
"""Modules of silence around the symbol (ISO/IEC 18004)."""

DOTS_PER_INCH = 200
A4 = (1_654, 2_339)
"""Width and height in dots at that resolution."""

_DASHES = str.maketrans("–—", "--")

INK = (17, 24, 39)
FRAME = (13, 94, 87)
PAPER = (255, 255, 255)


def facility_url(host: str, hip_id: str, counter_text: str) -> str:
    """The address that a PHR app reads as "share my profile with this counter".

    ``host`` must be ABDM's, apps refuse any other. The hyphenated names are the spelling confirmed by a recorded scan;
    the other one in circulation is not understood by every app (NHA portal, annexure 5.1).
    """
    if not 0 < len(hip_id) <= LONGEST_LABEL or len(counter_text) > LONGEST_LABEL:
        raise PictureError(f"a HIP id has 1 to {LONGEST_LABEL} characters, a counter text at most as many")
    try:
        hip, counter = quote(hip_id, safe=""), quote(counter_text, safe="")
    except UnicodeEncodeError:
        raise PictureError("an address holds only what can be written as UTF-8") from None
    return f"{host.rstrip('/')}/share-profile?hip-id={hip}&counter-id={counter}"


@lru_cache(maxsize=256)
def svg(text: str, *, label: str = "") -> bytes:
    """A QR as an SVG element that scales with its box; ``label`` is for screen readers. 10 to 40 ms, then cached."""
    return _svg(text, label)


def modules(text: str, *, error: str = "q") -> tuple[tuple[bool, ...], ...]:
    """The rows of the symbol without its margin, true where it is dark. Level Q: a quarter of it may be scratched."""
    symbol = segno.make_qr(_bounded(text), error=error)
    return tuple(tuple(bool(module) for module in row) for row in symbol.matrix)


def secret_svg(text: str) -> str:
    """The same for a text that must not stay in memory: it is drawn each time."""
    return _svg(text, "").decode()


def _svg(text: str, label: str) -> bytes:
    drawn = BytesIO()
    _symbol(text).save(
        drawn,
        kind="svg",
        border=MARGIN,
        xmldecl=False,
        omitsize=True,
        light="#fff",
        title=label[:LONGEST_LABEL] or None,
        svgclass="qr",
        lineclass=None,
        nl=False,
    )
    return drawn.getvalue()


@lru_cache(maxsize=256)
def png(text: str, *, scale: int = 8) -> bytes:
    """A QR as PNG in black and white, ``scale`` dots a module."""
    if not 1 <= scale <= 40:
        raise PictureError("scale is 1 to 40 dots a module")
    drawn = BytesIO()
    _symbol(text).save(drawn, kind="png", scale=scale, border=MARGIN)
    return drawn.getvalue()


@lru_cache(maxsize=16)
def poster(text: str, *, title: str, subtitle: str, counter: str) -> bytes:
    """An A4 page for the wall, PNG at 200 dpi, 0.1 MB: the hospital's name on all sides of the QR, the counter large.

    The name stands inside the frame so that a sticker pasted over the QR alone is seen. Words are in Latin letters, the
    only ones our font has; others raise PictureError instead of printing boxes. About a second of CPU.
    """
    from PIL import Image, ImageDraw  # here: only who prints posters pays for loading Pillow

    page = Image.new("RGB", A4, PAPER)
    draw = ImageDraw.Draw(page)
    width, height = A4
    draw.rounded_rectangle((50, 50, width - 50, height - 50), radius=60, outline=FRAME, width=14)
    _lines(draw, title, (130, 100, width - 130, 420), largest=110, fill=FRAME)
    _framed(page, _styled(text, 1_060), title, top=440)
    _lines(draw, counter, (130, 1_700, width - 130, 2_010), largest=300, fill=INK)
    _lines(draw, subtitle, (130, 2_030, width - 130, 2_250), largest=64, fill=INK)
    drawn = BytesIO()
    page.quantize(32).save(drawn, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH), optimize=True)
    return drawn.getvalue()


def _bounded(text: str) -> str:
    """The text, if a symbol of ours can hold it."""
    try:
        length = len(text[: LONGEST_TEXT + 1].encode())
    except UnicodeEncodeError:
        raise PictureError("a QR holds only what can be written as UTF-8") from None
    if not 0 < length <= LONGEST_TEXT:
        raise PictureError(f"a QR here holds 1 to {LONGEST_TEXT} bytes")
    return text


def _symbol(text: str) -> segno.QRCode:
    """Error level M or better: segno raises it for free while the symbol does not grow."""
    return segno.make_qr(_bounded(text), error="m")


def _styled(text: str, side: int) -> "Image":
    """The symbol with rounded modules, level Q: a quarter of it may be scratched. At most ``side`` dots wide."""
    import qrcode
    from qrcode.image.styledpil import StyledPilImage
    from qrcode.image.styles.colormasks import SolidFillColorMask
    from qrcode.image.styles.moduledrawers.pil import RoundedModuleDrawer

    symbol = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_Q, border=MARGIN)
    symbol.add_data(_bounded(text).encode())
    symbol.make(fit=True)
    # even: the drawer halves it, and half a dot too few would leave white seams between dark modules
    symbol.box_size = max(2, side // (symbol.modules_count + 2 * MARGIN) // 2 * 2)
    drawn: Image = symbol.make_image(
        image_factory=StyledPilImage,
        module_drawer=RoundedModuleDrawer(),
        color_mask=SolidFillColorMask(back_color=PAPER, front_color=INK),
    ).get_image()
    return drawn


def _framed(page: "Image", symbol: "Image", name: str, *, top: int) -> None:
    """The symbol in the middle of the page, in a band that carries the hospital's name along each side."""
    from PIL import Image

    band, gap = 80, 10
    side = symbol.width + 2 * (band + gap)
    box = Image.new("RGB", (side, side), FRAME)
    box.paste(symbol, (band + gap, band + gap))
    strip = _strip(name, (side - 2 * band, band))
    box.paste(strip, (band, 0))
    box.paste(strip, (band, side - band))
    box.paste(strip.rotate(90, expand=True), (0, band))
    box.paste(strip.rotate(270, expand=True), (side - band, band))
    page.paste(box, ((page.width - side) // 2, top))


def _strip(name: str, size: tuple[int, int]) -> "Image":
    from PIL import Image, ImageDraw

    strip = Image.new("RGB", size, FRAME)
    _lines(ImageDraw.Draw(strip), name, (10, 8, size[0] - 10, size[1] - 8), largest=44, fill=PAPER, most=1)
    return strip


def _lines(
    draw: "ImageDraw",
    text: str,
    box: tuple[int, int, int, int],
    *,
    largest: int,
    fill: tuple[int, int, int],
    most: int = 3,
) -> None:
    """Text centred in a box, as large as it fits in ``most`` lines; cut with dots where even the smallest is wide."""
    left, top, right, bottom = box
    words, width = _printable(text), right - left
    for size in range(largest, 17, -2):
        font = _font(size)
        lines = _wrapped(words, font, width)
        if len(lines) <= most and len(lines) * size * 1.25 <= bottom - top and _fits(lines, font, width):
            lines = _balanced(lines, font, width)
            break
    else:
        lines = [_cut(line, font, width) for line in lines[:most]]
    middle = ((left + right) / 2, (top + bottom) / 2)
    draw.multiline_text(middle, "\n".join(lines), font=font, fill=fill, anchor="mm", align="center", spacing=size * 0.2)


def _wrapped(words: str, font: "FreeTypeFont", width: int) -> list[str]:
    """As many words on each line as it takes; a word wider than a line stands alone."""
    lines: list[str] = []
    for word in words.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _fits(lines: list[str], font: "FreeTypeFont", width: int) -> bool:
    return all(font.getlength(line) <= width for line in lines)


def _balanced(lines: list[str], font: "FreeTypeFont", width: int) -> list[str]:
    """The same words in as many lines of nearly one length, so that no word is left alone on the last."""
    narrower = lines
    while len(lines) > 1 and len(narrower) == len(lines) and _fits(narrower, font, width):
        lines, width = narrower, width - 20
        narrower = _wrapped(" ".join(lines), font, width)
    return lines


def _cut(line: str, font: "FreeTypeFont", width: int) -> str:
    while len(line) > 1 and font.getlength(line) > width:
        line = line[:-2] + "…"
    return line


def _printable(text: str) -> str:
    """The text with single spaces and bare letters (``é`` → ``e``), if our font can draw each character."""
    plain = unicodedata.normalize("NFKD", text[:LONGEST_LABEL].translate(_DASHES))
    words = " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())
    font = _font(20)
    nothing = bytes(font.getmask("\U0010ffff"))
    if any(bytes(font.getmask(letter)) == nothing for letter in set(words) - {" "}):
        raise PictureError("a poster is printed in Latin letters; give the name as the facility registry spells it")
    return words


@lru_cache(maxsize=256)
def _font(size: int) -> "FreeTypeFont":
    """The scalable font that Pillow carries inside itself: the same poster on every machine."""
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise PictureError("this Pillow was built without FreeType and cannot draw posters")
    return font
