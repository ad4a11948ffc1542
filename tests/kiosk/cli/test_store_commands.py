"""``kiosk store``: what an operator types after a start was refused for a damaged journal."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiosk import health
from kiosk.services.web import web_services
from kiosk.settings import load
from queueing.audit import Audit
from queueing.embedded.data_folder import FolderLock
from queueing.embedded.server import EmbeddedValkey
from queueing.redis_keys import changes_key, facility_root, partition_of
from queueing.store.store import Store, open_store
from tests.kiosk.in_process import kiosk
from tests.queueing.a_facility import DAY_MS, HIP, arrival, build
from tests.queueing.moved_clock import MovedClock, moved_clock


def damage_the_middle(folder: Path) -> None:
    [file] = (folder / "appendonlydir").glob("*.incr.*")
    data = file.read_bytes()
    place = data.rindex(b"MULTI") - 20  # within the command before the last transaction
    file.write_bytes(data[:place] + bytes(64) + data[place + 64 :])


def test_the_command_that_a_refused_start_names_makes_it_start(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for number in range(3):
        assert kiosk(folder, "facility", "add", f"IN0{number}", "--name", f"Hospital {number}").returncode == 0
    assert kiosk(folder, "store", "check").returncode == 0
    damage_the_middle(folder)
    refused = kiosk(folder, "facility", "list")
    assert refused.returncode == 1
    named = re.search(r"`kiosk (store repair)`", refused.stderr)
    assert named
    assert refused.stderr.count("\n") == 1
    checked = kiosk(folder, "store", "check")
    assert checked.returncode == 1
    assert "cannot be read from byte" in checked.stdout

    lock = FolderLock(folder)
    assert lock.take(brief=False)
    in_use = kiosk(folder, *named[1].split())
    lock.release()
    assert "stop the service first" in in_use.stderr

    repaired = kiosk(folder, *named[1].split())
    assert repaired.returncode == 0
    assert "cut there, the rest is in" in repaired.stdout
    assert kiosk(folder, "facility", "list").returncode == 0
    assert len(json.loads(kiosk(folder, "store", "check", "--json").stdout)["set_aside"]) >= 1
    rows = json.loads(kiosk(folder, "doctor", "--json").stdout)
    assert any(row["what"] == "journal" and "set aside" in row["words"] for row in rows)


def test_the_journal_of_a_store_of_your_own_is_not_ours_to_repair(tmp_path: Path) -> None:
    done = kiosk(tmp_path / "data", "store", "repair", KIOSK_REDIS_URL="redis://127.0.0.1:1")
    assert done.returncode == 1
    assert "KIOSK_REDIS_URL is set" in done.stderr


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedValkey]:
    async with EmbeddedValkey(tmp_path / "data") as running:
        yield running


@pytest.fixture
async def store(server: EmbeddedValkey) -> AsyncIterator[Store]:
    opened = await open_store(server.operator_url)
    yield opened
    await opened.close()


async def run_ahead(store: Store, clock: MovedClock, days: int) -> None:
    """Three patients wait; then the clock is ahead while another scans; then it is right again."""
    await build(store)
    desk = clock.desk()
    for _ in range(3):
        await desk.enqueue(arrival())
    await clock.move(days=days)
    await desk.enqueue(arrival())
    key = changes_key(partition_of(facility_root(HIP)))
    await store.call(key, "XADD", key, f"{clock.now_ms()}-0", "f", "facility")  # the server's own clock cannot be moved
    await clock.move()
    assert len(await desk.tickets(HIP)) == 1, "the wrong clock ended the line of today"


@pytest.mark.anyio
async def test_a_clock_that_ran_ahead_is_told_and_one_command_brings_the_line_back(
    server: EmbeddedValkey, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with moved_clock(store, monkeypatch) as clock:
        await run_ahead(store, clock, days=3)
    async with web_services(load({"KIOSK_DATA_DIR": str(server.folder)})) as services:
        readiness = (await health.look(services)).readiness
        assert [(reason.what, reason.fatal) for reason in readiness.reasons] == [("clock", False)]
        assert "the store's clock was 3 days ahead" in readiness.reasons[0].words
        named = re.search(r"kiosk (store heal-clock)", readiness.reasons[0].words)
        assert named
        examined = await asyncio.to_thread(kiosk, server.folder, "doctor", "--json")
        [row] = [row for row in json.loads(examined.stdout) if "days ahead" in row["words"]]
        assert (row["what"], row["verdict"], named[0] in row["todo"]) == ("clock", "warning", True)

        healed = await asyncio.to_thread(kiosk, server.folder, *named[1].split())
        assert (healed.returncode, healed.stdout) == (0, "1 facilities are back on today\n"), healed.stderr
        assert (await health.look(services)).readiness.reasons == ()
        tokens = sorted(ticket.token for ticket in await services.desk.tickets(HIP))
        assert tokens == ["M-001", "M-002", "M-003"], "M-001 was given to another patient since, the others are back"
    assert [(entry.kind, entry.by) for entry in await Audit(store).read(HIP)] == [("clock_healed", "(command line)")]
    again = await asyncio.to_thread(kiosk, server.folder, "store", "heal-clock", "--json")
    assert json.loads(again.stdout) == {"facilities": 0}
    assert len(await Audit(store).read(HIP)) == 1


@pytest.mark.anyio
async def test_readiness_reads_the_streams_for_a_clock_ahead_once_a_minute(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = health.ClockAhead()
    assert await clock.read_ms(store) == 0
    key = changes_key(partition_of(facility_root(HIP)))
    await store.call(key, "XADD", key, f"{int(time.time() * 1000) + DAY_MS}-0", "f", "facility")
    assert await clock.read_ms(store) == 0
    monkeypatch.setattr(health, "CLOCK_AHEAD_EVERY_S", 0.0)
    assert 0 < await clock.read_ms(store) <= DAY_MS
