"""What staff do and read is in the archive's audit once, and ``kiosk audit verify`` proves it whole."""

import asyncio
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from kiosk.archive.database import Database, default_url
from kiosk.archive.schema import audit_lines
from kiosk.security.keyring_file import KeysOnDisk
from queueing.audit import NO_FACILITY, Act, Audit
from queueing.desk import OpdDesk
from queueing.lanes import Lane
from queueing.models import Reader
from queueing.reasons import Reason
from queueing.store.store import Store
from tests.kiosk.archive.archived import at_work, complete, parts, seal_of
from tests.kiosk.in_process import kiosk
from tests.queueing.a_facility import HIP, arrival, build

pytestmark = pytest.mark.anyio


async def acts_of_a_morning(store: Store, desk: OpdDesk) -> str:
    """A list that is drawn, a visit, a sign-in that failed, and a change by the command line. Returns the ticket."""
    audit = Audit(store)
    place = await desk.enqueue(arrival())
    tickets = await desk.tickets(HIP)
    reader = Reader(login="anna", session="s" * 40, address="10.0.0.7")
    await audit.envelopes(HIP, tickets, reader, counter="M1", alarm_over=500)
    await desk.set_lane(HIP, place.ticket, Lane.PREGNANT, reason=Reason.PREGNANT, by="anna")
    await desk.call_next(HIP, "M1", by="anna")
    await audit.record_of_staff(HIP, Act(kind="sign_in_refused", by="bilal", address="10.0.0.8", why="password"))
    await audit.record_of_staff(
        NO_FACILITY, Act(kind="sign_in_refused", by="", address="10.0.0.9", why="no such login")
    )
    await audit.record(HIP, "audit_read", by="anna", address="10.0.0.7")
    return place.ticket


async def test_every_act_is_one_line_of_its_facility(store: Store, tmp_path: Path) -> None:
    await build(store)
    desk, ring = OpdDesk(store), KeysOnDisk(tmp_path / "data").load_or_create(1_790_000_000)
    database = Database(default_url(tmp_path / "data"))
    database.prepare()
    ticket = await acts_of_a_morning(store, desk)
    seal = await seal_of(ring, store)
    for name in ("host-1", "host-2"):
        async with at_work(parts(store, database, desk, seal, ring, name=name)):
            await complete(store, database)
    with database.reading() as connection:
        rows = connection.execute(sa.select(audit_lines).order_by(audit_lines.c.at_ms)).mappings().all()
    lines = {(row["hip_id"], row["act"], row["by"], row["address"], row["ticket"], row["why"]) for row in rows}
    assert len(rows) == len(lines) == 6
    assert lines == {
        (HIP, "list_read", "anna", "10.0.0.7", "", "M1"),
        (HIP, "ticket.lane_changed", "anna", "", ticket, "pregnant"),
        (HIP, "ticket.called", "anna", "", ticket, "M1"),
        (HIP, "sign_in_refused", "bilal", "10.0.0.8", "", "password"),
        (NO_FACILITY, "sign_in_refused", "", "10.0.0.9", "", "no such login"),
        (HIP, "audit_read", "anna", "10.0.0.7", "", ""),
    }
    database.close()

    exported = await asyncio.to_thread(
        kiosk, tmp_path / "data", "export", "audit", "--from", "2026-01-01", "--to", "2099-12-31", "--facility", HIP
    )
    assert exported.returncode == 0, exported.stderr
    written = exported.stdout.splitlines()
    assert written[0].lstrip("\ufeff") == "facility,seq,happened_at,act,by,address,ticket,why"
    acts = sorted(row["act"] for row in rows if row["hip_id"] == HIP)
    assert sorted(cells.split(",")[3] for cells in written[1:]) == acts

    proved = await asyncio.to_thread(kiosk, tmp_path / "data", "audit", "verify", "--json")
    assert proved.returncode == 0, proved.stderr
    assert json.loads(proved.stdout)["lines"] == 6
    with (changed := Database(default_url(tmp_path / "data"))).writing() as connection:
        mine = sa.and_(audit_lines.c.hip_id == HIP, audit_lines.c.act == "list_read")
        connection.execute(sa.update(audit_lines).where(mine).values(by="bilal"))
    changed.close()
    refused = await asyncio.to_thread(kiosk, tmp_path / "data", "audit", "verify")
    assert refused.returncode == 1
    assert f"of facility {HIP} does not fit" in refused.stderr
