"""Arithmetic of waiting: from how fast a queue really moves to what a person may be told.

Somebody with ``ahead`` people before them waits for ``ahead + 1`` gaps between calls. The range is that of a sum of so
many gaps, as the last twenty gaps of this queue were: they are of this hour and of the counters that are open now. It
holds four times in five; ``docs/waiting.md`` has the proof.
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


class Pace(Struct, frozen=True, kw_only=True):
    """How fast a queue moves: seconds between two calls by all its counters together."""

    mean_s: float
    deviation_s: float
    calls: int
    """Gaps that were seen, at most PACE_CALLS of functions/shared/facility.lua."""


class Estimate(Struct, frozen=True, kw_only=True):
    """A range of minutes; ``None`` in the place of the whole while the queue's pace is unknown."""

    low_min: int
    high_min: int


def range_s(ahead: int, pace: Pace) -> tuple[float, float] | None:
    """Seconds until somebody with ``ahead`` people before them is called, at least and at most; None while unknown."""
    if pace.calls < CALLS_MIN:
        return None
    turns = ahead + 1
    of_sum = turns * pace.deviation_s * pace.deviation_s
    of_mean = turns * turns * pace.deviation_s * pace.deviation_s / pace.calls
    drift = turns * pace.mean_s * _DRIFT
    spread = math.sqrt(of_sum + of_mean + drift * drift)
    return max(0.0, turns * pace.mean_s - _BELOW * spread), turns * pace.mean_s + _ABOVE * spread


def estimate(ahead: int, pace: Pace) -> Estimate | None:
    """What a ticket page says: the range in steps of five minutes."""
    found = range_s(ahead, pace)
    if found is None:
        return None
    low, high = found[0] / 60, found[1] / 60
    return Estimate(
        low_min=math.floor(low / _STEP_MIN) * _STEP_MIN,
        high_min=max(_STEP_MIN, math.ceil(high / _STEP_MIN) * _STEP_MIN),
    )
