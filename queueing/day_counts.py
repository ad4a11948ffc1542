"""The tickets of a facility's day: how many are in which state, and all of them page by page."""

from typing import Final

from msgspec import Struct

from queueing.models import State, Ticket

DAY_PAGE: Final = 500
"""Numbers of one page: the store works on it for about a millisecond, and scans wait as long."""


class DayCounts(Struct, frozen=True, kw_only=True):
    """How many tickets of a facility are in which state at one moment."""

    ended: int
    """Finished or cancelled today."""
    queues: dict[str, dict[State, int]]
    """Queue id -> living tickets by state."""

    def now(self, *states: State) -> int:
        """Living tickets of all queues in these states."""
        return sum(counts[state] for counts in self.queues.values() for state in states)


class DayPage(Struct, frozen=True, kw_only=True):
    """One page of a day's tickets."""

    day: str
    """ISO date of the service day."""
    last: int
    """The last ticket's number: pages after it are empty."""
    tickets: list[Ticket]
    """The first page begins with tickets of the day before that still live."""
