"""The way back to the ticket page: who shared by an ABHA app, or lost the link, types the number and four digits.

The digits are the year of birth, or the last four of the ABHA number. The page answers a wrong number, wrong digits,
and a person whose details are gone in the same words, after the same work. It never lists people. How many wrong tries
a number, an address and a facility have is bounded (``queueing.place_search``).
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import structlog
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect
from msgspec import Struct

from kiosk.checkin import CheckIn
from kiosk.locales import Messages
from kiosk.locales.corrections import own_messages
from kiosk.observability import metrics
from kiosk.patient.identifiers import western_digits
from kiosk.settings import Settings
from kiosk.web.client_address import address_to_count, networks_of
from kiosk.web.limits import PHONE_FORM_MAX
from kiosk.web.link_urls import find_url, new_ticket_link
from kiosk.web.page_bodies import read_form
from kiosk.web.path_prefix import url
from kiosk.web.request_body import BadBody
from kiosk.web.same_origin import is_own_page
from kiosk.web.security_headers import PAGE
from kiosk.web.templating import messages_for, page, sorry
from queueing.errors import QueueingError
from queueing.models import Ticket
from queueing.place_search import PlaceSearch
from queueing.registry import Hospital, Registry
from tokens import TicketLinks, qr

Visit = Request[object, object, State]
LANG = Annotated[str, QueryParameter(max_length=100)]

BODY_S: Final = 10.0
"""As for the form of a number: two short fields on 2G."""
FIELD_MAX: Final = 40
"""Characters of a field; a token has eight, and people add spaces."""
_TOKEN: Final = re.compile(r"([A-Z]{1,3})?[\s\-\u2010-\u2015.]*0*([0-9]{1,6})")
_DIGITS: Final = re.compile(r"[0-9]{4}")
_PICTURE_KEPT_S: Final = 3_600
"""The address of a facility's page changes with the public address only; a board asks once a day."""

_log = structlog.get_logger(__name__)


class SearchForm(Struct, frozen=True):
    """The two fields as somebody filled them in."""

    number: str = ""
    digits: str = ""

    @classmethod
    def sent(cls, fields: dict[str, str]) -> "SearchForm":
        """The form among all fields that a browser sent."""
        return cls(fields.get("number", "")[:FIELD_MAX], fields.get("digits", "")[:FIELD_MAX])

    def token(self, hospital: Hospital) -> str:
        """The number as tickets have it; empty when it is none of this hospital's."""
        return token_of(self.number, hospital)

    def four_digits(self) -> str:
        """The digits as 0 to 9; empty when they are not four."""
        digits = western_digits(self.digits).strip()
        return digits if _DIGITS.fullmatch(digits) else ""


@get("/find/{hip_id:str}", include_in_schema=False)
async def find_page(
    hip_id: FromPath[str], request: Visit, registry: NamedDependency[Registry], lang: LANG = ""
) -> Response[str]:
    """The empty form."""
    messages, hospital = messages_for(request, lang), await registry.recent_hospital(hip_id)
    return _form(messages, hospital, SearchForm()) if hospital else _unknown(messages)


@post("/find/{hip_id:str}", include_in_schema=False, status_code=303)
async def find_ticket(
    hip_id: FromPath[str],
    request: Visit,
    registry: NamedDependency[Registry],
    place_search: NamedDependency[PlaceSearch],
    check_in: NamedDependency[CheckIn],
    ticket_links: NamedDependency[TicketLinks],
    settings: NamedDependency[Settings],
    lang: LANG = "",
) -> Response[str] | Redirect:
    """The ticket's own page, or the form again with what to do."""
    messages = messages_for(request, lang)
    if not is_own_page(request, settings.public_url):
        return sorry(messages, 403, "form.forged", "common.ask_desk")
    hospital = await registry.recent_hospital(hip_id)
    if hospital is None:
        return _unknown(messages)
    form = SearchForm.sent(await sent_fields(request))
    token, digits = form.token(hospital), form.four_digits()
    if not token or not digits:
        return _form(messages, hospital, form, trouble="fix" if token else "number_odd", status=422)
    address = address_to_count(request.scope, networks_of(settings.trusted_proxies))
    try:
        ticket, wait_s = await search(place_search, check_in, hospital.facility.hip_id, token, digits, address)
    except QueueingError as error:
        _log.warning("place_search_unanswered", error=type(error).__name__)
        return _form(messages, hospital, form, trouble="away", status=503)
    if wait_s:
        refused = _form(messages, hospital, form, trouble="too_many", status=429)
        refused.headers["Retry-After"] = str(wait_s)
        return refused
    if ticket is None:
        return _form(messages, hospital, form, trouble="not_found", status=404)
    zone = ZoneInfo(hospital.zone(settings.timezone))
    link = new_ticket_link(ticket_links, hospital.facility.hip_id, ticket.id, zone)
    return Redirect(url(f"/t/{link}?lang={messages.code}"), status_code=303, headers=PAGE)


@get("/find/{hip_id:str}/qr.svg", include_in_schema=False)
async def find_picture(
    hip_id: FromPath[str], registry: NamedDependency[Registry], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """The page's address as a QR, for boards and kiosk screens."""
    if await registry.recent_hospital(hip_id) is None:
        raise NotFoundException
    drawn = await asyncio.to_thread(qr.svg, find_url(settings.public_url, hip_id))
    headers = {**PAGE, "Cache-Control": f"public, max-age={_PICTURE_KEPT_S}"}
    return Response(drawn, media_type="image/svg+xml", headers=headers)


async def search(
    place_search: PlaceSearch, check_in: CheckIn, hip_id: str, token: str, digits: str, address: str
) -> tuple[Ticket | None, int]:
    """The person's ticket, or None; and seconds to wait after too many wrong tries."""
    seeker = check_in.seeker(hip_id, token, address)
    candidates, wait_s = await place_search.candidates(hip_id, token, seeker)
    if wait_s:
        metrics.place_searched("too_many")
        return None, wait_s
    proved = [one.ticket for one in candidates if check_in.is_persons(hip_id, one, digits)]
    if not candidates:
        check_in.is_persons(hip_id, None, digits)
    metrics.place_searched("found" if proved else "not_found")
    if proved:
        await place_search.found(hip_id, seeker)
    return _newest(proved), 0


def _newest(tickets: Sequence[Ticket]) -> Ticket | None:
    return max(tickets, key=lambda ticket: ticket.arrived_ms, default=None)


def token_of(text: str, hospital: Hospital) -> str:
    """The number as tickets have it: ``m 42`` is M-042. Without a letter it is that of the only queue; else empty."""
    parts = _TOKEN.fullmatch(western_digits(text).strip().upper())
    prefixes = {queue.prefix for queue in hospital.queues}
    prefix = (parts[1] or (prefixes.pop() if len(prefixes) == 1 else "")) if parts else ""
    return f"{prefix}-{int(parts[2]):03}" if parts and prefix else ""


def _form(
    messages: Messages, hospital: Hospital, form: SearchForm, *, trouble: str = "", status: int = 200
) -> Response[str]:
    own = own_messages(messages.code, hospital.facility.corrections)
    return page(
        "find.html", own, status=status, form=True, facility=hospital.facility, sent=form, trouble=trouble,
        example=f"{hospital.queues[0].prefix}-042" if hospital.queues else "M-042",
    )  # fmt: skip


def _unknown(messages: Messages) -> Response[str]:
    return sorry(messages, 404, "board.unknown_facility", "common.ask_desk")


async def sent_fields(request: Visit) -> dict[str, str]:
    """What the browser sent. Bytes that are no form are an empty form, which then says what is missing."""
    try:
        return await read_form(request, PHONE_FORM_MAX, deadline_s=BODY_S)
    except BadBody:
        return {}
