"""Which days an address names, and with which days they are compared."""

from datetime import date

import pytest

from kiosk.console.period import Period, PeriodError, presets, read_period

TODAY = date(2026, 9, 23)  # a Wednesday


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ({}, TODAY, TODAY),
        ({"from": "", "to": " "}, TODAY, TODAY),
        ({"from": "2026-09-21"}, date(2026, 9, 21), date(2026, 9, 21)),
        ({"to": "2026-09-21"}, date(2026, 9, 21), date(2026, 9, 21)),
        ({"from": "2025-09-23", "to": "2026-09-23"}, date(2025, 9, 23), TODAY),
    ],
)
def test_the_days_of_an_address(query: dict[str, str], first: date, last: date) -> None:
    assert read_period(query, TODAY) == Period(first=first, last=last)


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        ("2026-09-22", "2026-09-21", "wrong_way"),
        ("2025-09-22", "2026-09-23", "long"),
        ("2026-09-23", "2026-09-24", "future"),
        ("yesterday", "", "unreadable"),
        ("2026-02-30", "", "unreadable"),
        ("20260921", "", "unreadable"),
        ("1026-09-21", "", "unreadable"),
        ("2026-09-21<script>", "", "unreadable"),
    ],
)
def test_days_that_cannot_be_shown_have_a_reason(first: str, last: str, code: str) -> None:
    with pytest.raises(PeriodError) as caught:
        read_period({"from": first, "to": last}, TODAY)
    assert caught.value.code == code


@pytest.mark.parametrize(("days", "earlier"), [(1, 7), (7, 7), (8, 14), (28, 28), (366, 371)])
def test_days_are_compared_with_the_same_weekdays_before(days: int, earlier: int) -> None:
    period = Period(first=TODAY, last=date.fromordinal(TODAY.toordinal() + days - 1))
    assert period.earlier_days == earlier
    assert period.earlier.last < period.first
    assert period.earlier.first.weekday() == period.first.weekday()
    assert period.earlier.days == days


def test_last_week_is_monday_to_sunday() -> None:
    week = presets(TODAY)["last_week"]
    assert (week.first, week.last) == (date(2026, 9, 14), date(2026, 9, 20))
    assert all(period.last <= TODAY for period in presets(TODAY).values())
