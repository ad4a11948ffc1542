"""Arithmetic of waiting: from how fast a queue moves today, and usually at this time, to what a person may be told.

Somebody with ``ahead`` people before them waits for ``ahead + 1`` calls. What was usual on this weekday (``Usual``,
which the archive learns) says how fast the calls come in each half hour from now on; the last gaps of today say by how
much this day is faster or slower. Where nothing is usual, the last gaps alone say it. The range holds four times in
five; ``docs/waiting.md`` has the proof. ``kiosk/static/js/waiting.js`` is the same sum.
"""

import math
from typing import Final

from msgspec import Struct

_STEP_MIN: Final = 5
"""People plan in five minutes; a finer figure would only look exact."""
CALLS_MIN: Final = 5
"""Gaps from which a range is told. From fewer their spread is not known."""
_DRIFT: Final = 0.15
"""Counters open, pause and close, so the mean gap itself changes while somebody waits: by so much of itself."""
_BELOW: Final = 1.2
_ABOVE: Final = 1.5
"""Standard deviations below and above the mean. More above, because breaks only make waits longer."""
SLOT_S: Final = 1_800
"""Of a usual day: halves of an hour, because doctors come and go in them."""
_LATE_S: Final = 5_400
"""So long after the usual beginning without any gap it is no usual day: a holiday, or a doctor who does not come."""
_BEGINS_S: Final = 600
"""By so much the first calls of a day come sooner or later than usually."""
_USUAL_GAPS: Final = 20
"""The usual gap counts as much as so many gaps of today, and the day's last gaps are as many."""
_FADES_S: Final = 3_600
"""What is unlike the usual day now is so again in an hour, but for a third of it."""


class Pace(Struct, frozen=True, kw_only=True):
    """How fast a queue moves: seconds between two calls by all its counters together."""

    mean_s: float
    deviation_s: float
    calls: int
    """Gaps that were seen, at most PACE_CALLS of functions/shared/facility.lua."""


class Usual(Struct, frozen=True, kw_only=True):
    """How fast a queue moves on such a weekday while somebody waits."""

    from_ms: int
    """When its first half hour begins today."""
    gaps_s: tuple[int, ...]
    """Of each half hour, seconds between two calls; 0: nobody was called yet. The last one is not 0."""
    spread: int
    """By so many percent of it a wait of some hours differs from day to day."""


class Estimate(Struct, frozen=True, kw_only=True):
    """A range of minutes; ``None`` in the place of the whole while the queue's pace is unknown."""

    low_min: int
    high_min: int


def range_s(ahead: int, pace: Pace, usual: Usual | None, now_ms: int) -> tuple[float, float] | None:
    """Seconds until somebody with ``ahead`` people before them is called, at least and at most; None while unknown."""
    turns = ahead + 1
    mean = usual_s(turns, pace, usual, now_ms) if usual else None
    if usual and mean is not None:
        of_begin, gap = (
            (0.0, pace.deviation_s) if pace.calls >= CALLS_MIN else (_BEGINS_S, min(filter(None, usual.gaps_s)))
        )
        spread = math.hypot(of_begin, math.sqrt(turns) * gap, mean * usual.spread / 100)
    elif pace.calls >= CALLS_MIN:
        mean = turns * pace.mean_s
        of_mean = turns * pace.deviation_s / math.sqrt(pace.calls)
        spread = math.hypot(math.sqrt(turns) * pace.deviation_s, of_mean, mean * _DRIFT)
    else:
        return None
    return max(0.0, mean - _BELOW * spread), mean + _ABOVE * spread


def usual_s(turns: int, pace: Pace, usual: Usual, now_ms: int) -> float | None:
    """Seconds until so many calls, on a day like this; None when such days say nothing about this time."""
    at = (now_ms - usual.from_ms) / 1000
    if at >= len(usual.gaps_s) * SLOT_S or (not pace.calls and at > _LATE_S):
        return None
    return day_s(turns, usual, now_ms, faster(pace, usual, now_ms))


def faster(pace: Pace, usual: Usual, now_ms: int) -> float:
    """Calls come so many times as fast as usually at this time."""
    slot = math.floor((now_ms - usual.from_ms) / 1000 / SLOT_S)
    gap_s = usual.gaps_s[min(slot, len(usual.gaps_s) - 1)] if slot >= 0 else 0
    return (pace.calls + _USUAL_GAPS) / (pace.calls * pace.mean_s / gap_s + _USUAL_GAPS) if gap_s else 1.0


def day_s(turns: int, usual: Usual, now_ms: int, factor: float) -> float:
    """Seconds until so many calls, where they now come ``factor`` times as fast as usually. Its last half hour goes on
    without end.
    """
    begin = at = (now_ms - usual.from_ms) / 1000
    left, last = float(turns), len(usual.gaps_s) - 1
    while True:
        slot = min(last, math.floor(at / SLOT_S))
        gap_s = usual.gaps_s[slot] if slot >= 0 else 0
        end = math.inf if slot == last else max(0, slot + 1) * SLOT_S
        speed = (1 + (factor - 1) * math.exp((begin - at) / _FADES_S)) / gap_s if gap_s else 0.0
        if speed and left <= speed * (end - at):
            return at + left / speed - begin
        left -= speed * (end - at)
        at = end


def estimate(ahead: int, pace: Pace, usual: Usual | None, now_ms: int) -> Estimate | None:
    """What a ticket page says: the range in steps of five minutes."""
    found = range_s(ahead, pace, usual, now_ms)
    if found is None:
        return None
    low, high = found[0] / 60, found[1] / 60
    return Estimate(
        low_min=math.floor(low / _STEP_MIN) * _STEP_MIN,
        high_min=max(_STEP_MIN, math.ceil(high / _STEP_MIN) * _STEP_MIN),
    )
