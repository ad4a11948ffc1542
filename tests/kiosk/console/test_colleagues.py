"""What clerks see of each other: who sits at the same counter, every counter with its patient, and breaks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from litestar import Litestar

from kiosk.console.colleagues import BREAK_MAX_MIN, BreakRequest, back_at
from kiosk.services.web import Services
from queueing.redis_keys import facility_root
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, OWN_PASSWORD, Browser, arrive, browser, ready_login

pytestmark = pytest.mark.anyio
TEN = datetime(2026, 11, 23, 10, 58, 20, tzinfo=UTC)


async def counters(clerk: Browser, counter: str = "M1") -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in (await clerk.desk(counter))["counters"]}


async def test_two_people_at_one_counter_are_told_of_each_other_and_the_choice_of_counters_marks_it(
    app: Litestar, clerk: Browser, services: Services
) -> None:
    await ready_login(services.staff, "bilal", name="Bilal Mir")
    await ready_login(services.staff, "sopore", OTHER_HIP, name="Somebody Else")
    async with browser(app, address="10.1.2.9") as bilal, browser(app, address="10.1.2.10") as elsewhere:
        await bilal.sign_in("bilal")
        await elsewhere.sign_in("sopore")
        for one in (bilal, elsewhere, clerk):
            assert (await one.get("/console/at/M1")).status_code == 200
        assert (await clerk.desk())["beside"] == ["Bilal Mir"]
        assert (await bilal.desk())["beside"] == ["Asha"]
        assert (await elsewhere.desk())["beside"] == []
        assert "<bdi>Bilal Mir</bdi> sits here" in (await clerk.get("/console/counters")).text
        await bilal.get("/console/at/M2")
        assert (await clerk.desk())["beside"] == []
        assert (await counters(clerk))["M2"]["clerks"] == ["Bilal Mir"]
        await bilal.send_form("/console/logout")
        assert (await counters(clerk))["M2"]["clerks"] == []


async def test_every_counter_is_seen_with_its_clerk_its_patient_and_since_when(
    clerk: Browser, services: Services
) -> None:
    await arrive(services.check_in, "First")
    await clerk.get("/console/at/M1")
    called = (await clerk.ask("/console/desk/next", counter="M1", seen="")).json()["ticket"]
    await services.registry.open_counter(HIP, "M3", False)
    seen = await counters(clerk, "R1")
    assert seen["M3"]["open"] is False
    assert seen["M1"] == {
        "name": "M1", "open": True, "clerks": [], "token": "M-001", "state": "called", "back_ms": 0,
        "since_ms": called["called_ms"],
    }  # fmt: skip
    assert seen["R1"]["clerks"] == ["Asha"]


async def test_a_break_is_shown_until_its_time_and_stands_in_the_audit(clerk: Browser, services: Services) -> None:
    answer = (await clerk.ask("/console/desk/break", counter="M1", minutes=10)).json()
    assert answer["outcome"] == "MOVED"
    snapshot = await services.desk.snapshot(HIP)
    assert snapshot
    (away,) = snapshot.breaks
    assert away.back_ms % 60_000 == 0
    assert 10 * 60_000 <= away.back_ms - snapshot.at_ms <= 11 * 60_000
    assert (await counters(clerk))["M1"]["back_ms"] == away.back_ms
    ended = (await clerk.ask("/console/desk/break", counter="M1")).json()
    assert ended["words"] == "The break of counter M1 is over."
    again = (await clerk.ask("/console/desk/break", counter="M1")).json()
    assert again["outcome"] == "NOT_ALLOWED"
    acts = [(entry.kind, entry.by, entry.why[:2]) for entry in await services.audit.read(HIP)]
    assert [act for act in acts if act[0].startswith("break")] == [
        ("break_ended", "asha", "M1"),
        ("break_begun", "asha", "M1"),
    ]


@pytest.mark.parametrize("body", [{"minutes": -1}, {"minutes": BREAK_MAX_MIN + 1}, {"at": "25:00"}, {"at": "soon"}])
async def test_a_break_that_cannot_be_meant_changes_nothing(clerk: Browser, body: dict[str, Any]) -> None:
    answer = (await clerk.ask("/console/desk/break", counter="M1", **body)).json()
    assert answer["outcome"] == "REFUSED"
    assert (await counters(clerk))["M1"]["back_ms"] == 0


@pytest.mark.parametrize(
    ("body", "back"),
    [
        ({"minutes": 10}, "11:09"),
        ({"minutes": 1}, "11:00"),
        ({"at": "11:10"}, "11:10"),
        ({"at": "10:58"}, None),
        ({"at": "02:00"}, None),
        ({"at": "14:58"}, "14:58"),
    ],
)
def test_a_break_ends_at_a_full_minute_never_before_it_was_meant(body: dict[str, Any], back: str | None) -> None:
    found = back_at(TEN, BreakRequest(counter="M1", **body))
    assert (found.strftime("%H:%M") if found else None) == back


def test_a_break_over_midnight_ends_on_the_next_day() -> None:
    late = TEN.replace(hour=23, minute=50)
    assert back_at(late, BreakRequest(counter="M1", at="00:10")) == (late + timedelta(minutes=20)).replace(second=0)


async def test_a_note_goes_with_the_ticket_to_the_next_counter_and_only_staff_of_the_hospital_read_it(
    app: Litestar, clerk: Browser, services: Services
) -> None:
    ticket = (await arrive(services.check_in, "First")).ticket
    note = "  X-ray\nfirst, then \u202eback to M1 "
    answer = (await clerk.ask("/console/desk/note", ticket=ticket, note=note)).json()
    assert answer["words"] == "The note is on M-001."
    (row,) = (await clerk.desk())["tickets"]
    assert row["note"] == "X-ray first, then back to M1"
    await clerk.ask("/console/desk/transfer", counter="M1", ticket=ticket, to="registration")
    called = (await clerk.ask("/console/desk/next", counter="R1", seen="")).json()
    assert called["ticket"]["note"] == "X-ray first, then back to M1"
    assert [entry.kind for entry in await services.audit.read(HIP)].count("note_written") == 1
    await ready_login(services.staff, "sopore", OTHER_HIP)
    async with browser(app, address="10.1.2.10") as elsewhere:
        await elsewhere.sign_in("sopore")
        assert (await elsewhere.ask("/console/desk/note", ticket=ticket, note="x")).status_code == 404
    await clerk.ask("/console/desk/note", ticket=ticket, note="")
    assert (await clerk.desk("R1"))["current"]["note"] == ""


async def test_a_note_is_sealed_in_the_store_bounded_and_erased_with_the_person(
    clerk: Browser, services: Services
) -> None:
    place = await arrive(services.check_in, "First")
    await clerk.ask("/console/desk/note", ticket=place.ticket, note="Needs a wheelchair " * 40)
    (row,) = (await clerk.desk())["tickets"]
    assert len(row["note"]) <= 200
    key = f"{facility_root(HIP)}:{place.ticket.partition('-')[0]}"
    stored: Any = await services.store.call(key, "HGET", key, "k" + place.ticket)
    assert stored
    assert b"wheelchair" not in stored
    await services.person_records.erase(HIP, token=place.ticket, by="imran")
    assert await services.store.call(key, "HGET", key, "k" + place.ticket) is None


async def test_a_counter_is_handed_over_the_next_login_sits_there(
    app: Litestar, clerk: Browser, services: Services
) -> None:
    await ready_login(services.staff, "bilal", name="Bilal Mir")
    await clerk.get("/console/at/M2")
    left = await clerk.send_form("/console/logout", counter="M2")
    assert left.headers["location"] == "/console/login?counter=M2"
    assert 'name="counter" value="M2"' in (await clerk.get(left.headers["location"])).text
    form = {"login": "bilal", "password": OWN_PASSWORD, "counter": "M2"}
    assert (await clerk.post("/console/login", data=form)).headers["location"] == "/console/at/M2"
    await clerk.get("/console/at/M2")
    assert (await counters(clerk, "M2"))["M2"]["clerks"] == ["Bilal Mir"]
    odd = await clerk.post("/console/login", data=form | {"counter": "//evil.example"})
    assert odd.headers["location"] == "/console"
