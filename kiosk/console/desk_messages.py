"""Sentences about the counters of a facility and who sits at them, for the desk and the choice of counters."""

from typing import Final

DESK: Final = {
    "beside": "{names} sits here too.",
    "beside_many": "{names} sit here too.",
    "break": "Back at {time}: the hall shows it. O, or the next call, ends the break.",
    "break_title": "Break: when is counter {counter} back?",
    "break_minutes": "{minutes} minutes",
    "break_back": "back {time}",
    "counter_idle": "nobody called",
    "counter_empty": "nobody sits here",
    "counter_shut": "closed",
    "counter_mine": "this counter",
    "minutes": "{minutes} min",
}
"""Words for the page's script."""

BREAK_BEGUN: Final = "Counter {counter} is back at {time}."
BREAK_ENDED: Final = "The break of counter {counter} is over."
BREAK_NONE: Final = "Counter {counter} has no break, or does not exist."
BREAK_ODD: Final = "Choose 1 to {most} minutes, or a time within {most} minutes from now, such as 11:10."
