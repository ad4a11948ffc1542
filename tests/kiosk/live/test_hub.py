"""The hub alone, with a hall and changes that do what a test says."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import msgspec
import pytest

from kiosk.live import hub as hub_module
from kiosk.live.hub import BYE, Hub, HubFull, Mailbox, UnknownHall
from queueing.errors import StoreAway
from queueing.feed import EVERYTHING
from queueing.models import Snapshot
from queueing.redis_keys import facility_key
from tests.kiosk.hospital import until

pytestmark = pytest.mark.anyio

HIP, OTHER = "IN01", "IN02"


class Hall:
    """Two hospitals; each look is counted, and can be made to wait or to fail."""

    def __init__(self) -> None:
        self.at_ms = 1
        self.looks: Counter[str] = Counter()
        self.away = False
        self.again: Snapshot | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def snapshot(self, hip: str) -> Snapshot | None:
        self.looks[hip] += 1
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
    """What a test says has changed."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[dict[str, bool] | Exception] = asyncio.Queue()

    async def follow(self) -> AsyncIterator[dict[str, bool]]:
        while True:
            said = await self.told.get()
            if isinstance(said, Exception):
                raise said
            yield said

    def changed(self, *hips: str, moved: bool = True) -> None:
        self.told.put_nowait({facility_key(hip): moved for hip in hips})


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
async def hub(hall: Hall, changes: Changes, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.setattr(hub_module, "REDRAW_S", 0.001)
    monkeypatch.setattr(hub_module, "PULSE_S", 0.05)
    running = Hub(changes, hall, most_listeners=20_000)
    running.start()
    yield running
    await running.close()


async def hears(mailbox: Mailbox, words: bytes) -> bytes:
    """Take frames until one has these words."""
    async with asyncio.timeout(20):
        while words not in (frame := await mailbox.take()):
            assert frame, "the stream ended"
        return frame


async def test_a_newcomer_hears_the_hall_at_once(hub: Hub) -> None:
    frame = await (await hub.join(HIP)).take()
    assert frame.startswith(b"event: snapshot\nid: 1\ndata: {")
    assert frame.endswith(b"}\n\n")


async def test_a_change_reaches_everybody_who_listens_there_and_nobody_else(
    hub: Hub, hall: Hall, changes: Changes
) -> None:
    here, also_here, elsewhere = [await hub.join(hip) for hip in (HIP, HIP, OTHER)]
    for mailbox in (here, also_here, elsewhere):
        await mailbox.take()
    hall.at_ms = 2
    changes.changed(HIP)
    assert b"id: 2" in await hears(here, b"snapshot")
    assert b"id: 2" in await hears(also_here, b"snapshot")
    elsewhere.beat()
    assert b"beat" in await elsewhere.take()


async def test_arrivals_are_gathered_until_somebody_is_called(
    hub: Hub, hall: Hall, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "GATHER_S", 60)
    mailbox = await hub.join(HIP)
    await mailbox.take()
    looks = hall.looks[HIP]
    hall.at_ms = 2
    for _ in range(50):
        changes.changed(HIP, moved=False)
    changes.changed(HIP)
    assert b"id: 2" in await hears(mailbox, b"snapshot")
    assert hall.looks[HIP] <= looks + 2, "the arrivals cost no look of their own"


async def test_an_arrival_is_shown_though_nobody_is_called(hub: Hub, hall: Hall, changes: Changes) -> None:
    mailbox = await hub.join(HIP)
    hall.at_ms = 2
    changes.changed(HIP, moved=False)
    assert b"id: 2" in await hears(mailbox, b"id: 2")


async def test_a_neighbours_news_are_no_picture_of_ours(hub: Hub, hall: Hall, changes: Changes) -> None:
    mailbox = await hub.join(HIP)
    await mailbox.take()
    same = await hall.snapshot(HIP)
    assert same
    hall.again = msgspec.structs.replace(same, at_ms=9)
    looks = hall.looks[HIP]
    changes.changed(HIP)
    await until(lambda: hall.looks[HIP] > looks)
    mailbox.beat()
    assert b"beat" in await mailbox.take()


async def test_a_slow_listener_gets_the_newest_and_not_every_old_one(hub: Hub, hall: Hall, changes: Changes) -> None:
    slow, quick = await hub.join(HIP), await hub.join(HIP)
    for at_ms in range(2, 6):
        hall.at_ms = at_ms
        changes.changed(HIP)
        await hears(quick, b"id: %d" % at_ms)
    assert b"id: 5" in await slow.take()
    slow.beat()
    assert b"beat" in await slow.take()


async def test_many_who_come_together_cost_one_look(hall: Hall, changes: Changes) -> None:
    hub = Hub(changes, hall)  # not started: nothing else looks
    hall.open.clear()
    joining = [asyncio.create_task(hub.join(HIP)) for _ in range(500)]
    await until(lambda: hub.listeners == 500)
    hall.open.set()
    await asyncio.gather(*joining)
    assert hall.looks[HIP] == 1
    await hub.close()


async def test_a_burst_of_news_is_drawn_at_most_twice(hub: Hub, hall: Hall, changes: Changes) -> None:
    mailbox = await hub.join(HIP)
    hall.open.clear()
    hall.at_ms = 2
    before = hall.looks[HIP]
    for _ in range(50):
        changes.changed(HIP)
    await until(changes.told.empty)
    hall.at_ms = 3
    hall.open.set()
    await hears(mailbox, b"id: 3")
    assert hall.looks[HIP] - before <= 3  # one in flight, one for the changes that came meanwhile, perhaps one pulse


async def test_after_a_gap_in_the_news_every_hall_is_looked_at(hub: Hub, hall: Hall, changes: Changes) -> None:
    mailboxes = [await hub.join(hip) for hip in (HIP, OTHER)]
    hall.at_ms = 2
    changes.told.put_nowait({EVERYTHING: True})
    for mailbox in mailboxes:
        await hears(mailbox, b"id: 2")


async def test_an_unknown_facility_is_refused_and_leaves_nothing_behind(hub: Hub) -> None:
    with pytest.raises(UnknownHall):
        await hub.join("nowhere")
    assert (hub.listeners, hub.halls) == (0, 0)


async def test_nobody_joins_beyond_the_limit_and_a_place_given_up_is_free_again(hall: Hall, changes: Changes) -> None:
    small = Hub(changes, hall, most_listeners=2)
    first, _ = await small.join(HIP), await small.join(HIP)
    with pytest.raises(HubFull):
        await small.join(HIP)
    small.leave(first)
    await small.join(OTHER)
    await small.close()


async def test_leaving_twice_counts_once_and_an_empty_hall_is_forgotten(hub: Hub) -> None:
    mailbox = await hub.join(HIP)
    hub.leave(mailbox)
    hub.leave(mailbox)
    assert (hub.listeners, hub.halls) == (0, 0)
    assert await mailbox.take() != b""  # what it had not read yet
    assert await mailbox.take() == b""


async def test_a_store_that_is_away_is_told_with_the_last_state_and_its_return_too(hub: Hub, hall: Hall) -> None:
    mailbox = await hub.join(HIP)
    await mailbox.take()
    hall.away = True
    said = await hears(mailbox, b"event: stale")
    assert b'"since_ms":' in said
    assert b"id: 1" in said
    hall.away = False
    assert b"stale" not in await hears(mailbox, b"event: snapshot\nid: 1")


async def test_when_one_hall_is_stale_the_others_are_looked_at_too(hub: Hub, hall: Hall) -> None:
    here, elsewhere = await hub.join(HIP), await hub.join(OTHER)
    hall.away = True
    await hears(here, b"stale")
    await hears(elsewhere, b"stale")


async def test_whoever_joins_a_stale_hall_hears_that_it_is_stale(hub: Hub, hall: Hall) -> None:
    first = await hub.join(HIP)
    hall.away = True
    await hears(first, b"stale")
    assert b"event: stale" in await (await hub.join(HIP)).take()


async def test_a_store_away_at_the_first_look_refuses_and_leaves_nothing_behind(hub: Hub, hall: Hall) -> None:
    hall.away = True
    with pytest.raises(StoreAway):
        await hub.join(HIP)
    assert (hub.listeners, hub.halls) == (0, 0)


async def test_a_feed_that_breaks_is_followed_again_and_nothing_is_missed(
    hub: Hub, hall: Hall, changes: Changes
) -> None:
    mailbox = await hub.join(HIP)
    await mailbox.take()
    hall.at_ms = 2
    changes.told.put_nowait(RuntimeError("broken"))
    await hears(mailbox, b"id: 2")
    hall.at_ms = 3
    changes.changed(HIP)
    await hears(mailbox, b"id: 3")


async def test_lost_news_are_made_good_by_looking_again(hub: Hub, hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "LOOK_AGAIN_S", 0.0)
    mailbox = await hub.join(HIP)
    hall.at_ms = 2
    await hears(mailbox, b"id: 2")


async def test_closing_says_goodbye_to_everybody_and_lets_nobody_in(hall: Hall, changes: Changes) -> None:
    closing = Hub(changes, hall)
    closing.start()
    mailboxes = [await closing.join(HIP) for _ in range(300)]
    await closing.close()
    for mailbox in mailboxes:
        assert (await mailbox.take()).endswith(BYE)
        assert await mailbox.take() == b""
    with pytest.raises(HubFull):
        await closing.join(HIP)


async def test_ten_thousand_listeners_leave_room_for_other_work(hub: Hub, hall: Hall, changes: Changes) -> None:
    mailboxes = [await hub.join(HIP) for _ in range(10_000)]
    for mailbox in mailboxes:
        await mailbox.take()
    listening = [asyncio.create_task(mailbox.take()) for mailbox in mailboxes]
    await asyncio.sleep(0)
    turns: list[int] = []
    hall.at_ms = 2
    changes.changed(HIP)
    while not listening[-1].done() or not listening[0].done():
        await asyncio.sleep(0)
        turns.append(sum(task.done() for task in listening[::100]))
    woken = [after - before for before, after in zip([0, *turns], turns, strict=False)]
    assert all(b"id: 2" in frame for frame in await asyncio.gather(*listening))
    assert max(woken) <= 5  # of every hundredth listener: no turn of the loop wakes more than a few hundred
