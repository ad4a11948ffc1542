"""What a patient's phone opens: the ticket, the form for a number without an ABHA app, the way back to the ticket.

No page names a person.
"""

from litestar import Router
from litestar.types import ControllerRouterHandler

from kiosk.phone.arrive import check_in_here
from kiosk.phone.camera import fill_in, send_in
from kiosk.phone.find import find_page, find_picture, find_ticket
from kiosk.phone.push import agree_to_push, end_push
from kiosk.phone.ticket import cancel_ticket, link_picture, ticket_manifest, ticket_now, ticket_page, ticket_worker
from kiosk.web.templating import away
from queueing.errors import QueueingError


def routes() -> list[ControllerRouterHandler]:
    """The routes of patients' phones."""
    handlers = [
        ticket_page, ticket_now, link_picture, cancel_ticket, ticket_manifest, ticket_worker, fill_in, send_in,
        find_page, find_ticket, find_picture, check_in_here, agree_to_push, end_push,
    ]  # fmt: skip
    return [Router(path="/", route_handlers=handlers, exception_handlers={QueueingError: away})]
