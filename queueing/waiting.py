"""Arithmetic of waiting: from how fast a queue really moves to what a person may be told."""

from typing import Final

from msgspec import Struct

_STEP_MIN: Final = 5
"""People plan in five minutes; a finer figure would only look exact."""


class Estimate(Struct, frozen=True, kw_only=True):
    """A range of minutes; ``None`` in the place of the whole while the queue's pace is unknown."""

    low_min: int
    high_min: int


def estimate(ahead: int, pace_low_s: int, pace_high_s: int) -> Estimate | None:
    """How long until somebody with ``ahead`` people before them is called.

    ``pace_*_s`` are quartiles of the seconds between two calls of the whole queue, so open counters are in them.
    """
    if pace_high_s <= 0:
        return None
    low = (ahead + 1) * pace_low_s // 60
    high = -(-(ahead + 1) * pace_high_s // 60)
    return Estimate(low_min=low // _STEP_MIN * _STEP_MIN, high_min=max(_STEP_MIN, -(-high // _STEP_MIN) * _STEP_MIN))
