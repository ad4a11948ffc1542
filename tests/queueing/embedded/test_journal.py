"""The journal after a power cut or with damage: what is repaired at the start, what is refused, what
``repair`` keeps.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from queueing.embedded.aof import examine
from queueing.embedded.journal import MANIFEST, Damage, find_damage, repair, set_aside
from queueing.embedded.server import EmbeddedValkey
from queueing.errors import JournalDamaged
from queueing.store.store import open_store

pytestmark = pytest.mark.anyio
WRITES = 200
TRANSACTION = b"*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$1\r\n1\r\n"
"""Begun by a function and never finished: its first write must not count."""


async def start_and_count(folder: Path, events: list[tuple[str, str]] | None = None) -> int:
    """Start the server, check that it accepts writes, and return how many of the keys it has."""
    heard = events if events is not None else []
    async with EmbeddedValkey(folder, on_event=lambda kind, line: heard.append((kind, line))) as server:
        store = await open_store(server.url)
        count = await store.call("k", "DBSIZE")
        await store.call("k", "SET", "after", 1)
        await store.call("k", "DEL", "after")
        await store.close()
    assert isinstance(count, int)
    return count


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A data folder with ``WRITES`` keys. Its server is stopped."""
    async with EmbeddedValkey(tmp_path / "data") as server:
        store = await open_store(server.url)
        for number in range(WRITES):
            await store.call("k", "SET", f"k{number}", "v" * 100)
        await store.close()
    return tmp_path / "data"


def journal_file(folder: Path, kind: str) -> Path:
    [file] = (folder / "appendonlydir").glob(f"*{kind}*")
    return file


def append(data: bytes) -> Callable[[bytes], bytes]:
    return lambda whole: whole + data


ENDS: dict[str, tuple[Callable[[bytes], bytes], int]] = {
    "zeroes": (append(bytes(4096)), WRITES),
    "one zero": (append(b"\0"), WRITES),
    "half a command": (lambda whole: whole[:-30], WRITES - 1),
    "half a command, then zeroes": (lambda whole: whole[:-30] + bytes(3000), WRITES - 1),
    "zeroes up to the length of the value": (lambda whole: whole[:-102] + bytes(102), WRITES - 1),
    "garbage": (append(bytes(range(1, 256)) * 9), WRITES),
    "garbage that ends like a line": (append(b"junk\r\n"), WRITES),
    "an unfinished transaction": (append(TRANSACTION), WRITES),
    "a transaction, then zeroes": (append(TRANSACTION + bytes(512)), WRITES),
}


@pytest.mark.parametrize("end", ENDS)
async def test_an_unanswered_end_is_set_aside_and_reported_and_the_store_starts(folder: Path, end: str) -> None:
    spoil, expected = ENDS[end]
    file = journal_file(folder, ".incr.")
    whole = file.read_bytes()
    file.write_bytes(spoil(whole))
    events: list[tuple[str, str]] = []
    assert await start_and_count(folder, events) == expected
    assert "set aside" in dict(events)["journal mended"]
    [aside] = set_aside(folder)
    assert spoil(whole).endswith(aside.read_bytes())
    assert aside.stat().st_mode & 0o777 == 0o600
    events.clear()
    assert await start_and_count(folder, events) == expected
    assert "journal mended" not in dict(events), "once is enough"


def zero_the_middle(folder: Path) -> None:
    file = journal_file(folder, ".incr.")
    data = file.read_bytes()
    place = len(data) // 2
    file.write_bytes(data[:place] + bytes(512) + data[place + 512 :])


def zero_the_middle_and_the_end(folder: Path) -> None:
    zero_the_middle(folder)
    file = journal_file(folder, ".incr.")
    file.write_bytes(file.read_bytes() + bytes(512))


def cut_then_write_on(folder: Path) -> None:
    """A file that was cut and to which a server then appended."""
    file = journal_file(folder, ".incr.")
    data = file.read_bytes()
    file.write_bytes(data[:5000] + b"\r\n" + data[data.index(b"*3\r\n", 5000) :])


@pytest.mark.parametrize("spoil", [zero_the_middle, zero_the_middle_and_the_end, cut_then_write_on])
async def test_damage_before_the_end_is_refused_with_what_to_type_and_that_command_heals_it(
    folder: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(folder)
    damaged = journal_file(folder, ".incr.").read_bytes()
    with pytest.raises(JournalDamaged, match="kiosk store repair") as refused:
        EmbeddedValkey(folder).start()
    assert "\n" not in str(refused.value)
    assert "commands stand after it" in str(refused.value), "the operator learns what it would cost"
    assert journal_file(folder, ".incr.").read_bytes() == damaged
    [line] = repair(folder)
    assert "cut there" in line
    assert 0 < await start_and_count(folder) < WRITES
    assert find_damage(folder) is None
    journal_bytes = journal_file(folder, ".incr.").read_bytes()
    assert any(damaged.endswith(aside.read_bytes()) for aside in set_aside(folder))
    assert journal_bytes[:4096] == damaged[:4096]


async def test_an_empty_incremental_file_is_whole(folder: Path) -> None:
    journal_file(folder, ".incr.").write_bytes(b"")
    assert await start_and_count(folder) == 0


async def add_an_incremental_file(folder: Path) -> Path:
    """The state when the power fails during a rewrite, before the manifest is on disk."""
    first = journal_file(folder, ".1.incr.")
    second = first.with_name("appendonly.aof.2.incr.aof")
    second.write_bytes(b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$6\r\nsecond\r\n$1\r\n1\r\n")
    return second


async def test_a_file_that_the_manifest_misses_is_entered_and_read(folder: Path) -> None:
    await add_an_incremental_file(folder)
    events: list[tuple[str, str]] = []
    assert await start_and_count(folder, events) == WRITES + 1
    assert "appendonly.aof.2.incr.aof" in dict(events)["journal mended"]


@pytest.mark.parametrize("content", [None, b"", bytes(200)])
async def test_a_lost_manifest_is_made_anew_and_never_means_an_empty_store(folder: Path, content: bytes | None) -> None:
    manifest = folder / "appendonlydir" / MANIFEST
    manifest.unlink()
    if content is not None:
        manifest.write_bytes(content)
    events: list[tuple[str, str]] = []
    assert await start_and_count(folder, events) == WRITES
    assert "made anew" in dict(events)["journal mended"]


async def test_a_lost_manifest_that_could_be_made_in_two_ways_is_refused(folder: Path) -> None:
    second = await add_an_incremental_file(folder)
    (folder / "appendonlydir" / MANIFEST).unlink()
    with pytest.raises(JournalDamaged, match="more than one order"):
        EmbeddedValkey(folder).start()
    assert second.exists()


async def test_repair_drops_what_comes_after_a_missing_or_damaged_file(folder: Path) -> None:
    await add_an_incremental_file(folder)
    await start_and_count(folder)
    zero_the_middle_of = journal_file(folder, ".1.incr.")
    data = zero_the_middle_of.read_bytes()
    zero_the_middle_of.write_bytes(data[: len(data) // 2] + bytes(90))
    with pytest.raises(JournalDamaged, match=r"appendonly\.aof\.1\.incr\.aof cannot be read"):
        EmbeddedValkey(folder).start()
    assert any("comes after the damage" in line for line in repair(folder))
    assert 0 < await start_and_count(folder) < WRITES
    journal_file(folder, ".1.incr.").unlink()
    with pytest.raises(JournalDamaged, match="is missing"):
        EmbeddedValkey(folder).start()
    repair(folder)
    assert await start_and_count(folder) == 0


def test_the_reader_finds_every_whole_command(tmp_path: Path) -> None:
    command = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
    file = tmp_path / "file"
    for data, whole, later in [
        (b"", 0, 0),
        (command * 3, 3 * len(command), 0),
        (b"#TS:1700000000\r\n" + command, 16 + len(command), 0),
        (command + command[:-1], len(command), 0),
        (command + b"*2\r\n", len(command), 0),
        (command + b"*x\r\n" + command, len(command), 1),
        (command + command[:-3] + command * 2, len(command), 2),
        (command + b"#TS:1700000000\r\n" + command[1:] + b"#TS:1700000060\r\n" + command, 36, 1),
        (command + b"*1\r\n$5\r\nMULTI\r\n" + command, len(command), 0),
    ]:
        file.write_bytes(data)
        extent = examine(file)
        assert (extent.whole, extent.later_commands) == (whole, later), data


def test_the_refusal_says_when_the_writes_after_the_damage_were_made(tmp_path: Path) -> None:
    command = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
    file = tmp_path / "file"
    file.write_bytes(command + command[1:] + b"#TS:1700000000\r\n" + command + b"#TS:1700000060\r\n" + command)
    sentence = Damage("file", examine(file)).in_words()
    assert sentence.endswith("2 commands stand after it, from 2023-11-14 22:13:20 UTC to 2023-11-14 22:14:20 UTC")
