"""Totals of the time before this service, imported and kept apart from our own sums."""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from kiosk.archive.schema import facilities, imported_totals
from kiosk.archive.upsert import insert_or_replace

AT_ONCE: Final = 1_000


class ImportedTotal(Struct, frozen=True):
    """Tokens of one facility on one day, as some register or dashboard of before counted them."""

    hip_id: str
    day: date
    source: str
    tokens: int


def import_totals(connection: Connection, totals: Iterable[ImportedTotal], now_ms: int) -> int:
    """Write all of them; a total of the same facility, day and source is replaced. Returns how many."""
    count = 0
    listed = iter(totals)
    while batch := list(_rows(islice(listed, AT_ONCE), now_ms)):
        insert_or_replace(connection, imported_totals, batch)
        count += len(batch)
    return count


def _rows(totals: Iterable[ImportedTotal], now_ms: int) -> Iterator[dict[str, Any]]:
    for one in totals:
        yield {
            "hip_id": one.hip_id,
            "day": one.day,
            "source": one.source,
            "tokens": one.tokens,
            "imported_ms": now_ms,
        }


def known_facilities(connection: Connection) -> set[str]:
    """HIP ids that the archive knows."""
    return set(connection.execute(sa.select(facilities.c.hip_id)).scalars())
