"""What an event does not carry itself: the hospital's own numbers of its ticket, and the ticket of a delivered reply.

Many targets get the same event at about the same time: the store is asked once for all of them.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from kiosk.exchange.hospital_numbers import NumberSeal, links_json
from kiosk.exchange.ticket_json import LinksJson
from queueing.event_log import Event, EventLog
from queueing.links import Links

FRESH_S: Final = 2.0
"""Targets that are not behind take an event within a second. A later try reads again."""
EVENTS_KEPT: Final = 1_000
"""More than two seconds of a state's events; each some 500 bytes."""

Completed = tuple[Event, LinksJson | None]


class _Reading(Struct, frozen=True):
    at_s: float
    task: "asyncio.Task[Completed]"


class EventTickets:
    """Completes events. All methods run on one event loop."""

    def __init__(
        self, log: EventLog, links: Links, number_seal: NumberSeal, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._log, self._links, self._number_seal, self._clock_s = log, links, number_seal, clock_s
        self._readings: OrderedDict[str, _Reading] = OrderedDict()

    async def complete(self, hip: str, event: Event) -> Completed:
        """The event with its ticket, and the numbers that the hospital's system has of it by now. Raises
        QueueingError.
        """
        known = self._readings.get(event.id)
        if known is None or self._clock_s() - known.at_s > FRESH_S or _has_failed(known.task):
            known = _Reading(self._clock_s(), asyncio.create_task(self._read(hip, event)))
            known.task.add_done_callback(_has_failed)
            self._readings[event.id] = known
            self._readings.move_to_end(event.id)
            if len(self._readings) > EVENTS_KEPT:
                self._readings.popitem(last=False)
        return await asyncio.shield(known.task)

    async def _read(self, hip: str, event: Event) -> Completed:
        (event,) = await self._log.with_tickets(hip, [event])
        if event.ticket is None:
            return event, None
        sealed = (await self._links.of(hip, [event.ticket.id])).get(event.ticket.id, b"")
        numbers = self._number_seal.open(hip, event.ticket, sealed)
        return event, links_json(numbers) if numbers else None


def _has_failed(task: "asyncio.Task[Completed]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
