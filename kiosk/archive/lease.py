"""Which of several archive roles works. It only saves work: the cursors alone keep each event from counting twice."""

from collections.abc import Callable
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kiosk.archive.schema import leases
from kiosk.archive.upsert import insert_or_leave

LEASE_MS: Final = 15_000
"""After so long without a word its holder is taken for dead."""
NAME: Final = "writer"


def take_lease(connection: Connection, holder: str, now_ms: int, has_ended: Callable[[str], bool]) -> bool:
    """Take or renew the lease. False: another living role has it."""
    row = {"name": NAME, "holder": holder, "until_ms": now_ms + LEASE_MS}
    if insert_or_leave(connection, leases, row):
        return True
    before = connection.execute(sa.select(leases.c.holder, leases.c.until_ms).where(leases.c.name == NAME)).one()
    # A lease far in the future was written by a clock that ran ahead.
    valid = now_ms < before.until_ms <= now_ms + 2 * LEASE_MS
    if before.holder != holder and valid and not has_ended(before.holder):
        return False
    mine = sa.update(leases).where(leases.c.name == NAME, leases.c.holder == before.holder)
    changed = mine.where(leases.c.until_ms == before.until_ms).values(holder=holder, until_ms=now_ms + LEASE_MS)
    return bool(connection.execute(changed).rowcount == 1)


def give_lease_back(connection: Connection, holder: str) -> None:
    """Another role may go on at once."""
    connection.execute(sa.delete(leases).where(leases.c.name == NAME, leases.c.holder == holder))
