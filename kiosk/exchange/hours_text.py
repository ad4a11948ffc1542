"""Opening hours and holidays as people type them: ``Mon–Sat 9:00–14:00`` and ``2026-12-25 Christmas``, a line each."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import groupby
from typing import Final

from queueing.day import EPOCH, date_of_day, day_number
from queueing.display_text import marked_text
from queueing.opening_hours import DAY_MIN, HOLIDAY_NAME_MAX, HOLIDAYS_MAX, SPANS_MAX, Holiday, clock, fault_of

TEXT_MAX: Final = 10_000
"""Characters that are read: a hundred holidays with long names have fewer."""
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAYS: Final = {name.lower(): number for number, name in enumerate(WEEKDAYS)}
_FULL: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LINE: Final = re.compile(r"([A-Za-z][A-Za-z ,-]*?)\s*:?\s*(\d.*|closed)", re.IGNORECASE)
_TIME: Final = r"(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm)?"
_RANGE: Final = re.compile(rf"{_TIME}\s*-\s*{_TIME}", re.IGNORECASE)
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_INDIAN: Final = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_WORDS: Final = re.compile(r"(\d{1,2})\s+([A-Za-z]{3,9})\.?,?\s+(\d{4})")


FAULTS: Final = {
    "line": "Line {number}, “{line}”: {fault}.",
    "many": "A week has at most {most} time ranges.",
    "two time ranges overlap": "Two time ranges overlap.",
    "a time range ends before it begins": "A time range ends before it begins.",
    "an opening has no closing": "An opening has no closing.",
    "date": "Line {number}, “{line}”: begin with a date such as 2026-12-25 or 25 Dec 2026.",
    "holidays": "A facility has at most {most} holidays.",
    "times": "write days and times, such as Mon-Sat 9:00-14:00",
    "range": "write an opening and a closing, such as 9:00-14:00",
    "day": "“{word}” is no day; write Mon, Tue, Wed, Thu, Fri, Sat, Sun or daily",
    "same": "a time range ends where it begins; a whole day is 0:00-24:00",
    "time": "{time} is no time",
}
"""What can be wrong; the last five stand within a line's sentence. ``fault_of`` of spans gives three of the keys."""


class NotUnderstood(Exception):
    """A line that cannot be read; the text says which and why.

    ``fault`` is a key of ``FAULTS``. A value of it may be another ``NotUnderstood``.
    """

    def __init__(self, fault: str, /, **values: object) -> None:
        super().__init__(fault)
        self._sentence, self._values = FAULTS[fault], values

    def __str__(self) -> str:
        return self.words(str)

    def words(self, translate: Callable[[str], str]) -> str:
        """The text in another language: ``translate`` takes a sentence of ``FAULTS``."""
        values = {
            name: value.words(translate) if isinstance(value, NotUnderstood) else value
            for name, value in self._values.items()
        }
        return translate(self._sentence).format(**values)


def read_hours(text: str) -> tuple[int, ...]:
    """The spans of a week (``queueing.opening_hours.Spans``). Raises NotUnderstood."""
    spans: list[tuple[int, int]] = []
    for number, line in _lines(text):
        try:
            spans += _spans_of(line)
        except NotUnderstood as wrong:
            raise NotUnderstood("line", number=number, line=line[:40], fault=wrong) from None
    flat = tuple(edge for span in sorted(spans) for edge in span)
    if len(spans) > SPANS_MAX:
        raise NotUnderstood("many", most=SPANS_MAX)
    if fault := fault_of(flat):
        raise NotUnderstood(fault)
    return flat


def range_of(opens: str, closes: str) -> tuple[int, int]:
    """Minutes of a day from two times; a closing before the opening is in the next day. Raises NotUnderstood."""
    found = _RANGE.fullmatch(f"{opens}-{closes}")
    if not found:
        raise NotUnderstood("range")
    if _minute_of(*found.groups()[:3]) == _minute_of(*found.groups()[3:]) == 0:
        return 0, DAY_MIN  # from midnight to midnight
    return _range_of(found)


def write_hours(spans: Sequence[int]) -> str:
    """The same as lines; days that follow one another with the same hours share one."""
    return "\n".join(f"{days} {ranges}" for days, ranges in days_and_ranges(spans, WEEKDAYS))


def days_and_ranges(spans: Sequence[int], names: Sequence[str]) -> list[tuple[str, str]]:
    """``Mon–Sat`` and ``09:00–14:00`` of each such line; ``names`` of the weekdays."""
    by_day: list[list[str]] = [[] for _ in WEEKDAYS]
    for opens, closes in zip(spans[::2], spans[1::2], strict=True):
        by_day[opens // DAY_MIN].append(f"{clock(opens)}–{clock(closes, is_end=True)}")
    lines = []
    for ranges, days in groupby(range(len(WEEKDAYS)), key=lambda day: by_day[day]):
        first, *_, last = [*days] * 2
        if ranges:
            lines.append((names[first] if first == last else f"{names[first]}–{names[last]}", ", ".join(ranges)))
    return lines


def read_holidays(text: str) -> list[Holiday]:
    """The holidays by day. Raises NotUnderstood."""
    found: dict[int, Holiday] = {}
    for number, line in _lines(text):
        day, name = _dated(line)
        if day is None:
            raise NotUnderstood("date", number=number, line=line[:40])
        found[day_number(day)] = Holiday(day_number(day), marked_text(name, HOLIDAY_NAME_MAX))
    if len(found) > HOLIDAYS_MAX:
        raise NotUnderstood("holidays", most=HOLIDAYS_MAX)
    return [found[day] for day in sorted(found)]


def write_holidays(holidays: Iterable[Holiday]) -> str:
    """The same as lines."""
    return "\n".join(f"{date_of(one)} {one.name}".strip() for one in holidays)


def date_of(holiday: Holiday) -> date:
    """The day of a holiday."""
    return date_of_day(holiday.day)


def _lines(text: str) -> Iterable[tuple[int, str]]:
    plain = re.sub(r"[‐‑‒–—−]", "-", text[:TEXT_MAX])
    for number, line in enumerate(re.split(r"\r\n|[\r\n;]", plain), 1):
        if line.strip():
            yield number, " ".join(line.split())


def _spans_of(line: str) -> list[tuple[int, int]]:
    found = _LINE.fullmatch(line)
    if not found:
        raise NotUnderstood("times")
    days, rest = _days_of(found[1]), found[2]
    if rest.lower() == "closed":
        return []
    left = _RANGE.sub("", rest)
    if left.replace("and", "").strip(" ,"):
        raise NotUnderstood("range")
    ranges = [_range_of(found) for found in _RANGE.finditer(rest)]
    return [(day * DAY_MIN + opens, day * DAY_MIN + closes) for day in days for opens, closes in ranges]


def _days_of(text: str) -> list[int]:
    if text.strip().lower() in ("daily", "every day"):
        return list(range(len(WEEKDAYS)))
    days: list[int] = []
    for part in re.split(r"\s*(?:,|\band\b)\s*", text.strip()):
        first, *more = [_day_of(one) for one in part.split("-")]
        last = more[-1] if more else first
        days += [(first + ahead) % len(WEEKDAYS) for ahead in range((last - first) % len(WEEKDAYS) + 1)]
    return sorted(set(days))


def _day_of(word: str) -> int:
    name = word.strip().lower()
    day = _DAYS.get(name[:3])
    if day is None or not _FULL[day].startswith(name):
        raise NotUnderstood("day", word=word.strip()[:20])
    return day


def _range_of(found: re.Match[str]) -> tuple[int, int]:
    opens, closes = _minute_of(*found.groups()[:3]), _minute_of(*found.groups()[3:])
    if opens in {closes, DAY_MIN}:
        raise NotUnderstood("same")
    return (opens, closes if closes > opens else closes + DAY_MIN)


def _minute_of(hour: str, minute: str | None, half: str | None) -> int:
    hours, minutes = int(hour), int(minute or 0)
    if half:
        if not 1 <= hours <= 12:
            raise NotUnderstood("time", time=f"{hour} {half}")
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    if minutes > 59 or hours * 60 + minutes > DAY_MIN:
        raise NotUnderstood("time", time=f"{hour}:{minute or '00'}")
    return hours * 60 + minutes


def _dated(line: str) -> tuple[date | None, str]:
    """The date at the beginning of a line, and the rest; no date when there is none."""
    for pattern, order in ((_ISO, (1, 2, 3)), (_INDIAN, (3, 2, 1)), (_WORDS, (3, 2, 1))):
        if found := pattern.match(line):
            year, month, day = (found[place] for place in order)
            return _date(year, month, day), line[found.end() :].strip(" ,:\t-")
    return None, ""


def _date(year: str, month: str, day: str) -> date | None:
    number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1 if _is_month(month) else 0
    try:
        found = date(int(year), number, int(day))
    except ValueError:
        return None
    return found if found >= EPOCH else None


def _is_month(word: str) -> bool:
    return word[:3].lower() in _MONTHS
