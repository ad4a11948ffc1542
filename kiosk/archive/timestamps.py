"""Timestamps of the archive as text, a column of them at a time: RFC 3339 with the facility's offset."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

MINUTE_MS: Final = 60_000
MINUTES_REMEMBERED: Final = 10_000
"""Some days of texts of minutes: a megabyte."""


class Timestamps:
    """Texts of one time zone. A minute is formatted once: that is a tenth of the time of formatting each moment."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._minutes = _Minutes(zone)

    def texts(self, column: Sequence[int]) -> list[str]:
        """Unix milliseconds as text; what has not happened (0) is empty."""
        minutes = self._minutes
        if len(minutes) > MINUTES_REMEMBERED:
            minutes.clear()
        return [
            (minute := minutes[ms // MINUTE_MS])[0] + minute[1][ms % MINUTE_MS] if ms else "" for ms in column
        ]  # fmt: skip


class _Minutes(dict[int, tuple[str, list[str]]]):
    """Minute -> its text, and what follows it for each millisecond within it."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self._zone = zone
        self._rests: dict[str, list[str]] = {}
        """Offset -> every moment within a minute: four megabytes for each of the one or two offsets of a zone."""

    def __missing__(self, minute: int) -> tuple[str, list[str]]:
        text = datetime.fromtimestamp(minute * 60, UTC).astimezone(self._zone).isoformat(timespec="minutes")
        offset = text[16:]
        if offset not in self._rests:
            self._rests[offset] = [f":{ms // 1000:02d}.{ms % 1000:03d}{offset}" for ms in range(MINUTE_MS)]
        self[minute] = found = text[:16], self._rests[offset]
        return found
