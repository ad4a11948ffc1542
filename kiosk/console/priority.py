"""Who goes sooner, by the reason that a clerk gave: what a clerk may choose, and how often it was."""

from collections.abc import Mapping
from typing import Final

from litestar.exceptions import NotFoundException

from kiosk.archive.sums import Sums
from kiosk.console import figure_messages, messages
from kiosk.console.figures import grouped
from kiosk.console.language import Sentences, tr
from queueing import lanes
from queueing.lanes import Lane
from queueing.reasons import Reason, word_of

LEAST: Final = 5
"""Below it a single family makes the difference."""
TIMES: Final = 1.5
"""The share of seniors varies by a third from day to day; half as much again is another use of the lane."""
ORDINARY: Final = Lane.ORDINARY.word


def choices() -> list[dict[str, str]]:
    """What a clerk chooses among, by digit; the last one takes priority away."""
    rows = [
        {"reason": word_of(reason), "label": tr(row.label), "mark": row.mark, "lane": row.lane.word}
        for reason, row in lanes.REASONS.items()
    ]
    return [*rows, {"reason": ORDINARY, "label": tr(messages.LANES[Lane.ORDINARY]), "mark": "", "lane": ORDINARY}]


def chosen_reason(word: str) -> Reason:
    """What a page sent; NONE for the ordinary lane and for nothing."""
    name = word.upper()
    if name in ("", Lane.ORDINARY.name):
        return Reason.NONE
    if name not in Reason.__members__ or name == Reason.NONE.name:
        raise NotFoundException
    return Reason[name]


def shown_priority(lane: Lane, reason: Reason) -> str:
    """Why somebody goes sooner, in the clerk's words; empty for the ordinary lane."""
    return tr(lanes.label_of(lane, reason)) if lane else ""


def counted(sums: Sums) -> list[tuple[str, int]]:
    """Tickets with priority: a line for each reason, and one for those to whom no clerk gave one."""
    by_reason = [(label, sums[f"reason_{word_of(reason)}"]) for reason, label in Sentences(messages.REASONS).items()]
    in_lanes = sum(sums[f"lane_{lane.word}"] for lane in Lane if lane is not Lane.ORDINARY)
    return [*by_reason, (tr(figure_messages.NO_REASON), max(0, in_lanes - sum(count for _, count in by_reason)))]


def above_usual(today: Sums, usual: Mapping[str, float]) -> list[str]:
    """A sentence for each lane, or reason within the lane of all others, that was used more than the hospital usually
    does. Nothing before the hospital has a usual day.
    """
    if not usual:
        return []
    own = {f"lane_{lane.word}": label for lane, label in messages.LANES.items() if lane in _LANES}
    others = {
        f"reason_{word_of(reason)}": label
        for reason, label in messages.REASONS.items()
        if lanes.REASONS[reason].lane not in _LANES
    }
    found = []
    for name, label in (own | others).items():
        count, before = today[name], usual.get(name, 0.0)
        if count >= LEAST and count > before * TIMES:
            sentence = tr(figure_messages.LANE_ABOVE_USUAL)
            found.append(sentence.format(lane=tr(label), count=grouped(count), usual=grouped(before, 1)))
    return found


_LANES: Final = frozenset(Lane) - {Lane.ORDINARY, Lane.PRIORITY}
"""Lanes with a meaning of their own: those of a profile's age and of another program count as well."""
