"""FHIR R4 of one ticket: a Bundle (collection) of Patient, Encounter, Organization and Location.

The profiles are those of NRCES for ABDM (implementation guide ndhm.in 6.5.0 on R4 4.0.1). NRCES tells identifiers apart
by their type code and names no system: ``HIN`` is the ABHA number, ``ABHA`` the ABHA address. The same ticket has
the same resource ids each time, so a receiver can update what it has.
"""

import re
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

from kiosk.exchange.hl7 import international
from kiosk.exchange.profile_json import ProfileJson
from kiosk.exchange.ticket_json import TicketJson
from queueing.lanes import EMERGENCY_WORDS

Json = dict[str, Any]

PROFILES: Final = "https://nrces.in/ndhm/fhir/r4/StructureDefinition/"
ABDM_TYPES: Final = "https://nrces.in/ndhm/fhir/r4/CodeSystem/ndhm-identifier-type-code"
HL7_TYPES: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
SNOMED: Final = "http://snomed.info/sct"
TAGS: Final = "urn:x-abdm-kiosk:"
"""Systems of the tags that say what FHIR has no element for: how the share came, and which lane."""
_NAMESPACE: Final = UUID("5d4ab6a4-3f6c-5b0e-9a55-7b1f0f0d6c2e")
"""Fixed for ever: resource ids are digests of the ticket in it."""

STATUSES: Final = {
    "expected": "planned",
    "waiting": "arrived",
    "called": "triaged",
    "serving": "in-progress",
    "held": "onleave",
    "no_show": "cancelled",
    "done": "finished",
    "cancelled": "cancelled",
    "lapsed": "cancelled",
}
"""Ticket state → Encounter.status. A no-show that comes back is ``arrived`` again. Of a ticket over which the day ended
while it was served nobody said how it ended: ``unknown``."""
_GENDERS: Final = {"M": "male", "F": "female", "O": "other", "D": "other", "T": "other"}
_EMERGENCY: Final = ("EM", "emergency")
_ROUTINE: Final = ("R", "routine")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ABSENT: Final = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}


class Place(Struct, frozen=True, kw_only=True):
    """The names around a ticket that the ticket itself does not carry."""

    facility_name: str
    queue_name: str = ""
    department_code: str = ""
    """SNOMED CT code of the queue's department, where it is set."""
    district: str = ""
    state: str = ""


def bundle(ticket: TicketJson, profile: ProfileJson | None, place: Place) -> Json:
    """The whole of one ticket. Without a profile the patient has the ticket's id and no name."""
    resources = (
        _encounter(ticket, place), _patient(ticket, profile or ProfileJson()), _organization(ticket, place),
        _location(ticket, place),
    )  # fmt: skip
    made: Json = _pruned(
        {
            "resourceType": "Bundle",
            "id": _id("Bundle", ticket),
            "type": "collection",
            "timestamp": _instant(max(filter(None, _moments(ticket)))),
            "entry": [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources],
        }
    )
    return made


def _patient(ticket: TicketJson, profile: ProfileJson) -> Json:
    return {
        **_head("Patient", ticket),
        "identifier": _patient_identifiers(ticket, profile),
        "name": [{"text": profile.name}] if profile.name else [{"extension": [_ABSENT]}],
        "telecom": [{"system": "phone", "value": international(profile.phone)}] if profile.phone else [],
        "gender": _GENDERS.get(profile.gender or "", "unknown"),
        "birthDate": _birth_date(profile),
        "address": _address(profile),
    }  # fmt: skip


def _patient_identifiers(ticket: TicketJson, profile: ProfileJson) -> list[Json]:
    """At least one, as the profile asks: a person of whom no number is known has the ticket's id."""
    found = []
    if profile.abha_number:
        found.append(_identifier(ABDM_TYPES, "HIN", "Health ID issued by NDHM", profile.abha_number))
    if profile.abha_address:
        display = "Ayushman Bharat Health Account (ABHA) ID"
        found.append(_identifier(ABDM_TYPES, "ABHA", display, profile.abha_address))
    if ticket.links is not None and ticket.links.patient_id:
        number = _identifier(HL7_TYPES, "MR", "Medical record number", ticket.links.patient_id)
        found.append({**number, "assigner": _reference(ticket, "Organization")})
    return found or [_identifier(HL7_TYPES, "PNT", "Temporary Living Subject Number", ticket.id)]


def _encounter(ticket: TicketJson, place: Place) -> Json:
    code, display = _EMERGENCY if ticket.lane in EMERGENCY_WORDS else _ROUTINE
    return {
        **_head("Encounter", ticket, _tags(ticket)),
        "identifier": _encounter_identifiers(ticket),
        "status": _status(ticket),
        "class": _coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "AMB", "ambulatory"),
        "serviceType": _service(place),
        "priority": {
            "coding": [_coding("http://terminology.hl7.org/CodeSystem/v3-ActPriority", code, display)],
            "text": ticket.lane,
        },
        "subject": _reference(ticket, "Patient"),
        "period": {"start": _instant(ticket.arrived_at), "end": _instant(ticket.ended_at)},
        "location": [{"location": _reference(ticket, "Location")}],
        "serviceProvider": _reference(ticket, "Organization"),
    }  # fmt: skip


def _encounter_identifiers(ticket: TicketJson) -> list[Json]:
    """Our own ticket, the number that people see, and the hospital's visit."""
    token = {"use": "secondary", "type": {"text": "Token number"}, "value": ticket.token_number}
    found = [_identifier(HL7_TYPES, "VN", "Visit number", ticket.id), token]
    if ticket.links is not None and ticket.links.visit_id:
        visit = _identifier(HL7_TYPES, "VN", "Visit number", ticket.links.visit_id)
        found.append({**visit, "assigner": _reference(ticket, "Organization")})
    return found


def _service(place: Place) -> Json:
    coding = _coding(SNOMED, place.department_code) if place.department_code else {}
    return {"coding": [coding], "text": place.queue_name}


def _organization(ticket: TicketJson, place: Place) -> Json:
    return {
        **_head("Organization", ticket),
        "identifier": [{
            **_identifier(HL7_TYPES, "PRN", "Provider number", ticket.facility),
            "assigner": {"display": "Health Facility Registry"},
        }],
        "name": place.facility_name or ticket.facility,
        "address": [{"district": place.district, "state": place.state, "country": "IN" if place.state else ""}],
    }  # fmt: skip


def _location(ticket: TicketJson, place: Place) -> Json:
    """The counter, once there is one; before that the queue."""
    queue = place.queue_name or ticket.queue
    return {
        **_head("Location", ticket),
        "status": "active",
        "name": f"{queue}, counter {ticket.counter}" if ticket.counter else queue,
        "mode": "instance",
        "managingOrganization": _reference(ticket, "Organization"),
    }  # fmt: skip


def _status(ticket: TicketJson) -> str:
    return "unknown" if ticket.state == "lapsed" and ticket.started_at else STATUSES[ticket.state]


def _tags(ticket: TicketJson) -> list[Json]:
    origin = ("assurance", ticket.assurance), ("nearness", ticket.nearness), ("source", ticket.source)
    return [_coding(f"{TAGS}{kind}", code) for kind, code in (*origin, ("lane", ticket.lane))]


def _moments(ticket: TicketJson) -> tuple[datetime | None, ...]:
    return ticket.arrived_at, ticket.called_at, ticket.started_at, ticket.ended_at


def _instant(at: datetime | None) -> str:
    return at.isoformat(timespec="milliseconds") if at else ""


def _birth_date(profile: ProfileJson) -> str:
    """As exact as it is known: a FHIR date may be a year or a month."""
    text = f"{profile.year_of_birth:04}" if profile.year_of_birth else ""
    if text and profile.month_of_birth:
        text += f"-{profile.month_of_birth:02}"
        if profile.day_of_birth:
            text += f"-{profile.day_of_birth:02}"
    return text


def _address(profile: ProfileJson) -> list[Json]:
    address = profile.address
    if address is None or not (parts := [*filter(None, msgspec.structs.astuple(address))]):
        return []
    return [{
        "use": "home", "text": ", ".join(parts), "line": [address.line], "district": address.district,
        "state": address.state, "postalCode": address.pincode, "country": "IN",
    }]  # fmt: skip


def _head(kind: str, ticket: TicketJson, tags: list[Json] | None = None) -> Json:
    meta = {"profile": [PROFILES + kind], "tag": tags}
    return {"resourceType": kind, "id": _id(kind, ticket), "meta": meta}


def _id(kind: str, ticket: TicketJson) -> str:
    """Of the facility and of a counter the same for every ticket."""
    subjects = {
        "Organization": ticket.facility,
        "Location": f"{ticket.facility} {ticket.queue} {ticket.counter or ''}",
    }
    return str(uuid5(_NAMESPACE, f"{kind} {subjects.get(kind, f'{ticket.facility} {ticket.id}')}"))


def _reference(ticket: TicketJson, kind: str) -> Json:
    return {"reference": f"urn:uuid:{_id(kind, ticket)}", "type": kind}


def _identifier(system: str, code: str, display: str, value: str) -> Json:
    return {"type": {"coding": [_coding(system, code, display)]}, "value": value}


def _coding(system: str, code: str, display: str = "") -> Json:
    return {"system": system, "code": code, "display": display}


def _pruned(value: Any) -> Any:
    """Without what FHIR cannot hold: null, empty texts and lists, control characters."""
    if isinstance(value, str):
        return _CONTROL.sub("", value).strip()
    if isinstance(value, list):
        return [found for one in value if (found := _pruned(one))]
    if isinstance(value, dict):
        return {name: found for name, one in value.items() if (found := _pruned(one))}
    return value
