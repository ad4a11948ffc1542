"""Sentences of the page on which an administrator corrects sentences of the screens."""

from typing import Final

from queueing.corrections import CORRECTION_MAX, CORRECTIONS_MAX

DONE: Final = {
    "correct": "Corrected. Boards, phones and slips of this hospital show it within seconds.",
    "take-back": "Taken back. Our own sentence is shown again.",
}
TROUBLE: Final = {
    "unknown": "There is no such sentence.",
    "fixed": "This sentence says what a patient agrees to. It changes only with a release.",
    "empty": "Write the whole sentence.",
    "long": f"Write at most {CORRECTION_MAX} characters.",
    "same": "That is our own sentence. Take the correction back to see it again.",
    "braces": "Braces { } stand only around a name of the original, such as {counter}.",
    "missing": "The sentence lacks {names}: the kiosk writes a number, name or time there.",
    "foreign": "{names} is not in the original. Only the names of the original may stand in braces.",
    "full": f"There are too many corrections: at most {CORRECTIONS_MAX}, and not all of them long. Take some back.",
}
"""Why nothing was changed."""
SHOWN: Final = {
    "doubtful": "marked as doubtful",
    "corrected": "corrected here",
    "all": "all sentences",
}
"""Which sentences of the language the page lists."""
PREVIEWS: Final = {
    "board": "Look at the board",
    "counter_screen": "Look at the counter's screen",
    "find": "Look at the page",
}
"""Groups of sentences that can be looked at without a patient's link."""
