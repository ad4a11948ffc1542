"""Where a counter text leads: computed here for people who look, decided in the store for people who scan.

``find_queue`` in functions/shared/counters.lua is what a scan meets. A test compares both.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from queueing.models import Counter, Queue
from queueing.redis_keys import counter_text
from queueing.registry import Hospital

_OLD: Final = re.compile(r"([A-Z]+)[0-9]*")
"""A queue's id or prefix, or a counter of that prefix that no longer exists."""


class Means(StrEnum):
    """How a text found its queue."""

    COUNTER = "counter"
    """It is the name of a counter, or a printed text that leads to one."""
    QUEUE = "queue"
    """It is the id or the letters of a queue."""
    DEFAULT = "default"
    """It names nothing of this facility, so it leads to the queue for such codes."""


class Leads(Struct, frozen=True, kw_only=True):
    """Where a text leads. ``queue`` is None when it leads to none."""

    means: Means
    counter: Counter | None
    queue: Queue | None


def leads_to(hospital: Hospital, printed: Mapping[str, str], text: str, *, proved: str = "") -> Leads:
    """Whether anything is open does not matter here.

    ``printed``: ``Registry.texts``. ``proved``: the counter of a signed code, in place of a text.
    """
    spelled = counter_text(text)
    counter = hospital.counter(proved) if proved else _counter(hospital, printed, spelled)
    if counter is not None and counter.queues:
        return Leads(means=Means.COUNTER, counter=counter, queue=hospital.queue(counter.queues[0]))
    if not proved and (queue := _queue(hospital, spelled)):
        return Leads(means=Means.QUEUE, counter=None, queue=queue)
    return Leads(means=Means.DEFAULT, counter=None, queue=hospital.queue(hospital.facility.default_queue))


def name_in_code(hospital: Hospital, printed: Mapping[str, str], queue: Queue) -> str:
    """The text that leads to a queue whatever counter serves it: its letters or its id; empty when neither does."""
    for text in (queue.prefix, counter_text(queue.id)):
        found = leads_to(hospital, printed, text)
        if found.means is Means.QUEUE and found.queue == queue:
            return text
    return ""


def _counter(hospital: Hospital, printed: Mapping[str, str], text: str) -> Counter | None:
    """A printed text wins over a counter's name."""
    return hospital.counter(printed.get(text, "")) or hospital.counter(text)


def _queue(hospital: Hospital, text: str) -> Queue | None:
    found = _OLD.fullmatch(text)
    if not found:
        return None
    return next((one for one in hospital.queues if one.prefix == found[1] or one.id.upper() == text), None)
