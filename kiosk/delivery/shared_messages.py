"""Makes each message once for all targets that get the same bytes.

Ten webhooks of one facility take an event at about the same time. A message with a profile is made for each target
alone, because the audit records each sending.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from kiosk.delivery.message import Message
from kiosk.recent_answers import RecentAnswers
from queueing.event_log import Event
from queueing.targets import Target

FRESH_S: Final = 2.0
"""Targets that are not behind take an event within a second. A later try makes it anew, with what is known by then."""
KEPT: Final = 1_000
"""More than two seconds of a state's events; each some kilobyte."""

Make = Callable[[Target, Event], Awaitable[Message | None]]


class SharedMessages:
    """Messages by event and format. All methods run on one event loop."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._recent = RecentAnswers[Message | None](good_for_s=FRESH_S, most=KEPT)

    async def message(self, target: Target, event: Event) -> Message | None:
        """The event as this target gets it. Raises what making it raised."""
        if target.wants_profiles:
            return await self._make(target, event)
        return await self._recent.get((event.id, target.kind, target.format), partial(self._make, target, event))
