"""The stream as a screen gets it: over a socket, from the web server of production."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import msgspec
import pytest

from kiosk.live import hub as hub_module
from kiosk.live import sse
from queueing.facility_view import Snapshot
from queueing.models import Facility
from tests.kiosk.hospital import HIP, Hospital, application, emptied, serving, until
from tests.ports import free_port

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def opened(valkey_url: str, folder: Path, port: int) -> AsyncIterator[Hospital]:
    app = application(valkey_url, folder, port)
    async with serving(app, port):
        hospital = Hospital(app, f"http://127.0.0.1:{port}")
        await hospital.build()
        yield hospital


@pytest.fixture
async def served(valkey_url: str, tmp_path: Path) -> AsyncIterator[Hospital]:
    await emptied(valkey_url)
    async with opened(valkey_url, tmp_path / "data", free_port()) as hospital:
        yield hospital


class Event(msgspec.Struct):
    name: str
    data: bytes


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[AsyncIterator[Event]]:
    async with httpx.AsyncClient(timeout=20) as client, client.stream("GET", url) as answer:
        assert answer.status_code == 200
        yield _events(answer)


async def _events(answer: httpx.Response) -> AsyncIterator[Event]:
    name = ""
    async for line in answer.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield Event(name, line.removeprefix("data: ").encode())


async def test_a_screen_gets_the_snapshot_at_once_and_again_after_each_change(served: Hospital) -> None:
    async with listening(f"{served.url}/live/{HIP}") as events:
        await anext(events)
        await served.arrive()
        token = await served.call("M1")
        async for event in events:
            if event.name != "snapshot":
                continue
            hall = msgspec.json.decode(event.data, type=Snapshot)
            if any(call.token == token and call.counter == "M1" for queue in hall.queues for call in queue.now):
                break


async def test_the_stream_says_numbers_and_counters_and_nothing_else(served: Hospital) -> None:
    await served.arrive(patients=3)
    async with listening(f"{served.url}/live/{HIP}") as events:
        hall = msgspec.json.decode((await anext(events)).data)
    assert hall.keys() == set(Snapshot.__struct_fields__)
    assert [queue["next"] for queue in hall["queues"] if queue["id"] == "medicine"] == [["M-001", "M-002", "M-003"]]


async def test_a_phone_gets_what_its_page_uses(served: Hospital) -> None:
    await served.arrive(patients=4)
    tokens = [await served.call("M1"), await served.call("M1")]
    board, phone = [await first_snapshot(f"{served.url}/live/{HIP}{which}") for which in ("", "/phone")]
    whole, less = [next(one for one in each.queues if one.id == "medicine") for each in (board, phone)]
    assert [call.token for call in whole.recent] == tokens[::-1]
    assert len(board.calls) == 2
    assert (less.next, less.expected_tokens, phone.calls) == ((), (), ())
    assert less.recent == whole.recent[:1]
    assert (less.next_keys, less.now, less.waiting) == (whole.next_keys, whole.now, whole.waiting)
    assert len(whole.next_keys) == 2


async def test_phones_and_boards_of_one_facility_each_get_their_own_frame(served: Hospital) -> None:
    async with listening(f"{served.url}/live/{HIP}") as boards, listening(f"{served.url}/live/{HIP}/phone") as phones:
        for events in (boards, phones):
            await anext(events)
        await served.arrive()
        token = await served.call("M1")
        sizes = [await called_frame(events, token) for events in (boards, phones)]
    assert sizes[1] < sizes[0]


async def first_snapshot(url: str) -> Snapshot:
    async with listening(url) as events:
        return msgspec.json.decode((await anext(events)).data, type=Snapshot)


async def called_frame(events: AsyncIterator[Event], token: str) -> int:
    """The size of the frame that shows this number at a counter."""
    async for event in events:
        if event.name == "snapshot":
            shown = msgspec.json.decode(event.data, type=Snapshot)
            if any(call.token == token for queue in shown.queues for call in queue.now):
                return len(event.data)
    raise AssertionError(token)


async def test_a_stream_is_never_kept_and_never_held_back_by_a_proxy(served: Hospital) -> None:
    async with httpx.AsyncClient() as client, client.stream("GET", f"{served.url}/live/{HIP}") as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert "no-store" in answer.headers["cache-control"]
        assert answer.headers["x-accel-buffering"] == "no"


async def test_a_screen_that_goes_away_is_no_listener_any_more(served: Hospital) -> None:
    async with listening(f"{served.url}/live/{HIP}") as events:
        await anext(events)
        assert served.services.hub.listeners == 1
    await until(lambda: served.services.hub.listeners == 0)


async def test_a_reader_that_takes_nothing_is_cut_off(served: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "STALLED_S", 0.3)
    hub = served.services.hub
    port = int(served.url.rpartition(":")[2])
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", port))
        deaf.sendall(f"GET /live/{HIP} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await until(lambda: hub.listeners == 1)
        [mailbox] = next(iter(hub._feeds.values())).mailboxes
        async with asyncio.timeout(30):
            while hub.listeners:
                mailbox.put(b"data: " + b"x" * 1_000_000 + b"\n\n")
                await asyncio.sleep(0.02)


async def test_every_stream_gets_bye_when_the_server_stops(valkey_url: str, tmp_path: Path) -> None:
    await emptied(valkey_url)
    names: list[str] = []
    async with opened(valkey_url, tmp_path / "data", free_port()) as hospital:
        heard = asyncio.Event()

        async def listen() -> None:
            async with listening(f"{hospital.url}/live/{HIP}") as events:
                async for event in events:
                    names.append(event.name)
                    heard.set()

        screen = asyncio.create_task(listen())
        await heard.wait()
    await screen
    assert names == ["snapshot", "pages", "bye"]


async def test_an_unknown_facility_has_no_stream(served: Hospital) -> None:
    async with httpx.AsyncClient(base_url=served.url) as client:
        assert (await client.get("/live/IN0000000000")).status_code == 404
        assert (await client.get("/live/")).status_code == 404


async def test_a_full_hub_answers_with_retry_after(served: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.services.hub, "_most", 0)
    async with httpx.AsyncClient(base_url=served.url) as client:
        answer = await client.get(f"/live/{HIP}")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


async def test_a_stream_is_only_read(served: Hospital) -> None:
    async with httpx.AsyncClient(base_url=served.url) as client:
        assert (await client.post(f"/live/{HIP}")).status_code == 405
        assert (await client.head(f"/live/{HIP}")).status_code == 200
    await until(lambda: served.services.hub.listeners == 0)


async def test_a_hip_id_of_any_characters_has_its_stream(served: Hospital) -> None:
    strange = "सदर/अस्पताल 50% #1?"
    await served.services.registry.put_facility(Facility(hip_id=strange, name="Strange"))
    for which in ("", "/phone"):
        async with listening(f"{served.url}/live/{quote(strange, safe='')}{which}") as events:
            assert msgspec.json.decode((await anext(events)).data)["facility"] == strange


async def test_the_heartbeat_comes_by_itself(valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "HEARTBEAT_S", 0.05)
    await emptied(valkey_url)
    async with opened(valkey_url, tmp_path / "data", free_port()) as hospital:
        async with listening(f"{hospital.url}/live/{HIP}") as events:
            async for event in events:
                if event.name == "beat":
                    break
            assert msgspec.json.decode(event.data)["at_ms"] > 0
