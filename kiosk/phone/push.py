"""A phone that wants a message when its number is near, with the ticket page closed: it agrees here, and takes it back.

The link proves whose ticket it is. What the browser answers is sealed with the day's key; the delivery role reads it.
"""

import time
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import State as AppState
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from kiosk.exchange.push_subscription import (
    PushAddress,
    PushRequest,
    SubscriptionWrong,
    close_subscription,
    keys_of,
    service_of,
)
from kiosk.locales import choose
from kiosk.phone.ticket import OVER
from kiosk.security.encryption import Seal
from kiosk.settings import Settings
from kiosk.web.limits import PUSH_BODY_MAX
from kiosk.web.page_bodies import read_json
from kiosk.web.same_origin import is_own_page
from kiosk.web.security_headers import PAGE
from queueing.day import place_ends_s
from queueing.desk import OpdDesk
from queueing.models import State, Ticket
from queueing.push_phones import Phone, PushPhones, Stored
from queueing.registry import Registry
from tokens import TicketLinks
from tokens.push_keys import PushKeys

Asked = Request[object, object, AppState]
Answer = Response[dict[str, str] | None]
LANG = Annotated[str, QueryParameter(max_length=100)]


_request: Final = msgspec.json.Decoder(PushRequest)
_address: Final = msgspec.json.Decoder(PushAddress)


@post("/t/{link:str}/push", include_in_schema=False, status_code=200)
async def agree_to_push(
    link: FromPath[str],
    request: Asked,
    desk: NamedDependency[OpdDesk],
    registry: NamedDependency[Registry],
    ticket_links: NamedDependency[TicketLinks],
    push_keys: NamedDependency[PushKeys],
    push_phones: NamedDependency[PushPhones],
    seal: NamedDependency[Seal],
    settings: NamedDependency[Settings],
    lang: LANG = "",
) -> Answer:
    """Store this browser for the ticket, in place of what it sent before. The page goes on ringing by itself."""
    claim = ticket_links.read(link, now_s=int(time.time()))
    if not is_own_page(request, settings.public_url):
        return _answer(403, "another site sent this")
    sent = await read_json(request, _request, PUSH_BODY_MAX)
    if wrong := _fault(sent, push_keys, settings):
        return _answer(422, wrong)
    ticket = await desk.ticket(claim.hip_id, claim.ticket)
    if ticket is None or ticket.state in OVER:
        return _answer(404, "this number is over")
    facility = await registry.facility(claim.hip_id)
    zone = ZoneInfo((facility.timezone if facility else "") or settings.timezone)
    sealed = close_subscription(seal, claim.hip_id, claim.ticket, sent)
    phone = _phone(sent, ticket, sealed, zone, kid=push_keys.kid_of(sent.key), language=choose(lang).code)
    stored = await push_phones.put(claim.hip_id, claim.ticket, phone)
    return _answer(204) if stored is Stored.DONE else _answer(409, "too many phones of this hospital wait")


@post("/t/{link:str}/push/end", include_in_schema=False, status_code=200)
async def end_push(
    link: FromPath[str],
    request: Asked,
    ticket_links: NamedDependency[TicketLinks],
    push_phones: NamedDependency[PushPhones],
    settings: NamedDependency[Settings],
) -> Answer:
    """Forget this browser for the ticket."""
    claim = ticket_links.read(link, now_s=int(time.time()))
    if not is_own_page(request, settings.public_url):
        return _answer(403, "another site sent this")
    sent = await read_json(request, _address, PUSH_BODY_MAX)
    await push_phones.forget(claim.hip_id, claim.ticket, sent.id)
    return _answer(204)


def _phone(
    sent: PushRequest, ticket: Ticket, sealed: str, zone: ZoneInfo, *, kid: str, language: str
) -> Phone:  # fmt: skip
    """What is stored until the place ends. Of calls and warnings up to now the page has rung itself."""
    return Phone(
        id=sent.id,
        until_ms=place_ends_s(zone, int(time.time())) * 1000,
        sealed=sealed,
        near=sent.near,
        kid=kid,
        language=language,
        calls=ticket.calls,
        warned=int(ticket.state is State.WAITING and ticket.ahead <= sent.near),
    )


def _fault(sent: PushRequest, keys: PushKeys, settings: Settings) -> str:
    """Why nothing can be sent there; empty when it can."""
    try:
        service_of(sent, settings.push_services)
        keys_of(sent)
    except SubscriptionWrong as wrong:
        return str(wrong)
    if not sent.endpoint.startswith("https://") and not settings.private_targets:
        return "endpoint: it must begin with https://"
    return "" if keys.kid_of(sent.key) else "key: not a key of this kiosk, or not any more"


def _answer(status: int, detail: str = "") -> Answer:
    return Response({"detail": detail} if detail else None, status_code=status, headers=PAGE)
