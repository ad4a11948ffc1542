"""Sentences of the page of announcements."""

from typing import Final

from queueing.announcement import ANNOUNCEMENT_MAX, ANNOUNCEMENTS_MAX

DONE: Final = {
    "announce": "Announced. Boards show it now.",
    "end": "Taken back.",
    "hours": "Saved. Boards follow at once.",
}
TROUBLE: Final = {
    "text": f"Write a sentence of 1 to {ANNOUNCEMENT_MAX} characters.",
    "queue": "Choose a queue of this facility, or the whole hospital.",
    "language": "Choose the language of the sentence.",
    "until": "Write the time at which it ends, such as 11:00.",
    "far": "That time has passed, or is more than {hours} hours away.",
    "full": f"There are {ANNOUNCEMENTS_MAX} announcements already. Take one back first.",
    "hours": "Write times such as 13:00, or leave both fields empty.",
}
"""Why nothing was changed."""
