"""The clerk's desk: the page, the JSON with all it shows, and one endpoint for every move.

``queueing`` decides who is next. A move goes there unchanged, the outcome comes back as a sentence (also when another
clerk was quicker), and the browser then fetches the desk again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import quote

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from msgspec import Meta, Struct

from kiosk.accounts.service import Staff
from kiosk.accounts.sessions import Session
from kiosk.console import desk_messages, guards, messages, slip_messages, templating
from kiosk.console.copying import templates_of
from kiosk.console.counters_view import beside
from kiosk.console.desk_view import (
    PROFILES_IN_TEN_MINUTES,
    DeskView,
    DeskViews,
    Detail,
    EndedView,
    Row,
    queue_rows,
)
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr, translated
from kiosk.console.lookups import ticket_of
from kiosk.console.priority import choices, chosen_reason
from kiosk.posters.slip_printer import SlipPrinting
from kiosk.settings import Settings
from kiosk.web.limits import ID_MAX
from kiosk.web.page_bodies import read_json
from kiosk.web.path_prefix import url
from kiosk.web.security_headers import PAGE
from queueing.desk import Current, OpdDesk
from queueing.desks import Desks
from queueing.lanes import REASONS, Lane, label_of
from queueing.models import Moved, Outcome, Reader
from queueing.registry import Registry
from queueing.slip_printers import SlipPrinters


class MoveRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A move, as the page sends it."""

    counter: str = ""
    ticket: str = ""
    to: str = ""
    """Queue id of a transfer."""
    reason: str = ""
    """Of the move ``lane``: why somebody goes sooner, or ``ordinary``."""
    lane: str = ""
    """The same, as pages of an earlier release send it."""
    seen: str | None = None
    """Ticket id the page shows at the counter; ``next`` calls no ticket when another one is there by now."""
    page: Annotated[str, Meta(max_length=32)] = ""
    """Random name of the open desk, which numbers its moves; a number is played once."""
    number: Annotated[int, Meta(ge=0, lt=2**31)] = 0
    late: bool = False
    """The move waited for the network."""
    current: Current = ""
    """Whether the called patient at the counter came; ``ask`` changes nothing when the clerk must say it."""


class Answer(Struct, frozen=True, kw_only=True):
    outcome: str
    words: str
    ticket: Row | None = None
    details: tuple[Detail, ...] = ()


Move = Callable[[OpdDesk, str, MoveRequest, str], Awaitable[Moved]]
MOVES: dict[str, Move] = {
    "next": lambda desk, hip, body, by: desk.call_next(hip, body.counter, by=by, seen=body.seen, current=body.current),
    "call": lambda desk, hip, body, by: desk.call_this(
        hip, body.counter, body.ticket, by=by, current=body.current, seen=body.seen
    ),
    "recall": lambda desk, hip, body, by: desk.recall(hip, body.counter, by=by),
    "start": lambda desk, hip, body, by: desk.start(hip, body.ticket, by=by),
    "finish": lambda desk, hip, body, by: desk.finish(hip, body.ticket, by=by),
    "hold": lambda desk, hip, body, by: desk.hold(hip, body.ticket, by=by),
    "no-show": lambda desk, hip, body, by: desk.no_show(hip, body.ticket, by=by),
    "bring-back": lambda desk, hip, body, by: desk.bring_back(hip, body.ticket, by=by),
    "transfer": lambda desk, hip, body, by: desk.transfer(hip, body.ticket, to=body.to, by=by),
    "check-in": lambda desk, hip, body, by: desk.check_in(hip, body.ticket, by=by),
    "lane": lambda desk, hip, body, by: _set_lane(desk, hip, body, by),
    "cancel": lambda desk, hip, body, by: desk.cancel(hip, body.ticket, by=by),
    "undo": lambda desk, hip, body, by: desk.undo(hip, body.counter, by=by),
}


def _set_lane(desk: OpdDesk, hip: str, body: MoveRequest, by: str) -> Awaitable[Moved]:
    reason = chosen_reason(body.reason or body.lane)
    lane = REASONS[reason].lane if reason else Lane.ORDINARY
    return desk.set_lane(hip, body.ticket, lane, by=by, reason=reason)


_MOVE_REQUEST = msgspec.json.Decoder(MoveRequest)


class Desk(Controller):
    path = "/console"

    @get("/counters", guards=[guards.clerk], include_in_schema=False)
    async def pick(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry], desks: NamedDependency[Desks]
    ) -> Response[str]:
        """Where to sit. Counters where somebody sits say who."""
        hospital, counters = await asyncio.gather(registry.hospital(session.facility), desks.counters(session.facility))
        return templating.page(
            "counters.html", session=session, facility=hospital and hospital.facility,
            counters=hospital.counters if hospital else (), names=hospital.queue_names if hospital else {},
            sitting={one.name: beside(counters, one.name, session.login) for one in counters},
        )  # fmt: skip

    @get("/at/{counter:str}", guards=[guards.clerk], include_in_schema=False)
    async def page(
        self, counter: FromPath[str], session: NamedDependency[Session], registry: NamedDependency[Registry],
        staff: NamedDependency[Staff], settings: NamedDependency[Settings], desks: NamedDependency[Desks],
        slip_printers: NamedDependency[SlipPrinters], slip_printing: NamedDependency[SlipPrinting],
    ) -> Response[str] | Response[None]:  # fmt: skip
        """The desk. Sitting down at a counter is remembered for the next sign-in."""
        hospital = await registry.hospital(session.facility)
        mine = hospital.counter(counter) if hospital else None
        if hospital is None or mine is None:
            return templating.go("/console/counters")
        if session.counter != counter:
            await staff.sit_at(session.login, counter)
        await desks.sit(session.facility, session.key, counter, login=session.login, name=session.name)
        printers = [one.name for one in await slip_printers.of(session.facility)]
        if printers:
            slip_printing.warm()
        live = url(f"/live/{quote(session.facility, safe='')}")
        return templating.page(
            "desk.html", session=session, facility=hospital.facility, counter=counter, live=live,
            zone=hospital.zone(settings.timezone),
            queues=msgspec.to_builtins(queue_rows(hospital.queues, mine)),
            reasons=choices(),
            states={state.name.lower(): tr(name) for state, name in messages.STATES.items()},
            desk_words=translated(desk_messages.DESK), slip_languages=slip_messages.LANGUAGES,
            slip_scan=slip_messages.SCAN, printers=printers,
            forms=[one.name for one in await templates_of(registry, session.facility)],
        )  # fmt: skip

    @get("/desk", guards=[guards.clerk], include_in_schema=False)
    async def view(
        self,
        counter: FromQuery[str],
        session: NamedDependency[Session],
        desk_views: NamedDependency[DeskViews],
        desks: NamedDependency[Desks],
        reader: NamedDependency[Reader],
    ) -> Response[DeskView]:
        """Everything on the desk, with names, for the session's own facility."""
        name = counter[:ID_MAX]
        await desks.sit(session.facility, session.key, name, login=session.login, name=session.name)
        found = await desk_views.of(session.facility, name, reader)
        if found is None:
            raise NotFoundException
        return Response(found, headers=PAGE)

    @get("/desk/ended", guards=[guards.clerk], include_in_schema=False)
    async def ended(
        self,
        counter: FromQuery[str],
        session: NamedDependency[Session],
        desk_views: NamedDependency[DeskViews],
        reader: NamedDependency[Reader],
    ) -> Response[EndedView]:
        """Who was finished or cancelled today in this counter's queues, with names: the page finds them by a search."""
        found = await desk_views.ended(session.facility, counter[:ID_MAX], reader)
        if found is None:
            raise NotFoundException
        return Response(found, headers=PAGE)

    @post("/desk/patient", guards=[guards.clerk], status_code=200, include_in_schema=False)
    async def patient(
        self, request: ConsoleRequest, session: NamedDependency[Session], desk: NamedDependency[OpdDesk],
        desk_views: NamedDependency[DeskViews], reader: NamedDependency[Reader],
    ) -> Response[Answer]:  # fmt: skip
        """One ticket's registration details. A POST, so that no ticket id stands in an address."""
        body = await read_json(request, _MOVE_REQUEST)
        ticket = await ticket_of(session, desk, body.ticket)
        row, details = await desk_views.one(session.facility, ticket, reader)
        return Response(Answer(outcome="FOUND", words="", ticket=row, details=details), headers=PAGE)

    @post("/desk/{move:str}", guards=[guards.clerk], status_code=200, include_in_schema=False)
    async def move(
        self, request: ConsoleRequest, move: FromPath[str], session: NamedDependency[Session],
        desk: NamedDependency[OpdDesk], registry: NamedDependency[Registry], desk_views: NamedDependency[DeskViews],
        reader: NamedDependency[Reader],
    ) -> Response[Answer]:  # fmt: skip
        body = await read_json(request, _MOVE_REQUEST)
        make = MOVES.get(move)
        if make is None or max(map(len, (body.counter, body.ticket, body.to, body.seen or ""))) > ID_MAX:
            raise NotFoundException
        if move == "lane" and not (body.reason or body.lane):
            raise NotFoundException
        if body.page:
            desk = desk.sent_by(body.page, body.number, counter=body.counter if body.late else "")
        desk = desk.shown_to(reader, alarm_over=PROFILES_IN_TEN_MINUTES)
        moved, hospital = await asyncio.gather(
            make(desk, session.facility, body, session.login), registry.recent_hospital(session.facility)
        )
        sentence = move_sentence(move, body, moved, hospital.queue_names if hospital else {})
        answer = Answer(outcome=moved.outcome.name, words=sentence)
        if moved.ticket is not None and moved.read is not None:
            row, details = desk_views.moved(session.facility, moved.ticket, moved.read)
            answer = msgspec.structs.replace(answer, ticket=row, details=details)
        return Response(answer, headers=PAGE)


def move_sentence(move: str, body: MoveRequest, moved: Moved, queues: dict[str, str]) -> str:
    """The outcome of a move in one sentence for the clerk."""
    ticket = moved.ticket
    values = {
        "token": ticket.token if ticket else "",
        "counter": moved.counter or (ticket.counter if ticket and ticket.counter else body.counter),
        "queue": queues.get(ticket.queue, ticket.queue) if ticket else "",
        "state": tr(messages.STATES[ticket.state]) if ticket else "",
        "lane": tr(label_of(ticket.lane, ticket.reason)) if ticket else "",
    }
    if moved.outcome is Outcome.TAKEN and move == "undo":
        return tr(messages.NOT_UNDONE).format(**values)
    if moved.outcome is Outcome.TAKEN and ticket is not None and ticket.counter:
        return tr(messages.TAKEN_HERE if ticket.counter == body.counter else messages.TAKEN_BY).format(**values)
    if moved.counter:
        return tr(messages.UNDONE_AT).format(**values)
    if moved.outcome is Outcome.MOVED:
        return tr(messages.DONE[move]).format(**values)
    return tr(messages.OUTCOMES.get(moved.outcome, messages.TROUBLE["unreadable"])).format(**values)
