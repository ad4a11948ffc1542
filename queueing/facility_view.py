"""A facility at one moment, as anybody may see it: its queues, its counters, and what was called; numbers, never names.

``functions/snapshot.lua`` gathers it.
"""

from msgspec import Struct

from queueing.announcement import Announcement, BoardHours, Break
from queueing.models import Counter, Named, State
from queueing.opening_hours import Opening
from queueing.waiting import Pace, Usual


class Called(Struct, frozen=True, kw_only=True):
    """One number called to one counter."""

    token: str
    counter: str
    at_ms: int
    calls: int
    """1, and one more for each recall: a board that sees it grow chimes again."""
    state: State
    key: str = ""
    """The ticket's match key. Pages compare it, because a token may come again the next day."""
    sequence: int = 0
    """Number of the call in its facility: each call and recall is one more. 0 in ``now``."""
    queue: str = ""  # queue id; empty in ``now``


class QueueView(Named, frozen=True, kw_only=True):
    """One queue as anybody may see it: numbers and counters alone."""

    id: str
    prefix: str
    open: bool  # whether it takes people at this moment
    waiting: int
    expected: int
    issued: int  # numbers given today
    now: tuple[Called, ...]
    """With a counter at this moment, newest call first."""
    recent: tuple[Called, ...]
    """Last calls, newest first, kept visible after they end."""
    next: tuple[str, ...]
    """The first ``NEXT_SHOWN`` token numbers in the order they will be called."""
    next_keys: tuple[str, ...] = ()  # match keys of ``next``, in the same order
    expected_tokens: tuple[str, ...] = ()  # numbers that count from check-in, oldest first; the first 50
    pace_s: int
    """Seconds between two calls by the whole queue, from the last calls; 0 while unknown."""
    pace_low_s: int
    pace_high_s: int
    pace_mean_s: float = 0.0
    pace_deviation_s: float = 0.0
    pace_calls: int = 0  # gaps that mean and deviation are made of
    usual: Usual | None = None  # on this weekday; None while that is not known
    hours: tuple[int, ...] | None = None  # as ``Queue.hours``
    today: tuple[str, ...] = ()  # time ranges of its hours today, ``09:00–14:00`` each
    opens: Opening | None = None  # when it opens, while its hours keep it closed

    @property
    def pace(self) -> Pace:
        """How fast the queue moves, for an estimate of a wait."""
        return Pace(mean_s=self.pace_mean_s, deviation_s=self.pace_deviation_s, calls=self.pace_calls)


class Snapshot(Named, frozen=True, kw_only=True):
    """A whole facility at one moment."""

    facility: str
    day: str
    """ISO date of the service day."""
    at_ms: int
    queues: tuple[QueueView, ...]
    counters: tuple[Counter, ...]
    calls: tuple[Called, ...] = ()
    """Every call and recall of the last five minutes, oldest first, at most 50. A board announces each new one."""
    last_call: int = 0
    """Sequence of the last call of this facility, undone or not."""
    screens: int = 0
    """Changes of the facility's paired screens so far. A paired screen that sees it move asks what it is to show."""
    desks: int = 0
    """Changes at the facility's desks so far. A desk that sees it move reads anew who sits where."""
    breaks: tuple[Break, ...] = ()  # counters without a clerk for some minutes
    announcements: tuple[Announcement, ...] = ()  # to everybody in the hall; each goes when its time has come
    hours: BoardHours = BoardHours()  # when boards are silent and dark
    corrected: int = 0  # changes of corrected sentences so far; a page that sees it move reads its sentences anew
