"""The tables of the hospital's day, made of sums. Each is a figure of the page and a CSV."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final, TypeVar

from kiosk.archive.sums import Sums, total
from kiosk.archive.today_queries import DayFacts
from kiosk.console import figure_messages, messages
from kiosk.console.counters_needed import counters_needed
from kiosk.console.figures import Cell, Column, Plot, Table, grouped
from kiosk.console.language import Sentences, tr
from kiosk.console.period import WEEK, Period
from kiosk.console.priority import counted
from queueing.models import Assurance, Refusal

TEXT = Sentences(figure_messages.COLUMNS)
TITLE = Sentences(figure_messages.TITLES)
UNIT = Sentences(figure_messages.UNITS)
HINT = Sentences(figure_messages.HINTS)
SUMMARY = Sentences(figure_messages.SUMMARY)
SOURCES = Sentences(figure_messages.SOURCES)
ORIGINS = Sentences(figure_messages.ORIGINS)
ANSWERS = Sentences(figure_messages.ANSWERS)
K = TypeVar("K")
HALF, NINE = 0.5, 0.9
BARS_MAX: Final = 60
"""Rows drawn as bars: a year of weeks. Of more rows a line shows more."""
DAYS_LISTED: Final = 35
"""Longer ranges are listed by weeks: a year of days is too long to read and to print."""


def all_tables(facts: DayFacts, period: Period, queue_names: Mapping[str, str]) -> list[Table]:
    """Every table of the page, in its order."""
    made = [
        arrivals(facts, period), waits(facts, period), counters(facts), queues(facts, period, queue_names),
        sources(facts), service(facts), origins(facts), priority_by_reason(facts, period), answers(facts),
        refusals(facts),
    ]  # fmt: skip
    return made if period.days == 1 else [days(facts, period), *made]


def earlier_words(period: Period) -> str:
    sentence = figure_messages.EARLIER.get(period.days, figure_messages.EARLIER_OTHERWISE)
    return tr(sentence).format(days=period.earlier_days)


def all_of(facts: DayFacts) -> Sums:
    return total(facts.by_queue.values())


def arrivals(facts: DayFacts, period: Period) -> Table:
    now, earlier = _by_hour(facts), facts.earlier_by_hour
    is_known = facts.is_counted(period.earlier.last)
    rows = tuple(
        (_clock(hour), now[hour]["tokens"], _of(earlier, hour)["tokens"] if is_known else None)
        for hour in _hours(now, earlier)
    )
    return Table(
        id="arrivals", title=TITLE["arrivals"], plot=Plot.BARS, unit=UNIT["people"], rows=rows,
        columns=(
            Column(label=TEXT["hour"], name="hour"),
            Column(label=TEXT["arrivals"], name="arrivals", drawn=True),
            _earlier_column(period),
        ),
        summary=_compared(facts, period),
        total=(tr(figure_messages.ALL), *(_added(rows, place) for place in (1, 2))),
    )  # fmt: skip


def waits(facts: DayFacts, period: Period) -> Table:
    now, earlier = _by_hour(facts), facts.earlier_by_hour
    rows = [
        (_clock(hour), now[hour].wait_min(HALF), now[hour].wait_min(NINE), _of(earlier, hour).wait_min(HALF))
        for hour in _hours(now, earlier)
    ]
    whole = all_of(facts)
    half, nine = whole.wait_min(HALF), whole.wait_min(NINE)
    half_earlier = TEXT["half_earlier"].format(earlier=earlier_words(period))
    return Table(
        id="waits", title=TITLE["waits"], plot=Plot.LINES, unit=UNIT["minutes"], rows=_known(rows),
        columns=(
            Column(label=TEXT["hour"], name="hour"),
            Column(label=TEXT["half"], name="wait_half_min", drawn=True, digits=1),
            Column(label=TEXT["nine"], name="wait_nine_of_ten_min", drawn=True, digits=1),
            Column(label=half_earlier, name="wait_half_min_earlier", drawn=True, earlier=True, digits=1),
        ),
        summary=_sentence_with("waits", half=half, nine=nine), hint=HINT["waits"],
        total=(tr(figure_messages.ALL), half, nine, total(facts.earlier_by_queue.values()).wait_min(HALF)),
    )  # fmt: skip


def counters(facts: DayFacts) -> Table:
    """Open and needed counters of each hour, on average of the days that had arrivals."""
    days_open = max(1, len([sums for sums in facts.by_day.values() if sums["tokens"]]))
    visits = {queue: sums.measured_service_min() for queue, sums in facts.by_queue.items()}
    opened: dict[int, int] = {}
    for (_, hour), count in (facts.open_counters or {}).items():
        opened[hour] = opened.get(hour, 0) + count
    needed: dict[int, int] = {}
    for (queue, hour), sums in facts.by_queue_and_hour.items():
        if visit := visits.get(queue):
            needed[hour] = needed.get(hour, 0) + counters_needed(sums["tokens"] / days_open, visit)
    is_known = facts.open_counters is not None
    rows = [
        (_clock(hour), opened.get(hour, 0) / days_open if is_known else None, needed.get(hour))
        for hour in _hours(opened, needed)
    ]
    return Table(
        id="counters", title=TITLE["counters"], plot=Plot.STEPS, unit=UNIT["counters"], rows=_known(rows),
        columns=(
            Column(label=TEXT["hour"], name="hour"),
            Column(label=TEXT["open"], name="counters_open", drawn=True, digits=0 if days_open == 1 else 1),
            Column(label=TEXT["needed"], name="counters_needed", drawn=True),
        ),
        hint=HINT["counters"] if is_known else HINT["counters_long"],
    )  # fmt: skip


def service(facts: DayFacts) -> Table:
    now = _by_hour(facts)
    rows = [
        (_clock(hour), now[hour].service_min(HALF), now[hour].service_min(NINE), now[hour].mean_service_min())
        for hour in _hours(now)
    ]
    whole = all_of(facts)
    half, mean = whole.service_min(HALF), whole.mean_service_min()
    return Table(
        id="service", title=TITLE["service"], plot=Plot.LINES, unit=UNIT["minutes"], rows=_known(rows),
        columns=(
            Column(label=TEXT["hour"], name="hour"),
            Column(label=TEXT["half"], name="visit_half_min", drawn=True, digits=1),
            Column(label=TEXT["nine"], name="visit_nine_of_ten_min", drawn=True, digits=1),
            Column(label=TEXT["mean"], name="visit_mean_min", digits=1),
        ),
        summary=_sentence_with("service", half=half, mean=mean),
        total=(tr(figure_messages.ALL), half, whole.service_min(NINE), mean),
    )  # fmt: skip


def sources(facts: DayFacts) -> Table:
    """Arrivals of each hour by who brought them."""
    now = _by_hour(facts)
    rows: tuple[tuple[Cell, ...], ...] = tuple((_clock(hour), *_by_source(now[hour])) for hour in _hours(now))
    drawn = (Column(label=label, name=f"source_{name}", drawn=True) for name, label in SOURCES.items())
    return Table(
        id="sources", title=TITLE["sources"], plot=Plot.STACK, unit=UNIT["people"], rows=rows,
        columns=(Column(label=TEXT["hour"], name="hour"), *drawn),
        total=(tr(figure_messages.ALL), *_by_source(all_of(facts))), hint=HINT["linked"],
    )  # fmt: skip


def queues(facts: DayFacts, period: Period, queue_names: Mapping[str, str]) -> Table:
    ids = sorted(
        {*facts.by_queue, *facts.earlier_by_queue}, key=lambda queue: (not queue, queue_names.get(queue, queue))
    )
    is_known = facts.is_counted(period.earlier.last)
    named = [(queue_names.get(queue, queue) or tr(figure_messages.NO_QUEUE), queue) for queue in ids]
    rows: list[tuple[Cell, ...]] = [
        (name, *_queue_cells(_of(facts.by_queue, queue), _of(facts.earlier_by_queue, queue), is_known))
        for name, queue in named
    ]
    return Table(
        id="queues", title=TITLE["queues"], plot=Plot.ACROSS, unit=UNIT["people"], rows=tuple(rows),
        columns=(
            Column(label=TEXT["queue"], name="queue"),
            Column(label=TEXT["arrivals"], name="arrivals", drawn=True),
            _earlier_column(period),
            Column(label=TEXT["called"], name="called"),
            Column(label=TEXT["served"], name="served"),
            Column(label=TEXT["no_show"], name="no_shows"),
            Column(label=TEXT["refused"], name="refused"),
            Column(label=TEXT["wait_half"], name="wait_half_min", digits=1),
            Column(label=TEXT["wait_nine"], name="wait_nine_of_ten_min", digits=1),
            Column(label=TEXT["service_half"], name="visit_half_min", digits=1),
        ),
        total=(tr(figure_messages.ALL), *_queue_cells(all_of(facts), total(facts.earlier_by_queue.values()), is_known)),
    )  # fmt: skip


def origins(facts: DayFacts) -> Table:
    """What the places rest on: the code of a screen, a poster, the desk."""
    whole = all_of(facts)
    rows = [(label, whole[f"assurance_{Assurance(origin).name.lower()}"]) for origin, label in ORIGINS.items()]
    persons = whole["people_day"] + whole["people_unknown"]
    return Table(
        id="origins", title=TITLE["origins"], plot=Plot.ACROSS, unit=UNIT["people"],
        rows=(*rows, (tr(figure_messages.FAR), whole["far"])) if whole["tokens"] else (),
        columns=(Column(label=TEXT["origin"], name="origin"), Column(label=TEXT["tokens"], name="tokens", drawn=True)),
        summary=SUMMARY["people"].format(tokens=grouped(whole["tokens"]), people=grouped(persons)), hint=HINT["far"],
    )  # fmt: skip


def priority_by_reason(facts: DayFacts, period: Period) -> Table:
    whole, earlier = all_of(facts), total(facts.earlier_by_queue.values())
    pairs = zip(counted(whole), counted(earlier), strict=True)
    rows = tuple((label, now, before) for (label, now), (_, before) in pairs if now or before)
    given_earlier = TEXT["given_earlier"].format(earlier=earlier_words(period))
    return Table(
        id="priority", title=TITLE["priority"], plot=Plot.ACROSS, unit=UNIT["people"], rows=rows,
        columns=(
            Column(label=TEXT["reason"], name="reason"),
            Column(label=TEXT["given"], name="tickets", drawn=True),
            Column(label=given_earlier, name="tickets_earlier", drawn=True, earlier=True),
        ),
        total=(tr(figure_messages.ALL), *(_added(rows, place) for place in (1, 2))), hint=HINT["priority"],
    )  # fmt: skip


def answers(facts: DayFacts) -> Table:
    whole = all_of(facts)
    rows = [(label, whole[name]) for name, label in ANSWERS.items()]
    return Table(
        id="answers", title=TITLE["answers"], rows=tuple(rows) if any(count for _, count in rows) else (),
        columns=(Column(label=TEXT["answer"], name="answer"), Column(label=TEXT["count"], name="number")),
        summary=_sentence_with("answers", half=whole.ack_s(HALF), nine=whole.ack_s(NINE)),
    )  # fmt: skip


def refusals(facts: DayFacts) -> Table:
    whole = all_of(facts)
    counts = {why: whole[f"refused_{why.name.lower()}"] for why in Refusal}
    counts[Refusal.CLOSED_QUEUE] -= whole["refused_by_hours"]
    named = [(_sentence(tr(messages.REFUSALS.get(why, why.name))), count) for why, count in counts.items()]
    named.append((tr(figure_messages.CLOSED_BY_HOURS), whole["refused_by_hours"]))
    rows = sorted((row for row in named if row[1]), key=lambda row: -row[1])
    return Table(
        id="refusals", title=TITLE["refusals"], rows=tuple(rows),
        columns=(Column(label=TEXT["reason"], name="reason"), Column(label=TEXT["count"], name="number")),
        total=(tr(figure_messages.ALL), whole["refused"]),
        hint=HINT["refusals"] if counts[Refusal.CLOSED_QUEUE] else "",
    )  # fmt: skip


def days(facts: DayFacts, period: Period) -> Table:
    """Arrivals and waits of each day, or of each week of a long range."""
    step = 1 if period.days <= DAYS_LISTED else WEEK
    rows = tuple(_span_cells(facts, period, start, step) for start in range(0, period.days, step))
    unit = "day" if step == 1 else "week"
    return Table(
        id="days", title=TITLE[f"{unit}s"], plot=Plot.BARS if len(rows) <= BARS_MAX else Plot.LINES,
        unit=UNIT["people"], rows=rows,
        columns=(
            Column(label=TEXT[unit], name=unit),
            Column(label=TEXT["arrivals"], name="arrivals", drawn=True),
            _earlier_column(period),
            Column(label=TEXT["wait_half"], name="wait_half_min", digits=1),
            Column(label=TEXT["wait_nine"], name="wait_nine_of_ten_min", digits=1),
        ),
        total=(tr(figure_messages.ALL), *(_added(rows, place) for place in (1, 2)), None, None),
    )  # fmt: skip


def _span_cells(facts: DayFacts, period: Period, start: int, step: int) -> tuple[Cell, ...]:
    """The days from ``start`` of the period on: the first of them, and their sums."""
    span = [period.first + timedelta(days=number) for number in range(start, min(start + step, period.days))]
    shift = timedelta(days=period.earlier_days)
    now = total(_of(facts.by_day, day) for day in span)
    earlier = total(_of(facts.earlier_by_day, day - shift) for day in span)
    before = earlier["tokens"] if facts.is_counted(span[-1] - shift) else None
    return span[0], now["tokens"], before, now.wait_min(HALF), now.wait_min(NINE)


def _by_hour(facts: DayFacts) -> dict[int, Sums]:
    """Hour -> sums of all queues; an hour in which nothing happened has empty ones."""
    found = {hour: Sums() for hour in range(24)}
    for (_, hour), sums in facts.by_queue_and_hour.items():
        found[hour].update(sums)
    return found


def _hours(*several: Mapping[int, Sums] | Mapping[int, int]) -> Iterable[int]:
    """From the first hour in which something happened to the last."""
    busy = [hour for found in several for hour, value in found.items() if value]
    return range(min(busy), max(busy) + 1) if busy else ()


def _of(found: Mapping[K, Sums], key: K) -> Sums:
    return found.get(key) or Sums()


def _clock(hour: int) -> str:
    return f"{hour:02d}:00"


def _by_source(sums: Sums) -> list[int]:
    return [sums[f"source_{name}"] for name in figure_messages.SOURCES]


def _queue_cells(now: Sums, earlier: Sums, is_known: bool) -> tuple[Cell, ...]:
    return (
        now["tokens"], earlier["tokens"] if is_known else None, now["called"], now["state_done"],
        now["state_no_show"], now["refused"], now.wait_min(HALF), now.wait_min(NINE), now.service_min(HALF),
    )  # fmt: skip


def _earlier_column(period: Period) -> Column:
    label = TEXT["earlier"].format(earlier=earlier_words(period))
    return Column(label=label, name="arrivals_earlier", drawn=True, earlier=True)


def _added(rows: Iterable[Sequence[Cell]], place: int) -> int | None:
    """The sum of those that are known; None when none is."""
    known = [cell for row in rows if isinstance(cell := row[place], int)]
    return sum(known) if known else None


def _known(rows: Iterable[tuple[Cell, ...]]) -> tuple[tuple[Cell, ...], ...]:
    """The rows, or none when not one figure of them is known."""
    made = tuple(rows)
    return made if any(cell is not None for row in made for cell in row[1:]) else ()


def _sentence_with(sentence: str, **figures: float | None) -> str:
    """A sentence of the summaries; nothing when one of its figures is not known."""
    known = {name: f"{figure:.1f}" for name, figure in figures.items() if figure is not None}
    return SUMMARY[sentence].format(**known) if len(known) == len(figures) else ""


def _compared(facts: DayFacts, period: Period) -> str:
    tokens, before = all_of(facts)["tokens"], total(facts.earlier_by_queue.values())["tokens"]
    earlier, first = earlier_words(period), facts.first_day
    if first is None or first > period.earlier.last:
        return SUMMARY["arrivals_first"].format(tokens=grouped(tokens), earlier=earlier)
    if not before:
        return SUMMARY["arrivals_alone"].format(tokens=grouped(tokens), earlier=earlier)
    if first > period.earlier.first:
        day = f"{first:%d-%m-%Y}"
        return SUMMARY["arrivals_part"].format(
            tokens=grouped(tokens), earlier=earlier, before=grouped(before), first=day
        )
    percent = round(abs(tokens - before) / before * 100)
    word = "same" if not percent else "more" if tokens > before else "fewer"
    return SUMMARY[f"arrivals_{word}"].format(
        tokens=grouped(tokens), percent=grouped(percent), earlier=earlier, before=grouped(before)
    )


def _sentence(sentence: str) -> str:
    return (sentence[:1].upper() + sentence[1:]).rstrip(".।۔")
