"""What hangs in the hall: the board, and the counter's QR screen. Numbers and counters, never people."""

from litestar import Router
from litestar.di import NamedDependency, Provide
from litestar.types import ControllerRouterHandler

from kiosk.accounts.service import Staff
from kiosk.displays.board import board
from kiosk.displays.certificate_page import certificate, certificate_page
from kiosk.displays.counter_screen import counter_screen, current_codes, picture, poster
from kiosk.displays.home import home
from kiosk.displays.own_browsers import OwnBrowsers
from kiosk.displays.pairing import new_screen, screen_state
from kiosk.displays.shown_codes import ShownCodes
from kiosk.displays.spoken_call import spoken_announcement, spoken_call
from kiosk.settings import Settings
from kiosk.web.templating import away
from queueing.errors import QueueingError
from queueing.screens import Screens
from tokens import CameraLinks, CounterCodes


def routes() -> list[ControllerRouterHandler]:
    """The routes of boards and screens."""
    handlers = [
        home, board, counter_screen, current_codes, picture, poster, certificate, certificate_page, new_screen,
        screen_state, spoken_call, spoken_announcement,
    ]  # fmt: skip
    return [
        Router(
            path="/",
            route_handlers=handlers,
            dependencies={
                "own_browsers": Provide(_own_browsers, sync_to_thread=False),
                "shown_codes": Provide(_shown_codes, sync_to_thread=False),
            },
            exception_handlers={QueueingError: away},
        )
    ]


def _own_browsers(
    screens: NamedDependency[Screens], staff: NamedDependency[Staff], settings: NamedDependency[Settings]
) -> OwnBrowsers:
    return OwnBrowsers(screens, staff, settings)


def _shown_codes(
    settings: NamedDependency[Settings],
    counter_codes: NamedDependency[CounterCodes],
    camera_links: NamedDependency[CameraLinks],
) -> ShownCodes:
    return ShownCodes(settings, counter_codes, camera_links)
