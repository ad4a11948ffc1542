"""``python -m tests.kiosk.archive.proof``: a day with faults, a role that is killed, a database that goes away.

2,000 patients come through the simulated gateway, which delivers copies, loses replies and answers with errors
(``loadtests.day``). Meanwhile the archive role is killed ten times, and its database is away for the middle third. At
the end the rows must be the tickets as the queue knows them, every share of the gateway's journal must have exactly one
row, the sums must be those of the rows, and the exports must hold the same rows. On SQLite and on PostgreSQL.

Writes ``reports/archive-proof.json``; exits with 1 when anything differs.
"""

import argparse
import asyncio
import contextlib
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop
from msgspec import Struct, json

from kiosk.archive import schema
from kiosk.archive.database import Database
from loadtests.day import MISCHIEF, Day, Hospital, Plan
from loadtests.role_trouble import KILLS, Trouble, make_trouble
from loadtests.stack import Stack, command, fresh_stack
from queueing.embedded.data_folder import folder_url
from queueing.redis_keys import request_digest
from queueing.store.store import open_store
from tests.kiosk.archive.archived import assert_true, complete, rows
from tests.kiosk.archive.postgres import Postgres, running_postgres

SPEED: Final = 120.0
"""Times faster than the clock: the morning takes four minutes."""
REPORT: Final = Path("reports/archive-proof.json")


class Place(Struct, frozen=True):
    """A database, and how it goes away and comes back."""

    url: str
    away: Callable[[], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def sqlite_place() -> Iterator[Place]:
    """A file that another program locks."""
    with tempfile.TemporaryDirectory(prefix="kiosk-proof-") as folder:
        path = Path(folder) / "archive.db"

        @contextlib.contextmanager
        def locked() -> Iterator[None]:
            with contextlib.closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
                connection.execute("BEGIN EXCLUSIVE")
                yield
                connection.execute("ROLLBACK")

        yield Place(f"sqlite:///{path}", locked)


@contextlib.contextmanager
def postgresql_place() -> Iterator[Place]:
    """A server that is stopped at once."""
    with running_postgres() as server:

        @contextlib.contextmanager
        def stopped(server: Postgres = server) -> Iterator[None]:
            server.stop()
            yield
            server.start()

        yield Place(server.make("proof"), stopped)


PLACES: Final = {"sqlite": sqlite_place, "postgresql": postgresql_place}


@asynccontextmanager
async def gone(place: Place) -> AsyncIterator[None]:
    """The database is away meanwhile."""
    with place.away():
        yield


@asynccontextmanager
async def troubled(stack: Stack, place: Place, patients: int) -> AsyncIterator[Trouble]:
    trouble = Trouble()
    task = asyncio.create_task(make_trouble(stack, "archive", gone(place), patients, trouble))
    try:
        yield trouble
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def compared(ledger: list[dict[str, Any]], database: Database) -> dict[str, Any]:
    """Every share that the gateway settled has one row with the same number, and no row is of anything else."""
    tickets = {(row["hip_id"], row["request"]): row for row in rows(database, schema.tickets)}
    shares = {
        (row["hip_id"], row["request"]): row for row in rows(database, schema.shares) if row["kind"] != "redelivered"
    }
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    known = set()
    for share in ledger:
        key = share["hip_id"], request_digest(share["hip_id"], share["request_id"].lower())
        known.add(key)
        if not share["settled_ms"]:
            continue
        ticket, other = tickets.get(key), shares.get(key)
        if (row := ticket or other) is None or (ticket and other):
            wrong.append(f"{share['request_id']} has {2 if ticket else 0} rows")
            continue
        if ticket and (ticket["token"], ticket["request_id"]) != (share["token"], share["request_id"]):
            wrong.append(f"{share['request_id']} got {share['token']}, its row says {ticket['token']}")
        if other and bool(other["refusal"]) != bool(share["error"]):
            wrong.append(f"{share['request_id']}: its row is {other['kind']} {other['refusal']}")
        if not row["ack"]:
            wrong.append(f"{share['request_id']} was settled, its row has no acknowledgement")
        counts["tickets" if ticket else row["kind"]] += 1
        counts[f"ack_{row['ack']}"] += 1
    wrong += [f"a row of a share that nobody sent: {key}" for key in (tickets.keys() | shares.keys()) - known]
    return {"counts": dict(counts), "wrong": wrong[:20], "differences": len(wrong)}


async def exported(stack: Stack, what: str) -> int:
    """Rows of ``kiosk export`` over all days."""
    arguments = ("export", what, "--from", "2020-01-01", "--to", "2099-12-31", "--format", "jsonl")
    return len((await command(stack.environment, *arguments)).splitlines())


async def prove(dialect: str, patients: int, seed: int) -> dict[str, Any]:
    """One day on one database, and what came of it."""
    with PLACES[dialect]() as place:
        more = {"KIOSK_ARCHIVE_URL": place.url}
        async with fresh_stack(seed=seed, facilities=3, counters=3, more=more) as stack:
            await stack.simulator.order(**MISCHIEF)
            hospitals = [msgspec.convert(hospital, Hospital) for hospital in stack.hospitals]
            plan = Plan(patients=patients, seed=seed, speed=SPEED)
            async with troubled(stack, place, patients) as trouble:
                day = await Day(plan, hospitals, stack.simulator, stack.kiosk_url).run(stack.simulator.announced)
            return await judged(stack, place, trouble) | {"day_is_good": day["good"], "scans": day["scans"]}


async def judged(stack: Stack, place: Place, trouble: Trouble) -> dict[str, Any]:
    store, database = await open_store(folder_url(stack.data)), Database(place.url)
    began = time.monotonic()
    try:
        await complete(store, database, within_s=180)
        caught_up_s = time.monotonic() - began
        differs = ""
        try:
            await assert_true(store, database, *stack.hips)
        except AssertionError as difference:
            differs = str(difference)[:2000]
        found = compared(await stack.simulator.shares(), database)
        sizes = {"tickets": len(rows(database, schema.tickets)), "shares": len(rows(database, schema.shares))}
        exports = {what: await exported(stack, what) for what in sizes}
    finally:
        database.close()
        await store.close()
    good = not differs and not found["differences"] and exports == sizes and trouble.kills == KILLS
    return {
        "good": good, "kills": trouble.kills, "away_s": round(trouble.away_s, 1), "caught_up_s": round(caught_up_s, 1),
        "rows": sizes, "exports": exports, "queue_and_sums": differs or "equal", "journal": found,
    }  # fmt: skip


async def run(patients: int, seed: int, dialects: list[str]) -> bool:
    report: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "patients": patients, "seed": seed}
    for dialect in dialects:
        report[dialect] = await prove(dialect, patients, seed)
    report["good"] = all(report[dialect]["good"] for dialect in dialects)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_bytes(json.format(json.encode(report)))
    sys.stdout.write(json.format(json.encode(report)).decode() + "\n")
    return bool(report["good"])


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.kiosk.archive.proof")
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=list(PLACES), action="append", help="one only (default: both)")
    args = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(0 if runner.run(run(args.patients, args.seed, args.database or list(PLACES))) else 1)


if __name__ == "__main__":
    main()
