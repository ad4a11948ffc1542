"""Rows of the archive's tables, made by hand, and their sums by the same rules as the program's."""

from collections import Counter
from datetime import date
from typing import Any

import sqlalchemy as sa

from kiosk.archive import schema
from kiosk.archive.database import Database
from kiosk.archive.sums import of_share, of_ticket

HIP = "IN0110000123"
MINUTE = 60_000
NINE = 1_790_000_000_000
"""Some moment, unix ms."""


def ticket(number: int, **changed: Any) -> dict[str, Any]:
    """A place at nine o'clock, called after ten minutes and done after five more."""
    row = {
        "service_day": date(2026, 9, 21),
        "hip_id": HIP,
        "number": number,
        "token": f"M-{number:03d}",
        "queue": "medicine",
        "counter": "M1",
        "lane": "ordinary",
        "reason": "",
        "assurance": "poster",
        "nearness": "unknown",
        "source": "abha_app",
        "state": "done",
        "hour": 9,
        "arrived_ms": NINE,
        "checked_in_ms": 0,
        "called_first_ms": NINE + 10 * MINUTE,
        "called_last_ms": NINE + 10 * MINUTE,
        "started_ms": NINE + 11 * MINUTE,
        "ended_ms": NINE + 15 * MINUTE,
        "calls": 1,
        "request": f"{number:024x}",
        "request_id": f"request-{number}",
        "person": number.to_bytes(16),
        "first_day": True,
        "first_month": True,
        "first_state": True,
        "ack": "delivered",
        "ack_at_ms": NINE + 800,
        "cursor": f"{NINE}-{number}",
    }
    return row | changed


def share(number: int, **changed: Any) -> dict[str, Any]:
    """A share that was refused because the queue was closed."""
    row = {
        "service_day": date(2026, 9, 21),
        "hip_id": HIP,
        "event": f"abcdefghijkl-{NINE}-{number}",
        "kind": "refused",
        "refusal": "closed_queue",
        "by_hours": False,
        "queue": "",
        "ticket": "",
        "hour": 9,
        "at_ms": NINE,
        "request": f"{number:024x}",
        "ack": "delivered",
        "ack_at_ms": NINE + 300,
        "cursor": f"{NINE}-{number}",
    }
    return row | changed


def insert(database: Database, table: sa.Table, *rows: dict[str, Any]) -> None:
    with database.writing() as connection:
        connection.execute(sa.insert(table), list(rows))


def insert_sums(database: Database, **sums: int) -> None:
    """The same sums everywhere for medicine, 21 September, nine o'clock."""
    day, month = date(2026, 9, 21), date(2026, 9, 1)
    insert(database, schema.hourly_sums, {"hip_id": HIP, "service_day": day, "hour": 9, "queue": "medicine", **sums})
    insert(database, schema.daily_sums, {"hip_id": HIP, "service_day": day, "queue": "medicine", **sums})
    insert(database, schema.monthly_sums, {"hip_id": HIP, "month": month, "queue": "medicine", **sums})
    insert(database, schema.state_sums, {"service_day": day, "hour": 9, **sums})


def insert_day(database: Database, *rows: dict[str, Any]) -> None:
    """Tickets and shares, added to the sums of every kind, as the archive role does it."""
    added: dict[tuple[str, tuple[Any, ...]], Counter[str]] = {}
    for row in rows:
        day, hip_id, hour, queue = row["service_day"], row["hip_id"], row["hour"], row["queue"]
        for name, key in (
            ("hourly_sums", (hip_id, day, hour, queue)), ("daily_sums", (hip_id, day, queue)),
            ("monthly_sums", (day.replace(day=1), hip_id, queue)), ("state_sums", (day, hour)),
        ):  # fmt: skip
            added.setdefault((name, key), Counter()).update(of_ticket(row) if "number" in row else of_share(row))
    with database.writing() as connection:
        for row in rows:
            connection.execute(sa.insert(schema.tickets if "number" in row else schema.shares), row)
        for (name, values), sums in added.items():
            table = schema.metadata.tables[name]
            keys = dict(zip(table.primary_key.columns.keys(), values, strict=True))
            where = [table.c[column] == value for column, value in keys.items()]
            found = connection.execute(sa.select(table).where(*where)).mappings().first()
            connection.execute(sa.delete(table).where(*where))
            after = {column: (found[column] if found else 0) + sums[column] for column in schema.SUMS}
            connection.execute(sa.insert(table), keys | after)
