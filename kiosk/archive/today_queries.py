"""What the page of the hospital's day reads: the sums of one facility for some days, and of the days before them.

Only sums are read, but for the open counters: those stand in the rows of tickets, which a database counts by itself.
"""

from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from kiosk.archive import queries
from kiosk.archive.schema import (
    PRIORITY,
    SERVICE_COLUMNS,
    SOURCES,
    SUMS,
    WAIT_COLUMNS,
    daily_sums,
    hourly_sums,
)
from kiosk.archive.sums import Sums

SERVICE: Final = ("service_s", *SERVICE_COLUMNS)
BY_HOUR: Final = ("tokens", *(f"source_{source}" for source in SOURCES), *WAIT_COLUMNS, *SERVICE)
EARLIER: Final = ("tokens", *WAIT_COLUMNS)
EARLIER_BY_QUEUE: Final = (*EARLIER, *PRIORITY)
BY_QUEUE: Final = tuple(name for name in SUMS if not name.startswith(("people_month", "people_state")))
COUNTERS_DAYS: Final = 7
"""Longer ranges would read more tickets than a page can wait for: a week of a large hospital takes 12 ms."""
WEEKS: Final = 4
"""Weeks whose same weekday says what is usual: enough for one odd day, and still this season."""
MEASURED_DAYS: Final = 28
"""Days whose visits say how long a visit takes."""


class DayFacts(Struct, frozen=True, kw_only=True):
    """The sums of a range of days, and what they are compared with."""

    by_queue: dict[str, Sums]
    """Queue id -> sums. Shares that reached no queue stand under the empty id."""
    by_queue_and_hour: dict[tuple[str, int], Sums]
    by_day: dict[date, Sums]
    earlier_by_queue: dict[str, Sums]
    earlier_by_hour: dict[int, Sums]
    earlier_by_day: dict[date, Sums]
    open_counters: dict[tuple[date, int], int] | None
    """Day and hour -> counters that called somebody; None when the range is too long."""
    first_day: date | None = None
    """Of the first number that was ever given here; None while there is none."""

    def is_counted(self, day: date) -> bool:
        """False for a day before the first number: nobody knows who came then."""
        return self.first_day is not None and day >= self.first_day


class UsualFacts(Struct, frozen=True, kw_only=True):
    """What is usual at one hour of one weekday."""

    arrivals_by_queue: dict[str, float]
    """Queue id -> people who arrive in this hour, on average of the days that had any; empty when none had."""
    service_by_queue: dict[str, float]
    """Queue id -> minutes of a visit, on average."""
    priority: dict[str, float]
    """``lane_…`` or ``reason_…`` -> tickets of it on a whole day of this weekday, on average of the days that had any
    ticket; empty without such a day."""


def day_facts(
    connection: Connection, first: date, last: date, *, hip_id: str, earlier_days: int, zone: ZoneInfo
) -> DayFacts:
    """The sums from ``first`` to ``last``, and of as many days that lie ``earlier_days`` before."""
    shift = timedelta(days=earlier_days)
    before = (first - shift, last - shift)
    is_short = (last - first).days < COUNTERS_DAYS
    return DayFacts(
        by_queue=queries.sums_by_queue(connection, first, last, hip_id=hip_id, columns=BY_QUEUE),
        by_queue_and_hour=queries.sums_by_queue_and_hour(connection, first, last, hip_id=hip_id, columns=BY_HOUR),
        by_day=queries.sums_by_day(connection, first, last, hip_id=hip_id, columns=EARLIER),
        earlier_by_queue=queries.sums_by_queue(connection, *before, hip_id=hip_id, columns=EARLIER_BY_QUEUE),
        earlier_by_hour=queries.sums_by_hour(connection, *before, hip_id=hip_id, columns=EARLIER),
        earlier_by_day=queries.sums_by_day(connection, *before, hip_id=hip_id, columns=EARLIER),
        open_counters=queries.open_counters(connection, first, last, hip_id=hip_id, zone=zone) if is_short else None,
        first_day=_first_day(connection, hip_id),
    )


def _first_day(connection: Connection, hip_id: str) -> date | None:
    key = daily_sums.c
    days = sa.select(key.service_day).where(key.hip_id == hip_id, key.tokens > 0)
    return connection.execute(days.order_by(key.service_day).limit(1)).scalar()


def usual_facts(connection: Connection, day: date, hour: int, *, hip_id: str) -> UsualFacts:
    """What is usual on this weekday at this hour, and how long visits took in the last weeks."""
    days = [day - timedelta(weeks=week) for week in range(1, WEEKS + 1)]
    key = hourly_sums.c
    by_queue = sa.select(key.queue, sa.func.sum(key.tokens), sa.func.count(sa.distinct(key.service_day))).where(
        key.hip_id == hip_id, key.service_day.in_(days), key.hour == hour, key.tokens > 0, key.queue != ""
    )
    found = connection.execute(by_queue.group_by(key.queue))
    arrivals = {queue: int(tokens) / days_open for queue, tokens, days_open in found}
    visits = queries.sums_by_queue(connection, day - timedelta(days=MEASURED_DAYS), day, hip_id=hip_id, columns=SERVICE)
    service = {queue: mean for queue, sums in visits.items() if (mean := sums.measured_service_min()) is not None}
    return UsualFacts(
        arrivals_by_queue=arrivals, service_by_queue=service, priority=_usual_priority(connection, days, hip_id)
    )


def _usual_priority(connection: Connection, days: list[date], hip_id: str) -> dict[str, float]:
    key = daily_sums.c
    counted = [sa.func.sum(key[name]) for name in PRIORITY]
    where = (key.hip_id == hip_id, key.service_day.in_(days), key.tokens > 0)
    row = connection.execute(sa.select(sa.func.count(sa.distinct(key.service_day)), *counted).where(*where)).one()
    days_open, *sums = row
    return {name: int(count) / days_open for name, count in zip(PRIORITY, sums, strict=True) if days_open}
