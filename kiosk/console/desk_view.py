"""What one clerk sees at one counter: the tickets of its queues, with profiles decrypted for this one answer."""

import asyncio
import logging
import time
from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

import msgspec
from msgspec import Struct

from kiosk.checkin import CheckIn
from kiosk.console import figure_messages, messages
from kiosk.console.counters_view import CounterRow, beside, counter_rows
from kiosk.console.language import tr
from kiosk.console.look_alikes import look_alikes
from kiosk.console.notes import NoteSeal
from kiosk.console.priority import shown_priority
from kiosk.exchange.hospital_numbers import HospitalNumbers, NumberSeal
from kiosk.observability import metrics
from kiosk.patient.identifiers import ADDRESS_MAX
from kiosk.patient.names import NAME_MAX
from kiosk.patient.person import Patient
from kiosk.security.encryption import SealBroken
from queueing.audit import Audit
from queueing.desk import OpdDesk
from queueing.desks import Desks
from queueing.display_text import marked_text
from queueing.lanes import mark_of
from queueing.models import Counter, Envelopes, Queue, Reader, State, Ticket
from queueing.registry import Registry
from queueing.ticket_source import source_of

LISTED = 400
"""Tickets in one answer: more than a counter calls in a day, and 120 kB of JSON."""

ENDED_LISTED = 2000
"""Ended tickets of the whole facility that a search looks through: a day of most. The page asks once a search."""

PROFILES_IN_TEN_MINUTES = 120
"""A fast desk sees one person in half a minute: twenty in ten minutes. Six times as many is not desk work."""
AT_A_COUNTER = (State.CALLED, State.SERVING)

_log = logging.getLogger(__name__)


class Row(Struct, frozen=True, kw_only=True):
    """One ticket, with what a clerk needs to tell two patients apart."""

    id: str
    token: str
    queue: str
    state: str
    lane: str
    lane_mark: str
    priority: str
    """Why somebody goes sooner, in words; empty for the ordinary lane."""
    tags: tuple[str, ...]
    """How the share came, when it is not by a fresh code of a screen; and an earlier ticket that looks alike."""
    near: str
    """``near``, ``far`` or empty."""
    name: str
    age: str
    gender: str
    last_four: str
    """Last four digits of the ABHA number, or empty: two patients may have one name."""
    counter: str
    arrived_ms: int
    called_ms: int
    calls: int
    note: str
    """What a colleague wrote, or empty."""
    ahead: int
    reply_delivered: bool
    """False when the reply to the phone is parked."""


class Detail(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the registration details. The page copies the value exactly as shown."""

    label: str
    value: str
    url: str = ""
    """Where the hospital's system shows the record; the page makes a link of it."""


class QueueRow(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    prefix: str
    open: bool
    mine: bool
    unlisted: int = 0
    """So many wait behind the last one of the list: the page adds them to what it counts."""


class DeskView(Struct, frozen=True, kw_only=True):
    """The desk at one moment."""

    at_ms: int
    counter: str
    counter_open: bool
    queues: tuple[QueueRow, ...]
    current: Row | None
    details: tuple[Detail, ...]
    tickets: tuple[Row, ...]
    more: bool
    """More tickets exist than are listed."""
    beside: tuple[str, ...]
    """Colleagues who have the same counter open."""
    counters: tuple[CounterRow, ...]


class EndedView(Struct, frozen=True, kw_only=True):
    """The tickets of a counter's queues that were finished or cancelled today, newest first."""

    tickets: tuple[Row, ...]


class DeskViews:
    """Reads the parts of a desk and puts them together."""

    def __init__(
        self, registry: Registry, desk: OpdDesk, audit: Audit, check_in: CheckIn, number_seal: NumberSeal, desks: Desks,
        note_seal: NoteSeal,
    ) -> None:  # fmt: skip
        self._registry, self._desk, self._audit, self._check_in = registry, desk, audit, check_in
        self._number_seal, self._desks, self._note_seal = number_seal, desks, note_seal

    async def of(self, hip: str, counter_name: str, reader: Reader) -> DeskView | None:
        """The desk of a counter, or None when there is no such counter. The audit records the reading."""
        hospital = await self._registry.hospital(hip)
        counter = hospital.counter(counter_name) if hospital else None
        if hospital is None or counter is None:
            return None
        tickets, counters = await asyncio.gather(
            self._desk.tickets(hip, queues=counter.queues, limit=LISTED + 1), self._desks.counters(hip)
        )
        is_more, tickets = len(tickets) > LISTED, first_tickets(tickets)
        mine = next((one for one in tickets if one.counter == counter.name and one.state in AT_A_COUNTER), None)
        whole = mine.id if mine else ""
        envelopes = await self._envelopes(hip, tickets, reader, counter=counter.name, whole=whole)
        patients = {one.id: self._open(hip, one, envelopes.sealed.get(one.id, b"")) for one in tickets}
        alike = look_alikes((ticket, patients[ticket.id]) for ticket in tickets)
        notes = self._notes(hip, tickets, envelopes)
        rows = [row(one, patients[one.id], alike.get(one.id, ""), notes.get(one.id, "")) for one in tickets]
        return DeskView(
            at_ms=time.time_ns() // 1_000_000, counter=counter.name, counter_open=counter.open,
            queues=queue_rows(hospital.queues, counter, await self._unlisted(hip, tickets) if is_more else {}),
            current=next((one for one in rows if mine and one.id == mine.id), None),
            details=self._details(hip, mine, patients[mine.id], envelopes) if mine else (), tickets=tuple(rows),
            more=is_more, beside=beside(counters, counter.name, reader.login),
            counters=counter_rows(counters, hospital),
        )  # fmt: skip

    async def ended(self, hip: str, counter_name: str, reader: Reader) -> EndedView | None:
        """Who was finished or cancelled today, or None when there is no such counter. The audit records the reading."""
        hospital = await self._registry.hospital(hip)
        counter = hospital.counter(counter_name) if hospital else None
        if counter is None:
            return None
        found = await self._desk.ended(hip, limit=ENDED_LISTED)
        tickets = [ticket for ticket in found if ticket.queue in counter.queues]
        envelopes = await self._envelopes(hip, tickets, reader, counter=counter.name)
        rows = [row(one, self._open(hip, one, envelopes.sealed.get(one.id, b""))) for one in tickets]
        return EndedView(tickets=tuple(rows))

    async def _unlisted(self, hip: str, tickets: Sequence[Ticket]) -> dict[str, int]:
        """By queue, how many wait and are not among ``tickets``."""
        snapshot = await self._desk.snapshot(hip)
        listed = Tally(ticket.queue for ticket in tickets if ticket.state is State.WAITING)
        return {one.id: max(0, one.waiting - listed[one.id]) for one in snapshot.queues} if snapshot else {}

    async def one(self, hip: str, ticket: Ticket, reader: Reader) -> tuple[Row, tuple[Detail, ...]]:
        """One ticket with its details. The audit records the reading in the same step."""
        return self._whole(hip, ticket, await self._envelopes(hip, [ticket], reader, whole=ticket.id))

    def moved(self, hip: str, ticket: Ticket, envelopes: Envelopes) -> tuple[Row, tuple[Detail, ...]]:
        """The ticket of a move with its details, read and recorded in the step of the move (``Moved.read``)."""
        self._note_alarm(envelopes)
        return self._whole(hip, ticket, envelopes)

    def _whole(self, hip: str, ticket: Ticket, envelopes: Envelopes) -> tuple[Row, tuple[Detail, ...]]:
        patient = self._open(hip, ticket, envelopes.sealed.get(ticket.id, b""))
        note = self._notes(hip, [ticket], envelopes).get(ticket.id, "")
        return row(ticket, patient, note=note), self._details(hip, ticket, patient, envelopes)

    async def patient(self, hip: str, ticket: Ticket, reader: Reader) -> Patient:
        """The profile of one ticket. The audit records the reading in the same step."""
        envelopes = await self._envelopes(hip, [ticket], reader, whole=ticket.id)
        return self._open(hip, ticket, envelopes.sealed.get(ticket.id, b""))

    async def _envelopes(
        self, hip: str, tickets: Sequence[Ticket], reader: Reader, *, counter: str = "", whole: str = ""
    ) -> Envelopes:  # fmt: skip
        found = await self._audit.envelopes(
            hip, tickets, reader, counter=counter, whole=whole, alarm_over=PROFILES_IN_TEN_MINUTES
        )
        self._note_alarm(found)
        return found

    def _note_alarm(self, found: Envelopes) -> None:
        if found.alarm:
            metrics.PROFILE_ALARMS.inc()
            _log.warning("a session read more than %d profiles in ten minutes: see the audit", PROFILES_IN_TEN_MINUTES)

    def _notes(self, hip: str, tickets: Sequence[Ticket], envelopes: Envelopes) -> dict[str, str]:
        sealed = envelopes.notes
        return {one.id: self._note_seal.open(hip, one, sealed[one.id]) for one in tickets if one.id in sealed}

    def _details(self, hip: str, ticket: Ticket, patient: Patient, envelopes: Envelopes) -> tuple[Detail, ...]:
        numbers = self._number_seal.open(hip, ticket, envelopes.numbers)
        return (*details(patient), *hospital_details(numbers))

    def _open(self, hip: str, ticket: Ticket, sealed: bytes) -> Patient:
        if not sealed:
            return Patient()
        try:
            return self._check_in.patient(hip, ticket, sealed)
        except SealBroken:
            _log.warning("a profile could not be opened")
            return Patient()


def row(ticket: Ticket, patient: Patient, alike: str = "", note: str = "") -> Row:
    """``alike``: token of an earlier ticket that may be the same person's. ``note``: what a colleague wrote."""
    mark = tr(messages.ALIKE).format(token=alike) if alike else ""
    how = figure_messages.SOURCES["hmis"] if source_of(ticket) == "hmis" else messages.ASSURANCES[ticket.assurance]
    tags = (tr(how), tr(messages.NEARNESSES[ticket.nearness]), mark)
    return Row(
        id=ticket.id, token=ticket.token, queue=ticket.queue, state=ticket.state.name.lower(),
        lane=ticket.lane.word, lane_mark=mark_of(ticket.lane, ticket.reason),
        priority=shown_priority(ticket.lane, ticket.reason),
        tags=tuple(tag for tag in tags if tag), near=ticket.nearness.name.lower(),
        name=marked_text(patient.name, NAME_MAX), age=age(patient, datetime.now(UTC)), gender=patient.gender,
        last_four=patient.abha_number[-4:], counter=ticket.counter, arrived_ms=ticket.arrived_ms,
        called_ms=ticket.called_ms, calls=ticket.calls, note=note, ahead=ticket.ahead,
        reply_delivered=not ticket.reply_parked,
    )  # fmt: skip


def age(patient: Patient, now: datetime) -> str:
    """Full years; months below two years, when the month is known."""
    if patient.year_of_birth is None:
        return ""
    months = (now.year - patient.year_of_birth) * 12 + now.month - (patient.month_of_birth or 1)
    if patient.month_of_birth and patient.day_of_birth and now.day < patient.day_of_birth:
        months -= 1
    if months < 0:
        return ""
    return tr(messages.MONTHS).format(count=months) if months < 24 and patient.month_of_birth else str(months // 12)


def details(patient: Patient) -> tuple[Detail, ...]:
    """Every field of a registration form, in the order of most forms."""
    number = patient.abha_number
    dashed = "-".join((number[:2], number[2:6], number[6:10], number[10:])) if len(number) == 14 else number
    born = [part for part in (patient.day_of_birth, patient.month_of_birth, patient.year_of_birth) if part]
    date = "-".join(f"{part:02}" for part in born) if len(born) == 3 else str(patient.year_of_birth or "")
    values = msgspec.structs.asdict(patient) | {
        "gender": tr(messages.GENDERS.get(patient.gender, "")), "born": date, "abha_number": dashed,
    }  # fmt: skip
    lines = ((tr(label), marked_text(values[field], ADDRESS_MAX)) for field, label in messages.DETAILS.items())
    return tuple(Detail(label=label, value=text) for label, text in lines if text)


def hospital_details(numbers: HospitalNumbers | None) -> tuple[Detail, ...]:
    """What the hospital's own system calls this patient and visit. The first of them leads to the record."""
    if numbers is None:
        return ()
    found = [Detail(label=tr(messages.HOSPITAL_NUMBERS["patient_id"]), value=numbers.patient_id, url=numbers.url or "")]
    if numbers.visit_id:
        found.append(Detail(label=tr(messages.HOSPITAL_NUMBERS["visit_id"]), value=numbers.visit_id))
    return tuple(found)


def queue_rows(
    queues: Iterable[Queue], counter: Counter, unlisted: Mapping[str, int] = MappingProxyType({})
) -> tuple[QueueRow, ...]:  # fmt: skip
    """Every queue of the facility; those that this counter serves are marked."""
    return tuple(
        QueueRow(
            id=one.id, name=one.name, prefix=one.prefix, open=one.open, mine=one.id in counter.queues,
            unlisted=unlisted.get(one.id, 0),
        )
        for one in queues
    )  # fmt: skip


def first_tickets(tickets: list[Ticket]) -> list[Ticket]:
    """As many as one answer lists. Only the last of those who wait are left out: staff count the others by the list."""
    over = len(tickets) - LISTED
    if over <= 0:
        return tickets
    waiting = [ticket.id for ticket in tickets if ticket.state is State.WAITING]
    left_out = set(waiting[max(0, len(waiting) - over) :])
    return [ticket for ticket in tickets if ticket.id not in left_out][:LISTED]
