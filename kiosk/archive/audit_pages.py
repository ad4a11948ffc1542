"""Pages of a facility's audit as the archive has it: as far back as lines are stored, newest first."""

from typing import Final

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from kiosk.archive.schema import audit_heads, audit_lines

LOOKED_AT: Final = 20_000
"""Lines that one page looks at for those of one login: some twenty milliseconds."""


class ArchivedLine(Struct, frozen=True, kw_only=True):
    """One act, or one move of a ticket by staff."""

    seq: int
    """Its number in the facility's chain."""
    at_ms: int
    act: str
    by: str
    address: str
    ticket: str
    why: str


class AuditLines(Struct, frozen=True, kw_only=True):
    """One page."""

    lines: list[ArchivedLine]
    older: int
    """The next page has the lines before this number; 0 when there are none."""


def number_at(connection: Connection, hip_id: str, at_ms: int) -> int:
    """The number of the first line that is not before this moment, or the one after the last.

    Numbers rise with time, but for seconds: so halving finds it without an index by time.
    """
    key = audit_lines.c
    newest = sa.select(audit_heads.c.seq).where(audit_heads.c.hip_id == hip_id)
    low, high = 0, (connection.execute(newest).scalar() or 0) + 1
    while high - low > 1:
        middle = (low + high) // 2
        query = sa.select(key.seq, key.at_ms).where(key.hip_id == hip_id, key.seq >= middle, key.seq < high)
        found = connection.execute(query.order_by(key.seq).limit(1)).first()
        if found is None or found.at_ms >= at_ms:
            high = middle
        else:
            low = found.seq
    return high


def lines_before(connection: Connection, hip_id: str, number: int, *, login: str = "", limit: int) -> AuditLines:
    """The lines of all logins or of one before this number, newest first."""
    key, first = audit_lines.c, max(0, number - LOOKED_AT)
    query = sa.select(*(key[name] for name in ArchivedLine.__struct_fields__)).where(
        key.hip_id == hip_id, key.seq < number, key.seq >= first
    )
    if login:
        query = query.where(key.by == login)
    rows = connection.execute(query.order_by(key.seq.desc()).limit(limit)).mappings()
    lines = [ArchivedLine(**row) for row in rows]
    older = lines[-1].seq if len(lines) == limit else first
    has_older = sa.select(key.seq).where(key.hip_id == hip_id, key.seq < older).limit(1)
    return AuditLines(lines=lines, older=older if connection.execute(has_older).first() else 0)
