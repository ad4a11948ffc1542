"""A hospital whose day is archived, and the proof that the archive says what the queue says."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from kiosk.abdm.inbound import read_patient
from kiosk.abdm.note import Note, read_note, write_note
from kiosk.archive import schema, writer
from kiosk.archive.audit_chain import Keys
from kiosk.archive.database import Database
from kiosk.archive.directory import Directory
from kiosk.archive.person_digests import Envelopes, MonthKeys, month_of
from kiosk.archive.role import ArchiveRole, Parts
from kiosk.archive.sums import of_share, of_ticket
from kiosk.patient.envelope import ENVELOPE_PURPOSE, Envelope, pack_envelope
from kiosk.patient.person import Patient
from kiosk.security.encryption import Seal
from queueing.archive_feed import oldest_unread_ms, stored_tickets
from queueing.day_keys import DayKeys
from queueing.desk import OpdDesk
from queueing.models import Arrival
from queueing.redis_keys import facility_key, request_digest
from queueing.registry import Registry
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival
from tokens import KeyRing

ZONE = ZoneInfo("Asia/Kolkata")
WITHIN_S = 90
"""No promise: a busy machine is given time before a test gives up."""


def new_ring() -> KeyRing:
    return KeyRing.generate(int(time.time()))


async def seal_of(ring: KeyRing, store: Store) -> Seal:
    seal = Seal(ring.seal_masters(), ring.seal_master_id, now_s=lambda: int(time.time()), retention_h=24)
    await seal.refresh(DayKeys(store))
    return seal


def shared(seal: Seal, patient: Patient, number: int, hip: str = HIP, **changed: Any) -> Arrival:
    """A share of this patient, with REQUEST-ID ``share-NUMBER``."""
    request_id = f"share-{number}"
    note = write_note(Note(form="v3", hip_id=hip, context="M1", abha_address="", request_id=request_id))
    request = request_digest(hip, request_id)
    plain = pack_envelope(Envelope(note, patient=patient))
    envelope = seal.close(ENVELOPE_PURPOSE, facility_key(hip), request, plain)
    identity = (patient.abha_number or patient.abha_address or f"nobody {number}").encode()
    fields = {"facility": hip, "request": request, "envelope": envelope, "persons": (identity,)} | changed
    return arrival(**fields)


def parts(
    store: Store,
    database: Database,
    desk: OpdDesk,
    seal: Seal,
    ring: KeyRing,
    *,
    name: str = "host-1",
    has_ended: Callable[[str], bool] = lambda _: True,
) -> Parts:
    return Parts(
        store=store,
        database=database,
        desk=desk,
        directory=Directory(Registry(store), ZONE),
        envelopes=Envelopes(seal, read_patient, lambda note: read_note(note).request_id),
        month_keys=MonthKeys(ring.person_key()),
        name=name,
        has_ended=has_ended,
        keep_days=800,
        audit_days=400,
        audit_keys=lambda: Keys.of(ring.audit_keys()),
        zone=ZONE,
    )


@asynccontextmanager
async def at_work(*each: Parts) -> AsyncIterator[None]:
    """These roles run while the context lasts."""
    tasks = [asyncio.create_task(ArchiveRole(one).run()) for one in each]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for failure in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(failure, asyncio.CancelledError):
                assert failure is None, failure


async def complete(store: Store, database: Database, within_s: float = WITHIN_S) -> None:
    """Wait until every event is archived."""

    async def all_read() -> bool:
        cursors = await database.ask(writer.read_cursors)
        return bool(cursors) and not await oldest_unread_ms(store, cursors)

    await until(all_read, within_s)


async def until(true: Callable[[], Awaitable[bool]], within_s: float = WITHIN_S) -> None:
    """Wait for something that another process or task does."""
    async with asyncio.timeout(within_s):
        while not await true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.02)


async def archive(one: Parts) -> None:
    """Archive what has happened so far."""
    async with at_work(one):
        await complete(one.store, one.database)


def rows(database: Database, table: sa.Table) -> list[dict[str, Any]]:
    with database.reading() as connection:
        found = connection.execute(sa.select(table).order_by(*table.primary_key.columns)).mappings()
        return [dict(row) for row in found]


async def assert_true(store: Store, database: Database, *hips: str) -> None:
    """The rows are the tickets as the queue knows them, and every sum is the sum of its rows."""
    archived = {(row["hip_id"], row["service_day"], row["number"]): row for row in rows(database, schema.tickets)}
    for hip in hips or (HIP,):
        async for tickets in stored_tickets(store, hip):
            for ticket in tickets:
                day, _, number = writer.ticket_key(hip, ticket)
                row = archived.pop((hip, day, number))
                seen = (row["token"], row["queue"], row["state"], row["lane"], row["counter"], row["calls"])
                lane, state = ticket.lane.word, ticket.state.name.lower()
                assert seen == (ticket.token, ticket.queue, state, lane, ticket.counter, ticket.calls), ticket.id
                times = (row["arrived_ms"], row["called_last_ms"], row["started_ms"], row["ended_ms"])
                assert times == (ticket.arrived_ms, ticket.called_ms, ticket.started_ms, ticket.ended_ms), ticket.id
    assert archived == {}, "rows of tickets that the queue does not know"
    assert_sums(database)


def assert_sums(database: Database) -> None:
    """Every table of sums is what its rows add up to."""
    summed: Counter[tuple[str, date, int, str, str]] = Counter()
    for table, contribution in ((schema.tickets, of_ticket), (schema.shares, of_share)):
        for row in rows(database, table):
            for name, number in contribution(row).items():
                summed[row["hip_id"], row["service_day"], row["hour"], row["queue"], name] += number
    keys: dict[sa.Table, Callable[[str, date, int, str], tuple[Any, ...]]] = {
        schema.hourly_sums: lambda hip, day, hour, queue: (hip, day, hour, queue),
        schema.daily_sums: lambda hip, day, hour, queue: (hip, day, queue),
        schema.monthly_sums: lambda hip, day, hour, queue: (month_of(day), hip, queue),
        schema.state_sums: lambda hip, day, hour, queue: (day, hour),
    }
    for table, key in keys.items():
        names = [column.name for column in table.primary_key]
        wanted: Counter[tuple[tuple[Any, ...], str]] = Counter()
        for (hip, day, hour, queue, name), number in summed.items():
            wanted[key(hip, day, hour, queue), name] += number
        found = {
            (tuple(row[name] for name in names), column): row[column]
            for row in rows(database, table)
            for column in schema.SUMS
            if row[column]
        }
        assert found == {key: number for key, number in wanted.items() if number}, table.name
