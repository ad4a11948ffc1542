"""Events that the log has dropped, from the archive: of one facility, or of all facilities of a partition together."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from queueing.event_log import Event, cursor_numbers

PAGE: Final = 200
"""Events read of one facility at once, some 40 kB."""
PAGE_MIN: Final = 20
"""A facility that is read costs about as much as so many of its events."""

ReadArchive = Callable[[str, str, int], Awaitable[Sequence[Event]]]
"""Events of a facility after a cursor, oldest first, at most so many; fewer: there are no more. Raises QueueingError
when the archive is away."""


async def archived_events(read: ReadArchive, hips: Sequence[str], after: str) -> list[Event]:
    """Events of these facilities after a cursor, in the order of the log; empty: the archive has none after it.

    The archive keeps each facility's events by itself. A page ends where the first facility that may have more ends, so
    that no event of another facility comes before an older one.
    """
    most = max(PAGE_MIN, PAGE // max(1, len(hips)))
    found: list[Event] = []
    ends = []
    for hip in hips:
        page = await read(hip, after, most)
        found += page
        if len(page) >= most:
            ends.append(cursor_numbers(page[-1].cursor))
    end = min(ends, default=None)
    found.sort(key=_place)
    return found if end is None else [event for event in found if cursor_numbers(event.cursor) <= end]


def _place(event: Event) -> tuple[int, int, int]:
    """Cursor, and place among the events of one step."""
    return *cursor_numbers(event.cursor), int(event.id.rpartition("-")[2].partition(".")[2] or 0)
