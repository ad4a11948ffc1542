"""The service day of a time zone, as each call passes it to the store.

The store's own clock decides the day (``functions/shared/clock.lua``). Lua has no time zones, so each call carries the
offset from UTC, the time of its next change and the offset after that.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

CARRIED_S: Final = 4 * 3_600
"""Default of ``models.Queue.carry_over_min``, in seconds: who arrived this long before midnight keeps the place."""
_AHEAD_MS: Final = 48 * 3_600_000
"""A change of offset further away than this cannot matter to a call made now."""
_FRESH_MS: Final = 3_600_000
EPOCH: Final = date(1970, 1, 1)
"""Day 0 of the store."""


def _offset_ms(zone: ZoneInfo, at_ms: int) -> int:
    offset = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).utcoffset()
    return int((offset or timedelta()).total_seconds() * 1000)


def _next_change_ms(zone: ZoneInfo, now_ms: int) -> int:
    """First moment within two days at which the offset differs from now's, 0 if there is none."""
    now_offset = _offset_ms(zone, now_ms)
    if _offset_ms(zone, now_ms + _AHEAD_MS) == now_offset:
        return 0
    same, changed = now_ms, now_ms + _AHEAD_MS
    while changed - same > 1000:
        middle = (same + changed) // 2
        if _offset_ms(zone, middle) == now_offset:
            same = middle
        else:
            changed = middle
    return changed - changed % 1000


class ServiceClock:
    """The values of one time zone that each call carries, computed once an hour."""

    def __init__(self, timezone: str, now_ms: Callable[[], int]) -> None:
        self.timezone = timezone
        self._zone = ZoneInfo(timezone)
        self._now_ms = now_ms
        self._valid_until_ms = -1
        self._offsets: tuple[int, int, int] = (0, 0, 0)

    def values(self) -> tuple[int, int, int, int, str]:
        """ARGV 1 of every function that needs the day: our clock, unix ms; offset from UTC, ms; time of its next
        change, unix ms (0: not within two days); offset after that, ms; name of the zone.
        """
        now_ms = self._now_ms()
        if not self._valid_until_ms - _FRESH_MS <= now_ms < self._valid_until_ms:
            change_ms = _next_change_ms(self._zone, now_ms)
            after = _offset_ms(self._zone, change_ms + 1000) if change_ms else 0
            self._offsets = (_offset_ms(self._zone, now_ms), change_ms, after)
            self._valid_until_ms = now_ms + _FRESH_MS
        return (now_ms, *self._offsets, self.timezone)


def place_ends_s(zone: ZoneInfo, now_s: int) -> int:
    """Unix seconds until which a place given now may count: the next midnight there, and as long after it as a late
    place is carried into the new day.
    """
    tomorrow = datetime.fromtimestamp(now_s, zone).date() + timedelta(days=1)
    return int(datetime.combine(tomorrow, time(), zone).timestamp()) + CARRIED_S


def day_number(day: date) -> int:
    """How the store counts days: from 1 January 1970."""
    return (day - EPOCH).days


@lru_cache(maxsize=16)
def date_of_day(number: int) -> date:
    """The day that the store counts by this number."""
    return EPOCH + timedelta(days=number)


@lru_cache(maxsize=16)
def iso_day(number: int) -> str:
    """The day that the store counts by this number, as an ISO date."""
    return date_of_day(number).isoformat()


def ticket_id_of(day: date, number: int) -> str:
    """The id of a ticket: its day as the store counts it, and its number of that day."""
    return f"{day_number(day)}-{number}"


def day_of_ticket(ticket_id: str) -> date:
    """The service day on which a ticket was given. Raises ValueError for what is no ticket id."""
    return day_and_number(ticket_id)[0]


def day_and_number(ticket_id: str) -> tuple[date, int]:
    """The service day on which a ticket was given, and its number. Raises ValueError for what is no ticket id."""
    day, _, number = ticket_id.partition("-")
    return date_of_day(int(day)), int(number)
