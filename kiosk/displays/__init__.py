"""What hangs in the hall: the board, and the counter's QR screen. Numbers and counters, never people."""

from litestar import Router
from litestar.types import ControllerRouterHandler

from kiosk.displays.board import board
from kiosk.displays.certificate_page import certificate, certificate_page
from kiosk.displays.counter_screen import counter_screen, current_codes, picture, poster
from kiosk.displays.home import home
from kiosk.web.templating import away
from queueing.errors import QueueingError


def routes() -> list[ControllerRouterHandler]:
    """The screens' doors."""
    handlers = [home, board, counter_screen, current_codes, picture, poster, certificate, certificate_page]
    return [Router(path="/", route_handlers=handlers, exception_handlers={QueueingError: away})]
