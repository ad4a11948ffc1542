"""What an event does not carry itself: the hospital's own numbers of its ticket, and the ticket of a delivered reply.

Many targets get the same event at about the same time: the store is asked once for all of them.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from kiosk.exchange.hospital_numbers import NumberSeal, links_json
from kiosk.exchange.ticket_json import LinksJson
from kiosk.recent_answers import RecentAnswers
from queueing.event_log import Event, EventLog
from queueing.links import Links

FRESH_S: Final = 2.0
"""Targets that are not behind take an event within a second. A later try reads again."""
EVENTS_KEPT: Final = 1_000
"""More than two seconds of a state's events; each some 500 bytes."""

Completed = tuple[Event, LinksJson | None]


class EventTickets:
    """Completes events. All methods run on one event loop."""

    def __init__(
        self, log: EventLog, links: Links, number_seal: NumberSeal, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._log, self._links, self._number_seal = log, links, number_seal
        self._recent = RecentAnswers[Completed](good_for_s=FRESH_S, most=EVENTS_KEPT, clock_s=clock_s)

    async def complete(self, hip: str, event: Event) -> Completed:
        """The event with its ticket, and the numbers that the hospital's system has of it by now. Raises
        QueueingError.
        """
        return await self._recent.get(event.id, partial(self._read, hip, event))

    async def _read(self, hip: str, event: Event) -> Completed:
        (event,) = await self._log.with_tickets(hip, [event])
        if event.ticket is None:
            return event, None
        sealed = (await self._links.of(hip, [event.ticket.id])).get(event.ticket.id, b"")
        numbers = self._number_seal.open(hip, event.ticket, sealed)
        return event, links_json(numbers) if numbers else None
