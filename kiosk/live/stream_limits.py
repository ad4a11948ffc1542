"""How many streams one address and one facility may hold in a worker, so that one caller cannot use up all streams.

Callers on this machine are not counted: a proxy that the operator did not name carries all callers from there.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Final

from kiosk.observability import metrics

PER_ADDRESS: Final = 512
"""Streams of one address: a hall of 300 people behind one Wi-Fi address, with its boards and desks. A mobile network
also puts that many phones behind one address."""
PER_SCREEN: Final = 8
"""Streams of one paired screen: the one of its page, and earlier ones that the network has not closed yet. Paired
screens count neither for their address nor for their facility; a facility has at most 200 of them
(``queueing.screens``)."""
PER_FACILITY: Final = 4_000
"""Streams of one facility. The busiest hospitals have 3,000 people in line; a worker holds twenty thousand streams."""


class TooManyStreams(Exception):
    """This address or facility has all streams it may hold. Screens poll for snapshots until a stream is free."""


class StreamLimits:
    """Counts the open streams of one worker."""

    def __init__(
        self, *, per_address: int = PER_ADDRESS, per_facility: int = PER_FACILITY, per_screen: int = PER_SCREEN
    ) -> None:
        self._limits = {"address": per_address, "facility": per_facility, "screen": per_screen}
        self._open: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def counted(self, address: str, facility: str, *, screen: str = "") -> Iterator[None]:
        """Hold one stream of both counts, or of the paired screen's own. Raises TooManyStreams, counted by reason."""
        keys = [("screen", screen)] if screen else [("facility", facility)]
        if not screen and not is_this_machine(address):
            keys.append(("address", address))
        for key in keys:
            if self._open[key] >= self._limits[key[0]]:
                metrics.stream_refused(key[0])
                raise TooManyStreams
        self._open.update(keys)
        try:
            yield
        finally:
            self._open.subtract(keys)
            for key in keys:
                if not self._open[key]:
                    del self._open[key]


def is_this_machine(address: str) -> bool:
    """Whether the caller runs on this machine, or is not known."""
    try:
        return not address or ip_address(address.partition("/")[0]).is_loopback
    except ValueError:
        return False
