"""Why a queue or counter cannot be removed: somebody or something uses it. ``functions/remove.lua`` decides."""

from enum import StrEnum
from typing import Final

from queueing.registry import RegistryError, UnknownCounter, UnknownQueue


class Use(StrEnum):
    """What uses it."""

    NUMBERS = "NUMBERS"
    """Numbers of the queue were given today, or somebody is in it."""
    SERVED = "SERVED"
    """A counter serves the queue."""
    DEFAULT = "DEFAULT"
    """The queue is the default of several."""
    DESK = "DESK"
    """Somebody has the counter's desk open."""
    PERSON = "PERSON"
    """Somebody is called to the counter or served there."""
    CALLED = "CALLED"
    """Somebody was called to the counter today, as far as the last calls say."""
    TEXT = "TEXT"
    """A printed text leads to the counter."""
    SCREEN = "SCREEN"
    """A paired screen shows it."""


class StillUsed(RegistryError):
    """Nothing was removed; ``use`` says why."""

    def __init__(self, use: Use) -> None:
        super().__init__(f"still used: {use}")
        self.use = use


_UNKNOWN: Final = {b"QUEUE": UnknownQueue, b"COUNTER": UnknownCounter}


def check_removed(reply: object) -> None:
    """Raises what the reply of ``functions/remove.lua`` says: UnknownQueue, UnknownCounter or StillUsed."""
    if not isinstance(reply, bytes):
        return
    raise _UNKNOWN[reply] if reply in _UNKNOWN else StillUsed(Use(reply.decode()))
