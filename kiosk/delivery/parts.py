"""What all couriers share: the role (``kiosk.delivery.role``), as a courier sees it."""

from typing import Protocol

from kiosk.delivery.message import Attempt, Message
from queueing.event_log import Event
from queueing.models import UnixMs
from queueing.targets import EventRef, Target


class Parts(Protocol):
    """Time, log, store and senders."""

    def now_ms(self) -> UnixMs: ...
    def position(self, partition: str) -> str:
        """How far the log was followed."""
        ...

    async def read(self, target: Target, partition: str, after: str) -> tuple[list[Event], str]:
        """Events for the target after a cursor, and where to go on."""
        ...

    async def find(self, target: Target, ref: EventRef) -> Event | None:
        """One event again; None when it is kept nowhere any more."""
        ...

    async def message(self, target: Target, event: Event) -> Message | None:
        """The event as this target gets it; None when it gets nothing."""
        ...

    async def send(self, target: Target, message: Message) -> Attempt: ...
    async def switch_off(self, target: Target) -> None: ...
    def wants(self, target: Target, event: Event) -> bool: ...
