"""What the hours of a facility's queues say at this moment, for pages. The store decides about each scan."""

import time
from zoneinfo import ZoneInfo

from queueing.models import Queue
from queueing.opening_hours import DAY_MIN, Opening, is_within, local_minute, next_opening, spans_of_day
from queueing.registry import Hospital


class HoursNow:
    """By the clock of this process. ``service_zone``: of a facility without its own."""

    def __init__(self, hospital: Hospital, service_zone: str) -> None:
        self.minute = local_minute(time.time_ns() // 1_000_000, ZoneInfo(hospital.zone(service_zone)))
        self.holidays = frozenset(one.day for one in hospital.holidays)

    def closes(self, queue: Queue) -> bool:
        """Whether only the hours keep the queue closed."""
        return queue.open and queue.hours is not None and not is_within(queue.hours, self.holidays, self.minute)

    def opening(self, queue: Queue) -> Opening | None:
        """When the queue opens next that its hours keep closed; None when that is not known."""
        return next_opening(queue.hours or (), self.holidays, self.minute) if self.closes(queue) else None

    def today(self, queue: Queue) -> str:
        """The time ranges of today; empty without hours and on a day without any."""
        return ", ".join(spans_of_day(queue.hours or (), self.holidays, self.minute // DAY_MIN))
