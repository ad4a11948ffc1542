"""Tickets: lists of a day, one ticket, its profile, and a person registered elsewhere who takes a place."""

from datetime import datetime
from typing import Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kiosk.api import guards
from kiosk.api.bodies import JSON, answer, decode, read_query, read_raw, wrong_field
from kiosk.api.description import Answer, Doc
from kiosk.api.errors import NotThere, Refused, StateConflict
from kiosk.api.guards import ApiRequest, Caller
from kiosk.api.once import HEADER, key_of, once
from kiosk.api.profiles import Profiles
from kiosk.api.queues import opens_at
from kiosk.api.registration import patient_of
from kiosk.api.shapes import RegisterBody, TicketList, TicketsQuery
from kiosk.api.shown import ShownTickets
from kiosk.api.ticket_lists import TicketLists
from kiosk.checkin import CheckIn
from kiosk.exchange import fhir
from kiosk.exchange.profile_json import ProfileJson
from kiosk.exchange.ticket_json import TicketJson, word_of
from queueing.api_keys import Scope
from queueing.desk import OpdDesk
from queueing.idempotency import Idempotency
from queueing.lanes import Lane
from queueing.models import Outcome, Place, Refusal, Ticket

FHIR: Final = "application/fhir+json"
_REGISTER: Final = msgspec.json.Decoder(RegisterBody)
_ID_MAX: Final = 64
_POLL: Final = {"Cache-Control": "private, no-cache"}
"""A poller keeps the list and asks each time whether it is still the newest."""


class Tickets(Controller):
    path = "/facilities/{hip_id:str}/tickets"

    @get(
        "/",
        guards=[guards.reads_tickets],
        opt={
            "doc": Doc(
                summary="The tickets of a day, with counts by state; 304 while nothing changed.",
                scope=Scope.TICKETS_READ,
                query=TicketsQuery,
                headers={"If-None-Match": "The ETag of the list that the caller has."},
                answers={
                    200: Answer(words="One page.", bodies={JSON: TicketList}),
                    304: Answer(words="The caller has the newest list."),
                },
            )
        },
    )
    async def list_tickets(
        self, request: ApiRequest, caller: NamedDependency[Caller], ticket_lists: NamedDependency[TicketLists]
    ) -> Response[bytes]:
        known, text = request.headers.get("if-none-match", ""), request.url.query
        tag = ticket_lists.known_tag(caller, text)
        if tag and tag in known:
            return _unchanged(tag)
        body, tag = await ticket_lists.read(caller, read_query(request, TicketsQuery), text)
        return _unchanged(tag) if tag in known else answer(body, headers={"ETag": tag} | _POLL)

    @post(
        "/",
        guards=[guards.writes_tickets],
        opt={
            "doc": Doc(
                summary="A person registered elsewhere takes a place in a queue.",
                scope=Scope.TICKETS_WRITE,
                body=RegisterBody,
                headers={
                    HEADER: "1 to 255 visible ASCII characters. The same key and body get the same answer for a day."
                },
                answers={
                    201: Answer(words="A new ticket.", bodies={JSON: TicketJson}),
                    200: Answer(words="The ticket that this person has.", bodies={JSON: TicketJson}),
                },
                problems=(409,),
            )
        },
    )
    async def register(
        self,
        request: ApiRequest,
        caller: NamedDependency[Caller],
        desk: NamedDependency[OpdDesk],
        check_in: NamedDependency[CheckIn],
        idempotency: NamedDependency[Idempotency],
        shown_tickets: NamedDependency[ShownTickets],
    ) -> Response[bytes]:
        raw = await read_raw(request)
        body = decode(raw, _REGISTER)
        patient = patient_of(body.patient)
        lane = Lane[body.lane.upper()] if body.lane else Lane.ORDINARY

        async def work() -> Response[bytes]:
            place = await check_in.registered_elsewhere(
                caller.hip, body.queue, patient, lane, by=caller.login, request_id=key_of(request)
            )
            return await _of_place(caller, desk, shown_tickets, place, body.queue)

        return await once(idempotency, request, caller, raw, work)

    @get(
        "/{ticket:str}",
        guards=[guards.reads_tickets],
        opt={
            "doc": Doc(
                summary="One ticket; as a FHIR R4 Bundle with its patient when the key may read profiles.",
                scope=Scope.TICKETS_READ,
                answers={200: Answer(words="The ticket.", bodies={JSON: TicketJson, FHIR: dict})},
            )
        },
    )
    async def one_ticket(
        self,
        request: ApiRequest,
        ticket: FromPath[str],
        caller: NamedDependency[Caller],
        desk: NamedDependency[OpdDesk],
        profiles: NamedDependency[Profiles],
        shown_tickets: NamedDependency[ShownTickets],
    ) -> Response[bytes]:
        found = await existing(desk, caller, ticket)
        shown = await shown_tickets.one(caller, found)
        if FHIR not in request.headers.get("accept", ""):
            return answer(shown)
        caller.require(Scope.PROFILES_READ)
        profile = await profiles.read(caller, found)
        bundle = fhir.bundle(shown, profile, _place_of(caller, found))
        return Response(msgspec.json.encode(bundle), media_type=FHIR)

    @get(
        "/{ticket:str}/profile",
        guards=[guards.reads_profiles],
        opt={
            "doc": Doc(
                summary="The profile that was shared for a ticket. The audit records each reading.",
                scope=Scope.PROFILES_READ,
                answers={200: Answer(words="The profile.", bodies={JSON: ProfileJson})},
            )
        },
    )
    async def profile(
        self,
        ticket: FromPath[str],
        caller: NamedDependency[Caller],
        desk: NamedDependency[OpdDesk],
        profiles: NamedDependency[Profiles],
    ) -> Response[bytes]:
        found = await existing(desk, caller, ticket)
        profile = await profiles.read(caller, found)
        if profile is None:
            raise NotThere("Nothing is kept of the person of this ticket.")
        return answer(profile)


def _unchanged(tag: str) -> Response[bytes]:
    return Response(b"", status_code=304, headers={"ETag": tag} | _POLL)


async def existing(desk: OpdDesk, caller: Caller, ticket_id: str) -> Ticket:
    """The ticket of this facility. Raises NotThere."""
    found = await desk.ticket(caller.hip, ticket_id[:_ID_MAX])
    if found is None:
        raise NotThere("There is no ticket with this id.")
    return found


async def _of_place(
    caller: Caller, desk: OpdDesk, shown_tickets: ShownTickets, place: Place, queue: str
) -> Response[bytes]:
    """The answer to a registration. Raises Refused, StateConflict, WrongValue."""
    if place.outcome is Outcome.REFUSED or place.refusal is not None:
        raise _refused(place.refusal, await opens_at(desk, caller, queue))
    if place.outcome is Outcome.UNKNOWN_QUEUE:
        raise wrong_field("queue", "this facility has no such queue")
    ticket = await desk.ticket(caller.hip, place.ticket) if place.ticket else None
    if ticket is None:
        raise StateConflict("The ticket is gone already.")
    shown = await shown_tickets.one(caller, ticket)
    return answer(shown, 201 if place.outcome is Outcome.NEW else 200)


def _refused(refusal: Refusal | None, opens: datetime | None) -> Exception:
    if refusal in {Refusal.NO_QUEUE, Refusal.UNKNOWN_COUNTER}:
        return wrong_field("queue", "this facility has no such queue")
    reason = word_of(refusal) if refusal else "refused"
    later = f" It opens at {opens.isoformat()}." if opens else ""
    return Refused(f"Nobody can be taken now: {reason.replace('_', ' ')}.{later}", reason=reason)


def _place_of(caller: Caller, ticket: Ticket) -> fhir.Place:
    facility, queue = caller.hospital.facility, caller.hospital.queue(ticket.queue)
    return fhir.Place(
        facility_name=facility.name,
        queue_name=queue.name if queue else ticket.queue,
        department_code=queue.department_code if queue else "",
        district=facility.district,
        state=facility.state,
    )
