"""What a patient's phone opens: the ticket, and the form for a number without an ABHA app. No page names a person."""

from litestar import Router
from litestar.types import ControllerRouterHandler

from kiosk.phone.camera import fill_in, send_in
from kiosk.phone.ticket import link_picture, ticket_now, ticket_page
from kiosk.web.templating import away
from queueing.errors import QueueingError


def routes() -> list[ControllerRouterHandler]:
    """The patients' doors."""
    handlers = [ticket_page, ticket_now, link_picture, fill_in, send_in]
    return [Router(path="/", route_handlers=handlers, exception_handlers={QueueingError: away})]
