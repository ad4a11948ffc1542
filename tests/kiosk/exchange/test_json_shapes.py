"""The JSON of tickets, profiles and events, value by value."""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from kiosk.exchange.event_json import event_json
from kiosk.exchange.profile_json import ProfileJson, profile_json
from kiosk.exchange.ticket_json import LinksJson, ticket_json
from kiosk.patient.person import Patient
from queueing.event_log import PUBLIC_KINDS, Event, EventKind
from queueing.lanes import Lane
from queueing.models import Assurance, Nearness, Outcome, Refusal, State, Ticket
from queueing.redis_keys import HMIS_MARK, hmis_request, request_digest
from queueing.stops import Stop

IST = ZoneInfo("Asia/Kolkata")
HIP = "IN0110000042"
ARRIVED_MS = 1_795_847_400_123  # 2026-11-28T06:30:00.123Z
CALLED = Ticket(
    id="20785-17",
    token="M-017",
    queue="medicine",
    state=State.CALLED,
    lane=Lane.SENIOR,
    assurance=Assurance.SCREEN,
    nearness=Nearness.NEAR,
    counter="M2",
    arrived_ms=ARRIVED_MS,
    called_ms=ARRIVED_MS + 60_000,
    changed_ms=ARRIVED_MS + 60_000,
    calls=1,
    ahead=0,
    request="8c1f8c1f8c1f8c1f8c1f8c1f",
)


def plain(value: object) -> Any:
    """What a receiver reads."""
    return msgspec.json.decode(msgspec.json.encode(value))


def test_a_ticket_has_exactly_the_fields_of_the_contract() -> None:
    assert plain(ticket_json(CALLED, HIP, IST)) == {
        "id": "20785-17",
        "token_number": "M-017",
        "facility": HIP,
        "queue": "medicine",
        "counter": "M2",
        "state": "called",
        "lane": "senior",
        "reason": None,
        "assurance": "screen",
        "nearness": "near",
        "source": "abha_app",
        "service_day": "2026-11-28",
        "ahead": None,
        "arrived_at": "2026-11-28T12:00:00.123000+05:30",
        "called_at": "2026-11-28T12:01:00.123000+05:30",
        "started_at": None,
        "ended_at": None,
        "changed_at": "2026-11-28T12:01:00.123000+05:30",
        "calls": 1,
        "stops": [],
        "links": None,
    }


def test_a_ticket_that_was_sent_on_shows_its_stops() -> None:
    later_ms = ARRIVED_MS + 60_000
    seen, passed = Stop("registration", ARRIVED_MS, later_ms, later_ms), Stop("laboratory", later_ms, 0, later_ms)
    sent_on = msgspec.structs.replace(CALLED, stops=(seen, passed))
    later = "2026-11-28T12:01:00.123000+05:30"
    assert plain(ticket_json(sent_on, HIP, IST))["stops"] == [
        {
            "queue": "registration",
            "arrived_at": "2026-11-28T12:00:00.123000+05:30",
            "called_at": later,
            "ended_at": later,
        },
        {"queue": "laboratory", "arrived_at": later, "called_at": None, "ended_at": later},
    ]


def test_a_waiting_ticket_tells_how_many_are_before_it() -> None:
    waiting = msgspec.structs.replace(CALLED, state=State.WAITING, ahead=3)
    assert ticket_json(waiting, HIP, IST).ahead == 3


def test_a_ticket_shows_the_numbers_of_the_hospitals_system() -> None:
    links = LinksJson(patient_id="UHID-7", visit_id="V-1", url="https://his.example/p/7")
    assert plain(ticket_json(CALLED, HIP, IST, links))["links"] == {
        "patient_id": "UHID-7",
        "visit_id": "V-1",
        "url": "https://his.example/p/7",
    }


@pytest.mark.parametrize(
    ("assurance", "source"),
    [
        (Assurance.SCREEN, "abha_app"),
        (Assurance.STALE, "abha_app"),
        (Assurance.POSTER, "abha_app"),
        (Assurance.UNKNOWN, "abha_app"),
        (Assurance.STAFF, "staff"),
        (Assurance.CAMERA, "camera"),
    ],
)
def test_the_source_follows_from_the_assurance(assurance: Assurance, source: str) -> None:
    assert ticket_json(msgspec.structs.replace(CALLED, assurance=assurance), HIP, IST).source == source


def test_every_state_has_the_word_of_the_contract() -> None:
    states = [ticket_json(msgspec.structs.replace(CALLED, state=state), HIP, IST).state for state in State]
    assert states == ["expected", "waiting", "called", "serving", "held", "no_show", "done", "cancelled", "lapsed"]


def test_what_a_patient_did_not_say_is_null() -> None:
    assert plain(profile_json(Patient(name="Asha", year_of_birth=1961))) == {
        "abha_number": None,
        "abha_address": None,
        "name": "Asha",
        "gender": None,
        "year_of_birth": 1961,
        "month_of_birth": None,
        "day_of_birth": None,
        "phone": None,
        "address": {"line": None, "district": None, "state": None, "pincode": None},
    }


def test_a_whole_profile_keeps_every_field() -> None:
    patient = Patient(
        abha_number="91100000000011", abha_address="asha@sbx", name="Asha Devi", gender="F", year_of_birth=1961,
        month_of_birth=3, day_of_birth=9, phone="9999999999", line="12 Lal Chowk", district="Srinagar",
        state="Jammu and Kashmir", pincode="190001",
    )  # fmt: skip
    assert plain(profile_json(patient)) == {
        "abha_number": "91100000000011",
        "abha_address": "asha@sbx",
        "name": "Asha Devi",
        "gender": "F",
        "year_of_birth": 1961,
        "month_of_birth": 3,
        "day_of_birth": 9,
        "phone": "9999999999",
        "address": {
            "line": "12 Lal Chowk",
            "district": "Srinagar",
            "state": "Jammu and Kashmir",
            "pincode": "190001",
        },
    }


def test_an_event_carries_its_ticket_and_no_profile_unless_it_is_given() -> None:
    event = Event(
        id="abc-17-0", cursor="17-0", facility_key="abc", kind=EventKind.CALLED, at_ms=ARRIVED_MS, by="a", ticket=CALLED
    )
    read = plain(event_json(event, HIP, IST))
    assert read == {
        "id": "abc-17-0",
        "type": "ticket.called",
        "timestamp": "2026-11-28T12:00:00.123000+05:30",
        "facility": HIP,
        "cursor": "17-0",
        "data": {"ticket": plain(ticket_json(CALLED, HIP, IST))},
    }
    with_profile = plain(event_json(event, HIP, IST, profile=ProfileJson(name="Asha")))
    assert with_profile["data"]["profile"]["name"] == "Asha"


def test_a_refused_share_has_its_reason_and_no_ticket() -> None:
    event = Event(
        id="abc-18-0", cursor="18-0", facility_key="abc", kind=EventKind.SHARE_REFUSED, at_ms=ARRIVED_MS, by="",
        request="8c1f", outcome=Outcome.REFUSED, refusal=Refusal.CLOSED_QUEUE,
    )  # fmt: skip
    assert plain(event_json(event, HIP, IST))["data"] == {"ticket": None, "reason": "closed_queue"}


def test_the_types_of_public_events_are_those_of_the_contract() -> None:
    assert {kind.type for kind in PUBLIC_KINDS} == {
        "ticket.created",
        "ticket.checked_in",
        "ticket.called",
        "ticket.recalled",
        "ticket.serving",
        "ticket.held",
        "ticket.no_show",
        "ticket.returned",
        "ticket.transferred",
        "ticket.done",
        "ticket.cancelled",
        "ticket.lapsed",
        "ticket.undone",
        "share.repeated",
        "share.refused",
        "acknowledgement.delivered",
        "acknowledgement.parked",
    }


def test_a_ticket_of_the_hospital_system_is_known_by_its_request() -> None:
    """No digest begins with the mark, because digests are hexadecimal."""
    request = hmis_request(HIP, "api:k1/5")
    made = msgspec.structs.replace(CALLED, assurance=Assurance.STAFF, request=request)
    assert ticket_json(made, HIP, IST).source == "hmis"
    assert len(request) == len(request_digest(HIP, "api:k1/5")), "the archive's column has as many characters"
    assert not set(HMIS_MARK) <= set("0123456789abcdef")
