"""The newest snapshot in one answer, for screens whose stream is full or held back."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from kiosk.live.hub import Hub
from kiosk.live.polling import FRESH_S, PollLimits, Polls, TooManyPolls
from kiosk.web.page_mark import page_mark
from queueing.facility_view import Snapshot
from tests.kiosk.hospital import HIP, Hospital, until

pytestmark = pytest.mark.anyio


class CountingDesk:
    """A desk that counts its snapshots. Each has a later time."""

    def __init__(self) -> None:
        self.reads = 0
        self.called = 0

    async def snapshot(self, hip: str) -> Snapshot | None:
        self.reads += 1
        await asyncio.sleep(0)
        if hip != HIP:
            return None
        return Snapshot(
            facility=HIP, name="", day="2026-01-01", at_ms=self.reads, queues=(), counters=(), last_call=self.called
        )


class NoChanges:
    """A source without changes."""

    async def follow(self) -> AsyncIterator[dict[str, bool]]:
        await asyncio.Event().wait()
        yield {}


class Clock:
    """A clock that a test sets, in seconds."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def screen(served: Hospital) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.url) as client:
        yield client


async def test_a_screen_that_asks_gets_what_the_stream_sends(served: Hospital, screen: httpx.AsyncClient) -> None:
    await served.arrive(patients=2)
    async with screen.stream("GET", f"/live/{HIP}") as stream:
        lines = stream.aiter_lines()  # the stream is closed when its iterator is gone
        sent = await _first_data(lines)
        answer = await screen.get(f"/live/{HIP}/now")
    assert answer.content == sent
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


async def _first_data(lines: AsyncIterator[str]) -> bytes:
    async for line in lines:
        if line.startswith("data: "):
            return line.removeprefix("data: ").encode()
    raise EOFError


async def test_without_a_stream_the_answer_is_the_present_state(served: Hospital, screen: httpx.AsyncClient) -> None:
    await served.arrive(patients=3)
    hall = msgspec.json.decode((await screen.get(f"/live/{HIP}/now")).content, type=Snapshot)
    assert [queue.waiting for queue in hall.queues if queue.id == "medicine"] == [3]
    assert served.services.hub.listeners == 0


async def test_a_snapshot_that_the_screen_has_is_not_sent_again(served: Hospital, screen: httpx.AsyncClient) -> None:
    first = await screen.get(f"/live/{HIP}/now")
    tag = {"if-none-match": first.headers["etag"]}
    again = await screen.get(f"/live/{HIP}/now", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["kiosk-pages"] == page_mark()
    await served.arrive()
    served.services.polls._saved.clear()
    assert (await screen.get(f"/live/{HIP}/now", headers=tag)).status_code == 200


async def test_the_tag_is_the_same_in_every_process(served: Hospital, screen: httpx.AsyncClient) -> None:
    first = await screen.get(f"/live/{HIP}/now")
    desk = served.services.desk
    other, _ = await Polls(Hub(NoChanges(), desk), desk).newest(HIP)
    assert other.tag == first.headers["etag"]


async def test_an_answer_says_the_mark_of_the_pages_and_the_time(served: Hospital, screen: httpx.AsyncClient) -> None:
    answer = await screen.get(f"/live/{HIP}/now")
    assert answer.headers["kiosk-pages"] == page_mark()
    assert int(answer.headers["kiosk-now-ms"]) >= answer.json()["at_ms"] - 1
    assert f'data-pages="{page_mark()}"' in (await screen.get(f"/board/{HIP}")).text
    assert "kiosk-stale-since-ms" not in answer.headers


async def test_while_the_store_is_away_the_last_snapshot_is_sent_as_stale(
    served: Hospital, screen: httpx.AsyncClient
) -> None:
    async with screen.stream("GET", f"/live/{HIP}") as stream:
        lines = stream.aiter_lines()  # the stream is closed when its iterator is gone
        await _first_data(lines)
        [feed] = served.services.hub._feeds.values()
        for _ in range(20):  # a read of the store between these two lines ends the staleness
            feed.stale_since_ms = 1_700_000_000_000
            answer = await screen.get(f"/live/{HIP}/now")
            if "kiosk-stale-since-ms" in answer.headers:
                break
    assert answer.headers["kiosk-stale-since-ms"] == "1700000000000"
    assert answer.json()["facility"] == HIP


async def test_head_and_other_methods(served: Hospital, screen: httpx.AsyncClient) -> None:
    head = await screen.head(f"/live/{HIP}/now")
    assert (head.status_code, head.content) == (200, b"")
    assert (await screen.post(f"/live/{HIP}/now")).status_code == 405
    assert (await screen.get("/live/IN0000000000/now")).status_code == 404


async def test_polls_are_answered_while_all_streams_are_taken(
    served: Hospital, screen: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.services.hub, "_most", 0)
    assert (await screen.get(f"/live/{HIP}")).status_code == 503
    assert (await screen.get(f"/live/{HIP}/now")).status_code == 200


async def test_too_many_polls_get_a_retry_after(
    served: Hospital, screen: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.services.poll_limits, "_per_worker", 0)
    answer = await screen.get(f"/live/{HIP}/now")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


async def test_a_thousand_polls_of_one_second_read_the_store_once() -> None:
    desk, clock = CountingDesk(), Clock()
    polls = Polls(Hub(NoChanges(), desk), desk, clock_s=clock)
    found = await asyncio.gather(*(polls.newest(HIP) for _ in range(1_000)))
    assert desk.reads == 1
    assert {newest.tag for newest, _ in found} == {found[0][0].tag}
    clock.now_s = FRESH_S
    later, _ = await polls.newest(HIP)
    assert desk.reads == 2
    assert later.tag == found[0][0].tag, "only the moment differs"
    desk.called, clock.now_s = 1, 2 * FRESH_S
    assert (await polls.newest(HIP))[0].tag != later.tag


async def test_polls_of_a_streamed_facility_read_nothing() -> None:
    desk, clock = CountingDesk(), Clock()
    hub = Hub(NoChanges(), desk)
    polls = Polls(hub, desk, clock_s=clock)
    mailbox = await hub.subscribe(HIP)
    for second in range(10):
        clock.now_s = second * FRESH_S
        newest, stale_since_ms = await polls.newest(HIP)
        assert (newest.frame, stale_since_ms) == (hub._feeds[mailbox.key].frame, 0)
    assert desk.reads == 1
    hub.unsubscribe(mailbox)
    await until(lambda: hub.facilities == 0)


def test_one_address_and_one_worker_have_their_polls_of_a_second() -> None:
    clock = Clock()
    limits = PollLimits(per_address=2, per_worker=4, clock_s=clock)
    for _ in range(2):
        limits.count("192.0.2.1")
    with pytest.raises(TooManyPolls):
        limits.count("192.0.2.1")
    for _ in range(2):
        limits.count("127.0.0.1")
    with pytest.raises(TooManyPolls):
        limits.count("127.0.0.1")
    clock.now_s = 1.0
    limits.count("192.0.2.1")
    limits.count("192.0.2.2")
