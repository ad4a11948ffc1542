"""The counters of a large hall, each in its own place, where scripts do not run (``static/js/counter_places.js``)."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from queueing.facility_view import Called
from queueing.models import Counter

CALLS_LISTED: Final = 7
"""The newest call and six others fit in a list. A hall with more counters gets a place for each of them."""
DIGITS: Final = 4
"""Of a number, behind its letters: ``-042``."""


class Room(NamedTuple):
    """Places at one time, and how long the names may be at which their text can be read from five metres."""

    places: int
    name: int
    """Characters of a counter, which stands below its number where both are too long for one line."""
    call: int
    """Characters of a number and its counter in one line."""


ROOMS: Final = (Room(12, 16, 24), Room(20, 13, 24), Room(25, 10, 24), Room(35, 16, 9))
"""As in the script; ``css/board_counters.css`` has the columns of each. Longer names take turns rather than shrink:
nobody finds a number that nobody can read.
"""


class FreeCounter(NamedTuple):
    """A counter that serves nobody."""

    counter: str
    token: str = ""


class CounterPlaces(NamedTuple):
    """What each counter serves, in the facility's order of its counters."""

    places: Sequence[Called | FreeCounter]
    room: int
    """For how many places the board is laid out."""

    def turn(self, number: int) -> Sequence[Called | FreeCounter]:
        """The part whose turn it is, where there are more counters than places."""
        start = number % -(-len(self.places) // self.room) * self.room
        return self.places[start : start + self.room]


def counter_places(
    counters: Sequence[Counter], prefixes: Mapping[str, str], calls: Sequence[Called]
) -> CounterPlaces | None:
    """The counters that serve these queues, which come with their prefixes. None while all calls fit in a list;
    ``calls``: the newest first.
    """
    at = {call.counter: call for call in reversed(calls)}
    names = [one.name for one in counters if one.name in at or (one.open and prefixes.keys() & set(one.queues))]
    names += [name for name in at if name not in names]  # taken away meanwhile
    if len(names) <= CALLS_LISTED:
        return None
    longest = {
        one.name: max((len(prefixes.get(queue, "")) for queue in one.queues), default=0) or 1 for one in counters
    }
    room = _room(len(names), max(map(len, names)), max(longest.get(name, 1) + DIGITS + len(name) for name in names))
    return CounterPlaces([at.get(name) or FreeCounter(name) for name in names], room)


def _room(places: int, name: int, call: int) -> int:
    """By the names alone, so that no call changes it."""
    fit = [room.places for room in ROOMS if room.name >= name and room.call >= call]
    return next((room for room in fit if room >= places), fit[-1])
