"""Archived events of many facilities come in the order of the log, page by page, each once."""

import pytest

from kiosk.delivery.archived import PAGE, PAGE_MIN, archived_events
from queueing.event_log import Event, EventKind, cursor_numbers

pytestmark = pytest.mark.anyio


def event(hip: str, number: int, place: int = 0) -> Event:
    cursor = f"{number}-0"
    end = f".{place}" if place else ""
    return Event(
        id=f"{hip}-{cursor}{end}", cursor=cursor, facility_key=hip, kind=EventKind.CREATED, at_ms=number, by=""
    )


KEPT = {
    "few": [event("few", number) for number in (3, 500, 1_001)],
    "many": [event("many", number) for number in range(1, 1_000)],
    "step": [event("step", 7, place) for place in (1, 2)],
    "none": [],
}


async def read(hip: str, after: str, limit: int) -> list[Event]:
    """As the archive reads: the events of one step are never parted."""
    following = [one for one in KEPT[hip] if cursor_numbers(one.cursor) > cursor_numbers(after)]
    found = following[:limit]
    return found + [one for one in following[limit:] if one.cursor == found[-1].cursor]


async def test_every_event_comes_once_in_the_order_of_the_log() -> None:
    found: list[Event] = []
    after = "0"
    while page := await archived_events(read, list(KEPT), after):
        assert len(page) >= PAGE_MIN or len(found) + len(page) == sum(map(len, KEPT.values()))
        found += page
        after = page[-1].cursor
    expected = [one for events in KEPT.values() for one in events]
    assert sorted(one.id for one in found) == sorted(one.id for one in expected)
    places = [cursor_numbers(one.cursor) for one in found]
    assert places == sorted(places)
    assert [one.id for one in found if one.facility_key == "step"] == ["step-7-0.1", "step-7-0.2"]


async def test_one_facility_is_read_by_whole_pages() -> None:
    assert len(await archived_events(read, ["many"], "0")) == PAGE
    assert await archived_events(read, [], "0") == []
