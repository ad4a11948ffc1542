"""Sentences of the page of opening hours."""

from typing import Final

SAVED: Final = "Saved: {queue} takes people {hours}."
ALWAYS: Final = "Saved: {queue} takes people at any hour."
HOLIDAYS_SAVED: Final = "Holidays saved."
TRIED: Final = (
    "Nothing is saved yet. With these hours {refused} of the {counted} people of today in {queue} would have been"
    " refused."
)
TRIED_NOBODY: Final = "Nothing is saved yet. Nobody came to {queue} today, so nobody would have been refused."
COPIED: Final = "Nothing is saved yet. Tuesday to Saturday have Monday's hours: look at them, then save."
NO_HOURS: Final = (
    "Write the hours of at least one day. A queue that takes people day and night: press “Open at any hour”."
)
WRONG_DAY: Final = "{day}: {fault}."
OVERLAP: Final = "{day}: two time ranges overlap."
HOLIDAY_DATE: Final = "Choose the date of the holiday."
HOLIDAY_SAVED: Final = "{date} is a holiday."
HOLIDAY_AWAY: Final = "{date} is no holiday any more."
UNKNOWN: Final = "This queue does not exist here."
NOW_ALWAYS: Final = "No hours: open at any hour."
NOW_OPEN: Final = "Open now."
NOW_CLOSED: Final = "Closed now by its hours. {opens}."
NOW_LONG: Final = "Closed now by its hours, and not open in the next two months."
BY_HAND: Final = "Closed by hand, whatever the hours say."
"""What a queue does at this moment."""
