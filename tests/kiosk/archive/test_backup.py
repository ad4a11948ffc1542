"""``kiosk backup`` of a live day and ``kiosk restore`` on an empty machine, as an operator types them."""

import asyncio
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from kiosk.archive import schema
from kiosk.archive.copying import copy_in, copy_out
from kiosk.archive.database import ArchiveUnsuitable, Database, default_url
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.voice.clips import Clips
from queueing.desk import OpdDesk
from queueing.embedded.server import EmbeddedValkey
from queueing.event_log import EventLog
from queueing.models import State
from queueing.outbox import Outbox
from queueing.store.store import open_store
from tests.kiosk import process_tree
from tests.kiosk.archive.rows import insert, share, ticket
from tests.kiosk.in_process import kiosk
from tests.queueing.a_facility import HIP, arrival, build

pytestmark = pytest.mark.anyio


async def test_numbers_go_on_where_they_stood_after_a_restore_on_an_empty_machine(tmp_path: Path) -> None:
    live, copy, fresh, ring = tmp_path / "live", tmp_path / "copy", tmp_path / "fresh", tmp_path / "safe" / "ring.json"
    ring.parent.mkdir()
    KeysOnDisk(live).load_or_create(1_790_000_000)
    word = bytes(range(200)) * 10
    Clips(live).save("ks", "n7", word, HIP)
    Clips(live).save("hi", "please", word)
    with EmbeddedValkey(live) as server:
        store = await open_store(server.url)
        await build(store)
        desk = OpdDesk(store)
        places = [await desk.enqueue(arrival()) for _ in range(20)]
        called = await desk.call_next(HIP, "M1", by="anna")
        going_on = asyncio.create_task(_arrivals(desk, 200))
        taken = await asyncio.to_thread(
            process_tree.kiosk, live, "backup", str(copy), "--key-ring", str(ring), "--json"
        )
        await going_on
        assert taken.returncode == 0, taken.stderr
        await store.close()
    assert not (live / "dump.rdb").exists()
    assert sorted(path.name for path in copy.iterdir()) == [
        "archive.db", "manifest.json", "settings.env", "store.rdb", "voice.zip",
    ]  # fmt: skip
    assert all(path.stat().st_mode & 0o077 == 0 for path in (*copy.iterdir(), copy, ring))
    assert not any(ring.read_bytes()[20:80] in path.read_bytes() for path in copy.iterdir())

    restored = process_tree.kiosk(fresh, "restore", str(copy), "--key-ring", str(ring))
    assert restored.returncode == 0, restored.stderr
    assert "numbers may be given again" in restored.stdout
    assert KeysOnDisk(fresh).load() == KeysOnDisk(live).load()
    assert Clips(fresh).read("ks", "n7", HIP) == Clips(fresh).read("hi", "please") == word
    assert Clips(fresh).names("ks") == frozenset()
    with EmbeddedValkey(fresh) as server:
        store = await open_store(server.url)
        desk = OpdDesk(store)
        tickets = await desk.tickets(HIP)
        (again,) = [one for one in tickets if one.state is State.CALLED]
        assert called.ticket is not None
        assert (again.token, again.counter) == (called.ticket.token, "M1")
        assert 20 <= len(tickets) <= 220
        following = await desk.call_next(HIP, "M1", by="anna")
        assert following.ticket is not None
        assert following.ticket.token == places[1].token
        newcomer = await desk.enqueue(arrival())
        assert newcomer.token == f"M-{len(tickets) + 1:03d}"
        assert await Outbox(store, "relay").backlog() > len(tickets)
        assert (await EventLog(store).read(HIP, limit=500)).events
        await store.close()


async def _arrivals(desk: OpdDesk, count: int) -> None:
    for _ in range(count):
        await desk.enqueue(arrival())


def test_a_backup_that_is_not_whole_and_a_folder_in_use_are_refused(tmp_path: Path) -> None:
    live, copy = tmp_path / "live", tmp_path / "copy"
    assert kiosk(live, "facility", "add", HIP, "--name", "Hospital").returncode == 0
    inside = kiosk(live, "backup", str(live / "copy"))
    assert "belongs on another disk" in inside.stderr
    assert kiosk(live, "backup", str(copy)).returncode == 0
    again = kiosk(live, "backup", str(copy))
    assert (again.returncode, "name a new folder" in again.stderr) == (1, True)
    full = kiosk(live, "restore", str(copy))
    assert "move it away first" in full.stderr

    with (copy / "store.rdb").open("r+b") as file:
        file.seek(100)
        file.write(b"damage")
    damaged = kiosk(tmp_path / "fresh", "restore", str(copy))
    assert (damaged.returncode, "missing or damaged" in damaged.stderr) == (1, True)
    assert not (tmp_path / "fresh").exists()
    nothing = kiosk(tmp_path / "fresh", "restore", str(tmp_path / "nowhere"))
    assert "no complete backup" in nothing.stderr


def test_settings_are_copied_without_their_secrets(tmp_path: Path) -> None:
    taken = kiosk(
        tmp_path / "live", "backup", str(tmp_path / "copy"),
        KIOSK_GATEWAY_CLIENT_ID="SBX_000001", KIOSK_GATEWAY_CLIENT_SECRET="a-client-secret",
    )  # fmt: skip
    assert taken.returncode == 0
    lines = (tmp_path / "copy" / "settings.env").read_text("utf-8")
    assert "KIOSK_GATEWAY_CLIENT_ID=SBX_000001" in lines
    assert "a-client-secret" not in lines
    assert "# KIOSK_GATEWAY_CLIENT_SECRET is a secret and not copied" in lines


def test_a_key_ring_that_cannot_be_written_names_the_folder_and_keeps_the_backup(tmp_path: Path) -> None:
    assert kiosk(tmp_path / "live", "keys", "rotate").returncode == 0
    nowhere = tmp_path / "not there" / "keyring.json"
    taken = kiosk(tmp_path / "live", "backup", str(tmp_path / "copy"), "--key-ring", str(nowhere))
    assert taken.returncode == 1
    assert "the backup is complete; the key ring could not be written" in taken.stderr
    assert f"the folder {nowhere.parent} exists" in taken.stderr
    assert (tmp_path / "copy" / "store.rdb").exists()


def test_the_archive_of_either_database_is_copied_whole(database: Database, tmp_path: Path) -> None:
    insert(database, schema.tickets, *[ticket(number) for number in range(1, 5_001)])
    insert(database, schema.shares, share(1))
    copy_out(database, tmp_path / "copy.db")
    other = Database(default_url(tmp_path / "other"))
    copy_in(tmp_path / "copy.db", other)
    with database.reading() as before, other.reading() as after:
        for table in (schema.tickets, schema.shares):
            query = sa.select(table).order_by(*table.primary_key.columns)
            assert before.execute(query).all() == after.execute(query).all()
        assert after.execute(sa.select(sa.func.count()).select_from(schema.tickets)).scalar_one() == 5_000
        assert after.execute(sa.select(sa.func.min(schema.tickets.c.service_day))).scalar_one() == date(2026, 9, 21)
    with pytest.raises(ArchiveUnsuitable, match="not empty"):
        copy_in(tmp_path / "copy.db", database)
    other.close()
