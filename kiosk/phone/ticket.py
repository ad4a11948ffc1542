"""The ticket's own page: whoever holds the link sees the number, and nothing about the person.

Drawn whole by the server, so that it says the truth without a script; the page then lives on the facility's stream and
asks here again only when the hall's snapshot does not show its number.
"""

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from litestar import Request, Response, get, post
from litestar.datastructures import State as AppState
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect
from msgspec import Struct

from kiosk.locales import Messages
from kiosk.locales.corrections import own_messages
from kiosk.settings import Settings
from kiosk.web.link_urls import ticket_url
from kiosk.web.path_prefix import url
from kiosk.web.quick_page import inline_styles, packed
from kiosk.web.same_origin import is_own_page
from kiosk.web.security_headers import PAGE, SECURITY
from kiosk.web.static_files import static_text, static_url
from kiosk.web.templating import messages_for, page, sorry
from queueing.desk import OpdDesk
from queueing.facility_view import Called, QueueView, Snapshot
from queueing.models import State, Ticket, UnixMs
from queueing.registry import Hospital, Registry
from queueing.waiting import Estimate, estimate
from tokens import LinkError, LinkExpired, TicketClaim, TicketLinks, qr
from tokens.push_keys import PushKeys

Asked = Request[object, object, AppState]
LANG = Annotated[str, QueryParameter(max_length=100)]

ICONS: Final = {
    State.EXPECTED: "walk",
    State.WAITING: "clock",
    State.CALLED: "arrow",
    State.SERVING: "check",
    State.HELD: "pause",
    State.NO_SHOW: "warning",
    State.DONE: "check",
    State.CANCELLED: "stop",
    State.LAPSED: "calendar",
}
OVER: Final = frozenset({State.DONE, State.CANCELLED, State.LAPSED})
MAY_CANCEL: Final = frozenset({State.EXPECTED, State.WAITING, State.HELD, State.NO_SHOW})
"""Whoever was called has a counter waiting: there the clerk ends the visit."""
MANIFEST: Final = "application/manifest+json"
NEAR: Final = 3
"""With so few before it the page asks its patient to stay near. Two counters call three people within ten minutes."""
WORKER_CHECKED: Final = "no-cache"
"""A browser asks for a newer worker each time that a ticket page opens."""


class EarlierStop(Struct, frozen=True, kw_only=True):
    """A queue that the ticket was sent on from."""

    queue: str
    ended_ms: UnixMs
    came: bool
    """Whether the person was seen there; else the ticket was only sent on."""


class ShownStop(Struct, frozen=True, kw_only=True):
    """One earlier stop as the template draws it."""

    name: str
    is_own_name: bool
    """Whether the name is one of the page's language."""
    icon: str
    key: str
    """Of the words after the name."""
    time: str
    """``HH:MM`` at the facility."""


class Mine(Struct, frozen=True, kw_only=True):
    """What the page's script knows of the ticket; the same words as the snapshot's."""

    token: str
    key: str
    """By this the script finds the ticket in a snapshot: another day's ticket may have the same token."""
    queue: str
    state: State
    counter: str
    calls: int
    ahead: int
    served_by: str
    """Who serves at the counter; empty where the facility does not say."""
    stops: tuple[EarlierStop, ...]


@get("/t/{link:str}", include_in_schema=False)
async def ticket_page(
    link: FromPath[str],
    request: Asked,
    desk: NamedDependency[OpdDesk],
    registry: NamedDependency[Registry],
    ticket_links: NamedDependency[TicketLinks],
    push_keys: NamedDependency[PushKeys],
    settings: NamedDependency[Settings],
    lang: LANG = "",
) -> Response[str] | Response[bytes]:
    """The page, or a page that says what is wrong with the link."""
    messages = messages_for(request, lang)
    claim, trouble = _read(ticket_links, link, messages)
    ticket = await desk.ticket(claim.hip_id, claim.ticket) if claim else None
    if claim is None or ticket is None:
        return trouble or _ended(messages)
    snapshot, hospital = await asyncio.gather(desk.snapshot(claim.hip_id), registry.hospital(claim.hip_id))
    facility = hospital.facility if hospital else None
    messages = own_messages(messages.code, facility.corrections) if facility else messages
    zone = (facility.timezone if facility else "") or settings.timezone
    styles = inline_styles("css/base.css", "css/phone.css", "css/phone_forms.css")
    answer = page(
        "ticket.html",
        messages,
        styles=styles.text,
        mine=_mine(ticket, hospital),
        facility=facility,
        link=link,
        push_key=push_keys.public if settings.push_services else "",
        hip_id=claim.hip_id,
        zone=zone,
        **_ticket_facts(ticket),
        **_queue_facts(ticket, snapshot, messages.code, ZoneInfo(zone)),
        book={messages.code: messages.book("common", "ticket")},
    )
    answer.headers["Content-Security-Policy"] = styles.policy
    return packed(answer, request.headers.get("accept-encoding", ""))


def _ticket_facts(ticket: Ticket) -> dict[str, Any]:
    """What the page shows of the ticket alone, by the names of its template."""
    return {
        "ticket": ticket,
        "state": ticket.state.name.lower(),
        "icon": ICONS[ticket.state],
        "over": ticket.state in OVER,
        "waits": ticket.state is State.WAITING,
        "near": NEAR,
        "may_cancel": ticket.state in MAY_CANCEL,
        "now_ms": time.time_ns() // 1_000_000,
    }


def _queue_facts(ticket: Ticket, snapshot: Snapshot | None, language: str, zone: ZoneInfo) -> dict[str, Any]:
    """What the page shows of the ticket's queue, by the names of its template."""
    queue = next((one for one in snapshot.queues if one.id == ticket.queue), None) if snapshot else None
    return {
        "queue": queue.name_in(language) if queue else ticket.queue,
        "hours": ", ".join(queue.today) if queue else "",
        "is_own_name": bool(queue and queue.names.get(language)),
        "estimate": _estimate(ticket, snapshot, queue),
        "last": _last_called(queue),
        "stops": _shown_stops(ticket, snapshot, language, zone),
    }


@get("/t/{link:str}/now", include_in_schema=False)
async def ticket_now(
    link: FromPath[str],
    desk: NamedDependency[OpdDesk],
    registry: NamedDependency[Registry],
    ticket_links: NamedDependency[TicketLinks],
) -> Response[Mine | None]:
    """The ticket as it stands, for the page's script."""
    try:
        claim = ticket_links.read(link, now_s=int(time.time()))
    except LinkError:
        return Response(None, status_code=404, headers=PAGE)
    ticket = await desk.ticket(claim.hip_id, claim.ticket)
    if ticket is None:
        return Response(None, status_code=404, headers=PAGE)
    hospital = await registry.recent_hospital(claim.hip_id) if ticket.counter else None
    return Response(_mine(ticket, hospital), headers=PAGE)


@get("/t/{link:str}/qr.svg", include_in_schema=False)
async def link_picture(
    link: FromPath[str], ticket_links: NamedDependency[TicketLinks], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """The link itself as a QR: for the printed slip, or a relative's phone. Only links of ours are drawn."""
    try:
        ticket_links.read(link, now_s=int(time.time()))
    except LinkError:
        return Response(b"", status_code=404, headers=PAGE)
    drawn = await asyncio.to_thread(qr.svg, ticket_url(settings.public_url, link))
    return Response(drawn, media_type="image/svg+xml", headers=PAGE)


@post("/t/{link:str}/cancel", include_in_schema=False, status_code=303)
async def cancel_ticket(
    link: FromPath[str],
    request: Asked,
    desk: NamedDependency[OpdDesk],
    ticket_links: NamedDependency[TicketLinks],
    settings: NamedDependency[Settings],
    lang: LANG = "",
) -> Response[str] | Redirect:
    """The patient gives the place up; the page then shows how the ticket stands. A clerk can bring it back."""
    messages = messages_for(request, lang)
    if not is_own_page(request, settings.public_url):
        return sorry(messages, 403, "ticket.forged", "ticket.forged_do")
    claim, trouble = _read(ticket_links, link, messages)
    ticket = await desk.ticket(claim.hip_id, claim.ticket) if claim else None
    if claim is None or ticket is None:
        return trouble or _ended(messages)
    if ticket.state in MAY_CANCEL:
        await desk.cancel(claim.hip_id, claim.ticket, by="")  # no login: the patient did it (event_log.Event.by)
    return Redirect(url(f"/t/{link}?lang={messages.code}"), status_code=303, headers=PAGE)


@get("/t/worker.js", include_in_schema=False, sync_to_thread=False)
def ticket_worker() -> Response[str]:
    """The service worker. It is served here because a worker sees only pages below its own address."""
    headers = {**SECURITY, "Cache-Control": WORKER_CHECKED}
    return Response(static_text("js/ticket_worker.js"), media_type="text/javascript", headers=headers)


@get("/t/{link:str}/app.webmanifest", include_in_schema=False)
async def ticket_manifest(
    link: FromPath[str],
    request: Asked,
    desk: NamedDependency[OpdDesk],
    registry: NamedDependency[Registry],
    ticket_links: NamedDependency[TicketLinks],
    lang: LANG = "",
) -> Response[dict[str, object] | None]:
    """How a phone installs this ticket's page; it names the number and the hospital, as the page does."""
    messages = messages_for(request, lang)
    claim, _ = _read(ticket_links, link, messages)
    ticket = await desk.ticket(claim.hip_id, claim.ticket) if claim else None
    if claim is None or ticket is None:
        return Response(None, status_code=404, headers=PAGE)
    facility = await registry.facility(claim.hip_id)
    name = f"{ticket.token} · {facility.name_in(messages.code)}" if facility else ticket.token
    return Response(_manifest(name, ticket.token, url(f"/t/{link}"), messages), media_type=MANIFEST, headers=PAGE)


def _manifest(name: str, short: str, path: str, messages: Messages) -> dict[str, object]:
    icons = [
        {"src": static_url(f"icons/app-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size in (192, 512)
        for purpose in ("any", "maskable")
    ]
    return {
        "id": path, "name": name, "short_name": short, "start_url": f"{path}?lang={messages.code}", "scope": url("/t/"),
        "display": "standalone", "background_color": "#f4f7f6", "theme_color": "#0d5e57", "lang": messages.code,
        "dir": messages.direction, "icons": icons,
    }  # fmt: skip


def _read(links: TicketLinks, link: str, messages: Messages) -> tuple[TicketClaim | None, Response[str] | None]:
    try:
        return links.read(link, now_s=int(time.time())), None
    except LinkExpired:
        return None, _ended(messages)
    except LinkError:
        return None, sorry(messages, 404, "ticket.forged", "ticket.forged_do")


def _ended(messages: Messages) -> Response[str]:
    return sorry(messages, 410, "ticket.expired", "ticket.expired_do")


def _mine(ticket: Ticket, hospital: Hospital | None) -> Mine:
    counter = hospital.counter(ticket.counter) if hospital else None
    return Mine(
        token=ticket.token,
        key=ticket.key,
        queue=ticket.queue,
        state=ticket.state,
        counter=ticket.counter,
        calls=ticket.calls,
        ahead=ticket.ahead,
        served_by=counter.served_by if counter else "",
        stops=tuple(_earlier(ticket)),
    )


def _earlier(ticket: Ticket) -> Iterator[EarlierStop]:
    return (EarlierStop(queue=one.queue, ended_ms=one.ended_ms, came=one.called_ms > 0) for one in ticket.stops)


def _shown_stops(ticket: Ticket, snapshot: Snapshot | None, language: str, zone: ZoneInfo) -> list[ShownStop]:
    queues = {queue.id: queue for queue in snapshot.queues} if snapshot else {}
    return [_shown(stop, queues.get(stop.queue), language, zone) for stop in _earlier(ticket)]


def _shown(stop: EarlierStop, queue: QueueView | None, language: str, zone: ZoneInfo) -> ShownStop:
    """Without a snapshot a queue is shown by its id."""
    return ShownStop(
        name=queue.name_in(language) if queue else stop.queue,
        is_own_name=bool(queue and queue.names.get(language)),
        icon="check" if stop.came else "walk",
        key="ticket.stop_done" if stop.came else "ticket.stop_left",
        time=datetime.fromtimestamp(stop.ended_ms / 1000, zone).strftime("%H:%M"),
    )


def _estimate(ticket: Ticket, snapshot: Snapshot | None, queue: QueueView | None) -> Estimate | None:
    return estimate(ticket.ahead, queue.pace, queue.usual, snapshot.at_ms) if snapshot and queue else None


def _last_called(queue: QueueView | None) -> Called | None:
    return next(iter((*queue.now, *queue.recent)), None) if queue else None
