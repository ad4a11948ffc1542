"""An administrator erases what the facility holds of one person, at the person's wish. The page asks once more.

The same page removes wrong numbers of the hospital's own system, so that it can send the right ones.
"""

import re
from typing import Final

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException

from kiosk.accounts.sessions import Session
from kiosk.checkin import CheckIn
from kiosk.console import guards, templating
from kiosk.console.guards import ConsoleRequest
from kiosk.console.lookups import hospital_of
from kiosk.patient.person import person_named
from kiosk.security.encryption import SealBroken
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_form
from queueing.desk import OpdDesk
from queueing.links import Links
from queueing.models import Ticket
from queueing.person_records import PersonRecord, PersonRecords
from queueing.registry import Registry

PERSON_MAX: Final = 64
"""Characters of an ABHA address, an ABHA number or a token number."""
_TOKEN: Final = re.compile(r"[A-Z]{1,3}-\d{1,5}")
_TICKET_ID: Final = re.compile(r"\d{1,10}-\d{1,10}")


class Erasure(Controller):
    path = "/console/erasure"

    @post("/", guards=[guards.administrator], status_code=200, include_in_schema=False)
    async def find(
        self, request: ConsoleRequest, session: NamedDependency[Session],
        person_records: NamedDependency[PersonRecords], check_in: NamedDependency[CheckIn],
        registry: NamedDependency[Registry], settings: NamedDependency[Settings],
    ) -> Response[str]:  # fmt: skip
        """Show the tickets of one person, by token number or ABHA, and ask whether to erase them. Nothing changes."""
        person = (await read_form(request)).get("person", "").strip()[:PERSON_MAX]
        by_token = _TOKEN.fullmatch(person.upper()) is not None
        if not person:
            found = []
        elif by_token:
            found = await person_records.find(session.facility, token=person.upper())
        else:
            found = await person_records.find(session.facility, digests_of(check_in, session.facility, person))
        return await _page(session, registry, settings, found, person="" if by_token else person)

    @post("/confirmed", guards=[guards.administrator], status_code=200, include_in_schema=False)
    async def erase(
        self, request: ConsoleRequest, session: NamedDependency[Session],
        person_records: NamedDependency[PersonRecords], check_in: NamedDependency[CheckIn],
        registry: NamedDependency[Registry], settings: NamedDependency[Settings],
    ) -> Response[str]:  # fmt: skip
        """Erase one ticket's person, or every ticket of an ABHA number or address. The audit records it."""
        form = await read_form(request)
        person, ticket = form.get("person", "").strip()[:PERSON_MAX], form.get("ticket", "")
        if (ticket and not _TICKET_ID.fullmatch(ticket)) or not (ticket or person):
            raise NotFoundException
        digests = () if ticket else digests_of(check_in, session.facility, person)
        erased = await person_records.erase(
            session.facility, digests, token=ticket, by=session.login, address=guards.address_of(request)
        )
        return await _page(session, registry, settings, erased, done=True)

    @post("/numbers", guards=[guards.administrator], status_code=200, include_in_schema=False)
    async def remove_numbers(
        self, request: ConsoleRequest, session: NamedDependency[Session], desk: NamedDependency[OpdDesk],
        links: NamedDependency[Links], check_in: NamedDependency[CheckIn], registry: NamedDependency[Registry],
        settings: NamedDependency[Settings],
    ) -> Response[str]:  # fmt: skip
        """Remove the hospital system's numbers of one ticket and of its person. The audit records it."""
        wanted = (await read_form(request)).get("ticket", "")
        ticket = await desk.ticket(session.facility, wanted) if _TICKET_ID.fullmatch(wanted) else None
        if ticket is None:
            raise NotFoundException
        sealed = await desk.envelope(session.facility, ticket.id) or b""
        act = guards.actor_of(request, session).act("links_removed")
        persons = _persons_of(check_in, session.facility, ticket, sealed)
        removed = await links.forget(session.facility, ticket.id, persons=persons, act=act)
        numbers = "removed" if removed else "none"
        return await _page(session, registry, settings, [PersonRecord(ticket, b"")], done=True, numbers=numbers)


def _persons_of(check_in: CheckIn, hip: str, ticket: Ticket, sealed: bytes) -> tuple[bytes, ...]:
    """The digests of a ticket's person; none when the profile is erased."""
    try:
        return check_in.known_as(hip, check_in.patient(hip, ticket, sealed)) if sealed else ()
    except SealBroken:
        return ()


def digests_of(check_in: CheckIn, hip: str, person: str) -> tuple[bytes, ...]:
    """The digests by which the facility knows a person of this ABHA number or address."""
    return check_in.known_as(hip, person_named(person))


async def _page(
    session: Session, registry: Registry, settings: Settings, found: list[PersonRecord], *, person: str = "",
    done: bool = False, numbers: str = "",
) -> Response[str]:  # fmt: skip
    hospital = await hospital_of(session, registry)
    return templating.page(
        "erasure.html", session=session, status=200 if found else 404, found=found, person=person, done=done,
        numbers=numbers, queues=hospital.queue_names, zone=hospital.zone(settings.timezone),
    )  # fmt: skip
