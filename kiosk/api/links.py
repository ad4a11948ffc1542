"""``PUT …/links``: the hospital system's own numbers of a ticket. One person has one patient number in a facility."""

from typing import Final

import msgspec
from litestar import Controller, Response, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from kiosk.api import guards
from kiosk.api.bodies import JSON, answer, decode, read_raw, wrong_field
from kiosk.api.description import Answer, Doc
from kiosk.api.errors import NotThere, OtherNumber
from kiosk.api.guards import ApiRequest, Caller
from kiosk.api.shown import ShownTickets
from kiosk.api.tickets import existing
from kiosk.checkin import CheckIn
from kiosk.exchange.hospital_numbers import HospitalNumbers, NumberSeal, fault_of
from kiosk.exchange.ticket_json import TicketJson
from kiosk.security.encryption import SealBroken
from queueing.api_keys import Scope
from queueing.audit import Act
from queueing.desk import OpdDesk
from queueing.links import Linked, Links
from queueing.models import Ticket

_NUMBERS: Final = msgspec.json.Decoder(HospitalNumbers)


class TicketNumbers(Controller):
    path = "/facilities/{hip_id:str}/tickets"

    @put(
        "/{ticket:str}/links",
        guards=[guards.writes_tickets],
        opt={
            "doc": Doc(
                summary="Bind the hospital system's patient number and visit to a ticket; the console shows them.",
                scope=Scope.TICKETS_WRITE,
                body=HospitalNumbers,
                answers={200: Answer(words="The ticket with them.", bodies={JSON: TicketJson})},
                problems=(409,),
            )
        },
    )
    async def set_links(
        self,
        request: ApiRequest,
        ticket: FromPath[str],
        caller: NamedDependency[Caller],
        desk: NamedDependency[OpdDesk],
        check_in: NamedDependency[CheckIn],
        links: NamedDependency[Links],
        number_seal: NamedDependency[NumberSeal],
        shown_tickets: NamedDependency[ShownTickets],
    ) -> Response[bytes]:
        numbers = decode(await read_raw(request), _NUMBERS)
        if field := fault_of(numbers):
            raise wrong_field(field, "holds what cannot be shown" if field != "url" else "is no http or https address")
        found = await existing(desk, caller, ticket)
        reply = await links.put(
            caller.hip,
            found.id,
            number_seal.close(caller.hip, found, numbers),
            persons=await _persons(desk, check_in, caller, found),
            mark=number_seal.mark(caller.hip, numbers.patient_id),
            number=number_seal.close_number(caller.hip, numbers.patient_id),
            act=Act(kind="links_set", by=caller.login, address=caller.address),
        )
        if reply.outcome is Linked.UNKNOWN_TICKET:
            raise NotThere("There is no ticket with this id.")
        if reply.outcome is Linked.OTHER_NUMBER:
            first = number_seal.open_number(caller.hip, reply.first)
            raise OtherNumber(
                "This person has another patient number here. An administrator can remove it on the console.",
                patient_id=first,
            )
        return answer(await shown_tickets.one(caller, found))


async def _persons(desk: OpdDesk, check_in: CheckIn, caller: Caller, ticket: Ticket) -> tuple[bytes, ...]:
    """Digests of the ticket's ABHA number and address; none when it has neither, or its profile is erased."""
    sealed = await desk.envelope(caller.hip, ticket.id)
    try:
        return check_in.known_as(caller.hip, check_in.patient(caller.hip, ticket, sealed)) if sealed else ()
    except SealBroken:
        return ()
