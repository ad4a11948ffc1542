"""The schema: made at start, brought up from an older release, and refused when a newer release wrote it."""

import contextlib
import stat
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from kiosk.archive import schema
from kiosk.archive.database import MIGRATIONS, ArchiveAway, ArchiveUnsuitable, Database, engine_of
from kiosk.archive.sums import of_share
from queueing.models import Refusal, State
from tests.kiosk.archive.rows import insert, share, ticket


@contextlib.contextmanager
def opened(url: str) -> Iterator[Database]:
    """Closed at the end: a connection that is left open is an error."""
    database = Database(url)
    yield database
    database.close()


def test_the_migrations_make_the_schema_of_this_release(database: Database) -> None:
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
        assert set(sa.inspect(connection).get_table_names()) == {*schema.metadata.tables, "alembic_version"}


def test_every_refusal_and_state_has_a_sum_of_its_own() -> None:
    assert {f"refused_{refusal.name.lower()}" for refusal in Refusal} <= set(schema.SUMS)
    assert {f"state_{state.name.lower()}" for state in State} <= set(schema.SUMS)
    assert {*schema.WAIT_COLUMNS, *schema.SERVICE_COLUMNS, *schema.ACK_COLUMNS} <= set(schema.SUMS)


def test_a_second_start_changes_nothing(database: Database) -> None:
    insert(database, schema.tickets, ticket(1))
    database.prepare()
    database.check()
    with database.reading() as connection:
        assert connection.execute(sa.select(schema.tickets.c.token)).scalars().all() == ["M-001"]


def test_many_roles_that_start_at_once_make_one_schema(database_url: str) -> None:
    failures: list[Exception] = []

    def prepare() -> None:
        try:
            with opened(database_url) as database:
                database.prepare()
        except Exception as failure:  # a thread's failure would be lost: the test looks at them below
            failures.append(failure)

    starts = [threading.Thread(target=prepare) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert failures == []
    with opened(database_url) as database:
        database.check()


def test_shares_of_an_earlier_release_stay_and_count_as_met_by_no_hours(database: Database) -> None:
    earlier = {name: value for name, value in share(1).items() if name != "by_hours"}
    with database.writing() as connection:
        connection.execute(sa.text("ALTER TABLE shares DROP COLUMN by_hours"))
        for table in ("hourly_sums", "daily_sums", "monthly_sums", "state_sums"):
            connection.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN refused_by_hours"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0005'"))
        connection.execute(sa.insert(schema.shares), [earlier])
    database.prepare()
    with database.reading() as connection:
        (row,) = (found._asdict() for found in connection.execute(sa.select(schema.shares)))
        assert (row["refusal"], row["by_hours"]) == ("closed_queue", False)
        assert of_share(row) == of_share(share(1))
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


REVISIONS = [file.stem[:4] for file in sorted((MIGRATIONS / "versions").glob("0*.py"))]


def at_revision(url: str, revision: str) -> None:
    """An empty database as the release of this revision made it."""
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix())
    config.set_main_option("path_separator", "os")
    engine = engine_of(url)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def one_row_each(url: str) -> dict[str, int]:
    """Put a row into every table that this revision has; how many each has then."""
    engine = engine_of(url)
    found = sa.MetaData()
    counts = {}
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        found.reflect(connection)
        for table in found.sorted_tables:
            if table.name == "alembic_version":
                continue
            values = {column.name: value_for(column) for column in table.columns}
            known = {**ticket(1), **share(1)} if table.name in ("tickets", "shares") else {}
            values |= {name: value for name, value in known.items() if name in values}
            connection.execute(table.insert(), [values])
            counts[table.name] = 1
    engine.dispose()
    return counts


def value_for(column: sa.Column[Any]) -> Any:
    kind = column.type.python_type
    return {date: date(2026, 9, 21), bytes: b"d" * 16, bool: False, int: 1, str: "a", float: 1.0}[kind]


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_archive_of_every_earlier_release_is_brought_up_with_its_rows(database_url: str, revision: str) -> None:
    if database_url.startswith("sqlite"):
        Path(database_url.removeprefix("sqlite:///")).parent.mkdir()
    at_revision(database_url, revision)
    before = one_row_each(database_url)
    with opened(database_url) as database:
        if revision != REVISIONS[-1]:
            with pytest.raises(ArchiveUnsuitable, match="start `kiosk archive`"):
                database.check()
        database.prepare()
        database.check()
        with database.reading() as connection:
            assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
            for table, count in before.items():
                query = sa.select(sa.func.count()).select_from(sa.table(table))
                assert connection.execute(query).scalar() == count, table
            (row,) = (found._asdict() for found in connection.execute(sa.select(schema.tickets)))
            assert (row["token"], row["hip_id"]) == (ticket(1)["token"], ticket(1)["hip_id"])


def test_a_database_of_a_newer_release_is_refused_in_one_sentence(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    for start in (database.prepare, database.check):
        with pytest.raises(
            ArchiveUnsuitable, match=r"newer release wrote the archive's database \(schema 9999\)"
        ) as failed:
            start()
        assert "\n" not in str(failed.value)


def test_a_database_without_our_tables_is_not_read(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    with opened(database_url) as database:
        if database.missing:  # a file of nobody: looking must not make one
            with pytest.raises(ArchiveAway, match="there is no archive yet"):
                database.check()
            (tmp_path / "archive" / "archive.db").touch()
    with opened(database_url) as database, pytest.raises(ArchiveUnsuitable, match="start `kiosk archive`"):
        database.check()


def test_nobody_else_reads_the_file_in_the_data_folder(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/data/archive.db") as database:
        database.prepare()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    assert modes["archive.db"] == 0o600
    assert {mode & 0o077 for mode in modes.values()} == {0}


def test_a_folder_that_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with opened(f"sqlite:///{tmp_path}/file/archive.db") as database:
        with pytest.raises(ArchiveAway, match="cannot be opened"):
            database.prepare()


def test_a_file_that_is_no_database_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "archive.db").write_text("this is some other file of somebody, " * 100)
    with opened(f"sqlite:///{tmp_path}/archive.db") as database:
        with pytest.raises(ArchiveAway, match="its file is no database"):
            database.prepare()


def test_a_locked_file_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.archive.database.BUSY_S", 0.1)
    url = f"sqlite:///{tmp_path}/archive.db"
    with opened(url) as database, opened(url) as other:
        database.prepare()
        with database.writing(), pytest.raises(ArchiveAway, match="another program has locked it"):
            insert(other, schema.tickets, ticket(1))


def test_a_server_that_is_away_is_said_without_its_password() -> None:
    with opened("postgresql://kiosk:very-secret@127.0.0.1:9/archive") as nowhere:
        with pytest.raises(ArchiveAway) as failed:
            nowhere.prepare()
        assert "it does not answer" in str(failed.value)
        assert "very-secret" not in str(failed.value) + nowhere.shown


def test_all_of_a_transaction_is_stored_or_nothing(database: Database) -> None:
    def fail() -> None:
        with database.writing() as connection:
            connection.execute(sa.insert(schema.tickets), [ticket(1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.tickets)).scalar() == 0
