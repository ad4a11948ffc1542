"""Rows of the archive as CSV or JSON lines, streamed: a year takes no more memory than a page.

``csv_text`` makes the CSV safe for spreadsheets. Times are RFC 3339 with the facility's offset; what has not happened
is empty.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal, TextIO
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.schema import Table

from kiosk.archive import csv_text
from kiosk.archive.queries import EXPORT_AT_ONCE, rows_where
from kiosk.archive.schema import audit_lines, facilities, shares, tickets

Format = Literal["csv", "jsonl"]
What = Literal["tickets", "shares", "audit"]

_TABLES: Final[Mapping[What, Table]] = {"tickets": tickets, "shares": shares, "audit": audit_lines}
_LEFT_OUT: Final = frozenset({"hour", "cursor", "event", "entry", "hash"})
"""Columns that only the archive itself needs."""
_RENAMED: Final = {"hip_id": "facility", "ack": "acknowledgement", "ack_at_ms": "acknowledged_at", "at_ms": "shared_at"}
MINUTES_REMEMBERED: Final = 10_000
"""Some days of texts of minutes: a megabyte."""

Read = Callable[[Any], Any]


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
    texts = _Texts(connection, columns, zone, safe=form == "csv")
    count = 0
    where = _moments(first, last, hip_id, zone) if what == "audit" else rows_where(table, first, last, hip_id)
    for batch in _batches(connection, columns, where, table):
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


def _batches(
    connection: Connection, columns: Sequence["sa.Column[Any]"], where: list[Any], table: Table
) -> Iterator[Sequence[Any]]:
    # Days and booleans are written as the database gives them: making Python's own of each costs a third of the time.
    plain = [
        sa.type_coerce(column, sa.String) if isinstance(column.type, sa.Date | sa.Boolean) else column
        for column in columns
    ]
    query = sa.select(*plain).where(*where).order_by(*table.primary_key.columns)
    with connection.execution_options(yield_per=EXPORT_AT_ONCE).execute(query) as found:
        yield from found.partitions()


class _Texts:
    """Turns the values of rows into what is written. Most values stay: only some places of a row are touched."""

    def __init__(
        self, connection: Connection, columns: Sequence["sa.Column[Any]"], zone: ZoneInfo, *, safe: bool
    ) -> None:
        """``safe``: no text may be taken for a formula."""
        self._zone = zone
        names = [column.name for column in columns]
        self._facility = names.index("hip_id")
        self._times = [at for at, name in enumerate(names) if name.endswith("_ms")]
        self._reads = [(at, read) for at, column in enumerate(columns) if (read := _reader(column, safe))]
        named = connection.execute(sa.select(facilities.c.hip_id, facilities.c.timezone))
        self._zones = {hip_id: ZoneInfo(timezone) for hip_id, timezone in named if timezone}
        # Every moment of a minute as text: four megabytes, and a third of the time of writing a time.
        self._rests = [f":{ms // 1000:02d}.{ms % 1000:03d}" for ms in range(60_000)]
        self._minutes: dict[ZoneInfo, dict[int, tuple[str, str]]] = {}

    def read(self, batch: Iterable[Any]) -> Iterator[list[Any]]:
        """The cells of each row."""
        zones, own, times, reads, rests = self._zones, self._zone, self._times, self._reads, self._rests
        for row in batch:
            cells = list(row)
            zone = zones.get(row[self._facility], own) if zones else own
            minutes = self._minutes.setdefault(zone, {})
            for at in times:
                if not (ms := cells[at]):
                    cells[at] = ""
                    continue
                minute = ms // 60_000
                before, after = minutes.get(minute) or self._minute(minute, zone)
                cells[at] = before + rests[ms % 60_000] + after
            for at, read in reads:
                cells[at] = read(cells[at])
            yield cells

    def _minute(self, minute: int, zone: ZoneInfo) -> tuple[str, str]:
        minutes = self._minutes[zone]
        if len(minutes) >= MINUTES_REMEMBERED:
            minutes.clear()
        text = datetime.fromtimestamp(minute * 60, UTC).astimezone(zone).isoformat(timespec="minutes")
        minutes[minute] = text[:16], text[16:]
        return minutes[minute]


_FREE_TEXTS: Final = frozenset({"hip_id", "queue", "counter", "token", "request_id", "ticket", "by", "why"})
"""Texts from outside. The others are words of ours."""


def _reader(column: "sa.Column[Any]", safe: bool) -> Read | None:
    if isinstance(column.type, sa.LargeBinary):
        return lambda digest: digest.hex() if digest else ""
    if isinstance(column.type, sa.Boolean):
        return int
    if isinstance(column.type, sa.Date):
        return str
    return csv_text.safe if safe and column.name in _FREE_TEXTS else None


def _json_lines(out: TextIO, names: Sequence[str]) -> Callable[[Iterable[list[Any]]], None]:
    encode = msgspec.json.Encoder().encode

    def write(rows: Iterable[list[Any]]) -> None:
        for row in rows:
            known = {name: None if value == "" else value for name, value in zip(names, row, strict=True)}
            out.write(encode(known).decode() + "\n")

    return write


def is_known(connection: Connection, hip_id: str) -> bool:
    """Whether the archive knows this facility."""
    return bool(connection.execute(sa.select(facilities.c.hip_id).where(facilities.c.hip_id == hip_id)).first())
