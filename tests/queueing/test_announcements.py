"""Announcements stand in the snapshot until their time, are bounded, and each act is in the audit."""

import time

import pytest

from queueing.announcement import ANNOUNCEMENT_MAX, ANNOUNCEMENTS_MAX, Announcement, BoardHours
from queueing.announcements import Announcements, TooManyAnnouncements
from queueing.audit import Actor, Audit
from queueing.facility_view import Snapshot
from queueing.registry import DoesNotFit
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, build, open_desk

pytestmark = pytest.mark.anyio
CLERK = Actor(login="asha", address="10.0.0.1")


def sentence(name: str, *, for_ms: int = 60_000, text: str = "The doctor is delayed", queue: str = "") -> Announcement:
    now_ms = time.time_ns() // 1_000_000
    return Announcement(id=name, text=text, language="en", queue=queue, at_ms=now_ms, until_ms=now_ms + for_ms)


async def snapshot(store: Store) -> Snapshot:
    found = await open_desk(store).snapshot(HIP)
    assert found is not None
    return found


async def test_an_announcement_stands_until_it_is_taken_back_or_its_time_has_come(store: Store) -> None:
    await build(store)
    announcements = Announcements(store)
    assert (await snapshot(store)).announcements == ()
    first, short = sentence("a", queue="medicine"), sentence("b", for_ms=-1)
    await announcements.announce(HIP, first, act=CLERK.act("announced", "medicine"))
    await announcements.announce(HIP, short, act=CLERK.act("announced"))
    assert (await snapshot(store)).announcements == (first,)
    assert await announcements.end(HIP, "a", act=CLERK.act("announcement_ended", "medicine"))
    assert not await announcements.end(HIP, "a", act=CLERK.act("announcement_ended", "medicine"))
    assert (await snapshot(store)).announcements == ()
    entries = await Audit(store).read(HIP)
    kinds = [(entry.kind, entry.by, entry.why) for entry in entries if entry.kind.startswith("announce")]
    assert kinds == [
        ("announcement_ended", "asha", "medicine"), ("announced", "asha", ""), ("announced", "asha", "medicine"),
    ]  # fmt: skip


async def test_they_are_bounded_and_those_of_the_past_make_room(store: Store) -> None:
    await build(store)
    announcements = Announcements(store)
    for number in range(ANNOUNCEMENTS_MAX):
        await announcements.announce(HIP, sentence(f"old-{number}", for_ms=-1), act=CLERK.act("announced"))
    for number in range(ANNOUNCEMENTS_MAX):
        await announcements.announce(HIP, sentence(f"{number}"), act=CLERK.act("announced"))
    with pytest.raises(TooManyAnnouncements):
        await announcements.announce(HIP, sentence("more"), act=CLERK.act("announced"))
    assert len((await snapshot(store)).announcements) == ANNOUNCEMENTS_MAX
    for text in ("", "x" * (ANNOUNCEMENT_MAX + 1)):
        with pytest.raises(DoesNotFit):
            await announcements.announce(HIP, sentence("x", text=text), act=CLERK.act("announced"))


async def test_hours_of_the_boards_are_in_the_snapshot(store: Store) -> None:
    await build(store)
    announcements = Announcements(store)
    assert (await snapshot(store)).hours == BoardHours()
    hours = BoardHours(quiet_from="13:00", quiet_to="14:30", night_from="20:00", night_to="06:00", moves=False)
    await announcements.set_hours(HIP, hours, act=CLERK.act("admin_board-hours"))
    assert (await snapshot(store)).hours == hours
    for wrong in ("24:00", "1:00", "13:60", "noon"):
        with pytest.raises(DoesNotFit):
            await announcements.set_hours(HIP, BoardHours(quiet_from=wrong), act=CLERK.act("admin_board-hours"))
    assert (await snapshot(store)).hours == hours
