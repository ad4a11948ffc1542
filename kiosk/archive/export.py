"""Rows of the archive as CSV or JSON lines, streamed: a year takes no more memory than a page.

``csv_text`` makes the CSV safe for spreadsheets. Times are RFC 3339 with the facility's offset; what has not happened
is empty.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Final, Literal, TextIO
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.schema import Table

from kiosk.archive import csv_text
from kiosk.archive.queries import EXPORT_AT_ONCE, rows_where
from kiosk.archive.schema import audit_lines, facilities, shares, tickets
from kiosk.archive.timestamps import Timestamps

Format = Literal["csv", "jsonl"]
What = Literal["tickets", "shares", "audit"]

_TABLES: Final[Mapping[What, Table]] = {"tickets": tickets, "shares": shares, "audit": audit_lines}
_LEFT_OUT: Final = frozenset({"hour", "cursor", "event", "entry", "hash"})
"""Columns that only the archive itself needs."""
_RENAMED: Final = {"hip_id": "facility", "ack": "acknowledgement", "ack_at_ms": "acknowledged_at", "at_ms": "shared_at"}


def export(
    connection: Connection,
    out: TextIO,
    what: What,
    first: date,
    last: date,
    *,
    hip_id: str = "",
    form: Format = "csv",
    zone: ZoneInfo,
) -> int:
    """Write all rows of the range, by day, facility and number (audit: by facility and number); returns how many.

    ``zone``: of facilities without their own.
    """
    table = _TABLES[what]
    columns = [column for column in table.columns if column.name not in _LEFT_OUT]
    names = ["happened_at" if column is audit_lines.c.at_ms else _name_of(column.name) for column in columns]
    write = csv_text.begin(out, names) if form == "csv" else _json_lines(out, names)
    texts = Texts(connection, [column.name for column in columns], zone, safe=form == "csv")
    count = 0
    where = _moments(first, last, hip_id, zone) if what == "audit" else rows_where(table, first, last, hip_id)
    for batch in raw_batches(connection, columns, where, table.primary_key.columns.values()):
        write(texts.read(batch))
        count += len(batch)
    return count


def _moments(first: date, last: date, hip_id: str, zone: ZoneInfo) -> list[Any]:
    """Lines of the audit have a moment, not a service day."""
    begin, end = (datetime.combine(day, time.min, zone) for day in (first, last + timedelta(days=1)))
    at_ms = audit_lines.c.at_ms
    where = [at_ms >= int(begin.timestamp()) * 1000, at_ms < int(end.timestamp()) * 1000]
    return [*where, audit_lines.c.hip_id == hip_id] if hip_id else where


def _name_of(column: str) -> str:
    return _RENAMED.get(column, column.replace("_ms", "_at"))


def _plain(connection: Connection, column: "sa.Column[Any]") -> "sa.ColumnElement[Any]":
    """The column as the database itself writes it out: making Python's own of each value costs a third of the time."""
    is_sqlite = connection.dialect.name == "sqlite"
    if isinstance(column.type, sa.LargeBinary):
        hexed = sa.func.lower(sa.func.hex(column)) if is_sqlite else sa.func.encode(column, "hex")
        return sa.func.coalesce(hexed, "")
    if isinstance(column.type, sa.Date | sa.Boolean) and not is_sqlite:  # SQLite has them as text and as 0 or 1
        return sa.cast(column, sa.String if isinstance(column.type, sa.Date) else sa.Integer)
    return column


def raw_batches(
    connection: Connection, columns: Sequence["sa.Column[Any]"], where: list[Any], order: Sequence[Any]
) -> Iterator[Sequence[Any]]:
    """Rows some thousand at a time. SQLite's driver reads step by step and gives plain tuples: no need to wrap them."""
    query = sa.select(*(_plain(connection, column) for column in columns)).where(*where).order_by(*order)
    if connection.dialect.name != "sqlite":
        with connection.execution_options(yield_per=EXPORT_AT_ONCE).execute(query) as found:
            yield from found.partitions()
        return
    with connection.execute(query) as found:
        assert found.cursor is not None  # noqa: S101 - a select has one; narrows the type
        while batch := found.cursor.fetchmany(EXPORT_AT_ONCE):
            yield batch


class Texts:
    """Turns rows into what is written, column by column. Most columns stay as they are."""

    def __init__(self, connection: Connection, names: Sequence[str], zone: ZoneInfo, *, safe: bool) -> None:
        """``safe``: for a spreadsheet, so that no text may be taken for a formula; else empty texts become None."""
        self._zone = zone
        self._facility = names.index("hip_id")
        self._times = [at for at, name in enumerate(names) if name.endswith("_ms")]
        self._free = [at for at, name in enumerate(names) if name in _FREE_TEXTS]
        self._safe = safe
        named = connection.execute(sa.select(facilities.c.hip_id, facilities.c.timezone))
        self._zones = {hip_id: ZoneInfo(timezone) for hip_id, timezone in named if timezone}
        self._timestamps: dict[ZoneInfo, Timestamps] = {}

    def read(self, batch: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """The cells of each row."""
        for zone, rows in groupby(batch, self._zone_of) if self._zones else ((self._zone, batch),):
            columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
            timestamps = self._timestamps.get(zone) or self._timestamps.setdefault(zone, Timestamps(zone))
            for at in self._times:
                columns[at] = timestamps.texts(columns[at])
            if self._safe:
                for at in self._free:
                    columns[at] = csv_text.safe_column(columns[at])
            else:
                columns = [[None if cell == "" else cell for cell in one] if "" in one else one for one in columns]
            yield from zip(*columns, strict=True)

    def _zone_of(self, row: Sequence[Any]) -> ZoneInfo:
        return self._zones.get(row[self._facility], self._zone)


_FREE_TEXTS: Final = frozenset({"hip_id", "queue", "counter", "token", "request_id", "ticket", "by", "why"})
"""Texts from outside. The others are words of ours."""


def _json_lines(out: TextIO, names: Sequence[str]) -> Callable[[Iterable[tuple[Any, ...]]], None]:
    encoder = msgspec.json.Encoder()

    def write(rows: Iterable[tuple[Any, ...]]) -> None:
        known = (dict(zip(names, row, strict=True)) for row in rows)
        out.write(encoder.encode_lines(known).decode())

    return write


def is_known(connection: Connection, hip_id: str) -> bool:
    """Whether the archive knows this facility."""
    return bool(connection.execute(sa.select(facilities.c.hip_id).where(facilities.c.hip_id == hip_id)).first())
