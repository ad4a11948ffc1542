"""A journal that is damaged, and a server that was killed: what is refused, and what is started again."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from queueing.embedded.configuration import why_ended
from queueing.embedded.server import EmbeddedValkey
from queueing.errors import (
    DiskFull,
    JournalDamaged,
)
from queueing.store.store import open_store
from tests.queueing.embedded.owners import answers

pytestmark = pytest.mark.anyio


async def write_some(folder: Path) -> None:
    with EmbeddedValkey(folder) as server:
        store = await open_store(server.url)
        for number in range(200):
            await store.call("k", "SET", f"k{number}", "v" * 100)
        await store.close()


def journal(folder: Path, kind: str) -> Path:
    [file] = (folder / "appendonlydir").glob(f"*{kind}*")
    return file


def spoil_middle(folder: Path) -> None:
    file = journal(folder, ".incr.")
    data = file.read_bytes()
    place = data.index(b"*3\r\n", len(data) // 2)
    file.write_bytes(data[:place] + b"#" + data[place + 1 :])


def lengthen_in_the_middle(folder: Path) -> None:
    """Change one digit of a length, so that everything after it looks like the unfinished end of one value."""
    file = journal(folder, ".incr.")
    data = file.read_bytes()
    place = data.index(b"$100\r\n", len(data) // 2)
    file.write_bytes(data[:place] + b"$900000\r\n" + data[place + 6 :])


def spoil_base(folder: Path) -> None:
    file = journal(folder, ".base.")
    file.write_bytes(b"junk" + file.read_bytes()[4:])


def spoil_manifest(folder: Path) -> None:
    journal(folder, ".manifest").write_text("junk\n")


def lose_a_file(folder: Path) -> None:
    journal(folder, ".incr.").unlink()


@pytest.mark.parametrize("spoil", [spoil_middle, lengthen_in_the_middle, spoil_base, spoil_manifest, lose_a_file])
async def test_a_damaged_journal_is_refused_in_words_and_left_as_it_is(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    await write_some(tmp_path / "data")
    spoil(tmp_path / "data")
    before = {path.name: path.read_bytes() for path in (tmp_path / "data" / "appendonlydir").iterdir()}
    with pytest.raises(JournalDamaged, match="would lose acknowledged tickets") as refused:
        EmbeddedValkey(tmp_path / "data").start()
    assert "\n" not in str(refused.value)
    assert {path.name: path.read_bytes() for path in (tmp_path / "data" / "appendonlydir").iterdir()} == before


async def test_why_it_ended_is_one_line(tmp_path: Path) -> None:
    full = "7:M 01 Jan 2026 # Error writing to the AOF file: No space left on device\n7:M 01 Jan # bye\n"
    assert isinstance(why_ended(tmp_path, 1, full), DiskFull)
    assert str(why_ended(tmp_path, -9, "7:M 1 Jan 2026 * Ready\n")).endswith("ended by signal 9: Ready")
    assert "signal" not in str(why_ended(tmp_path, None, ""))


async def test_a_killed_server_is_started_again_and_reported(tmp_path: Path) -> None:
    events: list[str] = []
    async with EmbeddedValkey(tmp_path, on_event=lambda kind, _words: events.append(kind)) as server:
        watch = asyncio.create_task(server.supervise())
        store = await open_store(server.url)
        await store.call("a", "SET", "a", 1)
        for _ in range(2):
            os.kill(server.pid or 0, signal.SIGKILL)
            await answers(store, b"1")
        watch.cancel()
        await store.close()
    assert [kind for kind in events if kind != "loading"] == ["ready", "died", "ready", "died", "ready"]


async def test_supervision_ends_on_a_journal_that_no_restart_can_heal(tmp_path: Path) -> None:
    async with EmbeddedValkey(tmp_path) as server:
        watch = asyncio.create_task(server.supervise())
        spoil_base(tmp_path)
        os.kill(server.pid or 0, signal.SIGKILL)
        with pytest.raises(JournalDamaged):
            async with asyncio.timeout(20):
                await watch
        assert server.pid is None
