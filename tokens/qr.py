"""Text → picture. The only file that knows which library draws.

segno draws what screens show. qrcode makes the symbols that are printed: it writes digits and capitals in fewer bits
than other characters, so the same text has fewer and larger modules on paper. Drawing costs 10 to 30 ms of CPU: results
are kept by content, nothing here belongs on the path of a scan, and a caller inside an event loop draws in a thread.
"""

from functools import lru_cache
from io import BytesIO
from typing import Final
from urllib.parse import quote

import qrcode
import segno
from qrcode import constants

from tokens.errors import PictureError

LONGEST_TEXT = 1_200
"""Bytes. An address of ours with the longest link fits; denser symbols are hard to scan from a screen anyway."""

LONGEST_LABEL = 250

MARGIN = 4
"""Modules of silence around the symbol (ISO/IEC 18004)."""

_LEVELS: Final = "mqh"
"""Levels of error correction, weakest first: 15, 25 and 30 of a hundred code words may be lost."""
_QRCODE_LEVEL: Final = {
    "m": constants.ERROR_CORRECT_M,
    "q": constants.ERROR_CORRECT_Q,
    "h": constants.ERROR_CORRECT_H,
}
_RUN: Final = 8
"""Digits or capitals in a row that are worth a segment of their own; its head costs about two characters."""


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
    """The rows of a printed symbol without its margin, true where it is dark; about 20 ms of CPU.

    ``error`` is the least level, ``m`` or ``q``: at Q a quarter of the symbol may be scratched. A higher level is taken
    where the symbol does not grow.
    """
    symbol = _printed(text, error)
    for better in _LEVELS[_LEVELS.index(error) + 1 :]:
        stronger = _printed(text, better)
        if stronger.version > symbol.version:
            break
        symbol = stronger
    return tuple(tuple(bool(module) for module in row) for row in symbol.get_matrix())


def _printed(text: str, error: str) -> qrcode.QRCode:
    """A symbol of the smallest version at this level. Nothing is drawn yet."""
    symbol = qrcode.QRCode(error_correction=_QRCODE_LEVEL[error], border=0)
    symbol.add_data(_bounded(text).encode(), optimize=_RUN)
    symbol.best_fit()
    return symbol


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
