"""The role when a transaction breaks, the database is away, or another role believes to have the lease."""

import asyncio
import random
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from kiosk.archive import role as role_module
from kiosk.archive import schema, status, writer
from kiosk.archive.database import ArchiveAway, Database
from kiosk.archive.role import Parts
from kiosk.security.encryption import Seal
from queueing.desk import OpdDesk
from queueing.redis_keys import events_key, facility_root, partition_of
from queueing.store.store import Store, open_store
from tests.kiosk.archive.archived import (
    archive,
    assert_true,
    at_work,
    complete,
    new_ring,
    parts,
    rows,
    seal_of,
    until,
)
from tests.kiosk.archive.postgres import Postgres
from tests.kiosk.archive.visits import deliver_all, visit
from tests.queueing.a_facility import HIP

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("short_pauses")]


@pytest.mark.proof
async def test_a_transaction_that_breaks_anywhere_counts_nothing_twice(
    store: Store, database: Database, desk: OpdDesk, one: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, dice, broken = writer.write, random.Random(7), 0

    def fragile(*arguments: Any) -> None:
        nonlocal broken
        write(*arguments)
        if dice.random() < 0.6:
            broken += 1
            raise ArchiveAway("the power went before the commit")

    monkeypatch.setattr(writer, "write", fragile)
    async with at_work(one):
        for number in range(30):
            await visit(desk, f"person {number}")
            await asyncio.sleep(0.02)
        await deliver_all(store)
        await complete(store, database)
    assert broken > 3
    await assert_true(store, database)
    assert len(rows(database, schema.tickets)) == 30


async def test_two_roles_that_both_believe_to_have_the_lease_write_each_row_once(
    store: Store,
    database: Database,
    database_url: str,
    desk: OpdDesk,
    one: Parts,
    seal: Seal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(role_module, "take_lease", lambda *_: True)
    second_database = Database(database_url)
    ring = new_ring()
    second = parts(store, second_database, desk, seal, ring, name="host-2")
    async with at_work(one, second):
        for number in range(40):
            await visit(desk, f"person {number}")
        await deliver_all(store)
        await complete(store, database)
    second_database.close()
    await assert_true(store, database)
    assert len(rows(database, schema.tickets)) == 40


async def test_of_two_roles_one_works_and_the_other_takes_over(
    store: Store, database: Database, database_url: str, desk: OpdDesk, one: Parts, seal: Seal
) -> None:
    def nobody_ended(_name: str) -> bool:
        return False

    second_database = Database(database_url)
    first = parts(store, database, desk, seal, new_ring(), name="host-1", has_ended=nobody_ended)
    second = parts(store, second_database, desk, seal, new_ring(), name="host-2", has_ended=nobody_ended)
    async with at_work(second):
        async with at_work(first):
            await visit(desk)
            await complete(store, database)
            holders = {row["holder"] for row in rows(database, schema.leases)}
            assert len(holders) == 1
        await visit(desk)
        await complete(store, database)
        assert {row["holder"] for row in rows(database, schema.leases)} == {"host-2"}
    second_database.close()
    await assert_true(store, database)


async def test_what_was_dropped_from_the_log_is_read_from_the_stored_days(
    store: Store, database: Database, desk: OpdDesk, one: Parts, valkey_url: str
) -> None:
    await visit(desk)
    await archive(one)
    for _ in range(5):
        await visit(desk)
    operator = await open_store(valkey_url)
    key = events_key(partition_of(facility_root(HIP)))
    await operator.call(key, "XTRIM", key, "MAXLEN", 2)
    await operator.close()
    await archive(one)
    await assert_true(store, database)
    assert {row["state"] for row in rows(database, schema.tickets)} == {"done"}
    assert len(rows(database, schema.tickets)) == 6


async def test_old_rows_go_in_small_steps_and_sums_stay(
    store: Store, database: Database, desk: OpdDesk, one: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(role_module, "EXPIRE_EVERY_S", 0.05)
    monkeypatch.setattr(role_module, "EXPIRE_PAUSE_S", 0.0)
    await visit(desk)
    await archive(one)
    row = rows(database, schema.tickets)[0]
    # A hospital's day may be one further than the day in UTC, by which rows go.
    old = [row | {"service_day": row["service_day"] - timedelta(days=802), "hip_id": f"H{n}"} for n in range(250)]
    with database.writing() as connection:
        connection.execute(sa.insert(schema.tickets), old)
    before = rows(database, schema.daily_sums)

    async def one_is_left() -> bool:
        return len(rows(database, schema.tickets)) == 1

    async with at_work(one):
        await until(one_is_left)
    assert rows(database, schema.daily_sums) == before


@pytest.fixture
def own_postgres(postgres: Postgres) -> Iterator[Postgres]:
    """The server of all tests, running again at the end."""
    yield postgres
    if not postgres.running:
        postgres.start()


async def has_caught_up(store: Store) -> bool:
    state = await status.archive_state(store)
    return state is not None and state.lag_s < 5


async def is_troubled(store: Store, trouble: str) -> bool:
    state = await status.archive_state(store)
    return state is not None and state.trouble == trouble


async def test_the_database_may_be_away_and_the_archive_catches_up(
    store: Store, desk: OpdDesk, own_postgres: Postgres
) -> None:
    database = Database(own_postgres.make("away"))
    database.prepare()
    ring = new_ring()
    one = parts(store, database, desk, await seal_of(ring, store), ring)
    async with at_work(one):
        await visit(desk)
        await complete(store, database)
        own_postgres.stop()
        for _ in range(5):
            await visit(desk)
        await until(lambda: is_troubled(store, "away"))
        own_postgres.start()
        await complete(store, database)
        await until(lambda: is_troubled(store, ""))
        await until(lambda: has_caught_up(store))
    await assert_true(store, database)
    database.close()


async def test_a_full_disk_is_told_and_the_archive_catches_up(store: Store, desk: OpdDesk, tmp_path: Path) -> None:
    """SQLite's own limit of pages stands for the disk: it fails alike, in the middle of a transaction."""
    database = Database(f"sqlite:///{tmp_path}/archive.db")
    database.prepare()
    room = {"pages": 1}

    @sa.event.listens_for(database._engine, "begin")
    def limit(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {room['pages']}")  # never below what the file has

    ring = new_ring()
    one = parts(store, database, desk, await seal_of(ring, store), ring)
    async with at_work(one):
        for number in range(300):
            await visit(desk, f"person {number}")
        await until(lambda: is_troubled(store, "away"))
        state = await status.archive_state(store, int(time.time() * 1000) + 100_000)
        assert state is not None
        assert state.reason == "its database cannot be used now: its disk is full"
        room["pages"] = 1_000_000
        await complete(store, database)
        await until(lambda: is_troubled(store, ""))
    await assert_true(store, database)
    assert len(rows(database, schema.tickets)) == 300
    database.close()


async def test_a_role_that_is_silent_or_in_trouble_is_said_in_one_line(store: Store) -> None:
    now = int(time.time() * 1000)
    assert await status.archive_state(store) is None
    await status.publish(store, "host-1", status.ArchiveFacts(now, now - 400_000, "away"))
    state = await status.archive_state(store)
    assert state is not None
    assert state.words.startswith("the archive is 7 min behind: its database does not answer")
    exact = status.ArchiveFacts(now, now - 400_000, "away", "its disk is full")
    await status.publish(store, "host-1", exact)
    state = await status.archive_state(store)
    assert state is not None
    assert state.words.startswith("the archive is 7 min behind: its disk is full. ")
    await status.publish(store, "host-2", status.ArchiveFacts(now, now, ""))
    state = await status.archive_state(store)
    assert state is not None
    assert state.words == ""
    state = await status.archive_state(store, now + 3 * 3_600_000)
    assert state is not None
    assert state.words.startswith("the archive is 3 h behind: no archive role is at work")
