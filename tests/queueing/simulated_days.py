"""Simulated days of a queue, replayed: how often the wait that a ticket page shows holds, and how far it is off.

    python -m tests.queueing.simulated_days          # writes the table of docs/waiting.md anew

A day: a crowd at the gate, a plateau, a tail; counters that open, take breaks and close; older people with a head
start; people who do not come. At many moments people look at their page; what it says is compared with when they were
called.
"""

import heapq
import math
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Final, NamedTuple

from queueing.waiting import Pace, estimate

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "waiting.md"
DAYS: Final = 40
FIRST_SEED: Final = 1_000
"""The constants of the range were chosen on days with smaller seeds."""
PAUSE_S: Final = 20 * 60
"""As PAUSE_S of functions/shared/moves.lua: a longer gap was a pause."""
PACE_CALLS: Final = 20
HEAD_START_S: Final = 20 * 60
"""Of older people (``queueing.lanes``)."""
HOUR_S: Final = 3_600
ASKED_EVERY: Final = 7
"""Calls between two moments at which waiting people look at their page."""


class Kind(NamedTuple):
    """A queue of a hospital."""

    name: str
    counters: int
    service_s: float
    """Mean time of one visit."""
    spread: float
    """Coefficient of variation of a visit."""
    patients: int
    older: float
    no_shows: float = 0.08
    """One in twelve does not come; a clerk waits about a minute for them. Invented, like all of these figures."""


KINDS: Final = (
    Kind("registration, 4 counters, 90 s a person", 4, 90, 0.5, 620, 0.12),
    Kind("clinic, 2 doctors, 5 min a person", 2, 300, 0.7, 110, 0.2),
    Kind("pharmacy, 3 counters, 2 min a person", 3, 120, 0.9, 380, 0.15),
    Kind("specialist, 1 doctor, 8 min a person", 1, 480, 0.6, 36, 0.2),
)


class Look(NamedTuple):
    """One look at a ticket page, and the truth."""

    ahead: int
    pace: Pace
    mean_today_s: float
    mean_hour_s: float
    waited_s: float


def day_of(kind: Kind, seed: int) -> list[Look]:
    """Every look at a page on one day."""
    draw = random.Random(f"{kind.name} {seed}")
    waiting: list[tuple[float, int]] = []
    arrivals = sorted(_arrival(draw) for _ in range(kind.patients))
    shifts = [_shift(draw, number) for number in range(kind.counters)]
    free = [(start, number) for number, (start, _, _) in enumerate(shifts)]
    heapq.heapify(free)
    called_at: dict[int, float] = {}
    looks: list[tuple[int, int, float, Pace, float, float]] = []
    gaps: list[float] = []
    calls: list[float] = []
    newcomer = 0
    while free:
        at, counter = heapq.heappop(free)
        while newcomer < len(arrivals) and arrivals[newcomer] <= at:
            older = draw.random() < kind.older
            heapq.heappush(waiting, (arrivals[newcomer] - older * HEAD_START_S, newcomer))
            newcomer += 1
        _, break_at, ends = shifts[counter]
        if at >= ends:
            continue
        if not waiting:
            if newcomer < len(arrivals):
                heapq.heappush(free, (max(at, arrivals[newcomer]) + 1, counter))
            continue
        _, person = heapq.heappop(waiting)
        called_at[person] = at
        if calls and 0 <= at - calls[-1] <= PAUSE_S:
            gaps.append(max(1, round(at - calls[-1])))
        calls.append(at)
        if len(calls) % ASKED_EVERY == 0 and waiting:
            line = sorted(waiting)
            for ahead in sorted({0, len(line) // 3, 2 * len(line) // 3, len(line) - 1}):
                lately = [gap for gap, end in zip(gaps[::-1], calls[::-1], strict=False) if at - end < HOUR_S]
                pace = pace_of(gaps[-PACE_CALLS:])
                looks.append((line[ahead][1], ahead, at, pace, fmean(gaps or [0]), fmean(lately or [0])))
        took = draw.uniform(40, 100) if draw.random() < kind.no_shows else _visit(draw, kind)
        rest = draw.uniform(10, 25) * 60 if at < break_at <= at + took else 0
        heapq.heappush(free, (at + took + rest, counter))
    return [
        Look(ahead, pace, today, hour, called_at[person] - at)
        for person, ahead, at, pace, today, hour in looks
        if person in called_at
    ]


def pace_of(gaps: Sequence[float]) -> Pace:
    """As keep_pace of functions/shared/moves.lua."""
    return Pace(mean_s=fmean(gaps) if gaps else 0, deviation_s=stdev(gaps) if len(gaps) > 1 else 0, calls=len(gaps))


class Result(NamedTuple):
    """One kind of queue over all its days."""

    looks: int
    shown: float
    """Share of the looks at which a range was shown."""
    inside: float
    """Share of the shown ranges that held."""
    width_min: float
    error_min: float
    """Mean error of the range's own mean; the next two of *people × average* and *the last hour's average*."""
    error_today_min: float
    error_hour_min: float
    wait_min: float


def result_of(kind: Kind, days: int) -> Result:
    """The days of one kind, with fixed seeds: every run finds the same."""
    looks = [look for seed in range(FIRST_SEED, FIRST_SEED + days) for look in day_of(kind, seed)]
    shown = [(look, found) for look in looks if (found := estimate(look.ahead, look.pace))]
    waits = [look.waited_s / 60 for look, _ in shown]
    return Result(
        looks=len(looks),
        shown=len(shown) / len(looks),
        inside=fmean(found.low_min <= wait <= found.high_min for (_, found), wait in zip(shown, waits, strict=True)),
        width_min=fmean(found.high_min - found.low_min for _, found in shown),
        error_min=fmean(
            abs((look.ahead + 1) * look.pace.mean_s / 60 - wait) for (look, _), wait in zip(shown, waits, strict=True)
        ),
        error_today_min=fmean(
            abs((look.ahead + 1) * look.mean_today_s / 60 - wait) for (look, _), wait in zip(shown, waits, strict=True)
        ),
        error_hour_min=fmean(
            abs((look.ahead + 1) * look.mean_hour_s / 60 - wait) for (look, _), wait in zip(shown, waits, strict=True)
        ),
        wait_min=fmean(waits),
    )


def table(days: int) -> Iterator[str]:
    """The lines of docs/waiting.md."""
    yield (
        "| queue | looks | range shown | inside it | its width | mean wait "
        "| error: ours | people × average | last hour |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for kind in KINDS:
        one = result_of(kind, days)
        yield (
            f"| {kind.name} | {one.looks:,} | {one.shown:.0%} | **{one.inside:.0%}** | {one.width_min:.0f} min "
            f"| {one.wait_min:.0f} min | {one.error_min:.1f} min | {one.error_today_min:.1f} min "
            f"| {one.error_hour_min:.1f} min |"
        )


def main() -> None:
    """Write the table of docs/waiting.md anew."""
    text = DOCUMENT.read_text("utf-8")
    lines = "\n".join(table(DAYS))
    DOCUMENT.write_text(
        re.sub(r"(?<=<!-- days -->\n).*?(?=<!-- /days -->)", f"{lines}\n", text, flags=re.DOTALL), "utf-8"
    )


def _arrival(draw: random.Random) -> float:
    """Seconds after the gate opens: one in four stands there already, most come within three hours."""
    return draw.uniform(0, 300) if draw.random() < 0.25 else draw.triangular(0, 5 * HOUR_S, 1.2 * HOUR_S)


def _shift(draw: random.Random, number: int) -> tuple[float, float, float]:
    """When a counter opens, breaks and closes. The first opens with the gate and closes last."""
    opens = draw.uniform(0, 10 * 60) if number == 0 else draw.uniform(0, 75 * 60)
    closes = 9 * HOUR_S if number == 0 else draw.uniform(4 * HOUR_S, 8 * HOUR_S)
    return opens, draw.uniform(2 * HOUR_S, 3.5 * HOUR_S), closes


def _visit(draw: random.Random, kind: Kind) -> float:
    sigma = math.sqrt(math.log(1 + kind.spread**2))
    return draw.lognormvariate(math.log(kind.service_s) - sigma**2 / 2, sigma)


if __name__ == "__main__":
    main()
