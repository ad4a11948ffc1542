"""A week of opening hours as a form: time ranges for each weekday, as they were typed, and the spans they mean.

Fields: ``d0from0`` and ``d0to0`` are Monday's first range. ``d6closed`` empties Sunday. ``shut`` lists the days that
the page showed as closed: such a day opens with the times that were typed into it, though its tick still stands.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from kiosk.console import hours_messages as messages
from kiosk.console import language
from kiosk.console.forms import NotFilledIn
from kiosk.console.language import tr
from kiosk.exchange.hours_text import WEEKDAYS, NotUnderstood, range_of
from queueing.opening_hours import DAY_MIN, SPANS_MAX, clock, fault_of

Week = list[list[tuple[str, str]]]
"""For each weekday from Monday the ranges that were typed, opening and closing."""
DAYS: Final = len(WEEKDAYS)
RANGES_SHOWN: Final = 2
"""Before and after a break; more only where a day has more."""
RANGES_MAX: Final = SPANS_MAX // DAYS
WORKING_DAYS: Final = range(1, 6)
"""Beside Monday; most outpatient departments work on Saturdays."""


def stored_week(spans: Sequence[int]) -> Week:
    """The form of stored hours."""
    week: Week = [[] for _ in WEEKDAYS]
    for opens, closes in zip(spans[::2], spans[1::2], strict=True):
        week[opens // DAY_MIN].append((clock(opens), clock(closes)))
    return week


def typed_week(form: Mapping[str, str]) -> Week:
    """What was typed, whether it can be read or not."""
    shut = form.get("shut", "").split(",")
    return [[] if f"d{day}closed" in form and str(day) not in shut else _typed_day(form, day) for day in range(DAYS)]


def with_monday_copied(week: Week) -> Week:
    """The hours of Monday on all working days."""
    return [week[0] if day in WORKING_DAYS else ranges for day, ranges in enumerate(week)]


def columns_of(week: Week) -> int:
    """How many ranges the form shows for each day."""
    return max(RANGES_SHOWN, *(len(ranges) for ranges in week))


def spans_of(week: Week) -> tuple[int, ...]:
    """The spans that the form means. Raises NotFilledIn with the first field of the day that is wrong."""
    by_day = [_spans_of_day(day, ranges) for day, ranges in enumerate(week)]
    flat = tuple(edge for spans in by_day for edge in spans)
    if not flat:
        raise NotFilledIn(messages.NO_HOURS, "d0from0")
    if fault_of(flat):
        day = next(day for day in range(DAYS) if fault_of(by_day[day]) or _reaches_next(by_day, day))
        raise NotFilledIn(tr(messages.OVERLAP).format(day=day_names()[day]), f"d{day}from0")
    return flat


def day_names() -> list[str]:
    """The weekdays from Monday, in the clerk's language."""
    sunday, *others = language.book().weekdays
    return [*others, sunday]


def _typed_day(form: Mapping[str, str], day: int) -> list[tuple[str, str]]:
    ranges = [
        (form.get(f"d{day}from{number}", "").strip(), form.get(f"d{day}to{number}", "").strip())
        for number in range(RANGES_MAX)
    ]
    return [one for one in ranges if any(one)]


def _spans_of_day(day: int, ranges: Sequence[tuple[str, str]]) -> list[int]:
    try:
        spans = sorted(range_of(opens, closes) for opens, closes in ranges)
    except NotUnderstood as wrong:
        sentence = tr(messages.WRONG_DAY).format(day=day_names()[day], fault=wrong.words(tr))
        raise NotFilledIn(sentence, f"d{day}from0") from None
    return [day * DAY_MIN + edge for span in spans for edge in span]


def _reaches_next(by_day: Sequence[Sequence[int]], day: int) -> bool:
    """Whether a day's last range runs into the next day's first one."""
    after = by_day[(day + 1) % DAYS]
    week_min = DAYS * DAY_MIN if day == DAYS - 1 else 0
    return bool(by_day[day] and after) and by_day[day][-1] > after[0] + week_min
