"""A copy of the whole archive in one SQLite file, whatever database it is in, and an archive made from such a file."""

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kiosk.archive.database import ArchiveUnsuitable, Database, spoken
from kiosk.archive.schema import leases, metadata

ROWS_AT_ONCE: Final = 2_000


def copy_out(database: Database, target: Path) -> None:
    """Writes the archive, as of one moment, to the new file ``target``. Raises ArchiveAway, ArchiveUnsuitable."""
    database.prepare()
    if database.url.get_backend_name() == "sqlite":
        with (
            closing(sqlite3.connect(f"file:{database.url.database}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
        return
    copy_of = Database(f"sqlite:///{target}")
    copy_of.prepare()
    with database.reading() as source_rows:
        source_rows.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        _copy_rows(source_rows, copy_of)
    copy_of.close()
    with closing(sqlite3.connect(target)) as file:
        file.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it


def copy_in(source: Path, database: Database) -> None:
    """Fills an empty archive from a file that ``copy_out`` of this or an earlier release wrote. Raises ArchiveAway,
    ArchiveUnsuitable.
    """
    database.prepare()
    with database.reading() as connection:
        if filled := [table.name for table in _tables() if _is_filled(connection, table)]:
            raise ArchiveUnsuitable(f"the archive's database is not empty ({filled[0]}): name an empty one")
    with TemporaryDirectory() as folder:
        shutil.copyfile(source, Path(folder) / "archive.db")
        copy = Database(f"sqlite:///{Path(folder) / 'archive.db'}")
        copy.prepare()
        with copy.reading() as connection:
            _copy_rows(connection, database)
        copy.close()


def _tables() -> Sequence[sa.Table]:
    return [table for table in metadata.sorted_tables if table is not leases]


def _is_filled(connection: Connection, table: sa.Table) -> bool:
    return connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None


def _copy_rows(source: Connection, target: Database) -> None:
    with spoken(), target.writing() as connection:
        for table in _tables():
            rows = source.execution_options(yield_per=ROWS_AT_ONCE).execute(sa.select(table))
            for some in rows.mappings().partitions():
                values: list[dict[str, Any]] = [dict(row) for row in some]
                connection.execute(table.insert(), values)
