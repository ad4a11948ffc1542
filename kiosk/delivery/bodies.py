"""Writes each event in the format that its target wants: our JSON, a FHIR bundle, or an HL7 message.

A profile goes along only when the target asks for it and an administrator of the facility switched it on. The store
records the sending in the step that hands the envelope out.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final, assert_never
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from kiosk.delivery.event_tickets import EventTickets
from kiosk.delivery.message import Message, private_words
from kiosk.exchange import fhir, hl7
from kiosk.exchange.event_json import event_json, event_ticket_json
from kiosk.exchange.profile_json import ProfileJson, profile_json
from kiosk.exchange.target_setup import host_of
from kiosk.exchange.ticket_json import LinksJson, TicketJson, local_time
from kiosk.patient.person import Patient
from queueing.audit import Audit
from queueing.event_log import PUBLIC_KINDS, Event, EventKind
from queueing.models import Ticket
from queueing.redis_keys import facility_key, facility_root, partition_of
from queueing.registry import Hospital, Registry
from queueing.targets import Target, TargetFormat, TargetKind

NAMES_FOR_S: Final = 30.0
"""Names of queues change seldom; a changed one is in messages within half a minute."""
FACILITIES_FOR_S: Final = 30.0
"""An unknown facility is looked for again after this."""
PAGE: Final = 1_000
HOSPITALS_KEPT: Final = 5_000

_json = msgspec.json.Encoder().encode


class Facilities:
    """The registered facilities by key, and what they look like."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._hips: dict[str, str] = {}
        self._read_at = -FACILITIES_FOR_S
        self._hospitals: dict[str, tuple[float, Hospital | None]] = {}

    async def hip_of(self, key: str) -> str:
        """The HIP id of a key; empty for a facility that the registry does not know."""
        if key not in self._hips:
            await self._read_all()
        return self._hips.get(key, "")

    async def of_partition(self, partition: str) -> list[str]:
        """The HIP ids of the facilities whose events stand in this partition of the log."""
        await self._read_all()
        return [hip for hip in self._hips.values() if partition_of(facility_root(hip)) == partition]

    async def _read_all(self) -> None:
        if time.monotonic() - self._read_at < FACILITIES_FOR_S:
            return
        after = ""
        while page := await self._registry.facilities(after, PAGE):
            after = page[-1].hip_id
            self.note(one.hip_id for one in page)
        self._read_at = time.monotonic()

    def note(self, hips: Iterable[str]) -> None:
        """These facilities exist."""
        self._hips.update((facility_key(hip), hip) for hip in hips)

    async def hospital(self, hip: str) -> Hospital | None:
        """A facility with its queues, some seconds old."""
        known = self._hospitals.get(hip)
        if known is None or time.monotonic() - known[0] > NAMES_FOR_S:
            if len(self._hospitals) >= HOSPITALS_KEPT:
                self._hospitals.clear()
            known = (time.monotonic(), await self._registry.hospital(hip))
            self._hospitals[hip] = known
        return known[1]


class Bodies:
    """Makes messages. ``open_patient`` opens an envelope of a facility's ticket; None when it cannot."""

    def __init__(
        self, facilities: Facilities, tickets: EventTickets, audit: Audit,
        open_patient: Callable[[str, Ticket, bytes], Patient | None], service_zone: str,
    ) -> None:  # fmt: skip
        self._facilities = facilities
        self._tickets = tickets
        self._audit = audit
        self._open_patient = open_patient
        self._service_zone = service_zone

    async def message(self, target: Target, event: Event) -> Message | None:
        """The event as this target gets it; None when it gets nothing. Raises QueueingError."""
        hip = await self._facilities.hip_of(event.facility_key)
        hospital = await self._facilities.hospital(hip) if hip else None
        if hospital is None:
            return None
        profile = await self._profile(target, hip, event)
        event, links = await self._tickets.complete(hip, event)
        person = _Person(profile=profile, links=links)
        body = _body(target, event, hospital, ZoneInfo(hospital.zone(self._service_zone)), person)
        if body is None:
            return None
        return Message(
            event_id=event.id, event_type=event.kind.type, cursor=event.cursor, body=body,
            private=private_words(profile, links),
        )  # fmt: skip

    async def _profile(self, target: Target, hip: str, event: Event) -> ProfileJson | None:
        ticket = event.ticket
        if ticket is None or event.kind is EventKind.SHARE_REFUSED:
            return None
        if not target.wants_profiles or hip not in target.profiles_on:
            return None
        sealed = await self._audit.envelope_to_send(
            hip, ticket.id, target=target.id, host=host_of(target), event_id=event.id
        )  # fmt: skip
        patient = self._open_patient(hip, ticket, sealed) if sealed else None
        return profile_json(patient) if patient is not None else None


def wants(target: Target, event: Event) -> bool:
    """Whether the target is told of such an event."""
    if event.kind not in PUBLIC_KINDS or (target.events and event.kind.type not in target.events):
        return False
    match target.kind:
        case TargetKind.WEBHOOK:
            return target.format is TargetFormat.JSON or event.ticket is not None
        case TargetKind.HL7:
            return event.ticket is not None and hl7.trigger_of(event.kind.type) is not None
        case _:
            assert_never(target.kind)


class _Person(Struct, frozen=True, kw_only=True):
    """What a body says of the person."""

    profile: ProfileJson | None
    links: LinksJson | None


def _body(target: Target, event: Event, hospital: Hospital, zone: ZoneInfo, person: _Person) -> bytes | None:
    facility = hospital.facility
    if target.kind is TargetKind.WEBHOOK and target.format is TargetFormat.JSON:
        return _json(event_json(event, facility.hip_id, zone, profile=person.profile, links=person.links))
    if event.ticket is None:
        return None
    ticket = event_ticket_json(event.ticket, facility.hip_id, zone, person.links)
    name = hospital.queue_names.get(ticket.queue, "")
    match target.kind:
        case TargetKind.WEBHOOK:
            return _json(_bundle(ticket, person.profile, hospital))
        case TargetKind.HL7:
            trigger = hl7.trigger_of(event.kind.type)
            occasion = hl7.Occasion(
                event_id=event.id, event_type=event.kind.type, at=local_time(event.at_ms, zone), queue_name=name
            )
            return hl7.message(trigger, ticket, person.profile, occasion) if trigger else None
        case _:
            assert_never(target.kind)


def _bundle(ticket: TicketJson, profile: ProfileJson | None, hospital: Hospital) -> fhir.Json:
    facility, queue = hospital.facility, hospital.queue(ticket.queue)
    place = fhir.Place(
        facility_name=facility.name, queue_name=queue.name if queue else "",
        department_code=queue.department_code if queue else "", district=facility.district, state=facility.state,
    )  # fmt: skip
    return fhir.bundle(ticket, profile, place)
