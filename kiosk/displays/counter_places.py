"""The counters of a large hall, each in its own place, where scripts do not run (``static/js/counter_places.js``)."""

from collections.abc import Iterable, Sequence, Set
from typing import Final, NamedTuple

from queueing.facility_view import Called
from queueing.models import Counter

CALLS_LISTED: Final = 7
"""The newest call and six others fit in a list. A hall with more counters gets a place for each of them."""
ROOMS: Final = (12, 20, 35)
"""Places at one time; ``css/board_counters.css`` has the columns of each."""


class FreeCounter(NamedTuple):
    """A counter that serves nobody."""

    counter: str
    token: str = ""


class CounterPlaces(NamedTuple):
    """What each counter serves, in the facility's order of its counters."""

    places: Sequence[Called | FreeCounter]

    @property
    def room(self) -> int:
        return next((room for room in ROOMS if room >= len(self.places)), ROOMS[-1])

    def turn(self, number: int) -> Sequence[Called | FreeCounter]:
        """The part whose turn it is, where there are more counters than places."""
        start = number % -(-len(self.places) // self.room) * self.room
        return self.places[start : start + self.room]


def counter_places(counters: Iterable[Counter], queues: Set[str], calls: Sequence[Called]) -> CounterPlaces | None:
    """The counters that serve these queues. None while all calls fit in a list; ``calls``: the newest first."""
    at = {call.counter: call for call in reversed(calls)}
    names = [one.name for one in counters if one.name in at or (one.open and queues & set(one.queues))]
    names += [name for name in at if name not in names]  # taken away meanwhile
    if len(names) <= CALLS_LISTED:
        return None
    return CounterPlaces([at.get(name) or FreeCounter(name) for name in names])
