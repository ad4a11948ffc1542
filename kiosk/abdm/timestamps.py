"""Whether a message was sent recently, by its own TIMESTAMP."""

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

CLOCK_WINDOW_S: Final = 600
"""How old, or how far ahead, a message may be. The gateway may deliver again minutes later; a replay on the next day
must be refused."""
_WRITTEN_MAX: Final = 40
"""Most characters of a time that are read: no valid time is longer."""
_INDIA: Final = timezone(timedelta(hours=5, minutes=30))


def is_current(timestamp: str, now_s: float) -> bool:
    """Whether the message was sent within the window, by its time. A time without a zone may be UTC or India's time."""
    second, _, rest = timestamp[:_WRITTEN_MAX].partition(".")
    for moment_s in _moments_s(second + rest.lstrip("0123456789")):  # noqa: SIM110 (a generator would cost half of it)
        if abs(moment_s - now_s) <= CLOCK_WINDOW_S:
            return True
    return False


def lies_within(timestamp: str, begins_s: float, ends_s: float) -> bool:
    """Whether the message was sent between these unix seconds, by its time. The fraction of a second is not read."""
    second, _, rest = timestamp[:_WRITTEN_MAX].partition(".")
    moments_s = _moments_s(second + rest.lstrip("0123456789"))
    return any(begins_s - 1 <= moment_s <= ends_s for moment_s in moments_s)


@lru_cache(maxsize=1024)
def _moments_s(written: str) -> tuple[float, ...]:
    """The moments that this text may mean, unix seconds; empty when it is not a time. Results are cached, because
    thousands of messages have the same second.
    """
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return ()
    zones = (moment.tzinfo,) if moment.tzinfo else (UTC, _INDIA)
    return tuple([moment.replace(tzinfo=zone).timestamp() for zone in zones])
