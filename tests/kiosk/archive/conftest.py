"""Every test of the archive runs on SQLite and on a real PostgreSQL."""

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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty database is."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/archive/archive.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.make(f"archive{next(_names)}")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with today's schema."""
    opened = Database(database_url)
    opened.prepare()
    yield opened
    opened.close()
