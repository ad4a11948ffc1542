"""When a queue takes people: spans of the week, and holidays of the facility, by its wall clock.

A minute here is a minute of the facility's wall clock since 1970-01-01 00:00; a day is a day since then. The functions
in the store decide whether a scan is within the hours (``within_hours`` in functions/shared/counters.lua); what is said
about the hours is computed here. A test compares both.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Annotated, Final

from msgspec import Meta, Struct

DAY_MIN: Final = 1_440
WEEK_MIN: Final = 7 * DAY_MIN
_THURSDAY_MIN: Final = 3 * DAY_MIN
"""1970 began on a Thursday; weeks begin on Monday."""
SPANS_MAX: Final = 28
"""Four a weekday: morning, noon, afternoon, night."""
HOLIDAYS_MAX: Final = 100
"""Three years of public holidays."""
HOLIDAY_NAME_MAX: Final = 60
"""Characters: one line of a phone."""
_WEEKS_AHEAD: Final = 9
"""A queue that does not open for two months is as good as closed: no day is named."""

Spans = Annotated[tuple[Annotated[int, Meta(ge=0, le=2 * WEEK_MIN)], ...], Meta(max_length=2 * SPANS_MAX)]
"""Opening and closing in turn, minutes from Monday 00:00, ascending. The last closing may lie in the next week."""


class Holiday(Struct, frozen=True, array_like=True):
    """A day on which no queue with hours opens."""

    day: Annotated[int, Meta(ge=0, le=100_000)]
    name: Annotated[str, Meta(max_length=HOLIDAY_NAME_MAX)] = ""


class ClosedByHours(Struct, frozen=True, array_like=True):
    """What a refused scan met; the store writes it beside the reply, so that each attempt says the same."""

    minute: int
    spans: tuple[int, ...]
    holidays: tuple[int, ...]

    @property
    def opening(self) -> "Opening | None":
        """When it opens, as of the scan."""
        return next_opening(self.spans, self.holidays, self.minute)


class Opening(Struct, frozen=True):
    """A moment by the facility's wall clock."""

    days: int
    """0 today, 1 tomorrow."""
    date: str
    """ISO."""
    time: str
    """``HH:MM``."""


def local_minute(now_ms: int, zone: tzinfo) -> int:
    """The wall clock of a zone."""
    local = datetime.fromtimestamp(now_ms / 1000, zone).replace(tzinfo=UTC)
    return int(local.timestamp()) // 60


def fault_of(spans: Sequence[int]) -> str:
    """What is wrong with spans; empty when they are in order, apart from each other and at most a day long."""
    if len(spans) % 2:
        return "an opening has no closing"
    pairs = list(zip(spans[::2], spans[1::2], strict=True))
    if any(not opens < closes <= opens + DAY_MIN or opens >= WEEK_MIN for opens, closes in pairs):
        return "a time range ends before it begins"
    wrapped = [*pairs, (pairs[0][0] + WEEK_MIN, 0)] if pairs else []
    if any(before[1] > after[0] for before, after in pairwise(wrapped)):
        return "two time ranges overlap"
    return ""


def is_within(spans: Sequence[int], holidays: Collection[int], minute: int) -> bool:
    """Whether a span is open that did not begin on a holiday."""
    for opens, closes in zip(spans[::2], spans[1::2], strict=True):
        since = (minute + _THURSDAY_MIN - opens) % WEEK_MIN
        if since < closes - opens:
            return (minute - since) // DAY_MIN not in holidays
    return False


def next_opening(spans: Sequence[int], holidays: Collection[int], minute: int) -> Opening | None:
    """The next beginning of a span after this minute; None when none is near."""
    monday = minute - (minute + _THURSDAY_MIN) % WEEK_MIN
    for week in range(_WEEKS_AHEAD):
        for opens in spans[::2]:
            at = monday + week * WEEK_MIN + opens
            if at > minute and at // DAY_MIN not in holidays:
                return _opening(at, minute)
    return None


def spans_of_day(spans: Sequence[int], holidays: Collection[int], day: int) -> tuple[str, ...]:
    """The spans that begin on this day, ``09:00–14:00`` each."""
    if day in holidays:
        return ()
    begins = (day * DAY_MIN + _THURSDAY_MIN) % WEEK_MIN
    pairs = zip(spans[::2], spans[1::2], strict=True)
    return tuple(f"{clock(o)}–{clock(c, is_end=True)}" for o, c in pairs if begins <= o < begins + DAY_MIN)


def clock(minute: int, *, is_end: bool = False) -> str:
    """``HH:MM``; the end of a day is ``24:00``."""
    if is_end and minute % DAY_MIN == 0:
        return "24:00"
    return f"{minute % DAY_MIN // 60:02}:{minute % 60:02}"


def _opening(at: int, minute: int) -> Opening:
    date = datetime.fromtimestamp(0, UTC) + timedelta(minutes=at)
    return Opening(at // DAY_MIN - minute // DAY_MIN, date.date().isoformat(), clock(at))
