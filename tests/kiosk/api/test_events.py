"""Events by the API: pulled, waited for, streamed; from the store, and before it from the archive."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest

from kiosk.api import event_pages
from kiosk.api.event_stream import frames
from kiosk.archive.public_events import KEEP_MS
from kiosk.exchange.event_json import event_json
from queueing.api_keys import Scope
from queueing.event_log import EventLog
from queueing.redis_keys import events_key, facility_root
from tests.kiosk.api.program import Program, address, problem
from tests.kiosk.hospital import HIP, Hospital
from tests.queueing.a_facility import arrival

LONG_S = 20
"""Seconds of a wait that an event ends."""
pytestmark = pytest.mark.anyio
EVENTS = events_key(facility_root(HIP).partition(":")[0])


async def test_events_come_in_order_with_their_tickets(program: Program) -> None:
    ticket = (await program.register())["id"]
    await program.move(ticket, "call", counter="M1")
    await program.move(ticket, "finish")
    found = (await program.get("events")).json()
    assert [(one["type"], one["data"]["ticket"]["state"]) for one in found["items"]] == [
        ("ticket.created", "waiting"),
        ("ticket.called", "called"),
        ("ticket.done", "done"),
    ]
    last = found["items"][-1]
    assert set(last) == {"id", "type", "timestamp", "facility", "cursor", "data"}
    assert last["facility"] == HIP
    assert last["timestamp"].endswith("+05:30")
    assert set(last["data"]) == {"ticket"}, "no profile travels by pull"
    assert found["next"] == last["cursor"]


async def test_a_delivered_reply_comes_with_its_ticket_and_the_hospitals_numbers(program: Program) -> None:
    services = program.hospital.services
    place = await services.desk.enqueue(arrival())
    numbers = {"patient_id": "UHID-7", "visit_id": None, "url": None}
    body = {"patient_id": "UHID-7"}
    await program.client.put(address(f"tickets/{place.ticket}/links"), json=body, headers=program.headers)
    await services.outbox.delivered(await services.outbox.take())
    event = (await program.get("events")).json()["items"][-1]
    assert event["type"] == "acknowledgement.delivered"
    ticket = event["data"]["ticket"]
    assert (ticket["id"], ticket["links"], ticket["ahead"]) == (place.ticket, numbers, None)


async def test_a_puller_gets_every_event_once_however_small_its_pages_are(program: Program) -> None:
    await program.hospital.arrive(patients=7)
    whole = (await program.get("events")).json()["items"]
    pulled: list[Any] = []
    query: dict[str, Any] = {"limit": 2}
    while page := (found := (await program.get("events", **query)).json())["items"]:
        pulled += page
        query["after"] = found["next"]
    assert pulled == whole
    assert found["next"] == whole[-1]["cursor"]


async def test_latest_begins_behind_what_happened(program: Program) -> None:
    await program.hospital.arrive()
    found = (await program.get("events", after="latest")).json()
    assert found["items"] == []
    (place,) = await program.hospital.arrive()
    items = (await program.get("events", after=found["next"])).json()["items"]
    assert [one["data"]["ticket"]["id"] for one in items] == [place.ticket]


async def test_a_wait_ends_with_the_event_or_with_its_time(program: Program) -> None:
    cursor = (await program.get("events", after="latest")).json()["next"]
    began_s = time.monotonic()
    empty = (await program.get("events", after=cursor, wait=1)).json()
    assert time.monotonic() - began_s > 0.9
    assert empty == {"items": [], "next": empty["next"]}
    waiting = asyncio.create_task(program.get("events", after=cursor, wait=LONG_S))
    await asyncio.sleep(0.5)
    began_s = time.monotonic()
    (place,) = await program.hospital.arrive()
    items = (await waiting).json()["items"]
    assert time.monotonic() - began_s < LONG_S - 5, "it waited for its time and not for the event"
    assert [one["data"]["ticket"]["id"] for one in items] == [place.ticket]


@pytest.mark.slow
async def test_somebody_who_waits_asks_the_store_seldom(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    log = program.hospital.services.api.events._log
    reads = 0
    read = log.read

    async def counted(*arguments: Any) -> Any:
        nonlocal reads
        reads += 1
        return await read(*arguments)

    monkeypatch.setattr(log, "read", counted)
    cursor = (await program.get("events", after="latest")).json()["next"]
    await program.get("events", after=cursor, wait=10)
    assert reads <= 5, "at once, two seconds after each hint of the building, and at the end"


@pytest.mark.parametrize("query", [{"after": "x"}, {"after": "1-"}, {"after": "9" * 30}, {"wait": 26}, {"wait": -1}])
async def test_a_query_of_wrong_values_is_refused_with_the_field(program: Program, query: dict[str, Any]) -> None:
    found = problem(await program.get("events", **query), 422, "wrong-value")
    assert [one["field"] for one in found["errors"]] == list(query)


@pytest.mark.slow
async def test_a_key_may_wait_only_so_often_at_once(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_pages, "WAITS_PER_KEY", 2)
    cursor = (await program.get("events", after="latest")).json()["next"]
    waits = [asyncio.create_task(program.get("events", after=cursor, wait=2)) for _ in range(3)]
    answers = await asyncio.gather(*waits)
    assert sorted(one.status_code for one in answers) == [200, 200, 429]
    refused = next(one for one in answers if one.status_code == 429)
    problem(refused, 429, "too-many-waits")
    assert refused.headers["retry-after"] == "5"


async def dropped(program: Program) -> None:
    """All but the newest event of the store's log are dropped, as after three days."""
    await program.hospital.services.store.call(EVENTS, "XTRIM", EVENTS, "MAXLEN", 1)


async def test_a_cursor_older_than_every_record_gets_410_with_where_to_begin(program: Program) -> None:
    await program.hospital.arrive(patients=2)
    await dropped(program)
    old_ms = time.time_ns() // 1_000_000 - KEEP_MS - 2 * event_pages.BEGIN_LATE_MS
    found = problem(await program.get("events", after=f"{old_ms}-0"), 410, "cursor-gone")
    begin_ms = int(found["begin"].partition("-")[0])
    assert abs(time.time_ns() // 1_000_000 - KEEP_MS - begin_ms) < 10_000
    assert (await program.get("events", after=found["begin"])).status_code == 503, "the archive, which is away here"
    problem(
        await program.get("events", after=f"{old_ms}-0", headers={"accept": "text/event-stream"}), 410, "cursor-gone"
    )


async def test_what_the_store_dropped_is_never_passed_over_while_the_archive_is_away(program: Program) -> None:
    await program.hospital.arrive(patients=2)
    first = (await program.get("events", limit=1)).json()["next"]
    await dropped(program)
    problem(await program.get("events"), 503, "archive-away")
    newest = (await program.get("events", after="latest")).json()["next"]
    assert (await program.get("events", after=newest)).status_code == 200
    assert first != newest


async def test_a_puller_goes_on_in_the_archive_and_then_in_the_store(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    await program.hospital.arrive(patients=4)
    whole = (await program.get("events")).json()["items"]
    log = EventLog(program.hospital.services.store)
    archived = (await log.read(HIP)).events
    await dropped(program)

    async def ask(query: Any, hip: str, cursor: str, limit: int) -> list[Any]:
        assert (query.__name__, hip) == ("events_after", HIP)
        return [one for one in archived if _numbers(one.cursor) > _numbers(cursor)][:limit]

    monkeypatch.setattr(program.hospital.services.archive, "ask", ask)
    (place,) = await program.hospital.arrive()
    pulled: list[Any] = []
    query: dict[str, Any] = {"limit": 3}
    while page := (found := (await program.get("events", **query)).json())["items"]:
        pulled += page
        query["after"] = found["next"]
    assert pulled[:4] == whole
    assert [one["data"]["ticket"]["id"] for one in pulled[4:]] == [place.ticket]


def _numbers(cursor: str) -> tuple[int, int]:
    ms, _, number = cursor.partition("-")
    return int(ms), int(number or 0)


class Reader:
    """A reader of the stream."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def event(self) -> dict[str, str]:
        """The next event, by field."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(20):
            async for line in self._lines:
                name, _, value = line.partition(": ")
                if name in {"id", "event", "data"}:
                    fields[name] = value
                if not line and "data" in fields:
                    return fields
        raise EOFError


@asynccontextmanager
async def stream(hospital: Hospital, text: str, **headers: str) -> AsyncIterator[Reader]:
    async with httpx.AsyncClient(base_url=hospital.url, timeout=30) as client:
        sent = {"authorization": f"Bearer {text}", "accept": "text/event-stream"} | headers
        async with client.stream("GET", address("events"), headers=sent) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            yield Reader(answer.aiter_lines())


async def test_a_stream_sends_events_as_they_happen_and_goes_on_after_the_last_id(served: Hospital) -> None:
    _, text = await served.services.api.keys.add("HIS", HIP, [Scope.TICKETS_READ], by="asha")
    first, second = await served.arrive(patients=2)
    async with stream(served, text) as reader:
        got = [await reader.event(), await reader.event()]
        assert [json.loads(one["data"])["data"]["ticket"]["id"] for one in got] == [first.ticket, second.ticket]
        assert [one["event"] for one in got] == ["ticket.created"] * 2
        assert got[1]["id"] == json.loads(got[1]["data"])["cursor"]
        token = await served.call("M1")
        called = await reader.event()
        assert called["event"] == "ticket.called"
        assert json.loads(called["data"])["data"]["ticket"]["token_number"] == token
    async with stream(served, text, **{"last-event-id": got[0]["id"]}) as reader:
        assert (await reader.event())["id"] == got[1]["id"]


@pytest.mark.slow
async def test_a_stream_ends_when_its_key_is_revoked(served: Hospital) -> None:
    key, text = await served.services.api.keys.add("HIS", HIP, [Scope.TICKETS_READ], by="asha")
    async with stream(served, text, **{"last-event-id": "latest"}) as reader:
        await served.services.api.keys.revoke(key.id, by="asha")
        async with asyncio.timeout(60):
            with pytest.raises(EOFError):
                await reader.event()


async def test_head_of_a_stream_ends_at_once(served: Hospital) -> None:
    _, text = await served.services.api.keys.add("HIS", HIP, [Scope.TICKETS_READ], by="asha")
    async with httpx.AsyncClient(base_url=served.url, timeout=5) as client:
        headers = {"authorization": f"Bearer {text}", "accept": "text/event-stream"}
        assert (await client.head(address("events"), headers=headers)).status_code == 200


async def test_of_events_of_one_step_only_the_last_has_an_id(program: Program) -> None:
    await program.hospital.arrive(patients=2)
    events = (await EventLog(program.hospital.services.store).read(HIP)).events
    shown = [event_json(msgspec.structs.replace(one, cursor="7-1"), HIP, ZoneInfo("Asia/Kolkata")) for one in events]
    assert frames(shown).count(b"id: 7-1\n") == 1
    assert frames(shown).index(b"id: 7-1") > frames(shown).index(b"event: ")
