"""What hangs in the hall: the board, and the counter's QR screen. Numbers and counters, never people."""

from litestar.types import ControllerRouterHandler

from kiosk.displays.boards import board
from kiosk.displays.counter_qr import counter_screen, current_codes, picture, poster


def routes() -> list[ControllerRouterHandler]:
    """The screens' doors."""
    return [board, counter_screen, current_codes, picture, poster]
