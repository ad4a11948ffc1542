"""What stands on a slip in the patient's language, as the facility reads it. English stands on every one, for staff."""

from typing import Final

from kiosk.locales import BOOK, ENGLISH
from kiosk.locales.corrections import own_messages
from queueing.corrections import NO_CORRECTIONS, Corrections
from queueing.slip_printers import PRINTER_NAME_MAX, PRINTERS_MAX

SAYS: Final = {"title": "ticket.title", "ahead": "ticket.ahead", "hint": "board.hint"}
"""What a patient must read on paper, by the words of the screens."""
SCAN: Final = "Scan to see how many are before you"
"""English, as all that staff read on paper."""
SENT: Final = "{token} went to the printer {printer}."
FAULTS: Final = {
    "away": "The printer {printer} does not answer: is it on and connected?",
    "paper": "The printer {printer} has no paper, or its cover is open.",
    "slow": "The printer {printer} did not take the slip in time.",
    "drawing": "The slip could not be drawn.",
    "address": "The printer {printer} may not be reached: {fault}.",
    "unknown": "The printer {printer} was removed. Choose another one in the walk-in form.",
}
"""Why a printer did not print a slip."""
HERE: Final = "⇧L prints the slip on this computer."
"""After each of them, at a desk."""
PRINTERS: Final = {
    "saved": "Saved. Desks offer it when their page is loaded again.",
    "removed": "Removed.",
    "sample": "A sample went to the printer {printer}. Look at it: the whole number, and a code that a phone reads.",
    "name": f"The printer needs a name of 1 to {PRINTER_NAME_MAX} characters, such as Registration.",
    "address": "The address is not understood: {fault}.",
    "full": f"This facility has {PRINTERS_MAX} printers already. Remove one first.",
}
"""Sentences of the page of printers."""
LANGUAGES: Final = {code: book.name for code, book in BOOK.items() if book is not ENGLISH}
"""A slip's second language: code → its own name."""


def local_lines(corrections: Corrections = NO_CORRECTIONS) -> dict[str, dict[str, str]]:
    """Language → its direction, and each line of a slip."""
    books = (own_messages(code, corrections) for code in LANGUAGES)
    return {
        book.code: {"direction": book.direction} | {line: book.say(key) for line, key in SAYS.items()} for book in books
    }
