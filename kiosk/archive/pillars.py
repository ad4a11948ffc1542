"""The pillars of the state's digital health mission that this service does not count: imported with their targets."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from kiosk.archive.schema import pillars
from kiosk.archive.upsert import insert_or_replace

IMPORTED: Final = ("facilities_on_hfr", "professionals_verified", "institutions_on_esahaj", "records_linked")
"""Pillars whose values come from a file."""
COUNTED: Final = ("tokens", "institutions_live")
"""Pillars that this service counts itself: a file gives their targets alone."""


class PillarLine(Struct, frozen=True, kw_only=True):
    """One line of a file."""

    pillar: str
    day: date
    value: int | None
    target: int | None
    source: str


class Pillar(Struct, frozen=True, kw_only=True):
    """The newest that is known of one pillar. None: not known."""

    value: int | None = None
    day: date | None = None
    source: str = ""
    target: int | None = None
    target_source: str = ""


def import_pillars(connection: Connection, lines: Iterable[PillarLine], now_ms: int) -> int:
    """Write all of them; a line of the same pillar and day is replaced. Returns how many."""
    rows = [
        {
            "pillar": one.pillar, "day": one.day, "value": one.value, "target": one.target, "source": one.source,
            "imported_ms": now_ms,
        }
        for one in lines
    ]  # fmt: skip
    insert_or_replace(connection, pillars, rows)
    return len(rows)


def newest_pillars(connection: Connection, until: date) -> dict[str, Pillar]:
    """Pillar -> its newest value and its newest target, of days until this one."""
    found = {}
    for name in (*IMPORTED, *COUNTED):
        value = _newest(connection, name, pillars.c.value, until)
        target = _newest(connection, name, pillars.c.target, until)
        found[name] = Pillar(
            value=value[0] if value else None, day=value[1] if value else None, source=value[2] if value else "",
            target=target[0] if target else None, target_source=target[2] if target else "",
        )  # fmt: skip
    return found


def _newest(connection: Connection, name: str, column: "sa.Column[int | None]", until: date) -> Any:
    """The last value of a column, its day and its source."""
    query = sa.select(column, pillars.c.day, pillars.c.source).where(
        pillars.c.pillar == name, pillars.c.day <= until, column.is_not(None)
    )
    return connection.execute(query.order_by(pillars.c.day.desc()).limit(1)).first()
