"""What pages and exports ask of the archive. Each function takes a connection: one transaction may ask several.

Ranges name their first and last day, both included. A range over all facilities reads sums of the whole service or of
months, never one row for each ticket. ``columns`` names the sums that a page shows: fewer are faster.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection
from sqlalchemy.schema import Table

from kiosk.archive.schema import (
    SUMS,
    daily_sums,
    hourly_sums,
    imported_totals,
    state_sums,
    tickets,
)
from kiosk.archive.sums import Sums

Columns = Sequence[str]
EXPORT_AT_ONCE: Final = 2_000
"""Rows fetched together: some 500 kB."""
QUARTER_MS: Final = 900_000
"""All time zones differ from UTC by whole quarters of an hour, so a quarter lies within one hour of each."""
DAYS_NAMED: Final = timedelta(days=800)
"""PostgreSQL and SQLite both take far longer lists. A longer range is scanned."""


class ArchivedFacility(Struct, frozen=True, kw_only=True):
    """A facility as the registry named it last, and when it gave numbers."""

    hip_id: str
    name: str
    district: str
    state: str
    first_day: date | None
    """None: it never gave a number here."""
    last_day: date | None


def sums(
    connection: Connection, first: date, last: date, *, hip_id: str = "", queue: str = "", columns: Columns = SUMS
) -> Sums:
    """All of the range in one: of one queue, one facility, or (neither named) of the whole service."""
    found = grouped(connection, _by_days(hip_id), (), rows_where(_by_days(hip_id), first, last, hip_id, queue), columns)
    return found.get((), Sums())


def sums_by_day(
    connection: Connection, first: date, last: date, *, hip_id: str = "", queue: str = "", columns: Columns = SUMS
) -> dict[date, Sums]:
    """Day -> sums. A day on which nothing happened is missing."""
    table = _by_days(hip_id)
    found = grouped(connection, table, ("service_day",), rows_where(table, first, last, hip_id, queue), columns)
    return {key[0]: value for key, value in found.items()}


def sums_by_hour(
    connection: Connection, first: date, last: date, *, hip_id: str = "", queue: str = "", columns: Columns = SUMS
) -> dict[int, Sums]:
    """Hour of the day, 0 to 23 -> sums of all days of the range. Tickets stand at the hour of their arrival."""
    table = hourly_sums if hip_id else state_sums
    found = grouped(connection, table, ("hour",), rows_where(table, first, last, hip_id, queue), columns)
    return {key[0]: value for key, value in found.items()}


def sums_by_queue(
    connection: Connection, first: date, last: date, *, hip_id: str, columns: Columns = SUMS
) -> dict[str, Sums]:
    """Queue id -> sums. Shares that reached no queue stand under the empty id."""
    found = grouped(connection, daily_sums, ("queue",), rows_where(daily_sums, first, last, hip_id, ""), columns)
    return {key[0]: value for key, value in found.items()}


def sums_by_queue_and_hour(
    connection: Connection, first: date, last: date, *, hip_id: str, columns: Columns = SUMS
) -> dict[tuple[str, int], Sums]:
    """Queue id and hour of the day -> sums."""
    where = rows_where(hourly_sums, first, last, hip_id, "")
    found = grouped(connection, hourly_sums, ("queue", "hour"), where, columns)
    return {(key[0], key[1]): value for key, value in found.items()}


def imported(connection: Connection, first: date, last: date, *, hip_id: str = "") -> int:
    """Tokens of imported totals in the range."""
    where = _imported_where(first, last, hip_id)
    return int(connection.execute(sa.select(sa.func.sum(imported_totals.c.tokens)).where(*where)).scalar() or 0)


def imported_by_facility(connection: Connection, first: date, last: date) -> dict[str, int]:
    """HIP id -> tokens of imported totals."""
    column = imported_totals.c.hip_id
    query = sa.select(column, sa.func.sum(imported_totals.c.tokens)).where(*_imported_where(first, last, ""))
    return {hip_id: int(tokens) for hip_id, tokens in connection.execute(query.group_by(column))}


def open_counters(
    connection: Connection, first: date, last: date, *, hip_id: str, zone: ZoneInfo
) -> dict[tuple[date, int], int]:
    """Day and hour -> counters that called somebody in that hour. The database reads rows: for some weeks at most."""
    quarter = tickets.c.called_last_ms // QUARTER_MS
    where = (*rows_where(tickets, first, last, hip_id, ""), tickets.c.called_last_ms > 0)
    called: dict[tuple[date, int], set[str]] = {}
    query = sa.select(tickets.c.service_day, tickets.c.counter, quarter).where(*where).distinct()
    for day, counter, number in connection.execute(query):
        hour = datetime.fromtimestamp(number * QUARTER_MS / 1000, zone).hour
        called.setdefault((day, hour), set()).add(counter)
    return {key: len(counters) for key, counters in called.items()}


class Incentive(Struct, frozen=True, kw_only=True):
    """What the incentive scheme pays for, of one facility and month."""

    shares: int
    """Places that came from an ABHA app and whose number the gateway accepted (202)."""
    counted: int
    """Of these, one for each person and day. Persons that are unknown are counted each."""


def incentives(connection: Connection, month: date, *, hip_id: str = "") -> dict[str, Incentive]:
    """HIP id -> what counts in this month; from the rows, so that each can be traced."""
    persons = sa.func.count(sa.distinct(_person_and_day(connection)))
    query = sa.select(
        tickets.c.hip_id, sa.func.count(), persons, sa.func.count().filter(tickets.c.person.is_(None))
    ).where(*_incentive_where(month, hip_id))
    found = connection.execute(query.group_by(tickets.c.hip_id))
    return {hip: Incentive(shares=total, counted=known + unknown) for hip, total, known, unknown in found}


def accepted_shares(connection: Connection, month: date, *, hip_id: str, limit: int) -> Sequence[Any]:
    """The tickets that ``incentives`` counts, by day and number, at most so many: service day, number, token, the
    gateway's REQUEST-ID, arrival, the time of its 202, and the person's digest.
    """
    names = ("service_day", "number", "token", "request_id", "arrived_ms", "ack_at_ms", "person")
    query = sa.select(*(tickets.c[name] for name in names)).where(*_incentive_where(month, hip_id))
    return connection.execute(query.order_by(*tickets.primary_key.columns).limit(limit)).all()


def tickets_of_day(connection: Connection, day: date, hip_id: str) -> Sequence[Any]:
    """The rows of ``schema.tickets`` of one facility and day, by column name, in the order of their numbers."""
    query = sa.select(tickets).where(*rows_where(tickets, day, day, hip_id, "")).order_by(tickets.c.number)
    return connection.execute(query).mappings().all()


def _incentive_where(month: date, hip_id: str) -> list[Any]:
    first = month.replace(day=1)
    where = rows_where(tickets, first, next_month(first) - timedelta(days=1), hip_id, "")
    return [*where, tickets.c.source == "abha_app", tickets.c.ack == "delivered"]


def _person_and_day(connection: Connection) -> Any:
    """One text for each person and day; NULL for a person that is unknown."""
    postgresql = connection.dialect.name == "postgresql"
    person = sa.func.encode(tickets.c.person, "hex") if postgresql else sa.func.hex(tickets.c.person)
    key = sa.cast(person, sa.String).concat(sa.cast(tickets.c.service_day, sa.String))
    return sa.case((tickets.c.person.is_(None), None), else_=key)


def _by_days(hip_id: str) -> Table:
    return daily_sums if hip_id else state_sums


def rows_where(table: Table, first: date, last: date, hip_id: str, queue: str = "") -> list[Any]:
    """The conditions of a range, and of a facility and a queue unless they are empty."""
    where: list[Any] = [table.c.service_day.between(first, last)]
    if hip_id and table.primary_key.columns[0] is table.c.service_day and last - first <= DAYS_NAMED:
        # Rows lie by day and then by facility: naming each day leads straight to them.
        where = [table.c.service_day.in_([first + timedelta(days=n) for n in range((last - first).days + 1)])]
    if hip_id:
        where.append(table.c.hip_id == hip_id)
    if queue:
        where.append(table.c.queue == queue)
    return where


def _imported_where(first: date, last: date, hip_id: str) -> list[Any]:
    where: list[Any] = [imported_totals.c.day.between(first, last)]
    return [*where, imported_totals.c.hip_id == hip_id] if hip_id else where


def next_month(first: date) -> date:
    """The first day of the month after this day's."""
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1)


def grouped(
    connection: Connection, table: Table, keys: tuple[str, ...], where: list[Any], columns: Columns
) -> dict[tuple[Any, ...], Sums]:
    """Values of the keys -> sums of the rows that fit the conditions."""
    by = [table.c[key] for key in keys]
    query = sa.select(*by, *(sa.func.sum(table.c[name]) for name in columns)).where(*where).group_by(*by)
    width = len(keys)
    found: dict[tuple[Any, ...], Sums] = {}
    for row in connection.execute(query):
        if row[width] is not None:
            numbers = zip(columns, row[width:], strict=True)
            found[tuple(row[:width])] = Sums({name: int(number) for name, number in numbers if number})
    return found
