"""Deletes old rows in small steps, so that no writer and no page waits for it. Sums stay."""

from datetime import date
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.schema import Table

from kiosk.archive.schema import events, facilities, shares, tickets

FACILITIES_AT_ONCE: Final = 100
"""Facilities of one day: some thousand rows, which take some ten milliseconds."""
EVENTS_AT_ONCE: Final = 2_000
"""Rows: some ten milliseconds too. An hour of a hundred facilities has fewer."""


def delete_some(connection: Connection, before: date) -> int:
    """Delete some rows of service days before this one, the oldest first. 0 when there are none left."""
    return next((count for table in (tickets, shares) if (count := _delete_from(connection, table, before))), 0)


def _delete_from(connection: Connection, table: Table, before: date) -> int:
    day = connection.execute(sa.select(sa.func.min(table.c.service_day))).scalar()
    if day is None or day >= before:
        return 0
    of_day = table.c.service_day == day
    listed = sa.select(table.c.hip_id).where(of_day).distinct().order_by(table.c.hip_id).limit(FACILITIES_AT_ONCE)
    hips = connection.execute(listed).scalars().all()
    return int(connection.execute(sa.delete(table).where(of_day, table.c.hip_id.in_(hips))).rowcount)


def delete_some_events(connection: Connection, before_ms: int, behind: str = "") -> str | None:
    """Delete some events from before this time, of facilities behind this HIP id. Returns behind which to go on; None
    when none are left.

    Rows lie by facility and time, so that no index by time alone is needed.
    """
    listed = sa.select(facilities.c.hip_id).where(facilities.c.hip_id > behind)
    hips = connection.execute(listed.order_by(facilities.c.hip_id).limit(FACILITIES_AT_ONCE)).scalars().all()
    old = sa.and_(events.c.hip_id.in_(hips), events.c.cursor_ms < before_ms)
    keys = events.primary_key.columns
    some = sa.select(*keys).where(old).limit(EVENTS_AT_ONCE)
    deleted = connection.execute(sa.delete(events).where(sa.tuple_(*keys).in_(some))).rowcount
    if deleted == EVENTS_AT_ONCE:
        return behind
    return hips[-1] if len(hips) == FACILITIES_AT_ONCE else None
