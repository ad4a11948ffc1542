"""The clerk's desk: one page, one answer with everything on it, and one door for every move.

A move is handed to the queue as it is asked; whatever comes back (also that somebody else was quicker) is told in
words, and the browser fetches the desk again. Nothing here decides who is next.
"""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from kiosk.accounts.service import Staff
from kiosk.accounts.sessions import Session
from kiosk.console import guards, templating
from kiosk.console import messages as words
from kiosk.console.desk_view import DeskView, DeskViews, Detail, Row, queue_rows
from kiosk.console.guards import Asked
from kiosk.settings import Settings
from kiosk.web.security_headers import PAGE
from queueing.audit import Reader
from queueing.desk import OpdDesk
from queueing.models import Lane, Moved, Outcome
from queueing.registry import Registry


class Ask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A move, as the page asks for it."""

    counter: str = ""
    ticket: str = ""
    to: str = ""
    """Queue id of a transfer."""
    lane: str = ""
    seen: str | None = None
    """Ticket id the page shows at the counter; ``next`` calls nobody when the counter has moved on since."""


class Answer(Struct, frozen=True, kw_only=True):
    outcome: str
    words: str
    ticket: Row | None = None
    details: tuple[Detail, ...] = ()


Move = Callable[[OpdDesk, str, Ask, str], Awaitable[Moved]]
MOVES: dict[str, Move] = {
    "next": lambda desk, hip, ask, by: desk.call_next(hip, ask.counter, by=by, seen=ask.seen),
    "call": lambda desk, hip, ask, by: desk.call_this(hip, ask.counter, ask.ticket, by=by),
    "recall": lambda desk, hip, ask, by: desk.recall(hip, ask.counter, by=by),
    "start": lambda desk, hip, ask, by: desk.start(hip, ask.ticket, by=by),
    "finish": lambda desk, hip, ask, by: desk.finish(hip, ask.ticket, by=by),
    "hold": lambda desk, hip, ask, by: desk.hold(hip, ask.ticket, by=by),
    "no-show": lambda desk, hip, ask, by: desk.no_show(hip, ask.ticket, by=by),
    "bring-back": lambda desk, hip, ask, by: desk.bring_back(hip, ask.ticket, by=by),
    "transfer": lambda desk, hip, ask, by: desk.transfer(hip, ask.ticket, to=ask.to, by=by),
    "check-in": lambda desk, hip, ask, by: desk.check_in(hip, ask.ticket, by=by),
    "lane": lambda desk, hip, ask, by: desk.set_lane(hip, ask.ticket, Lane[ask.lane.upper()], by=by),
    "cancel": lambda desk, hip, ask, by: desk.cancel(hip, ask.ticket, by=by),
    "undo": lambda desk, hip, ask, by: desk.undo(hip, ask.counter, by=by),
}
_ASK = msgspec.json.Decoder(Ask)
_LONGEST_ID = 64


class Desk(Controller):
    path = "/console"

    @get("/counters", guards=[guards.clerk], include_in_schema=False)
    async def pick(self, session: NamedDependency[Session], registry: NamedDependency[Registry]) -> Response[str]:
        hospital = await registry.hospital(session.facility)
        return templating.page(
            "counters.html", session=session, facility=hospital and hospital.facility,
            counters=hospital.counters if hospital else (), names=hospital.queue_names if hospital else {},
        )  # fmt: skip

    @get("/at/{counter:str}", guards=[guards.clerk], include_in_schema=False)
    async def page(
        self, counter: FromPath[str], session: NamedDependency[Session], registry: NamedDependency[Registry],
        staff: NamedDependency[Staff], settings: NamedDependency[Settings],
    ) -> Response[str] | Response[None]:  # fmt: skip
        """The desk. Sitting down at a counter is remembered for the next sign-in."""
        hospital = await registry.hospital(session.facility)
        mine = hospital.counter(counter) if hospital else None
        if hospital is None or mine is None:
            return templating.go("/console/counters")
        if session.counter != counter:
            await staff.sit_at(session.login, counter)
        live = f"/live/{quote(session.facility, safe='')}"
        return templating.page(
            "desk.html", session=session, facility=hospital.facility, counter=counter, live=live,
            zone=hospital.zone(settings.timezone),
            queues=msgspec.to_builtins(queue_rows(hospital.queues, mine)),
            lanes={lane.name.lower(): name for lane, name in words.LANES.items()},
            states={state.name.lower(): name for state, name in words.STATES.items()},
        )  # fmt: skip

    @get("/desk", guards=[guards.clerk], include_in_schema=False)
    async def view(
        self,
        counter: FromQuery[str],
        session: NamedDependency[Session],
        desk_views: NamedDependency[DeskViews],
        reader: NamedDependency[Reader],
    ) -> Response[DeskView]:
        """Everything on the desk, with names. Only for the session's own facility."""
        found = await desk_views.of(session.facility, counter[:_LONGEST_ID], reader)
        if found is None:
            raise NotFoundException
        return Response(found, headers=PAGE)

    @post("/desk/patient", guards=[guards.clerk], status_code=200, include_in_schema=False)
    async def patient(
        self, request: Asked, session: NamedDependency[Session], desk: NamedDependency[OpdDesk],
        desk_views: NamedDependency[DeskViews], reader: NamedDependency[Reader],
    ) -> Response[Answer]:  # fmt: skip
        """One ticket's registration details. A POST, so that no ticket id stands in an address."""
        ask = await guards.asked(request, _ASK)
        ticket = await desk.ticket(session.facility, ask.ticket[:_LONGEST_ID])
        if ticket is None:
            raise NotFoundException
        row, details = await desk_views.one(session.facility, ticket, reader)
        return Response(Answer(outcome="FOUND", words="", ticket=row, details=details), headers=PAGE)

    @post("/desk/{move:str}", guards=[guards.clerk], status_code=200, include_in_schema=False)
    async def move(
        self, request: Asked, move: FromPath[str], session: NamedDependency[Session], desk: NamedDependency[OpdDesk],
        registry: NamedDependency[Registry], desk_views: NamedDependency[DeskViews], reader: NamedDependency[Reader],
    ) -> Response[Answer]:  # fmt: skip
        ask = await guards.asked(request, _ASK)
        make = MOVES.get(move)
        if make is None or max(map(len, (ask.counter, ask.ticket, ask.to, ask.seen or ""))) > _LONGEST_ID:
            raise NotFoundException
        if move == "lane" and ask.lane.upper() not in Lane.__members__:
            raise NotFoundException
        moved, hospital = await asyncio.gather(
            make(desk, session.facility, ask, session.login), registry.recent_hospital(session.facility)
        )
        sentence = tell(move, ask, moved, hospital.queue_names if hospital else {})
        answer = Answer(outcome=moved.outcome.name, words=sentence)
        if moved.ticket is not None:
            row, details = await desk_views.one(session.facility, moved.ticket, reader)
            answer = msgspec.structs.replace(answer, ticket=row, details=details)
        return Response(answer, headers=PAGE)


def tell(move: str, ask: Ask, moved: Moved, queues: dict[str, str]) -> str:
    """What a move came to, in one sentence for the clerk."""
    ticket = moved.ticket
    values = {
        "token": ticket.token if ticket else "",
        "counter": ticket.counter if ticket and ticket.counter else ask.counter,
        "queue": queues.get(ticket.queue, ticket.queue) if ticket else "",
        "state": words.STATES[ticket.state] if ticket else "",
        "lane": words.LANES[ticket.lane] if ticket else "",
    }
    if moved.outcome is Outcome.TAKEN and ticket is not None and ticket.counter:
        return (words.TAKEN_HERE if ticket.counter == ask.counter else words.TAKEN_BY).format(**values)
    if moved.outcome is Outcome.MOVED:
        return words.DONE[move].format(**values)
    return words.OUTCOMES.get(moved.outcome, words.TROUBLE["unreadable"]).format(**values)
