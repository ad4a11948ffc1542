"""Check-in at a counter's screen: the holder of a number taken at home touches it there and types four digits.

The screen sends its own code of this minute, which proves that it stands in the hall (``tokens.counter``): a browser
elsewhere has none. The digits prove whose number it is, within the bounds of ``kiosk.phone.find``. The screen stays on
its page and shows the outcome, so the answer is JSON.
"""

import time
from typing import Final

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException, PermissionDeniedException
from litestar.params import FromPath
from msgspec import Struct

from kiosk.checkin import CheckIn
from kiosk.phone.find import FIELD_MAX, SearchForm, Visit, search, sent_fields
from kiosk.settings import Settings
from kiosk.web.client_address import address_to_count, networks_of
from kiosk.web.same_origin import is_own_page
from kiosk.web.security_headers import PAGE
from queueing.desk import OpdDesk
from queueing.models import Outcome, State, Ticket
from queueing.place_search import PlaceSearch
from queueing.registry import Registry
from tokens import CounterCodes, Grade, TokenError

HERE: Final = frozenset({State.WAITING, State.CALLED, State.SERVING, State.HELD, State.NO_SHOW})
"""States of somebody who is in the queue already."""


class Arrived(Struct, frozen=True, kw_only=True):
    """What the screen says. It holds nothing that the visitor did not type, but how many are before them."""

    outcome: str
    """``checked_in``, ``here`` (in the queue already), ``not_found``, ``too_many`` or ``ask_desk``."""
    token: str = ""
    ahead: int = 0


@post("/find/{hip_id:str}/arrived", include_in_schema=False, status_code=200)
async def check_in_here(
    hip_id: FromPath[str],
    request: Visit,
    registry: NamedDependency[Registry],
    place_search: NamedDependency[PlaceSearch],
    check_in: NamedDependency[CheckIn],
    desk: NamedDependency[OpdDesk],
    counter_codes: NamedDependency[CounterCodes],
    settings: NamedDependency[Settings],
) -> Response[Arrived]:
    """Form: ``code`` of the screen, ``number``, ``digits``. 403 for a browser without a fresh code of this facility."""
    if not is_own_page(request, settings.public_url):
        raise PermissionDeniedException
    hospital = await registry.recent_hospital(hip_id)
    if hospital is None:
        raise NotFoundException
    hip, fields = hospital.facility.hip_id, await sent_fields(request)
    if not _is_in_the_hall(counter_codes, fields.get("code", "")[:FIELD_MAX], hip):
        raise PermissionDeniedException
    form = SearchForm.sent(fields)
    token, digits = form.token(hospital), form.four_digits()
    if not token or not digits:
        return _answer("not_found")
    address = address_to_count(request.scope, networks_of(settings.trusted_proxies))
    ticket, wait_s = await search(place_search, check_in, hip, token, digits, address)
    if wait_s or ticket is None:
        return _answer("too_many" if wait_s else "not_found")
    return await _checked_in(desk, hip, ticket)


def _is_in_the_hall(codes: CounterCodes, code: str, hip: str) -> bool:
    try:
        return codes.read(code, hip, int(time.time())).grade is Grade.FRESH
    except TokenError:
        return False


async def _checked_in(desk: OpdDesk, hip: str, ticket: Ticket) -> Response[Arrived]:
    moved = await desk.check_in(hip, ticket.id, by="")  # no login: the patient did it (event_log.Event.by)
    now = moved.ticket or ticket
    if moved.outcome is Outcome.MOVED:
        return _answer("checked_in", now)
    return _answer("here" if now.state in HERE else "ask_desk", now)


def _answer(outcome: str, ticket: Ticket | None = None) -> Response[Arrived]:
    shown = Arrived(outcome=outcome, token=ticket.token, ahead=ticket.ahead) if ticket else Arrived(outcome=outcome)
    return Response(shown, headers=PAGE)
