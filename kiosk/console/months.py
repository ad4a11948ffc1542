"""The month that the state's review shows, read from its address."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from kiosk.console import language

ABDM_BEGAN: Final = date(2021, 9, 1)
_MONTH: Final = re.compile(r"(\d{4})-(\d{2})")


class MonthError(Exception):
    """The month cannot be shown. ``code`` is a key of ``review_messages.MONTH_TROUBLE``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_month(query: Mapping[str, str], today: date) -> date:
    """The first day of the month that ``month`` of an address names; without it, of this month. Raises MonthError."""
    text = query.get("month", "").strip()
    if not text:
        return today.replace(day=1)
    found = _MONTH.fullmatch(text)
    try:
        month = date(int(found[1]), int(found[2]), 1) if found else None
    except ValueError:
        month = None
    if month is None:
        raise MonthError("unreadable")
    if month > today:
        raise MonthError("future")
    if month < ABDM_BEGAN:
        raise MonthError("old")
    return month


def month_name(month: date) -> str:
    return f"{language.book().months[month.month - 1]} {month.year}"


def short_month_name(month: date) -> str:
    """With three letters in English; other languages have no short names that all know."""
    name = language.book().months[month.month - 1]
    return f"{name[:3] if language.current() is language.ENGLISH else name} {month.year}"
