"""Hours and holidays as an administrator types or pastes them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.exchange.hours_text import NotUnderstood, date_of, read_holidays, read_hours, write_holidays, write_hours
from queueing.opening_hours import DAY_MIN, fault_of

MORNINGS = tuple(day * DAY_MIN + edge for day in range(6) for edge in (540, 840))


@pytest.mark.parametrize(
    "text",
    [
        "Mon-Sat 9:00-14:00", "Mon–Sat 09:00–14:00", "mon, tue, wed, thu and fri 9-14\nSaturday: 9 am - 2 pm",
        "Mon-Wed 9-14; Thu-Sat 9.00-14.00; Sun closed",
    ],
)  # fmt: skip
def test_one_week_has_many_spellings(text: str) -> None:
    assert read_hours(text) == MORNINGS
    assert write_hours(MORNINGS) == "Mon–Sat 09:00–14:00"


def test_a_night_runs_into_the_next_day_and_days_may_pass_the_weekend() -> None:
    spans = read_hours("Fri-Mon 8 pm - 2 am, 9-13")
    assert write_hours(spans) == "Mon 09:00–13:00, 20:00–02:00\nFri–Sun 09:00–13:00, 20:00–02:00"
    assert read_hours("daily 0:00-24:00") == tuple(day * DAY_MIN + edge for day in range(7) for edge in (0, DAY_MIN))
    assert read_hours("  \n") == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Mon 9-14\nFunday 9-14", "Line 2, “Funday 9-14”: “Funday” is no day"),
        ("Mon 9:00", "write an opening and a closing"),
        ("9-14", "write days and times"),
        ("Monday to Friday", "write days and times"),
        ("Mon 9-25", "25:00 is no time"),
        ("Mon 9:75-14", "9:75 is no time"),
        ("Mon 13 pm - 14", "13 pm is no time"),
        ("Mon 9-9", "ends where it begins"),
        ("Mon 9-14, 13-15", "Two time ranges overlap."),
        ("daily " + ", ".join(f"{hour}:00-{hour}:30" for hour in range(5)), "at most 28"),
    ],
)
def test_a_line_that_cannot_be_is_named(text: str, sentence: str) -> None:
    with pytest.raises(NotUnderstood, match=sentence.replace("(", r"\(")):
        read_hours(text)


@given(st.lists(st.integers(0, 7 * 288), max_size=40, unique=True))
def test_what_is_written_is_read_again(edges: list[int]) -> None:
    spans = tuple(edge * 5 for edge in sorted(edges)[: len(edges) // 2 * 2])
    a_day = any(
        closes - opens == DAY_MIN and opens % DAY_MIN for opens, closes in zip(spans[::2], spans[1::2], strict=True)
    )
    if not fault_of(spans) and not a_day:  # 9:00–9:00 is read as a slip of the pen
        assert read_hours(write_hours(spans)) == spans


def test_holidays_are_pasted_in_any_usual_form() -> None:
    found = read_holidays("25 Dec 2026, Christmas\n26-01-2027\tRepublic Day\n2026-10-02 Gandhi Jayanti\n15/08/2027\n")
    assert [(str(date_of(one)), one.name) for one in found] == [
        ("2026-10-02", "Gandhi Jayanti"), ("2026-12-25", "Christmas"), ("2027-01-26", "Republic Day"),
        ("2027-08-15", ""),
    ]  # fmt: skip
    assert read_holidays(write_holidays(found)) == found
    assert date_of(found[0]) == date(2026, 10, 2)
    assert read_holidays("25-12-2026 " + "x" * 61)[0].name == "x" * 59 + "…"


@pytest.mark.parametrize("text", ["Christmas", "2026-02-30 Never", "31 Foo 2026 x", "1.1.26 short", "1969-12-31 old"])
def test_a_holiday_without_a_date_is_named(text: str) -> None:
    with pytest.raises(NotUnderstood, match=f"Line 2, “{text[:10]}"):
        read_holidays(f"2026-12-25 Christmas\n{text}")
    with pytest.raises(NotUnderstood, match="at most 100"):
        read_holidays("\n".join(f"{1 + n % 28}-{1 + n // 28}-2026" for n in range(101)))
