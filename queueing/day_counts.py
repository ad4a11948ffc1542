"""How many tickets of a facility are in which state: what ``OpdDesk.counts`` returns."""

from msgspec import Struct

from queueing.models import State


class DayCounts(Struct, frozen=True, kw_only=True):
    """How many tickets of a facility are in which state at one moment."""

    ended: int
    """Finished or cancelled today."""
    queues: dict[str, dict[State, int]]
    """Queue id -> living tickets by state."""

    def now(self, *states: State) -> int:
        """Living tickets of all queues in these states."""
        return sum(counts[state] for counts in self.queues.values() for state in states)
