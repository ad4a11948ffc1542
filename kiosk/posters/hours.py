"""The opening hours of a queue in a sentence: ``Open: Monday to Saturday 09:00 to 14:00. Closed on holidays.``"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from kiosk.locales import Messages
from queueing.opening_hours import DAY_MIN, clock

WEEK: Final = 7
HOURS_MAX: Final = 220
"""Characters: one line of a poster in the smallest letters. What is longer, such as other times on every day, is
left out on a poster."""


def hours_in(messages: Messages, spans: Sequence[int], *, has_holidays: bool) -> str:
    """Days with the same hours that follow one another are named together. ``spans``: ``queueing.opening_hours``.

    Empty without hours.
    """
    if not spans:
        return ""
    by_day: list[list[str]] = [[] for _ in range(WEEK)]
    for opens, closes in zip(spans[::2], spans[1::2], strict=True):
        times = messages.say("poster.span", first=clock(opens), last=clock(closes, is_end=True))
        by_day[opens // DAY_MIN].append(times)
    comma = "، " if messages.direction == "rtl" else ", "
    parts = [
        f"{_days(messages, list(days))} {comma.join(ranges)}"
        for ranges, days in groupby(range(WEEK), key=lambda day: by_day[day])
        if ranges
    ]
    sentence = messages.say("poster.hours", hours=" · ".join(parts))
    if has_holidays:
        sentence = f"{sentence}  ·  {messages.say('poster.holidays')}"
    return sentence


def _days(messages: Messages, days: Sequence[int]) -> str:
    """From Monday, which is 0."""
    first, last = (messages.weekdays[(day + 1) % WEEK] for day in (days[0], days[-1]))
    return first if days[0] == days[-1] else messages.say("poster.span", first=first, last=last)
