"""The days that a page of figures shows: read from its address, and the days that they are compared with."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from msgspec import Struct

DAYS_MAX: Final = 366
"""A year and a day. Longer ranges are for exports."""
WEEK: Final = 7


class PeriodError(Exception):
    """The days cannot be shown. ``code`` is a key of ``figure_messages.PERIOD_TROUBLE``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Period(Struct, frozen=True, kw_only=True):
    """Some days, the first and the last included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def earlier_days(self) -> int:
        """Days back to the period that this one is compared with: whole weeks, so that weekdays agree."""
        return -(-self.days // WEEK) * WEEK

    @property
    def earlier(self) -> "Period":
        shift = timedelta(days=self.earlier_days)
        return Period(first=self.first - shift, last=self.last - shift)


def single(day: date) -> Period:
    return Period(first=day, last=day)


def presets(today: date) -> dict[str, Period]:
    """Periods that a page offers by name: a key of ``figure_messages.PRESETS``."""
    yesterday = today - timedelta(days=1)
    monday = today - timedelta(days=today.weekday())
    return {
        "today": single(today),
        "yesterday": single(yesterday),
        "last_week": Period(first=monday - timedelta(days=WEEK), last=monday - timedelta(days=1)),
        "four_weeks": Period(first=today - timedelta(days=4 * WEEK), last=yesterday),
    }


def read_period(query: Mapping[str, str], today: date) -> Period:
    """The days that ``from`` and ``to`` of an address name; with neither: today. Raises PeriodError."""
    first, last = query.get("from", "").strip(), query.get("to", "").strip()
    if not first and not last:
        return single(today)
    period = Period(first=_day(first or last), last=_day(last or first))
    if period.first > period.last:
        raise PeriodError("wrong_way")
    if period.days > DAYS_MAX:
        raise PeriodError("long")
    if period.last > today:
        raise PeriodError("future")
    return period


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text) if len(text) == len("2026-09-21") else None
    except ValueError:
        day = None
    if day is None or day.year < 2000:
        raise PeriodError("unreadable")
    return day
