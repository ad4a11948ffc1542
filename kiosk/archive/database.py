"""The archive's database: SQLite in the data folder, or PostgreSQL. Opened and brought to this release's schema here.

Failures that an operator can do something about are ArchiveAway (try again) and ArchiveUnsuitable (a person must act).
Messages of the database are never shown, because they may repeat a value or a password.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

P = ParamSpec("P")
T = TypeVar("T")

MIGRATIONS: Final = Path(__file__).with_name("migrations")
BUSY_S: Final = 5.0
"""A writer waits this long for another one. A transaction of ours takes some milliseconds."""
CONNECT_S: Final = 5
ANSWER_MS: Final = 60_000
"""A query of ours that takes a minute will not end: the server gives it up."""
ADVISORY_LOCK: Final = 0x6B696F736B
"""``kiosk`` in ASCII: PostgreSQL's lock for those who change the schema."""


class ArchiveError(Exception):
    """Nothing can be read or written now. ``str`` is one line for an operator."""


class ArchiveAway(ArchiveError):
    """The database does not answer, is locked or full. ``str`` is one line for an operator. It may be tried again."""


class ArchiveUnsuitable(ArchiveError):
    """The database cannot be used as it is. ``str`` is one line for an operator."""


def default_url(data_dir: Path) -> str:
    """SQLite in the data folder."""
    return f"sqlite:///{data_dir / 'archive.db'}"


def engine_of(url: str) -> Engine:
    """An engine for one process. It connects when it is first used."""
    parsed = make_url(url)
    return _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)


def _postgresql(url: URL) -> Engine:
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        # A commit that a power cut takes back takes the cursors back with it: its events are read again.
        connect_args={
            "connect_timeout": CONNECT_S,
            "options": f"-c synchronous_commit=off -c statement_timeout={ANSWER_MS} -c timezone=UTC",
        },
        pool_size=4, max_overflow=2, pool_timeout=CONNECT_S, pool_pre_ping=True, hide_parameters=True,
    )  # fmt: skip


def _sqlite(url: URL) -> Engine:
    engine = sa.create_engine(
        url, connect_args={"timeout": BUSY_S}, pool_size=4, max_overflow=2, pool_timeout=CONNECT_S, hide_parameters=True
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # sqlite3 would begin and end transactions at moments of its own; ``begin`` below does it.
        connection.isolation_level = None
        # With WAL readers never wait for the writer. NORMAL: as synchronous_commit=off above.
        for setting in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-16384", "mmap_size=67108864"):
            connection.execute(f"PRAGMA {setting}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: a reader that became a writer could fail in the middle.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


SQLITE_REASONS: Final = {
    "SQLITE_BUSY": "another program has locked it",
    "SQLITE_LOCKED": "another program has locked it",
    "SQLITE_FULL": "its disk is full",
    "SQLITE_READONLY": "it may not be written",
    "SQLITE_PERM": "it may not be written",
    "SQLITE_CANTOPEN": "its file cannot be opened",
    "SQLITE_IOERR": "its disk fails",
    "SQLITE_CORRUPT": "its file is damaged: restore it from a backup",
    "SQLITE_NOTADB": "its file is no database",
}
POSTGRESQL_REASONS: Final = {
    "": "it does not answer",
    "08": "it does not answer",
    "57": "it is stopping, starting or too slow",
    "53": "its disk is full, or it has no room for another connection",
    "28": "it refuses the login",
    "3D": "that server has no such database",
    "25": "it may not be written",
    "40": "another program was in the way",
    "55": "another program has locked it",
    "58": "its disk fails",
    "XX": "it is damaged: restore it from a backup",
}
"""Class of a failure (the first two characters of its SQLSTATE; none when no server answered) -> what happened."""


@contextlib.contextmanager
def spoken() -> Iterator[None]:
    """Turn failures of the database into ours. A mistake of ours in a query stays what it is."""
    try:
        yield
    except PoolTimeout:
        raise ArchiveAway("the archive's database cannot be used now: all connections are busy") from None
    except DBAPIError as failure:
        if (reason := _why(failure)) is None:
            raise
        raise ArchiveAway(f"the archive's database cannot be used now: {reason}") from None


def _why(failure: DBAPIError) -> str | None:
    if name := getattr(failure.orig, "sqlite_errorname", None):
        return next((reason for code, reason in SQLITE_REASONS.items() if name.startswith(code)), None)
    if isinstance(failure.orig, sqlite3.Error):
        return None
    return POSTGRESQL_REASONS.get((getattr(failure.orig, "sqlstate", None) or "")[:2])


class Database:
    """One database of one process. Its methods block: an event loop uses ``ask``."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self._engine = engine_of(url)
        self._is_checked = False

    @property
    def shown(self) -> str:
        """Where it is, without a password."""
        return self.url.render_as_string(hide_password=True)

    @property
    def missing(self) -> bool:
        """Whether it is a file that nobody made yet. Connecting would make an empty one."""
        return self.url.get_backend_name() == "sqlite" and not Path(self.url.database or "").exists()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises ArchiveAway."""
        if self.missing:
            raise ArchiveAway("there is no archive yet: `kiosk serve` or `kiosk archive` makes it")
        with spoken(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is stored, or nothing. Raises ArchiveAway."""
        with spoken(), self._engine.connect() as connection:
            with connection.execution_options(writes=True).begin():
                yield connection

    async def ask(self, query: Callable[Concatenate[Connection, P], T], /, *arguments: P.args, **named: P.kwargs) -> T:
        """The answer of ``query(connection, …)``, found in a thread. Raises ArchiveAway, ArchiveUnsuitable."""

        def work() -> T:
            if not self._is_checked:
                self.check()
                self._is_checked = True
            with self.reading() as connection:
                return query(connection, *arguments, **named)

        return await _in_thread(work)

    async def change(
        self, work: Callable[Concatenate[Connection, P], T], /, *arguments: P.args, **named: P.kwargs
    ) -> T:
        """Do ``work(connection, …)`` in one transaction, in a thread. Raises ArchiveAway."""

        def write() -> T:
            with self.writing() as connection:
                return work(connection, *arguments, **named)

        return await _in_thread(write)

    def prepare(self) -> None:
        """Bring the schema to this release's, under a lock. Raises ArchiveAway, ArchiveUnsuitable."""
        with self._alone(), self.writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY_LOCK)))
            scripts = _scripts()
            if _version(connection, scripts) != scripts.get_current_head():
                _upgrade(connection, scripts)

    async def prepare_in_thread(self) -> None:
        """The same for an event loop."""
        await _in_thread(self.prepare)

    def check(self) -> None:
        """Whether the schema is this release's. Raises ArchiveAway, ArchiveUnsuitable."""
        with self.reading() as connection:
            scripts = _scripts()
            if _version(connection, scripts) != scripts.get_current_head():
                raise ArchiveUnsuitable("the archive's database has no tables of this release: start `kiosk archive`")

    def close(self) -> None:
        self._engine.dispose()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """For SQLite: one process at a time makes the file, which nobody else may read."""
        if self.url.get_backend_name() != "sqlite" or not self.url.database:
            yield
            return
        path = Path(self.url.database)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as failure:
            raise ArchiveAway(f"the archive's file {path} cannot be opened: {failure.strerror}") from None
        with os.fdopen(lock) as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield


async def _in_thread(work: Callable[[], T]) -> T:
    """Whoever is cancelled meanwhile waits for the thread: its connection is closed when the database is."""
    thread = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait({thread})
        thread.exception()  # nobody is left to hear of it
        raise


# Alembic is imported where it is used: pages and relays need no migrations, and it takes ten megabytes.


def _scripts() -> "ScriptDirectory":
    logging.getLogger("alembic").setLevel(logging.WARNING)  # before it is imported: that already says something
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix().replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def _version(connection: Connection, scripts: "ScriptDirectory") -> str | None:
    """The schema's version; None for a database without our tables. Raises ArchiveUnsuitable for a newer one."""
    from alembic.migration import MigrationContext

    found = MigrationContext.configure(connection).get_current_revision()
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise ArchiveUnsuitable(
            f"a newer release wrote the archive's database (schema {found}): start that release, or set another"
            " KIOSK_ARCHIVE_URL"
        )
    return found


def _upgrade(connection: Connection, scripts: "ScriptDirectory") -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    config = Config(attributes={"connection": connection})

    def steps(revision: Any, _context: Any) -> Any:
        return scripts._upgrade_revs("head", revision)  # as alembic.command.upgrade does

    with EnvironmentContext(config, scripts, fn=steps, destination_rev="head"):
        scripts.run_env()
