"""Moves of tickets: the same operations as the console's, so one press wins whoever makes it."""

from collections.abc import Awaitable
from typing import Final

import msgspec
from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kiosk.api import guards
from kiosk.api.bodies import JSON, answer, decode, read_raw, wrong_field
from kiosk.api.description import Answer, Doc
from kiosk.api.errors import NotThere, StateConflict
from kiosk.api.guards import ApiRequest, Caller
from kiosk.api.once import HEADER, once
from kiosk.api.shapes import MoveBody
from kiosk.api.shown import ShownTickets
from kiosk.api.tickets import existing
from kiosk.exchange.ticket_json import TicketJson, word_of
from queueing.api_keys import Scope
from queueing.desk import OpdDesk
from queueing.idempotency import Idempotency
from queueing.models import Moved, Outcome

_MOVE: Final = msgspec.json.Decoder(MoveBody)
_ONCE: Final = {HEADER: "1 to 255 visible ASCII characters. The same key and body get the same answer for a day."}
_REFUSED: Final = {
    Outcome.TAKEN: "Somebody else was first.",
    Outcome.NOT_ALLOWED: "The ticket's state does not admit this move.",
    Outcome.UNANSWERED: "The person at the counter was called and not started: finish the visit or record a no-show.",
}


class Moves(Controller):
    path = "/facilities/{hip_id:str}"

    @post(
        "/counters/{counter:str}/next",
        guards=[guards.writes_tickets],
        status_code=200,
        opt={
            "doc": Doc(
                summary="End the visit at a counter and call the next.",
                scope=Scope.TICKETS_WRITE,
                headers=_ONCE,
                answers={
                    200: Answer(words="The ticket that is called.", bodies={JSON: TicketJson}),
                    204: Answer(words="Nobody waits."),
                },
                problems=(409,),
            )
        },
    )
    async def call_next(
        self,
        request: ApiRequest,
        counter: FromPath[str],
        caller: NamedDependency[Caller],
        desk: NamedDependency[OpdDesk],
        idempotency: NamedDependency[Idempotency],
        shown_tickets: NamedDependency[ShownTickets],
    ) -> Response[bytes]:
        async def work() -> Response[bytes]:
            moved = await desk.call_next(caller.hip, counter[:64], by=caller.login)
            if moved.outcome is Outcome.UNKNOWN_COUNTER:
                raise NotThere("There is no counter with this name.")
            if moved.outcome is Outcome.EMPTY:
                return Response(b"", status_code=204)
            return await _answered(caller, shown_tickets, moved)

        return await once(idempotency, request, caller, b"", work)

    @post(
        "/tickets/{ticket:str}/moves",
        guards=[guards.writes_tickets],
        status_code=200,
        opt={
            "doc": Doc(
                summary="Move a ticket.",
                scope=Scope.TICKETS_WRITE,
                body=MoveBody,
                headers=_ONCE,
                answers={200: Answer(words="The ticket after the move.", bodies={JSON: TicketJson})},
                problems=(409,),
            )
        },
    )
    async def move(
        self,
        request: ApiRequest,
        ticket: FromPath[str],
        caller: NamedDependency[Caller],
        desk: NamedDependency[OpdDesk],
        idempotency: NamedDependency[Idempotency],
        shown_tickets: NamedDependency[ShownTickets],
    ) -> Response[bytes]:
        raw = await read_raw(request)
        body = decode(raw, _MOVE)

        async def work() -> Response[bytes]:
            return await _answered(caller, shown_tickets, await _move(desk, caller, ticket[:64], body))

        return await once(idempotency, request, caller, raw, work)


async def _move(desk: OpdDesk, caller: Caller, ticket: str, body: MoveBody) -> Moved:
    hip, by = caller.hip, caller.login
    match body.move:
        case "call":
            return await desk.call_this(hip, _needed("counter", body.counter), ticket, by=by)
        case "transfer":
            return await desk.transfer(hip, ticket, to=_needed("queue", body.queue), by=by)
        case "recall":
            found = await existing(desk, caller, ticket)
            moved = await desk.recall(hip, found.counter, by=by, ticket=ticket)
            is_another = moved.outcome in {Outcome.EMPTY, Outcome.TAKEN}
            return Moved(outcome=Outcome.NOT_ALLOWED, ticket=found) if is_another else moved
        case _:
            return await _plain(desk, hip, ticket, body.move, by)


def _plain(desk: OpdDesk, hip: str, ticket: str, move: str, by: str) -> Awaitable[Moved]:
    """A move that needs nothing but the ticket."""
    moves = {
        "start": desk.start,
        "finish": desk.finish,
        "hold": desk.hold,
        "no_show": desk.no_show,
        "bring_back": desk.bring_back,
        "check_in": desk.check_in,
        "cancel": desk.cancel,
    }
    return moves[move](hip, ticket, by=by)


def _needed(field: str, value: str | None) -> str:
    if not value:
        raise wrong_field(field, "is needed for this move")
    return value


async def _answered(caller: Caller, shown_tickets: ShownTickets, moved: Moved) -> Response[bytes]:
    """The ticket after the move. Raises NotThere, WrongValue, StateConflict."""
    match moved.outcome:
        case Outcome.UNKNOWN_TICKET:
            raise NotThere("There is no ticket with this id.")
        case Outcome.UNKNOWN_COUNTER:
            raise wrong_field("counter", "this facility has no such counter")
        case Outcome.UNKNOWN_QUEUE:
            raise wrong_field("queue", "this facility has no such queue")
        case Outcome.MOVED if moved.ticket is not None:
            return answer(await shown_tickets.one(caller, moved.ticket))
        case _:
            raise await _conflict(caller, shown_tickets, moved)


async def _conflict(caller: Caller, shown_tickets: ShownTickets, moved: Moved) -> StateConflict:
    text = _REFUSED.get(moved.outcome, "The move is not possible now.")
    if moved.ticket is None:
        return StateConflict(text)
    shown = await shown_tickets.one(caller, moved.ticket)
    return StateConflict(text, state=word_of(moved.ticket.state), ticket=shown)
