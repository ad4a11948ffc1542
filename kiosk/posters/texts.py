"""What a poster says, and for which counters and queues there is one.

The code of a poster carries a bare name, so it does not age: the name of a counter, or the letters of a queue, which
lead to the queue whatever counter serves it (``queueing.counter_texts``).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from kiosk.locales import BOOK, Messages
from kiosk.locales.corrections import own_messages
from kiosk.posters.hours import HOURS_MAX, hours_in
from queueing.counter_texts import name_in_code
from queueing.models import Facility, Queue
from queueing.registry import Hospital
from tokens import qr

LINES: Final = ("abdm", "step_scan", "step_share", "step_number")
"""What to do, in the words of the counter's own screen."""
POSTERS_MAX: Final = 400
"""Pages of one file. A facility has fewer counters (``queueing.limits``)."""


class Which(StrEnum):
    """Of what posters are drawn."""

    COUNTERS = "counters"
    QUEUES = "queues"
    ALL = "all"


class Block(Struct, frozen=True, kw_only=True):
    """One language."""

    title: str
    steps: str
    hours: str = ""
    is_right_to_left: bool = False


class Poster(Struct, frozen=True, kw_only=True):
    """What one page says."""

    facility: str
    facility_names: tuple[str, ...] = ()
    """Its names in other languages, each once."""
    counter: str
    """Empty: the poster of a queue, for the hall."""
    queue: str
    """Plain name of the queue to which the code leads."""
    text: str
    """What a phone reads."""
    label: str
    """At the foot, for staff."""
    blocks: tuple[Block, ...]
    """One for each language."""


def posters_of(
    hospital: Hospital, host: str, printed: Mapping[str, str], *, which: Which = Which.COUNTERS, only: str = ""
) -> list[Poster]:
    """A poster for each queue that a code can name, and one for each counter that has a queue.

    ``host`` is ABDM's, for the codes; ``printed`` are the texts that lead to counters (``Registry.texts``). ``only``:
    the poster of this counter alone.
    """
    found: list[Poster] = []
    if which is not Which.COUNTERS and not only:
        named = [(queue, name_in_code(hospital, printed, queue)) for queue in hospital.queues]
        found += [_poster(hospital, host, queue, text, counter="") for queue, text in named if text]
    if which is not Which.QUEUES or only:
        for counter in hospital.counters:
            first = hospital.queue(counter.queues[0]) if counter.queues else None
            if first is not None and only in ("", counter.name):
                found.append(_poster(hospital, host, first, counter.name, counter=counter.name))
    return found[:POSTERS_MAX]


def hours_of(hospital: Hospital, queue: Queue) -> list[str]:
    """The opening hours in every language; all are empty when one is too long for a poster, and without hours."""
    books = [own_messages(code, hospital.facility.corrections) for code in BOOK]
    hours = [hours_in(book, queue.hours or (), has_holidays=bool(hospital.holidays)) for book in books]
    return hours if all(len(sentence) <= HOURS_MAX for sentence in hours) else [""] * len(books)


def left_out(hospital: Hospital) -> list[Queue]:
    """Queues whose opening hours are too long for a poster."""
    return [queue for queue in hospital.queues if queue.hours and not any(hours_of(hospital, queue))]


def _poster(hospital: Hospital, host: str, queue: Queue, text: str, *, counter: str) -> Poster:
    facility = hospital.facility
    books = [own_messages(code, facility.corrections) for code in BOOK]
    return Poster(
        facility=facility.name, facility_names=_other_names(facility), counter=counter, queue=queue.name,
        text=qr.facility_url(host, facility.hip_id, text), label=f"{facility.hip_id} / {text} / {queue.name}",
        blocks=tuple(_block(*one, queue) for one in zip(books, hours_of(hospital, queue), strict=True)),
    )  # fmt: skip


def _other_names(facility: Facility) -> tuple[str, ...]:
    """In the order of the languages on the page."""
    names = dict.fromkeys(facility.name_in(code) for code in BOOK)
    return tuple(name for name in names if name != facility.name)


def _block(messages: Messages, hours: str, queue: Queue) -> Block:
    """A name of its own stands before the title; the plain one stands large above all languages."""
    title = messages.say("counter_screen.title")
    own = queue.names.get(messages.code, "")
    return Block(
        title=f"{own}  ·  {title}" if own and own != queue.name else title,
        steps="  ·  ".join(messages.say(f"counter_screen.{line}") for line in LINES),
        hours=hours,
        is_right_to_left=messages.direction == "rtl",
    )
