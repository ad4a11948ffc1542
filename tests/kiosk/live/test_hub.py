"""The hub, with hospitals and changes that a test controls."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import msgspec
import pytest

from kiosk.live import hub as hub_module
from kiosk.live.frames import BYE
from kiosk.live.hub import Hub, HubFull, Mailbox, UnknownFacility
from queueing.errors import StoreAway
from queueing.facility_view import Snapshot
from queueing.feed import EVERYTHING
from queueing.redis_keys import facility_key
from tests.kiosk.hospital import until

pytestmark = pytest.mark.anyio

HIP, OTHER = "IN01", "IN02"


class Hospitals:
    """Two hospitals. Each read is counted, and can be made to wait or to fail."""

    def __init__(self) -> None:
        self.at_ms = 1
        self.reads: Counter[str] = Counter()
        self.away = False
        self.again: Snapshot | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def snapshot(self, hip: str) -> Snapshot | None:
        self.reads[hip] += 1
        at_ms = self.at_ms
        await self.open.wait()
        if self.away:
            raise StoreAway("away")
        if hip not in (HIP, OTHER):
            return None
        if self.again:
            return self.again
        return Snapshot(facility=hip, name=f"{hip} {at_ms}", day="2026-11-23", at_ms=at_ms, queues=(), counters=())


class Changes:
    """A source of changes that a test controls."""

    def __init__(self) -> None:
        self.pending: asyncio.Queue[dict[str, bool] | Exception] = asyncio.Queue()

    async def follow(self) -> AsyncIterator[dict[str, bool]]:
        while True:
            frame = await self.pending.get()
            if isinstance(frame, Exception):
                raise frame
            yield frame

    def changed(self, *hips: str, moved: bool = True) -> None:
        self.pending.put_nowait({facility_key(hip): moved for hip in hips})


@pytest.fixture
def hospitals() -> Hospitals:
    return Hospitals()


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
async def hub(hospitals: Hospitals, changes: Changes, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.setattr(hub_module, "REDRAW_S", 0.001)
    monkeypatch.setattr(hub_module, "PULSE_S", 0.05)
    running = Hub(changes, hospitals, most_listeners=20_000)
    running.start()
    yield running
    await running.close()


async def hears(mailbox: Mailbox, message: bytes) -> bytes:
    """Take frames until one contains this text."""
    async with asyncio.timeout(20):
        while message not in (frame := await mailbox.take()):
            assert frame, "the stream ended"
        return frame


async def test_a_new_listener_gets_the_snapshot_at_once(hub: Hub) -> None:
    frame = await (await hub.subscribe(HIP)).take()
    assert frame.startswith(b"event: snapshot\nid: 1\ndata: {")
    assert frame.endswith(b"}\n\n")


async def test_a_change_reaches_everybody_who_listens_there_and_nobody_else(
    hub: Hub, hospitals: Hospitals, changes: Changes
) -> None:
    here, also_here, elsewhere = [await hub.subscribe(hip) for hip in (HIP, HIP, OTHER)]
    for mailbox in (here, also_here, elsewhere):
        await mailbox.take()
    hospitals.at_ms = 2
    changes.changed(HIP)
    assert b"id: 2" in await hears(here, b"snapshot")
    assert b"id: 2" in await hears(also_here, b"snapshot")
    elsewhere.heartbeat()
    assert b"beat" in await elsewhere.take()


async def test_arrivals_are_gathered_until_somebody_is_called(
    hub: Hub, hospitals: Hospitals, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "GATHER_S", 60)
    mailbox = await hub.subscribe(HIP)
    await mailbox.take()
    reads = hospitals.reads[HIP]
    hospitals.at_ms = 2
    for _ in range(50):
        changes.changed(HIP, moved=False)
    changes.changed(HIP)
    assert b"id: 2" in await hears(mailbox, b"snapshot")
    assert hospitals.reads[HIP] <= reads + 2, "the arrivals cost no look of their own"


async def test_a_call_is_read_only_when_whoever_made_it_had_time_for_the_answer(
    hub: Hub, hospitals: Hospitals, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "ANSWER_FIRST_S", 60)
    await (await hub.subscribe(HIP)).take()
    reads, seen = hospitals.reads[HIP], hub.changes.version(facility_key(HIP))
    changes.changed(HIP)
    assert await hub.changes.wait(facility_key(HIP), seen, 20)
    for _ in range(100):  # turns of the loop: it would read in the first of them
        await asyncio.sleep(0)
    assert hospitals.reads[HIP] == reads


async def test_an_arrival_is_shown_though_nobody_is_called(hub: Hub, hospitals: Hospitals, changes: Changes) -> None:
    mailbox = await hub.subscribe(HIP)
    hospitals.at_ms = 2
    changes.changed(HIP, moved=False)
    assert b"id: 2" in await hears(mailbox, b"id: 2")


async def test_an_unchanged_snapshot_is_not_sent_again(hub: Hub, hospitals: Hospitals, changes: Changes) -> None:
    mailbox = await hub.subscribe(HIP)
    await mailbox.take()
    same = await hospitals.snapshot(HIP)
    assert same
    hospitals.again = msgspec.structs.replace(same, at_ms=9)
    reads = hospitals.reads[HIP]
    changes.changed(HIP)
    await until(lambda: hospitals.reads[HIP] > reads)
    mailbox.heartbeat()
    assert b"beat" in await mailbox.take()


async def test_a_slow_listener_gets_the_newest_and_not_every_old_one(
    hub: Hub, hospitals: Hospitals, changes: Changes
) -> None:
    slow, quick = await hub.subscribe(HIP), await hub.subscribe(HIP)
    for at_ms in range(2, 6):
        hospitals.at_ms = at_ms
        changes.changed(HIP)
        await hears(quick, b"id: %d" % at_ms)
    assert b"id: 5" in await slow.take()
    slow.heartbeat()
    assert b"beat" in await slow.take()


async def test_many_who_subscribe_together_cost_one_read(hospitals: Hospitals, changes: Changes) -> None:
    hub = Hub(changes, hospitals)  # not started: nothing else reads
    hospitals.open.clear()
    joining = [asyncio.create_task(hub.subscribe(HIP)) for _ in range(500)]
    await until(lambda: hub.listeners == 500)
    hospitals.open.set()
    await asyncio.gather(*joining)
    assert hospitals.reads[HIP] == 1
    await hub.close()


async def test_a_burst_of_changes_is_read_at_most_twice(hub: Hub, hospitals: Hospitals, changes: Changes) -> None:
    mailbox = await hub.subscribe(HIP)
    hospitals.open.clear()
    hospitals.at_ms = 2
    before = hospitals.reads[HIP]
    for _ in range(50):
        changes.changed(HIP)
    await until(changes.pending.empty)
    hospitals.at_ms = 3
    hospitals.open.set()
    await hears(mailbox, b"id: 3")
    assert (
        hospitals.reads[HIP] - before <= 3
    )  # one in flight, one for the changes that came meanwhile, perhaps one pulse


async def test_after_a_gap_in_the_changes_every_facility_is_read(
    hub: Hub, hospitals: Hospitals, changes: Changes
) -> None:
    mailboxes = [await hub.subscribe(hip) for hip in (HIP, OTHER)]
    hospitals.at_ms = 2
    changes.pending.put_nowait({EVERYTHING: True})
    for mailbox in mailboxes:
        await hears(mailbox, b"id: 2")


async def test_an_unknown_facility_is_refused_and_leaves_nothing_behind(hub: Hub) -> None:
    with pytest.raises(UnknownFacility):
        await hub.subscribe("nowhere")
    assert (hub.listeners, hub.facilities) == (0, 0)


async def test_nobody_subscribes_beyond_the_limit_and_a_place_given_up_is_free_again(
    hospitals: Hospitals, changes: Changes
) -> None:
    small = Hub(changes, hospitals, most_listeners=2)
    first, _ = await small.subscribe(HIP), await small.subscribe(HIP)
    with pytest.raises(HubFull):
        await small.subscribe(HIP)
    small.unsubscribe(first)
    await small.subscribe(OTHER)
    await small.close()


async def test_unsubscribing_twice_counts_once_and_a_facility_without_listeners_is_forgotten(hub: Hub) -> None:
    mailbox = await hub.subscribe(HIP)
    hub.unsubscribe(mailbox)
    hub.unsubscribe(mailbox)
    assert (hub.listeners, hub.facilities) == (0, 0)
    assert await mailbox.take() != b""  # what it had not read yet
    assert await mailbox.take() == b""


async def test_listeners_get_stale_with_the_last_state_and_then_the_return_of_the_store(
    hub: Hub, hospitals: Hospitals
) -> None:
    mailbox = await hub.subscribe(HIP)
    await mailbox.take()
    hospitals.away = True
    frame = await hears(mailbox, b"event: stale")
    assert b'"since_ms":' in frame
    assert b"id: 1" in frame
    hospitals.away = False
    assert b"stale" not in await hears(mailbox, b"event: snapshot\nid: 1")


async def test_when_one_facility_is_stale_the_others_are_read_too(hub: Hub, hospitals: Hospitals) -> None:
    here, elsewhere = await hub.subscribe(HIP), await hub.subscribe(OTHER)
    hospitals.away = True
    await hears(here, b"stale")
    await hears(elsewhere, b"stale")


async def test_a_new_listener_of_a_stale_facility_gets_stale(hub: Hub, hospitals: Hospitals) -> None:
    first = await hub.subscribe(HIP)
    hospitals.away = True
    await hears(first, b"stale")
    assert b"event: stale" in await (await hub.subscribe(HIP)).take()


async def test_a_store_away_at_the_first_read_refuses_and_leaves_nothing_behind(hub: Hub, hospitals: Hospitals) -> None:
    hospitals.away = True
    with pytest.raises(StoreAway):
        await hub.subscribe(HIP)
    assert (hub.listeners, hub.facilities) == (0, 0)


async def test_a_feed_that_breaks_is_followed_again_and_nothing_is_missed(
    hub: Hub, hospitals: Hospitals, changes: Changes
) -> None:
    mailbox = await hub.subscribe(HIP)
    await mailbox.take()
    hospitals.at_ms = 2
    changes.pending.put_nowait(RuntimeError("broken"))
    await hears(mailbox, b"id: 2")
    hospitals.at_ms = 3
    changes.changed(HIP)
    await hears(mailbox, b"id: 3")


async def test_a_lost_change_is_made_good_by_reading_again(
    hub: Hub, hospitals: Hospitals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "REFRESH_AT_LATEST_S", 0.0)
    mailbox = await hub.subscribe(HIP)
    hospitals.at_ms = 2
    await hears(mailbox, b"id: 2")


async def test_closing_sends_bye_to_everybody_and_refuses_new_listeners(hospitals: Hospitals, changes: Changes) -> None:
    closing = Hub(changes, hospitals)
    closing.start()
    mailboxes = [await closing.subscribe(HIP) for _ in range(300)]
    await closing.close()
    for mailbox in mailboxes:
        assert (await mailbox.take()).endswith(BYE)
        assert await mailbox.take() == b""
    with pytest.raises(HubFull):
        await closing.subscribe(HIP)


async def test_ten_thousand_listeners_leave_room_for_other_work(
    hub: Hub, hospitals: Hospitals, changes: Changes
) -> None:
    mailboxes = [await hub.subscribe(HIP) for _ in range(10_000)]
    for mailbox in mailboxes:
        await mailbox.take()
    listening = [asyncio.create_task(mailbox.take()) for mailbox in mailboxes]
    await asyncio.sleep(0)
    turns: list[int] = []
    hospitals.at_ms = 2
    changes.changed(HIP)
    while not listening[-1].done() or not listening[0].done():
        await asyncio.sleep(0)
        turns.append(sum(task.done() for task in listening[::100]))
    woken = [after - before for before, after in zip([0, *turns], turns, strict=False)]
    assert all(b"id: 2" in frame for frame in await asyncio.gather(*listening))
    assert max(woken) <= 5  # of every hundredth listener: no turn of the loop wakes more than a few hundred
