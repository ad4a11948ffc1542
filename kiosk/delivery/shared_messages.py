"""Makes each message once for all targets that get the same bytes.

Ten webhooks of one facility take an event at about the same time. A message with a profile is made for each target
alone, because the audit records each sending.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct

from kiosk.delivery.message import Message
from queueing.event_log import Event
from queueing.targets import Target

FRESH_S: Final = 2.0
"""Targets that are not behind take an event within a second. A later try makes it anew, with what is known by then."""
KEPT: Final = 1_000
"""More than two seconds of a state's events; each some kilobyte."""

Make = Callable[[Target, Event], Awaitable[Message | None]]


class _Making(Struct, frozen=True):
    at_s: float
    task: "asyncio.Task[Message | None]"


class SharedMessages:
    """Messages by event and format. All methods run on one event loop."""

    def __init__(self, make: Make, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._make, self._clock_s = make, clock_s
        self._makings: OrderedDict[tuple[str, ...], _Making] = OrderedDict()

    async def message(self, target: Target, event: Event) -> Message | None:
        """The event as this target gets it. Raises what making it raised."""
        if target.wants_profiles:
            return await self._make(target, event)
        key = (event.id, target.kind, target.format)
        known = self._makings.get(key)
        if known is None or self._clock_s() - known.at_s > FRESH_S or _has_failed(known.task):
            known = _Making(self._clock_s(), asyncio.create_task(self._make_one(target, event)))
            known.task.add_done_callback(_has_failed)  # its failure is told to those who wait
            self._makings[key] = known
            self._makings.move_to_end(key)
            if len(self._makings) > KEPT:
                self._makings.popitem(last=False)
        return await asyncio.shield(known.task)

    async def _make_one(self, target: Target, event: Event) -> Message | None:
        return await self._make(target, event)


def _has_failed(task: "asyncio.Task[Message | None]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
