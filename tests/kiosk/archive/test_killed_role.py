"""The real program ``kiosk archive``, killed again and again while patients come: every ticket counts once."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from kiosk.archive import schema
from kiosk.archive.database import Database
from queueing.outbox import Outbox
from queueing.store.store import Store
from tests.kiosk.archive.archived import assert_true, complete, rows, until
from tests.queueing.a_facility import HIP, again, arrival, build, open_desk

pytestmark = pytest.mark.anyio

KILLS = {"sqlite": 10, "postgresql": 3}
"""A start of the program takes seconds. `make archive-proof` kills ten times on both."""
VISITS = 40
"""Between two kills."""


@contextmanager
def role(environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "kiosk", "archive"]
    process = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def environment(valkey_url: str, database_url: str, folder: Path) -> dict[str, str]:
    plain = {name: text for name, text in os.environ.items() if not name.startswith("KIOSK_")}
    return plain | {"KIOSK_REDIS_URL": valkey_url, "KIOSK_ARCHIVE_URL": database_url, "KIOSK_DATA_DIR": str(folder)}


async def written(database: Database) -> int:
    """Rows so far."""
    return int(
        await database.ask(lambda c: c.execute(sa.select(sa.func.count()).select_from(schema.tickets)).scalar() or 0)
    )


async def has_more(database: Database, before: int) -> bool:
    return await written(database) > before


@pytest.mark.proof
async def test_a_role_that_is_killed_again_and_again_writes_every_ticket_once(
    store: Store, valkey_url: str, database: Database, database_url: str, tmp_path: Path
) -> None:
    await build(store)
    desk, outbox = open_desk(store), Outbox(store, "relay-1")
    environ = environment(valkey_url, database_url, tmp_path / "data")
    kills, strikes = KILLS[database.url.get_backend_name()], []
    for turn in range(kills):
        with role(environ) as process:
            before = await written(database)
            for number in range(VISITS):
                patient = arrival(f"person {turn} {number}")
                place = await desk.enqueue(patient)
                await desk.enqueue(again(patient))
                await desk.call_this(HIP, "M1", place.ticket, by="anna")
                await desk.finish(HIP, place.ticket, by="anna")
                await asyncio.sleep(0)
            await outbox.delivered(await outbox.take(wait_ms=1))
            await until(partial(has_more, database, before))
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            strikes.append(await written(database) - before)
    with role(environ) as process:
        await complete(store, database)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert b'"level":"error"' not in process.stderr.read()
    await outbox.close()
    await assert_true(store, database)
    assert len(rows(database, schema.tickets)) == kills * VISITS
    assert sum(row["kind"] == "repeated" for row in rows(database, schema.shares)) == kills * VISITS
    assert all(strikes), "each strike came while rows were written"


async def test_a_database_of_a_newer_release_ends_the_command_with_one_line(
    valkey_url: str, database: Database, database_url: str, tmp_path: Path
) -> None:
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with role(environment(valkey_url, database_url, tmp_path / "data")) as process:
        assert process.wait(20) == 1
        assert process.stderr is not None
        lines = process.stderr.read().decode().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("kiosk: a newer release wrote the archive's database (schema 9999)")
