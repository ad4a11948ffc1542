"""What stands on a slip in the patient's language, as the facility reads it. English stands on every one, for staff."""

from typing import Final

from kiosk.locales import BOOK, ENGLISH
from kiosk.locales.corrections import own_words
from queueing.corrections import NO_CORRECTIONS, Corrections

SAYS: Final = {"title": "ticket.title", "ahead": "ticket.ahead", "hint": "board.hint"}
"""What a patient must read on paper, by the words of the screens."""
LANGUAGES: Final = {code: book.name for code, book in BOOK.items() if book is not ENGLISH}
"""A slip's second language: code → its own name."""


def local_lines(corrections: Corrections = NO_CORRECTIONS) -> dict[str, dict[str, str]]:
    """Language → its direction, and each line of a slip."""
    books = (own_words(code, corrections) for code in LANGUAGES)
    return {
        book.code: {"direction": book.direction} | {line: book.say(key) for line, key in SAYS.items()} for book in books
    }
