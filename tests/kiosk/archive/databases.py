"""Databases for tests: each such test runs on SQLite and on a real PostgreSQL, one for the whole run."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from kiosk.archive.database import Database
from tests.kiosk.archive.postgres import Postgres, running_postgres

_names = count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the whole run; each test has a database of its own."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with today's schema, of which tests take copies."""
    folder = tmp_path_factory.mktemp("prepared")
    with_schema(f"sqlite:///{folder}/archive.db")
    return folder


@pytest.fixture(scope="session")
def prepared_postgresql(postgres: Postgres) -> str:
    """The name of a database with today's schema, of which tests take copies."""
    with_schema(postgres.make("prepared"))
    return "prepared"


def with_schema(url: str) -> None:
    database = Database(url)
    database.prepare()
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty database is; for a test that asks for ``database``, one with today's schema."""
    with_tables = "database" in request.fixturenames
    if request.param == "sqlite":
        if with_tables:
            shutil.copytree(request.getfixturevalue("prepared_sqlite"), tmp_path / "archive")
        return f"sqlite:///{tmp_path}/archive/archive.db"
    server: Postgres = request.getfixturevalue("postgres")
    like = request.getfixturevalue("prepared_postgresql") if with_tables else "template0"
    return server.make(f"archive{next(_names)}", like=like)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with today's schema."""
    opened = Database(database_url)
    yield opened
    opened.close()
