"""The embedded Valkey process: it starts, refuses a wrong start, is restarted, and loses nothing that it answered."""

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import pytest

from queueing import library
from queueing.embedded.data_folder import readable_by_others, start_time_of
from queueing.embedded.server import EmbeddedValkey, attach_or_start, probe
from queueing.errors import (
    EmbeddedError,
    FolderInUse,
    FolderNotOurs,
    StoreAway,
    StoreRefused,
)
from queueing.store.store import Store, open_store
from tests.queueing.embedded.owners import Owner, a_server_that_hangs

pytestmark = pytest.mark.anyio


async def test_a_second_start_is_refused_at_once_naming_the_holder(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    try:
        begun = time.monotonic()
        with pytest.raises(FolderInUse, match=f"in use by process {owner.process.pid}$"):
            EmbeddedValkey(tmp_path).start()
        assert time.monotonic() - begun < 1.0, "promised to operators"
        assert probe(tmp_path) == "ready", "the first is undisturbed"
    finally:
        owner.end()


async def test_what_was_answered_survives_the_killing_of_everything(tmp_path: Path) -> None:
    chance = random.Random(1)
    answered: list[int] = []
    numbers = iter(range(10**9))

    async def writer(store: Store) -> None:
        while True:
            number = next(numbers)
            try:
                await store.call("k", "SET", f"k{number}", number)
            except StoreAway:
                return
            answered.append(number)

    for _ in range(3):
        owner = Owner(tmp_path)
        store = await open_store(EmbeddedValkey(tmp_path).url)
        writers = [asyncio.create_task(writer(store)) for _ in range(64)]
        await asyncio.sleep(0.3 + chance.random() * 0.2)
        owner.kill(server_too=True)
        await asyncio.gather(*writers)
        await store.close()
    with EmbeddedValkey(tmp_path) as server:
        store = await open_store(server.url)
        stored = await asyncio.gather(*[store.call("k", "GET", f"k{number}") for number in answered[-4000:]])
        size = await store.call("k", "DBSIZE")
        await store.close()
    assert len(answered) > 300
    assert stored == [b"%d" % number for number in answered[-4000:]]
    assert isinstance(size, int)
    assert size >= len(answered)


async def test_a_server_whose_owner_is_killed_ends_and_the_next_start_needs_no_help(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    owner.kill(server_too=False)
    with EmbeddedValkey(tmp_path) as server:
        assert server.pid != owner.server_pid
        assert start_time_of(owner.server_pid) == ""


async def test_an_orphan_that_hangs_is_named_after_a_bounded_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queueing.embedded.server.LOCK_PATIENCE_S", 0.5)
    with a_server_that_hangs(tmp_path) as server_pid:
        with pytest.raises(FolderInUse, match=f"held by process {server_pid}, which does not end"):
            EmbeddedValkey(tmp_path).start()


async def test_it_runs_with_the_settings_that_the_promise_needs(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path, maxmemory_bytes=123 << 20) as server:
        store = await open_store(server.operator_url)
        answer = await store.call("", "CONFIG", "GET", "*")
        await store.close()
        assert isinstance(answer, list)
        settings = dict(zip(answer[::2], answer[1::2], strict=True))
        assert os.getpgid(server.pid or 0) != os.getpgid(0), "Ctrl-C in the terminal must not reach it"
        socket = tmp_path / "valkey.sock"
        assert socket.stat().st_mode & 0o777 == 0o600
    needed = {
        b"appendonly": b"yes",
        b"appendfsync": b"always",
        b"no-appendfsync-on-rewrite": b"no",
        b"aof-timestamp-enabled": b"yes",
        b"save": b"",
        b"maxmemory": b"%d" % (123 << 20),
        b"maxmemory-policy": b"noeviction",
        b"port": b"0",
        b"protected-mode": b"yes",
        b"enable-debug-command": b"no",
        b"latency-monitor-threshold": b"50",
    }
    assert {name: settings[name] for name in needed} == needed
    assert not socket.exists()


FORBIDDEN: list[tuple[str, ...]] = [
    ("EVAL", "return 1", "0"),
    ("SCRIPT", "LOAD", "return 1"),
    ("FUNCTION", "FLUSH"),
    ("CONFIG", "SET", "appendfsync", "no"),
    ("CONFIG", "REWRITE"),
    ("FUNCTION", "RESTORE", "x"),
    ("KEYS", "*"),
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("MODULE", "LIST"),
    ("REPLICAOF", "127.0.0.1", "1"),
    ("SHUTDOWN", "NOSAVE"),
    ("ACL", "LIST"),
    ("CLIENT", "KILL", "TYPE", "normal"),
    ("MONITOR",),
    ("SORT", "k"),
    ("SUBSCRIBE", "x"),
]


async def test_the_program_may_do_little_and_the_operator_everything(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path) as server:
        store, operator = await open_store(server.url), await open_store(server.operator_url)
        for command in FORBIDDEN:
            with pytest.raises(StoreRefused) as refused:
                await store.call("", *command)
            assert refused.value.code == "NOPERM", command
        await library.prove(store)
        assert store.promise == "disk"
        await operator.call("", "CONFIG", "SET", "maxmemory-policy", "noeviction")
        await operator.call("", "FLUSHALL")
        await store.close()
        await operator.close()
        secret = (tmp_path / "operator.secret").read_text()
        assert len(secret) == 64
        assert (tmp_path / "operator.secret").stat().st_mode & 0o777 == 0o600
        assert secret not in (tmp_path / "valkey.conf").read_text()
    with EmbeddedValkey(tmp_path) as server:
        assert secret in server.operator_url, "it stays"


async def test_files_that_others_may_read_are_found(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "data"):
        assert readable_by_others(tmp_path / "data") == []
    (tmp_path / "data" / "keyring.json").write_text("{}")
    (tmp_path / "data" / "keyring.json").chmod(0o644)
    assert readable_by_others(tmp_path / "data") == [tmp_path / "data" / "keyring.json"]


async def test_the_folder_is_made_private(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    with EmbeddedValkey(folder):
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}


async def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    folder = Path("/usr")  # it belongs to root, if we are not root
    if os.geteuid() == 0:
        folder = tmp_path / "data"
        folder.mkdir()
        os.chown(folder, 65534, 65534)
    with pytest.raises(FolderNotOurs, match="belongs to user"):
        EmbeddedValkey(folder).start()
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(FolderNotOurs, match="is not a folder"):
        EmbeddedValkey(file).start()


async def test_a_file_in_the_place_of_the_socket_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "valkey.sock").write_text("precious")
    with pytest.raises(EmbeddedError, match="is in the way"):
        EmbeddedValkey(tmp_path).start()
    assert (tmp_path / "valkey.sock").read_text() == "precious"


async def test_a_program_that_cannot_be_the_server_is_named(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(EmbeddedError, match="is not executable"):
        EmbeddedValkey(tmp_path / "data", binary=plain).start()
    with pytest.raises(EmbeddedError, match="does not exist"):
        EmbeddedValkey(tmp_path / "data", binary=tmp_path / "none").start()
    plain.chmod(0o755)
    with pytest.raises(EmbeddedError, match="ended with code 3: it said nothing"):
        EmbeddedValkey(tmp_path / "data", binary=plain).start()
    with EmbeddedValkey(tmp_path / "data") as server:
        assert server.pid, "a failed start leaves the folder free"


async def test_stopping_frees_the_folder_and_keeps_the_data(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path)
    server.start()
    pid = server.pid
    server.stop()
    server.stop()
    assert not Path(f"/proc/{pid}").exists()
    assert "bye bye" in (tmp_path / "valkey.log").read_text(), "it was asked, not killed"
    server.start()
    server.stop()


async def test_a_server_that_hangs_is_killed_after_a_bounded_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("queueing.embedded.server.STOP_PATIENCE_S", 0.3)
    server = EmbeddedValkey(tmp_path)
    server.start()
    pid = server.pid or 0
    os.kill(pid, signal.SIGSTOP)
    server.stop()
    assert not Path(f"/proc/{pid}").exists()


async def test_the_log_stays_within_its_bound(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "valkey.log").write_bytes(b"x" * (3 << 20))
    with EmbeddedValkey(tmp_path):
        assert (tmp_path / "valkey.log").stat().st_size < 1 << 20
        assert (tmp_path / "valkey.log.1").stat().st_size == 3 << 20


async def test_a_short_command_uses_the_running_store(tmp_path: Path) -> None:
    owner = Owner(tmp_path)
    try:
        with attach_or_start(tmp_path) as url:
            store = await open_store(url)
            assert await store.call("a", "SET", "a", 1) == b"OK"
            await store.close()
        assert probe(tmp_path) == "ready", "it is not ours to stop"
    finally:
        owner.kill(server_too=False)
    with attach_or_start(tmp_path) as url:
        store = await open_store(url)
        assert await store.call("a", "GET", "a") == b"1"
        await store.close()
    assert probe(tmp_path) == "silent"


async def test_a_start_waits_for_a_short_command_to_end(tmp_path: Path) -> None:
    with attach_or_start(tmp_path):
        starting = EmbeddedValkey(tmp_path)
        waiting = asyncio.create_task(starting.__aenter__())
        await asyncio.sleep(0.3)
        assert not waiting.done()
    async with asyncio.timeout(20):
        await waiting
    assert starting.pid
    starting.stop()
