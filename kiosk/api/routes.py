"""The API's routes, with what they share."""

from litestar import Router
from litestar.di import NamedDependency, Provide
from litestar.types import ControllerRouterHandler

from kiosk.api import guards
from kiosk.api.events import EventsController
from kiosk.api.links import TicketNumbers
from kiosk.api.moves import Moves
from kiosk.api.profiles import Profiles
from kiosk.api.queues import Queues
from kiosk.api.tickets import Tickets
from kiosk.checkin import CheckIn
from queueing.audit import Audit


def routes() -> list[ControllerRouterHandler]:
    """All routes of the API, for the root of the application."""
    return [
        Router(
            path="/api/v1",
            route_handlers=[Queues, Tickets, TicketNumbers, Moves, EventsController],
            dependencies={
                "caller": Provide(guards.proved_caller),
                "profiles": Provide(_profiles, sync_to_thread=False),
            },
            middleware=[guards.tell_rate],
            include_in_schema=False,
        )
    ]


def _profiles(audit: NamedDependency[Audit], check_in: NamedDependency[CheckIn]) -> Profiles:
    return Profiles(audit, check_in)
