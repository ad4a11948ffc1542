"""Numbers and addresses that say who somebody is: every entrance reads them here, so the same person is the same.

Digits of any script are digits. What cannot be read, or is masked (``987654XXXX``), is unknown: the digits that are
left over belong to nobody. Unknown is empty text.
"""

import re
import unicodedata
from typing import Final

from queueing.display_text import display_text, marked_text

ADDRESS_MAX: Final = 255
"""Characters of an ABHA address: the gateway's own ceiling."""
ADDRESS_PART_MAX: Final = 200
"""Characters of a line, district or state: an Aadhaar address in one line has up to a hundred and fifty."""
READ_MAX: Final = 40
"""Characters of a number that are read: fourteen digits with a separator after each fit."""

_GENDERS: Final = {"MALE": "M", "FEMALE": "F", "OTHER": "O", "DIFFERENT": "D", "TRANSGENDER": "T", "UNKNOWN": "U"}
_SEPARATORS: Final = re.compile(r"[\s().\-\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")
"""Between groups of digits. Telephone apps copy numbers with invisible direction marks around them."""
_BETWEEN: Final = re.compile(r"[/,;]")
_INDIAN: Final = re.compile(r"(?:\+91|0091|91|0)?0?([1-9][0-9]{9})")
"""Ten digits, after India's country code or a trunk zero (TRAI numbering plan: area codes and mobiles begin 1 to 9)."""
_ABROAD: Final = re.compile(r"(?:\+|00)(?!91)([1-9][0-9]{6,14})|(?!91|[6-9][0-9]{10}$)([1-9][0-9]{10,14})")
"""Another country's number: at most fifteen digits (E.164). Without its plus it needs more digits than an Indian one.
What begins with 91, or is an Indian mobile with a digit too many, is a typing mistake."""
_MASKED_ADDRESS: Final = re.compile(r"[^@]*[*#\u2022][^@]*(?:@.*)?|[0-9]*X{2,}[0-9]*(?:@.*)?")
"""Stars, or capital X in place of digits as in ``9100XX@sbx``."""


def western_digits(text: str) -> str:
    """The same text with the digits of every script (Devanagari, Arabic-Indic, full-width) as ``0`` to ``9``."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)


def abha_number(text: str) -> str:
    """Fourteen digits, or empty."""
    digits = text.replace("-", "")  # as the gateway writes them: 91-7507-6821-7770
    if len(digits) == 14 and digits.isdigit() and digits.isascii():
        return digits
    digits = _SEPARATORS.sub("", western_digits(text[:READ_MAX]))
    return digits if len(digits) == 14 and digits.isdigit() and digits.isascii() else ""


def fits_check_digit(number: str) -> bool:
    """Whether the last of the digits is the check digit of the others by the Luhn rule (ISO/IEC 7812-1).

    No source says that ABHA numbers have one, and every published genuine number fits. So it is good for a warning
    about a number that somebody typed or scanned, and never a reason to refuse.
    """
    doubled = (int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(number)))
    return sum(digit // 10 + digit % 10 for digit in doubled) % 10 == 0


def abha_address(text: str) -> str:
    """As written, safe to show; compare it without case. Empty when it is masked: two people may share a mask."""
    address = display_text(text, ADDRESS_MAX)
    masked = ("*" in address or "#" in address or "XX" in address or "\u2022" in address) and _MASKED_ADDRESS.fullmatch(
        address
    )
    return "" if masked else address


def address_part(text: str) -> str:
    """A line, district or state of a postal address, safe to show; where it is cut, one sees that it goes on."""
    return marked_text(text, ADDRESS_PART_MAX)


def phone_number(text: str) -> str:
    """Ten digits of an Indian number without 91 or 0, the digits of a foreign one with its country code, or empty.

    Of several numbers the first that can be read.
    """
    written = western_digits(text[:READ_MAX]).strip().removeprefix("tel:").removesuffix(".0")  # .0: a spreadsheet's
    return next((number for each in _BETWEEN.split(written) if (number := _one_phone(each))), "")


def _one_phone(written: str) -> str:
    compact = _SEPARATORS.sub("", written.replace("(0)", ""))  # +44 (0)20 …: the zero is dialled inside the country
    if found := _INDIAN.fullmatch(compact):
        return found[1]
    found = _ABROAD.fullmatch(compact)
    return (found[1] or found[2]) if found else ""


def gender(text: str) -> str:
    """``M F O D T U``, or empty."""
    written = text[:20].strip().upper()
    return written if written in _GENDERS.values() else _GENDERS.get(written, "")


def pincode(text: str) -> str:
    """The postal code as written, in western digits."""
    return western_digits(display_text(text, 10))
