"""Tickets and queues by the API: every value that a program reads, and what is refused."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from msgspec import structs

from kiosk.api import ticket_lists
from queueing.api_keys import Scope
from queueing.audit import Audit
from queueing.lanes import Lane
from queueing.redis_keys import facility_key
from tests.kiosk.api.program import PERSON, Program, address, problem
from tests.kiosk.hospital import HIP, Hospital
from tests.queueing.a_facility import arrival

pytestmark = pytest.mark.anyio
KEY = facility_key(HIP)
IST = ZoneInfo("Asia/Kolkata")


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


async def test_a_queue_shows_its_names_by_language_and_its_department(program: Program) -> None:
    registry = program.hospital.services.registry
    queue = next(one for one in await registry.queues(HIP) if one.id == "medicine")
    names = {"hi": "मेडिसिन", "ur": "میڈیسن"}
    await registry.put_queue(HIP, structs.replace(queue, names=names, department_code="394802001"))
    medicine, registration = (await program.get("queues")).json()["items"]
    assert (medicine["name"], medicine["names"], medicine["department_code"]) == (queue.name, names, "394802001")
    assert (registration["names"], registration["department_code"]) == ({}, None)
    ticket = await program.register()
    bundle = await program.get(f"tickets/{ticket['id']}", headers={"accept": "application/fhir+json"})
    (encounter,) = (one["resource"] for one in bundle.json()["entry"] if one["resource"]["resourceType"] == "Encounter")
    assert encounter["serviceType"]["coding"] == [{"system": "http://snomed.info/sct", "code": "394802001"}]


async def test_the_list_of_queues_names_the_facility_in_each_language(program: Program) -> None:
    registry = program.hospital.services.registry
    facility = await registry.facility(HIP)
    assert facility is not None
    listed = {"id": HIP, "name": facility.name, "names": {}}
    assert (await program.get("queues")).json()["facility"] == listed
    names = {"hi": "ज़िला अस्पताल", "ur": "ضلع ہسپتال"}
    await registry.put_facility(structs.replace(facility, names=names))
    assert (await program.get("queues")).json()["facility"] == listed | {"names": names}
    ticket = await program.register()
    bundle = await program.get(f"tickets/{ticket['id']}", headers={"accept": "application/fhir+json"})
    organizations = [
        one["resource"] for one in bundle.json()["entry"] if one["resource"]["resourceType"] == "Organization"
    ]
    assert [one["name"] for one in organizations] == [facility.name], "programs get the registered name"


async def test_a_queue_shows_who_waits_and_who_was_called_last(program: Program) -> None:
    await program.hospital.arrive(patients=3)
    token = await program.hospital.call("M1")
    medicine, registration = (await program.get("queues")).json()["items"]
    assert medicine == {
        "id": "medicine",
        "name": "Medicine & Surgery",
        "names": {},
        "department_code": None,
        "prefix": "M",
        "open": True,
        "hours": None,
        "opens_at": None,
        "waiting": 2,
        "expected": 0,
        "last_called": token,
        "wait_estimate": None,
        "counters": ["M1", "M2", "M3", "ROOM17"],
    }
    assert (registration["id"], registration["last_called"], registration["counters"]) == ("registration", None, ["R1"])


async def test_a_queue_shows_its_hours_and_when_it_opens(program: Program) -> None:
    day = datetime.now(IST) + timedelta(days=3)
    opens = day.weekday() * 1440 + 20 * 60
    await program.hospital.services.registry.set_hours(HIP, "medicine", (opens, opens + 6 * 60))
    medicine, registration = (await program.get("queues")).json()["items"]
    weekday = day.strftime("%a").lower()
    assert medicine["hours"] == [{"weekday": weekday, "opens": "20:00", "closes": "02:00"}]
    assert (medicine["open"], medicine["opens_at"]) == (False, f"{day:%Y-%m-%d}T20:00:00+05:30")
    assert (registration["open"], registration["hours"], registration["opens_at"]) == (True, None, None)
    answer = await program.post("tickets", {"queue": "medicine", "patient": PERSON})
    assert (answer.status_code, answer.json()["reason"]) == (409, "closed_queue")
    assert f"It opens at {day:%Y-%m-%d}T20:00:00+05:30." in answer.json()["detail"]


async def test_a_person_registered_elsewhere_takes_a_place(program: Program) -> None:
    ticket = await program.register()
    now = datetime.now(IST)
    assert ticket == {
        "id": ticket["id"],
        "token_number": "M-001",
        "facility": HIP,
        "queue": "medicine",
        "counter": None,
        "state": "waiting",
        "lane": "ordinary",
        "reason": None,
        "assurance": "staff",
        "nearness": "unknown",
        "source": "hmis",
        "service_day": now.date().isoformat(),
        "ahead": 0,
        "arrived_at": ticket["arrived_at"],
        "called_at": None,
        "started_at": None,
        "ended_at": None,
        "changed_at": ticket["arrived_at"],
        "calls": 0,
        "stops": [],
        "links": None,
    }
    assert ticket["arrived_at"].endswith("+05:30")
    assert abs(datetime.fromisoformat(ticket["arrived_at"]) - now) < timedelta(seconds=30)
    assert (await program.get(f"tickets/{ticket['id']}")).json() == ticket


async def test_the_same_person_keeps_the_ticket(program: Program) -> None:
    ticket = await program.register()
    again = await program.post("tickets", {"queue": "medicine", "patient": PERSON})
    assert (again.status_code, again.json()) == (200, ticket)


async def test_the_age_and_the_lane_decide_who_goes_sooner(program: Program) -> None:
    senior = await program.register(name="Zoona", year_of_birth=1940)
    assert senior["lane"] == "senior"
    body = {"queue": "medicine", "lane": "pregnant", "patient": PERSON | {"name": "Rubina"}}
    assert (await program.post("tickets", body)).json()["lane"] == Lane.PREGNANT.name.lower()


async def test_a_profile_comes_back_as_it_was_sent_and_each_reading_is_in_the_audit(program: Program) -> None:
    sent: dict[str, Any] = {
        "name": "Asha Devi",
        "abha_number": "91-1000-0000-0011",
        "abha_address": "asha@sbx",
        "gender": "F",
        "year_of_birth": 1990,
        "month_of_birth": 2,
        "day_of_birth": 28,
        "phone": "+91 99999 99999",
        "address": {"line": "12 Lal Chowk", "district": "Srinagar", "state": "J&K", "pincode": "190001"},
    }
    ticket = await program.register(**sent)
    read = await program.get(f"tickets/{ticket['id']}/profile")
    assert read.json() == sent | {"abha_number": "91100000000011", "phone": "9999999999"}
    await program.get(f"tickets/{ticket['id']}/profile")
    acts = [(one.kind, one.by, one.ticket) for one in await Audit(program.hospital.services.store).read(HIP)]
    line = ("profile_read", f"api:{program.key.id}", ticket["id"])
    assert acts.count(line) == 2
    assert "no-store" in read.headers["cache-control"]


async def test_a_ticket_without_a_person_has_no_profile(program: Program) -> None:
    (place,) = await program.hospital.arrive()
    problem(await program.get(f"tickets/{place.ticket}/profile"), 404, "not-there")


async def test_a_ticket_is_a_fhir_bundle_for_those_who_may_read_profiles(
    program: Program, hospital: Hospital, visitor: httpx.AsyncClient
) -> None:
    ticket = await program.register(abha_number="91100000000011")
    fhir = {"accept": "application/fhir+json"}
    answer = await program.get(f"tickets/{ticket['id']}", headers=fhir)
    assert answer.headers["content-type"].startswith("application/fhir+json")
    bundle = answer.json()
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    patient = next(one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "Patient")
    assert [one["value"] for one in patient["identifier"] if one["type"]["coding"][0]["code"] == "HIN"] == [
        "91100000000011"
    ]
    assert "profile_read" in [one.kind for one in await Audit(hospital.services.store).read(HIP)]
    reader = await Program.of(hospital, visitor, Scope.TICKETS_READ)
    problem(await reader.get(f"tickets/{ticket['id']}", headers=fhir), 403, "scope-missing")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"queue": "medicine"}, "body"),
        ({"queue": 7, "patient": PERSON}, "queue"),
        ({"queue": "nothing", "patient": PERSON}, "queue"),
        ({"queue": "medicine", "lane": "queen", "patient": PERSON}, "lane"),
        ({"queue": "medicine", "patient": []}, "patient"),
        ({"queue": "medicine", "patient": {"name": ""}}, "patient.name"),
        ({"queue": "medicine", "patient": {"name": "<b>"}}, "patient.name"),
        ({"queue": "medicine", "patient": PERSON | {"year_of_birth": "1990"}}, "patient.year_of_birth"),
        ({"queue": "medicine", "patient": PERSON | {"month_of_birth": 13}}, "patient.month_of_birth"),
        ({"queue": "medicine", "patient": PERSON | {"phone": "12"}}, "patient.phone"),
        ({"queue": "medicine", "patient": PERSON | {"abha_number": "91"}}, "patient.abha_number"),
        ({"queue": "medicine", "patient": PERSON | {"telephone": "9"}}, "patient"),
    ],
)
async def test_a_body_of_wrong_values_is_refused_with_the_field(program: Program, body: Any, field: str) -> None:
    found = problem(await program.post("tickets", body), 422, "wrong-value")
    assert [one["field"] for one in found["errors"]] == [field]
    assert (await program.get("tickets")).json()["counts"]["waiting"] == 0


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [(b"{", "application/json", 400), (b"[" * 100, "application/json", 400), (b"{}", "text/plain", 415)],
)
async def test_a_body_that_is_no_json_is_refused(program: Program, content: bytes, kind: str, status: int) -> None:
    headers = program.headers | {"content-type": kind}
    url = f"/api/v1/facilities/{HIP}/tickets"
    assert (await program.client.post(url, content=content, headers=headers)).status_code == status


async def test_a_closed_queue_takes_nobody_and_says_so(program: Program) -> None:
    await program.hospital.services.registry.open_queue(HIP, "medicine", is_open=False)
    found = problem(await program.post("tickets", {"queue": "medicine", "patient": PERSON}), 409, "refused")
    assert found["reason"] == "closed_queue"


async def test_a_list_has_every_ticket_of_today_in_order_with_counts(program: Program) -> None:
    places = [*await program.hospital.arrive(patients=3), *await program.hospital.arrive("registration")]
    await program.hospital.call("M1")
    answer = await program.get("tickets")
    assert ids(answer) == [place.ticket for place in places]
    counts = answer.json()["counts"]
    assert counts == dict.fromkeys(counts, 0) | {"waiting": 3, "called": 1}
    assert set(counts) == {"expected", "waiting", "called", "serving", "held", "no_show", "done", "cancelled", "lapsed"}
    assert answer.json()["next"] is None


async def test_a_list_is_filtered_by_queue_state_counter_and_time(program: Program) -> None:
    first, second, third = await program.hospital.arrive(patients=3)
    (other,) = await program.hospital.arrive("registration")
    await program.hospital.call("M2")
    assert ids(await program.get("tickets", queue="registration")) == [other.ticket]
    assert ids(await program.get("tickets", state="called")) == [first.ticket]
    assert ids(await program.get("tickets", counter="M2")) == [first.ticket]
    waiting = await program.get("tickets", queue="medicine", state="waiting")
    assert ids(waiting) == [second.ticket, third.ticket]
    assert waiting.json()["counts"]["called"] == 1, "the state of the query changes no count"
    moment = await a_moment_apart()
    cancelled = (await program.move(third.ticket, "cancel")).json()
    assert ids(await program.get("tickets", changed_after=moment)) == [third.ticket]
    assert ids(await program.get("tickets", changed_after=cancelled["changed_at"])) == [third.ticket]
    assert ids(await program.get("tickets", changed_after=(datetime.now(IST) + timedelta(hours=1)).isoformat())) == []


async def a_moment_apart() -> str:
    """A time in a millisecond of its own: what went before was earlier, what follows is later."""
    await asyncio.sleep(0.002)
    moment = datetime.now(IST).isoformat()
    await asyncio.sleep(0.002)
    return moment


async def test_whatever_changed_is_found_by_the_time_of_the_change(program: Program) -> None:
    services = program.hospital.services
    far = await services.desk.enqueue(arrival(text="another system's text 7"))
    first, *_ = await program.hospital.arrive(patients=2)
    moves: tuple[tuple[str, str, dict[str, str]], ...] = (
        (far.ticket, "check_in", {}),
        (first.ticket, "call", {"counter": "M1"}),
        (first.ticket, "recall", {}),
        (first.ticket, "start", {}),
        (first.ticket, "hold", {}),
        (first.ticket, "bring_back", {}),
        (first.ticket, "transfer", {"queue": "registration"}),
        (first.ticket, "call", {"counter": "R1"}),
        (first.ticket, "no_show", {}),
    )
    for ticket, move, more in moves:
        moment = await a_moment_apart()
        assert (await program.move(ticket, move, **more)).status_code == 200
        assert ids(await program.get("tickets", changed_after=moment)) == [ticket], move
    for change in (
        services.desk.set_lane(HIP, first.ticket, Lane.DISABLED, by="asha"),
        services.desk.undo(HIP, "R1", by="asha"),
        program.client.put(address(f"tickets/{first.ticket}/links"), json={"patient_id": "7"}, headers=program.headers),
    ):
        moment = await a_moment_apart()
        await change
        (found,) = (await program.get("tickets", changed_after=moment)).json()["items"]
        assert found["id"] == first.ticket
        assert found["changed_at"] > moment


async def test_pages_hold_every_ticket_once_though_tickets_move_between_them(program: Program) -> None:
    places = await program.hospital.arrive(patients=5)
    first = await program.get("tickets", limit=2, state="waiting")
    await program.move(places[0].ticket, "cancel")
    second = await program.get("tickets", limit=2, state="waiting", cursor=first.json()["next"])
    third = await program.get("tickets", limit=2, state="waiting", cursor=second.json()["next"])
    assert ids(first) + ids(second) + ids(third) == [place.ticket for place in places]
    assert third.json()["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0}, {"limit": 201}, {"limit": "x"}, {"state": "sleeping"}, {"date": "yesterday"}, {"date": ""},
        {"cursor": "x"}, {"changed_after": "2026-11-28T10:00:00"}, {"changed_after": "soon"}, {"changed_after": "0.5"},
        {"queue": ""},
        {"state": "null"}, {"limit": "null"}, {"date": "Null"},
    ],
)  # fmt: skip
async def test_a_query_of_wrong_values_is_refused_with_the_field(program: Program, query: dict[str, Any]) -> None:
    found = problem(await program.get("tickets", **query), 422, "wrong-value")
    assert [one["field"] for one in found["errors"]] == list(query)


async def test_a_poller_that_has_the_newest_list_gets_304_from_memory(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    await program.hospital.arrive()
    first = await program.get("tickets")
    await settled(program)
    tag = (await program.get("tickets")).headers["etag"]
    assert tag == first.headers["etag"]

    async def no_call(*_: object, **__: object) -> None:
        raise AssertionError("the store was called")

    with monkeypatch.context() as patched:
        patched.setattr(program.hospital.services.desk, "_ask", no_call)
        patched.setattr(program.hospital.services.desk, "_tickets", no_call)
        unchanged = await program.get("tickets", headers={"if-none-match": tag})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
    await program.hospital.arrive()
    await settled(program)
    changed = await program.get("tickets", headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_a_lost_hint_of_a_change_shows_after_a_minute(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = program.hospital.services.api.ticket_lists
    monkeypatch.setattr(lists._changes, "version", lambda key: (0, 0))
    tag = (await program.get("tickets")).headers["etag"]
    await program.hospital.arrive()
    assert (await program.get("tickets", headers={"if-none-match": tag})).status_code == 304
    later = lists._clock_s() + ticket_lists.FRESH_S
    monkeypatch.setattr(lists, "_clock_s", lambda: later)
    assert (await program.get("tickets", headers={"if-none-match": tag})).status_code == 200


async def settled(program: Program) -> None:
    """Until the hints of what happened have come: none came for longer than one is gathered."""
    changes = program.hospital.services.hub.changes
    while await changes.wait(KEY, changes.version(KEY), 0.5):
        pass


async def test_a_day_in_the_past_is_asked_of_the_archive_and_503_tells_that_it_is_away(program: Program) -> None:
    answer = await program.get("tickets", date="2026-01-01")
    problem(answer, 503, "archive-away")
    assert answer.headers["retry-after"] == "5"
