"""Lanes that were used today more than the hospital usually does."""

from collections.abc import Mapping
from typing import Final

from kiosk.archive.sums import Sums
from kiosk.console import figure_messages, messages
from kiosk.console.figures import grouped
from queueing.models import Lane

LEAST: Final = 5
"""Below it a single family makes the difference."""
TIMES: Final = 1.5
"""The share of seniors varies by a third from day to day; half as much again is another use of the lane."""


def lanes_above_usual(today: Sums, usual: Mapping[str, float]) -> list[str]:
    """A sentence for each lane. Nothing before the hospital has a usual day; the ordinary lane is never one."""
    if not usual:
        return []
    found = []
    for lane in Lane:
        count, before = today[f"lane_{lane.name.lower()}"], usual.get(lane.name.lower(), 0.0)
        if lane is not Lane.ORDINARY and count >= LEAST and count > before * TIMES:
            sentence = figure_messages.LANE_ABOVE_USUAL
            found.append(sentence.format(lane=messages.LANES[lane], count=grouped(count), usual=grouped(before, 1)))
    return found
