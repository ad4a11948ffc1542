"""The parts of a spoken call, in the order of each language.

A part is the name of one clip: a phrase, a letter, or a number below a hundred. Larger numbers are put together as
people say them: *one thousand and forty-two*, *एक हज़ार बयालीस*.
"""

import re
from collections.abc import Container
from typing import Final

from msgspec import Struct

NUMBER: Final = "number"
"""Stands before the patient's number."""
PLEASE: Final = "please"
"""Stands before the counter: *please go to counter*."""
GO: Final = "go"
"""Stands behind the counter where the verb ends the sentence."""
AND: Final = "and"
HUNDRED: Final = "hundred"
THOUSAND: Final = "thousand"
PAUSE: Final = ""
"""The end of a sentence: silence, no clip."""
LARGEST: Final = 99_999
"""The digits of a number of one day end here. A larger number is said digit by digit."""
_RUNS: Final = re.compile(r"[A-Z]|[0-9]+")


class Order(Struct, frozen=True):
    """How a language puts a call together."""

    verb_last: bool
    """*Please counter one go* instead of *please go to counter one*."""
    joins_with_and: bool
    """*One hundred and seven* instead of *one hundred seven*."""


_VERB_LAST: Final = Order(verb_last=True, joins_with_and=False)
ORDERS: Final[dict[str, Order]] = {
    "en": Order(verb_last=False, joins_with_and=True),
    "hi": _VERB_LAST,
    "ur": _VERB_LAST,
    "pa": _VERB_LAST,
    "ks": _VERB_LAST,
    "doi": _VERB_LAST,
}
"""Every language that a call can be spoken in."""


def latin_clip(name: str) -> str:
    """The clip of a letter's name."""
    return f"letter-{name.lower()}"


def below_hundred(number: int) -> str:
    """The clip of a number from 0 to 99."""
    return f"n{number}"


def phrases(language: str) -> tuple[str, ...]:
    """The clips that are neither letters nor numbers below a hundred."""
    order = ORDERS[language]
    last = (GO,) if order.verb_last else ()
    joint = (AND,) if order.joins_with_and else ()
    return (NUMBER, PLEASE, *last, HUNDRED, THOUSAND, *joint)


def all_parts(language: str) -> tuple[str, ...]:
    """Every clip of a language: phrases, letters, numbers."""
    alphabet = (latin_clip(chr(code)) for code in range(ord("A"), ord("Z") + 1))
    return (*phrases(language), *alphabet, *(below_hundred(number) for number in range(100)))


def short_parts(language: str) -> tuple[str, ...]:
    """The clips with which every call can be spoken, digit by digit: what a person records first."""
    larger = {HUNDRED, THOUSAND, AND, *(below_hundred(number) for number in range(10, 100))}
    return tuple(part for part in all_parts(language) if part not in larger)


def number_parts(language: str, number: int) -> list[str]:
    """The clips of a number from 0 to ``LARGEST``, as people say it."""
    thousands, rest = divmod(number, 1000)
    hundreds, small = divmod(rest, 100)
    found: list[str] = []
    if thousands:
        found += [below_hundred(thousands), THOUSAND]
    if hundreds:
        found += [below_hundred(hundreds), HUNDRED]
    if found and small and ORDERS[language].joins_with_and:
        found.append(AND)
    if small or not found:
        found.append(below_hundred(small))
    return found


def name_parts(language: str, name: str, *, digit_by_digit: bool) -> list[str]:
    """The clips of ``M-042`` or ``M1``: letters by their names, digits as a number. Leading zeros are not said."""
    found: list[str] = []
    for run in _RUNS.findall(name.upper()):
        if not run.isdigit():
            found.append(latin_clip(run))
        elif digit_by_digit or int(run) > LARGEST:
            found += [below_hundred(int(digit)) for digit in str(int(run))]
        else:
            found += number_parts(language, int(run))
    return found


def call_parts(language: str, token: str, counter: str, *, digit_by_digit: bool = False) -> tuple[str, ...]:
    """The parts of a call, in the order of the language."""
    spoken = [name_parts(language, name, digit_by_digit=digit_by_digit) for name in (token, counter)]
    last = (GO,) if ORDERS[language].verb_last else ()
    return (NUMBER, *spoken[0], PAUSE, PLEASE, *spoken[1], *last)


def parts_with(language: str, token: str, counter: str, clips: Container[str]) -> tuple[str, ...] | None:
    """The parts of a call of which all clips are there: as people say numbers, else digit by digit, else none."""
    for digit_by_digit in (False, True):
        parts = call_parts(language, token, counter, digit_by_digit=digit_by_digit)
        if all(part == PAUSE or part in clips for part in parts):
            return parts
    return None
