"""Where a ticket stood before a transfer brought it on."""

from msgspec import Struct


class Stop(Struct, frozen=True, array_like=True):
    """One earlier stop, as functions/transfer.lua packs it: ``STOP`` there, in its order. Unix ms. New fields go last
    and have defaults.
    """

    queue: str
    """Queue id."""
    arrived_ms: int
    called_ms: int
    """When the person was called there and came; 0: nobody recorded that they came."""
    ended_ms: int
    """When the ticket was sent on."""
