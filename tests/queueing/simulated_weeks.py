"""Simulated weeks of a queue, replayed: how often the wait that a ticket page shows holds, and how far it is off.

    python -m tests.queueing.simulated_weeks          # writes the tables of docs/waiting.md anew

A hospital: every weekday has its own number of patients; each counter has its usual hour, a weekday on which it stays
closed and a break at noon. A day: doctors who come late, counters that do not open at all, a crowd at the gate, people
who do not come, older people with a head start. Five weeks pass before anybody looks; every day of the weeks after is
learned from those before it, as the archive does. At each tenth minute people look at their page, from before the first
call; what it says is compared with when they were called.
"""

import heapq
import math
import random
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev
from typing import Final, NamedTuple

from kiosk.archive.usual_paces import DAYS_READ, Day, day_of, usual_days
from queueing.usual_paces import UsualDay
from queueing.waiting import SLOT_S, Estimate, Pace, Usual, day_s, estimate, faster, usual_s

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "waiting.md"
HOSPITALS: Final = 8
FIRST_SEED: Final = 1_000
"""The constants of the range were chosen in hospitals with smaller seeds."""
WORKDAYS: Final = 6
LEARNED_WEEKS: Final = 5
WEEKS: Final = 4
"""In which people look."""
GATE_S: Final = 9 * 3_600
PAUSE_S: Final = 20 * 60
"""As PAUSE_S of functions/shared/moves.lua: a longer gap was a pause."""
PACE_CALLS: Final = 20
HEAD_START_S: Final = 20 * 60
"""Of older people (``queueing.lanes``)."""
HOUR_S: Final = 3_600
LOOK_EVERY_S: Final = 600
ON_WEEKDAYS: Final = (1.3, 1.0, 1.1, 0.95, 0.85, 0.6)
"""Patients from Monday to Saturday, as parts of the mean."""


class Kind(NamedTuple):
    """A queue of a hospital. All figures are invented."""

    name: str
    counters: int
    service_s: float
    """Mean time of one visit."""
    spread: float
    """Coefficient of variation of a visit."""
    patients: int
    older: float
    no_shows: float = 0.08
    """One in twelve does not come; a clerk waits about a minute for them."""
    late: float = 0.2
    """One doctor in five is half an hour or more late."""
    absent: float = 0.05
    """A counter besides the first stays closed on so many days."""


KINDS: Final = (
    Kind("registration, 4 counters, 90 s a person", 4, 90, 0.5, 620, 0.12),
    Kind("clinic, 2 doctors, 5 min a person", 2, 300, 0.7, 110, 0.2),
    Kind("pharmacy, 3 counters, 2 min a person", 3, 120, 0.9, 380, 0.15),
    Kind("specialist, 1 doctor, 8 min a person", 1, 480, 0.6, 36, 0.2),
)


class Counter(NamedTuple):
    """A counter as it usually is, seconds after the gate opens."""

    opens_s: float
    break_s: float
    closed_on: int | None
    """A weekday."""


class Call(NamedTuple):
    came_s: float
    called_s: float
    counter: int


class Look(NamedTuple):
    """One look at a ticket page, seconds after midnight, and the truth."""

    at_s: float
    ahead: int
    calls: int
    """Of this day so far."""
    waited_s: float


class Hospital:
    """One queue of one hospital, day after day."""

    def __init__(self, kind: Kind, seed: int) -> None:
        self._kind, self._draw = kind, random.Random(f"{kind.name} {seed}")
        self._counters = [self._counter(number) for number in range(kind.counters)]
        self._patients = [kind.patients * part * self._draw.uniform(0.9, 1.1) for part in ON_WEEKDAYS]

    def _counter(self, number: int) -> Counter:
        opens = self._draw.uniform(10, 70) * 60 if number else 0
        closed_on = self._draw.randrange(WORKDAYS) if number else None
        return Counter(opens, self._draw.uniform(3.75, 4.25) * HOUR_S, closed_on)

    def day(self, weekday: int) -> tuple[list[Call], list[Look]]:
        """Every call and every look of a day."""
        draw, waiting, calls = self._draw, list[tuple[float, int]](), list[Call]()
        came = sorted(self._arrival() for _ in range(round(self._patients[weekday] * draw.uniform(0.9, 1.1))))
        shifts = {number: shift for number in range(self._kind.counters) if (shift := self._shift(number, weekday))}
        free = [(shift[0], number) for number, shift in shifts.items()]
        heapq.heapify(free)
        slow, newcomer, rested = draw.lognormvariate(0, 0.12), 0, set[int]()
        looks, look_at, called_at = list[tuple[float, int, int, int]](), -HOUR_S / 2, dict[int, float]()

        def let_in(until: float) -> None:
            nonlocal newcomer
            while newcomer < len(came) and came[newcomer] <= until:
                head_start = HEAD_START_S * (draw.random() < self._kind.older)
                heapq.heappush(waiting, (came[newcomer] - head_start, newcomer))
                newcomer += 1

        while free:
            at, number = heapq.heappop(free)
            while look_at <= at:
                let_in(look_at)
                line = sorted(waiting)
                places = {0, len(line) // 3, 2 * len(line) // 3, len(line) - 1} if line else ()
                looks += [(look_at, place, line[place][1], len(calls)) for place in sorted(places)]
                look_at += LOOK_EVERY_S
            let_in(at)
            _, break_at, ends = shifts[number]
            if at >= ends:
                continue
            if at >= break_at and number not in rested:
                rested.add(number)
                heapq.heappush(free, (at + draw.uniform(15, 35) * 60, number))
            elif waiting:
                person = heapq.heappop(waiting)[1]
                called_at[person] = at
                calls.append(Call(GATE_S + came[person], GATE_S + at, number))
                took = draw.uniform(40, 100) if draw.random() < self._kind.no_shows else slow * self._visit()
                heapq.heappush(free, (at + took, number))
            elif newcomer < len(came):
                heapq.heappush(free, (max(at, came[newcomer]) + 1, number))
        return calls, [
            Look(GATE_S + at, ahead, count, called_at[person] - at)
            for at, ahead, person, count in looks
            if person in called_at
        ]

    def _shift(self, number: int, weekday: int) -> tuple[float, float, float] | None:
        """When a counter opens, breaks and closes; None: not at all. The first opens every day and closes last."""
        counter, draw = self._counters[number], self._draw
        if counter.closed_on == weekday or (number and draw.random() < self._kind.absent):
            return None
        late = draw.uniform(30, 75) if draw.random() < self._kind.late else draw.uniform(0, 10)
        opens = max(0.0, counter.opens_s + draw.gauss(0, 8 * 60)) + late * 60
        closes = draw.uniform(4.5, 8) * HOUR_S if number else 9 * HOUR_S
        return opens, counter.break_s + draw.uniform(-600, 600), closes

    def _arrival(self) -> float:
        """Seconds after the gate opens: one in four stands there about then, most come within three hours."""
        draw = self._draw
        return draw.uniform(-600, 300) if draw.random() < 0.25 else draw.triangular(0, 5 * HOUR_S, 1.2 * HOUR_S)

    def _visit(self) -> float:
        sigma = math.sqrt(math.log(1 + self._kind.spread**2))
        return self._draw.lognormvariate(math.log(self._kind.service_s) - sigma**2 / 2, sigma)


class Seen(NamedTuple):
    """What one look found: minutes that each method says, and what the page shows."""

    waited_min: float
    calls: int
    shown: Estimate | None
    today_alone: Estimate | None
    """The range of the living day, as if nothing had been learned."""
    ours_min: float | None
    usual_min: float | None
    """The usual day alone."""
    counters_min: float | None
    """Ours, with the counters that are open now beside those that usually are."""
    average_min: float | None
    hour_min: float | None


def weeks_of(kind: Kind, seed: int, weeks: int) -> Iterator[Seen]:
    """Every look of the weeks after those that are only learned from."""
    hospital, past = Hospital(kind, seed), list[tuple[int, Day]]()
    open_before = list[tuple[int, dict[int, int]]]()
    for number in range((LEARNED_WEEKS + weeks) * WORKDAYS):
        weekday = number % WORKDAYS
        calls, looks = hospital.day(weekday)
        if number >= LEARNED_WEEKS * WORKDAYS:
            usual = usual_days(past).get(weekday)
            counters = [one for on, one in open_before if on == weekday]
            yield from (_seen(look, calls, usual, counters) for look in looks)
        past = [*past, (weekday, day_of((call.came_s, call.called_s) for call in calls))][-DAYS_READ * 6 // 7 :]
        open_before.append((weekday, _open_counters(calls)))


def _open_counters(calls: Sequence[Call]) -> dict[int, int]:
    """Half hour -> counters that called in it."""
    found: dict[int, set[int]] = {}
    for call in calls:
        found.setdefault(int(call.called_s // SLOT_S), set()).add(call.counter)
    return {slot: len(numbers) for slot, numbers in found.items()}


def _seen(look: Look, calls: Sequence[Call], learned: UsualDay | None, before: Sequence[dict[int, int]]) -> Seen:
    turns, past, now_ms = look.ahead + 1, calls[: look.calls], round(look.at_s * 1000)
    gaps = [(b.called_s - a.called_s, b.called_s) for a, b in pairwise(past) if b.called_s - a.called_s <= PAUSE_S]
    pace = pace_of([max(1, round(gap)) for gap, _ in gaps[-PACE_CALLS:]])
    usual = usual_of(learned) if learned else None
    last_hour = [gap for gap, at in gaps if look.at_s - at < HOUR_S]
    ours = usual_s(turns, pace, usual, now_ms) if usual else None
    if ours is None and gaps:
        ours = turns * pace.mean_s
    counters = usual and math.sqrt(faster(pace, usual, now_ms) * _more_open(look.at_s, past, before))
    return Seen(
        waited_min=look.waited_s / 60,
        calls=look.calls,
        shown=estimate(look.ahead, pace, usual, now_ms),
        today_alone=estimate(look.ahead, pace, None, now_ms),
        ours_min=_minutes(ours),
        usual_min=_minutes(day_s(turns, usual, now_ms, 1.0) if usual else None),
        counters_min=_minutes(day_s(turns, usual, now_ms, counters) if usual and counters else None),
        average_min=_minutes(turns * fmean(gap for gap, _ in gaps) if gaps else None),
        hour_min=_minutes(turns * fmean(last_hour) if last_hour else None),
    )


def usual_of(learned: UsualDay) -> Usual:
    """As functions/snapshot.lua makes it, on a day that begins at 0."""
    return Usual(from_ms=learned.first_s * 1000, gaps_s=learned.gaps_s, spread=learned.spread)


def _more_open(at_s: float, past: Sequence[Call], before: Sequence[dict[int, int]]) -> float:
    """Counters that called in the last half hour, beside how many usually do then; 1 where one of both is not known."""
    usually = [day[slot] for day in before if (slot := int(at_s // SLOT_S)) in day]
    now = len({call.counter for call in past if at_s - call.called_s < SLOT_S})
    return (now + 1) / (fmean(usually) + 1) if now and usually else 1.0


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 60


def pace_of(gaps: Sequence[float]) -> Pace:
    """As keep_pace of functions/shared/moves.lua."""
    return Pace(mean_s=fmean(gaps) if gaps else 0, deviation_s=stdev(gaps) if len(gaps) > 1 else 0, calls=len(gaps))


class Result(NamedTuple):
    """Looks of one kind of queue."""

    looks: int
    shown: float
    """Share of the looks at which a range was shown; the next four are of those."""
    inside: float
    """Share of the shown ranges that held."""
    width_min: float
    today_shown: float
    """The same three of the living day alone."""
    today_inside: float
    today_width_min: float
    wait_min: float
    errors_min: tuple[float, ...]
    """Mean error of each method of METHODS, over the looks at which every one says something."""


METHODS: Final[tuple[Callable[[Seen], float | None], ...]] = (
    lambda seen: seen.ours_min,
    lambda seen: seen.usual_min,
    lambda seen: seen.counters_min,
    lambda seen: seen.average_min,
    lambda seen: seen.hour_min,
)


def looks_of(kind: Kind, hospitals: int, weeks: int = WEEKS) -> list[Seen]:
    """All looks of hospitals with fixed seeds: every run finds the same."""
    return [seen for seed in range(FIRST_SEED, FIRST_SEED + hospitals) for seen in weeks_of(kind, seed, weeks)]


def result_of(seen: Sequence[Seen]) -> Result:
    """What these looks come to."""
    shown, inside, width = _ranges([(one.shown, one.waited_min) for one in seen])
    today = _ranges([(one.today_alone, one.waited_min) for one in seen])
    answers = [(one.waited_min, [method(one) for method in METHODS]) for one in seen]
    whole = [(wait, [float(each) for each in minutes if each is not None]) for wait, minutes in answers]
    both = [(wait, minutes) for wait, minutes in whole if len(minutes) == len(METHODS)]
    errors = tuple(
        fmean(abs(minutes[n] - wait) for wait, minutes in both) if both else math.nan for n in range(len(METHODS))
    )
    return Result(len(seen), shown, inside, width, *today, fmean(one.waited_min for one in seen), errors)


def _ranges(looks: Sequence[tuple[Estimate | None, float]]) -> tuple[float, float, float]:
    """Share shown, share of these that held, mean width."""
    shown = [(found, wait) for found, wait in looks if found]
    if not shown:
        return 0.0, math.nan, math.nan
    inside = fmean(found.low_min <= wait <= found.high_min for found, wait in shown)
    return len(shown) / len(looks), inside, fmean(found.high_min - found.low_min for found, _ in shown)


EARLY_GAPS: Final = 5
"""So many the living day needs before it says anything."""
HEADS: Final = (
    "| queue | looks | mean wait | range shown | inside it | its width | today alone: shown | inside | width |",
    "| queue | ours | the usual day alone | with open counters too | people × average | last hour's average |",
)


def tables(hospitals: int) -> dict[str, str]:
    """The tables of docs/waiting.md, by name."""
    every = {kind.name: looks_of(kind, hospitals) for kind in KINDS}
    early = {name: [one for one in looks if one.calls <= EARLY_GAPS] for name, looks in every.items()}
    return {
        "ranges": _table(HEADS[0], _range_lines(every)),
        "first": _table(HEADS[0], _range_lines(early)),
        "errors": _table(HEADS[1], _error_lines(every)),
    }


def _table(head: str, lines: Iterator[str]) -> str:
    return "\n".join((head, "| --- " * (head.count("|") - 1) + "|", *lines))


def _range_lines(looks: dict[str, list[Seen]]) -> Iterator[str]:
    for name, seen in looks.items():
        one = result_of(seen)
        today = f"{one.today_inside:.0%} | {one.today_width_min:.0f} min" if one.today_shown else "– | –"
        yield (
            f"| {name} | {one.looks:,} | {one.wait_min:.0f} min | {one.shown:.0%} | **{one.inside:.0%}** "
            f"| {one.width_min:.0f} min | {one.today_shown:.0%} | {today} |"
        )


def _error_lines(looks: dict[str, list[Seen]]) -> Iterator[str]:
    for name, seen in looks.items():
        yield f"| {name} | {' | '.join(f'{error:.1f} min' for error in result_of(seen).errors_min)} |"


def main() -> None:
    """Write the tables of docs/waiting.md anew."""
    text = DOCUMENT.read_text("utf-8")
    for name, table in tables(HOSPITALS).items():
        text = re.sub(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", f"{table}\n", text, flags=re.DOTALL)
    DOCUMENT.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
