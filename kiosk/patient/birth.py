"""When somebody was born: dates as cards and gateways write them, ages as people say them.

Digits of any script are digits. A part that cannot be read or is masked (``19**``, ``1*``) is unknown and the parts
that can be read count. A day without its month is unknown too: it says nothing.
"""

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import Final
from unicodedata import normalize

from msgspec import Struct

from kiosk.patient.identifiers import western_digits

EARLIEST_YEAR, LATEST_YEAR = 1900, 2299
"""The gateway's own range for years of birth."""
AGE_MAX: Final = 120
"""Years. Nobody in India is known to be older; a larger number is a mistake or a year of birth."""
READ_MAX: Final = 40
"""Characters of a date or age that are read: ``1990-01-15T00:00:00.000+05:30`` has 29."""

_YEAR_FIRST: Final = re.compile(r"(\w{4})[-/. ]+(\w{1,3})[-/. ]+(\w{1,2})(?:[T ].*)?")
_DAY_FIRST: Final = re.compile(r"(\w{1,2})[-/., ]+(\w{1,9})[-/., ]+(\w{4})(?:[T ].*)?")
_MONTH_FIRST: Final = re.compile(r"(\w{1,3})[-/. ]+(\w{4})")
_MASK: Final = str.maketrans({"*": "X", "?": "X", "#": "X", "\u2022": "X"})
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS_IN: Final = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Of each month in its longest year: registers hold a 29 February of an ordinary year, and it decides nothing."""
_DAYS_OF: Final = {
    365.25: ("y", "yr", "yrs", "year", "years", "साल", "वर्ष", "बरस", "سال", "برس", "ਸਾਲ"),
    30.4375: (
        "m",
        "mo",
        "mos",
        "mon",
        "month",
        "months",
        "माह",
        "महीना",
        "महीने",
        "म्हीना",
        "म्हीने",
        "ماہ",
        "مہینہ",
        "مہینے",
        "رؠتھ",
        "ਮਹੀਨਾ",
        "ਮਹੀਨੇ",
    ),
    7.0: ("w", "wk", "wks", "week", "weeks", "हफ़्ता", "हफ़्ते", "सप्ताह", "ہفتہ", "ہفتے", "ਹਫ਼ਤਾ", "ਹਫ਼ਤੇ"),
    1.0: ("d", "day", "days", "दिन", "دن", "دۄہ", "ਦਿਨ"),
}
"""Days of each unit (years and months of the calendar on average) and how people write it."""
_UNIT_DAYS: Final = {normalize("NFC", unit): days for days, units in _DAYS_OF.items() for unit in units}
_AGE_PART: Final = re.compile(r"(\d{1,4}(?:[.,]\d{1,2})?)\s*([^\W\d_][^\d\s.,]*)\.?[\s,]*(?:and\s+)?")
_BARE_AGE: Final = re.compile(r"\d{1,4}(?:[.,]\d{1,2})?")


class Birth(Struct, frozen=True, gc=False):
    """Each part is None when it is unknown."""

    day: int | None = None
    month: int | None = None
    year: int | None = None


UNKNOWN: Final = Birth()


def birth_of_parts(day: str, month: str, year: str) -> Birth:
    """From three texts. A part that is no number of its range is unknown."""
    in_year = _number(year, EARLIEST_YEAR, LATEST_YEAR)
    in_month = _number(month, 1, 12)
    on_day = _number(day, 1, 31) if in_month else None
    if on_day and in_month and on_day > _DAYS_IN[in_month]:
        on_day = None
    return Birth(on_day, in_month, in_year)


def birth_date(text: str) -> Birth:
    """``1990-01-15``, ``15-1-1990``, ``15/1/1990``, ``15.1.1990``, ``15 Jan 1990``, ``1/1990``, or a year alone."""
    written = western_digits(text[:READ_MAX]).translate(_MASK).strip()
    if found := _YEAR_FIRST.fullmatch(written):
        return birth_of_parts(found[3], _month(found[2]), found[1])
    if found := _DAY_FIRST.fullmatch(written):
        return birth_of_parts(found[1], _month(found[2]), found[3])
    if found := _MONTH_FIRST.fullmatch(written):
        return birth_of_parts("", _month(found[1]), found[2])
    return birth_of_parts("", "", written)


def birth_of_age(text: str, today: date) -> Birth:
    """From what stands in a form's field for the age: an age (``67``, ``67y``, ``1.5``, ``8m``, ``6d``), a year of
    birth or a date of birth. Unknown when it is none of these, or lies in the future.
    """
    written = normalize("NFC", western_digits(text[:READ_MAX])).strip().lower()
    if written.isdecimal():
        return _age_or_year(written, today)
    if _BARE_AGE.fullmatch(written):
        days = float(written.replace(",", ".")) * 365.25
    elif (counted := _days_of_units(written)) is not None:
        days = counted
    else:
        born = birth_date(text)
        return born if born.year is not None and born.year <= today.year else UNKNOWN
    return _born_before(days, today)


def _age_or_year(written: str, today: date) -> Birth:
    number = int(written) if len(written) <= 4 else -1
    if 0 <= number <= AGE_MAX:
        return Birth(year=today.year - number)
    return Birth(year=number) if EARLIEST_YEAR <= number <= today.year else UNKNOWN


def _days_of_units(written: str) -> float | None:
    """``1 y 6 m`` in days; None when a unit is not known or something else stands there."""
    days, at = 0.0, 0
    while at < len(written):
        found = _AGE_PART.match(written, at)
        unit = _UNIT_DAYS.get(found[2].rstrip(".")) if found else None
        if found is None or unit is None:
            return None
        days += float(found[1].replace(",", ".")) * unit
        at = found.end()
    return days if written else None


def _born_before(days: float, today: date) -> Birth:
    """The year alone: an age is no date. Whole years count back from this year, as a bare number does."""
    if days > (AGE_MAX + 1) * 365.25:
        return UNKNOWN
    years = days / 365.25
    if years.is_integer():
        return Birth(year=today.year - int(years))
    return Birth(year=(today - timedelta(days=round(days))).year)


def _month(written: str) -> str:
    """A month's number as text, from a number or an English name."""
    name = written[:3].lower()
    return str(_MONTHS.index(name) + 1) if name in _MONTHS else written


@lru_cache(maxsize=1024)
def _number(written: str, least: int, most: int) -> int | None:
    """There are few days, months and years: each is read once."""
    if len(written) > 4:
        return None
    digits = western_digits(written.strip())
    number = int(digits) if digits.isdigit() and digits.isascii() else -1
    return number if least <= number <= most else None
