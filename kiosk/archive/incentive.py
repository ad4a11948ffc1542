"""Counts for the incentive: kept for each facility and month, so that a page over the state reads no rows of tickets.

The archive role counts a facility's month again when the month's sums have changed. So a late acknowledgement corrects
the count, and a role that was killed goes on where it stopped.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from io import StringIO
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kiosk.archive import csv_text, queries
from kiosk.archive.schema import incentive_counts, monthly_sums
from kiosk.archive.sums import Row
from kiosk.archive.timestamps import Timestamps
from kiosk.archive.upsert import insert_or_replace
from queueing.day import day_number

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


def lines_csv(
    connection: Connection, month: date, *, hip_id: str, most: int, zone: ZoneInfo, header: Sequence[str]
) -> str | None:
    """A CSV of the tickets of a facility and month that the gateway accepted; None when there are more than ``most``.

    Cells: HIP id, service day, ticket's id, token, REQUEST-ID, arrival, acceptance, and 0 for a repeat of a person on a
    day. A large hospital has some ten thousand lines: they are made column by column.
    """
    rows = queries.accepted_shares(connection, month, hip_id=hip_id, limit=most + 1)
    if len(rows) > most:
        return None
    out = StringIO()
    write = csv_text.begin(out, header)
    if rows:
        days, numbers, tokens, requests, arrived, accepted, persons = zip(*rows, strict=True)
        timestamps = Timestamps(zone)
        since_1970 = {day: day_number(day) for day in set(days)}
        ids = [f"{since_1970[day]}-{number}" for day, number in zip(days, numbers, strict=True)]
        texts = [csv_text.safe_column(column) for column in (tokens, requests)]
        moments = [timestamps.texts(column) for column in (arrived, accepted)]
        hips = [csv_text.safe(hip_id)] * len(rows)
        write(zip(hips, days, ids, *texts, *moments, _counted(persons, days), strict=True))
    return out.getvalue()


def _counted(persons: Sequence[bytes | None], days: Sequence[date]) -> Iterator[int]:
    """1 for the first of a person on a day and for each person that is unknown."""
    seen: set[tuple[bytes, date]] = set()
    for person, day in zip(persons, days, strict=True):
        key = (person, day) if person is not None else None
        yield int(key not in seen)
        if key is not None:
            seen.add(key)
