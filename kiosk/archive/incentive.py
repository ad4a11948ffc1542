"""Counts for the incentive: kept for each facility and month, so that a page over the state reads no rows of tickets.

The archive role counts a facility's month again when the month's sums have changed. So a late acknowledgement corrects
the count, and a role that was killed goes on where it stopped.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kiosk.archive import queries
from kiosk.archive.schema import incentive_counts, monthly_sums
from kiosk.archive.sums import Row
from kiosk.archive.upsert import insert_or_replace

COUNTED_DAYS: Final = 400
"""A year and a month back: later changes of older months do not come."""
COUNTED_AT_ONCE: Final = 50
"""Facility months read in one transaction: some hundred rows each, a few of them some ten thousand."""
_KEPT: Final = incentive_counts.c


def changed_counts(connection: Connection, today: date, now_ms: int, oldest: date) -> list[Row]:
    """New rows of ``incentive_counts`` for facility months whose sums have changed, the newest months first.

    ``oldest``: rows of tickets before this day are deleted, so months that begin before it stay as they were counted.
    """
    found: list[Row] = []
    for month, hip_id, tokens, delivered in _stale(connection, max(today - timedelta(days=COUNTED_DAYS), oldest)):
        count = queries.incentives(connection, month, hip_id=hip_id).get(hip_id)
        found.append({
            "month": month, "hip_id": hip_id, "tokens": tokens, "acks_delivered": delivered, "counted_ms": now_ms,
            "shares": count.shares if count else 0, "counted": count.counted if count else 0,
        })  # fmt: skip
    return found


def save_counts(connection: Connection, rows: Sequence[Row]) -> None:
    """Keep them in place of the counts before."""
    insert_or_replace(connection, incentive_counts, rows)


def _stale(connection: Connection, oldest: date) -> Iterator[tuple[date, str, int, int]]:
    keys = (monthly_sums.c.month, monthly_sums.c.hip_id)
    tokens, delivered = sa.func.sum(monthly_sums.c.tokens), sa.func.sum(monthly_sums.c.acks_delivered)
    summed = (
        sa.select(*keys, tokens.label("tokens"), delivered.label("delivered"))
        .where(monthly_sums.c.month >= oldest, monthly_sums.c.hip_id != "")
        .group_by(*keys)
        .subquery()
    )
    is_same = sa.and_(_KEPT.month == summed.c.month, _KEPT.hip_id == summed.c.hip_id)
    query = sa.select(summed).select_from(summed.outerjoin(incentive_counts, is_same))
    changed = sa.or_(_KEPT.month.is_(None), _KEPT.tokens != summed.c.tokens, _KEPT.acks_delivered != summed.c.delivered)
    listed = query.where(changed).order_by(summed.c.month.desc(), summed.c.hip_id).limit(COUNTED_AT_ONCE)
    for month, hip_id, count, acknowledged in connection.execute(listed).all():
        yield month, hip_id, int(count), int(acknowledged)


def counted_lines(connection: Connection, month: date, *, hip_id: str, most: int) -> tuple[list[Row], bool]:
    """The tickets of a facility and month that the gateway accepted, each with ``counted``: 0 for a repeat of a person
    on a day. At most so many, and whether there are more.
    """
    lines: list[Row] = []
    seen: set[tuple[Any, date]] = set()
    for row in queries.incentive_rows(connection, month, hip_id=hip_id):
        if len(lines) == most:
            return lines, True
        key = (row["person"], row["service_day"])
        lines.append({**row, "counted": int(row["person"] is None or key not in seen)})
        seen.add(key)
    return lines, False
