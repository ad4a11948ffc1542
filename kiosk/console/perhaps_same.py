"""Before a walk-in gets a number: who of today's living tickets may be the same person. The clerk decides.

Perhaps the same are two of one ABHA number or address, and two with the same phone, names that sound alike, and a year
of birth that differs by one at most: an age of so many years says no more. Whom the store knows in the same queue
is left to it: it answers with the same number.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from msgspec import Struct

from kiosk.checkin import CheckIn
from kiosk.console import messages
from kiosk.console.desk_view import DeskViews
from kiosk.console.language import tr
from kiosk.console.look_alikes import STANDING
from kiosk.patient.name_sound import same_sound
from kiosk.patient.person import Patient
from kiosk.security.encryption import SealBroken
from queueing.desk import OpdDesk
from queueing.models import Reader, State, Ticket

COMPARED_MAX: Final = 1000
"""Living tickets that are opened, in calling order: more than wait in the largest hospital at once. It takes 0.05 s."""
OPENED_AT_ONCE: Final = 50
"""Between two pauses that let other requests of this worker go on: 3 ms of opening."""
SHOWN_MAX: Final = 3
"""People that a clerk compares at a glance. Each is a reading that the audit has."""
LIVING: Final = STANDING | {State.NO_SHOW}
"""A no-show may come back."""


class Alike(Struct, frozen=True, kw_only=True):
    """A living ticket that may be the same person's, with what tells two people apart."""

    ticket: str
    token: str
    queue: str
    """Queue id."""
    state: str
    name: str
    age: str
    last_four: str


class Perhaps(Struct, frozen=True, kw_only=True):
    """In place of a number: the clerk looks, and gives one all the same or uses the old one."""

    outcome: str = "PERHAPS"
    words: str
    alike: tuple[Alike, ...]


def is_perhaps_same(one: Patient, other: Patient) -> bool:
    """Whether two may be one person."""
    if _is_one_abha(one, other):
        return True
    if one.abha_number and other.abha_number:
        return False
    if not one.phone or one.phone != other.phone or not one.year_of_birth or not other.year_of_birth:
        return False
    return abs(one.year_of_birth - other.year_of_birth) <= 1 and same_sound(one.name, other.name)


class LookAlikes:
    """Looks through the living tickets of a facility."""

    def __init__(self, desk: OpdDesk, check_in: CheckIn, desk_views: DeskViews) -> None:
        self._desk, self._check_in, self._desk_views = desk, check_in, desk_views

    async def of(self, hip: str, queue: str, patient: Patient, request: str, reader: Reader) -> Perhaps | None:
        """Who may be the same, or None. ``request``: digest of the walk-in; when it has its ticket, nobody is asked."""
        if not (patient.abha_number or patient.abha_address or (patient.phone and patient.year_of_birth)):
            return None
        found: list[Ticket] = []
        async for ticket, other in self._living(hip):
            if ticket.request == request:
                return None
            if is_perhaps_same(patient, other) and not (ticket.queue == queue and _store_knows(patient, other)):
                found.append(ticket)
        return await self._shown(hip, found[:SHOWN_MAX], reader) if found else None

    async def _living(self, hip: str) -> AsyncIterator[tuple[Ticket, Patient]]:
        tickets = [one for one in await self._desk.tickets(hip, limit=COMPARED_MAX) if one.state in LIVING]
        for start in range(0, len(tickets), OPENED_AT_ONCE):
            part = tickets[start : start + OPENED_AT_ONCE]
            sealed = await self._desk.envelopes(hip, [ticket.id for ticket in part])
            for ticket in part:
                if patient := self._open(hip, ticket, sealed.get(ticket.id, b"")):
                    yield ticket, patient
            await asyncio.sleep(0)

    def _open(self, hip: str, ticket: Ticket, sealed: bytes) -> Patient | None:
        try:
            return self._check_in.patient(hip, ticket, sealed) if sealed else None
        except SealBroken:
            return None

    async def _shown(self, hip: str, tickets: list[Ticket], reader: Reader) -> Perhaps:
        rows = [(await self._desk_views.one(hip, ticket, reader))[0] for ticket in tickets]
        alike = [
            Alike(
                ticket=row.id, token=row.token, queue=row.queue, state=tr(messages.STATES[ticket.state]), name=row.name,
                age=row.age, last_four=row.last_four,
            )
            for ticket, row in zip(tickets, rows, strict=True)
        ]  # fmt: skip
        return Perhaps(words=tr(messages.PERHAPS), alike=tuple(alike))


def _is_one_abha(one: Patient, other: Patient) -> bool:
    same_number = bool(one.abha_number) and one.abha_number == other.abha_number
    return same_number or (bool(one.abha_address) and one.abha_address.lower() == other.abha_address.lower())


def _store_knows(one: Patient, other: Patient) -> bool:
    """As ``CheckIn`` names a person to the store."""
    if one.abha_number or one.abha_address:
        return _is_one_abha(one, other)
    return not (other.abha_number or other.abha_address) and _exactly(one) == _exactly(other)


def _exactly(one: Patient) -> tuple[str, int | None, str]:
    return " ".join(one.name.casefold().split()), one.year_of_birth, one.phone
