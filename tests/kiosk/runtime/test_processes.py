"""The process tree: it starts, restarts killed processes, stops in order, and leaves nothing behind."""

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from kiosk.runtime.granian_parts import STARTED_S
from queueing.embedded.server import EmbeddedValkey
from tests.kiosk.process_tree import (
    LONG_S,
    Tree,
    alive,
    below,
    environment,
    kiosk,
    processes_on,
    serving,
    status,
    until,
)

STOPS_WITHIN_S = 20
"""Promised to operators."""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_ready_is_printed_when_requests_are_answered_and_sigterm_ends_everything(data_dir: Path) -> None:
    kiosk(data_dir, "facility", "add", "IN01", "--name", "District Hospital")
    kiosk(data_dir, "queue", "add", "IN01", "medicine", "--name", "Medicine", "--prefix", "M")
    with serving(data_dir) as tree:
        url = tree.ready()
        assert status(f"{url}/healthz") == 200
        assert status(f"{url}/readyz") == 200
        stream = _stream(url, "/live/IN01")
        family = below(tree.process.pid)
        assert len(family) >= 4  # store, web, its worker, relay
        assert {os.sched_getscheduler(pid) for pid in family} == {os.SCHED_BATCH}  # KIOSK_SCANS_FIRST is off
        began = time.monotonic()
        assert tree.stop() == 0
        assert time.monotonic() - began < STOPS_WITHIN_S
        assert _read_to_end(stream).endswith(b"0\r\n\r\n"), "the stream was cut, not ended"
        assert [pid for pid in family if alive(pid)] == []
    assert not tree.log_events("child_killed"), "somebody had to be killed"
    assert sorted(path.name for path in data_dir.glob("*.part")) == []


def _stream(url: str, path: str) -> socket.socket:
    """An open stream that has begun."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
    begun = b""
    while b"event: snapshot" not in begun and (piece := connection.recv(65_536)):
        begun += piece
    if b"event: snapshot" not in begun:
        connection.close()
    assert b"event: snapshot" in begun
    return connection


def _read_to_end(connection: socket.socket) -> bytes:
    """Read until the other side ends the stream."""
    received = b""
    with connection:
        while piece := connection.recv(65_536):
            received += piece
    return received


@pytest.mark.parametrize("step", ["the store is started", "the store is ready", "the first child is started"])
def test_sigterm_while_starting_ends_everything_too(data_dir: Path, step: str) -> None:
    with serving(data_dir) as tree:
        reached = {
            "the store is started": lambda: (data_dir / "valkey.log").exists(),
            "the store is ready": lambda: any(line["state"] == "ready" for line in tree.log_events("store")),
            "the first child is started": lambda: tree.log_events("child_started"),
        }
        until(reached[step])
        family = below(tree.process.pid)
        began = time.monotonic()
        assert tree.stop() == 0
        assert time.monotonic() - began < STOPS_WITHIN_S
        assert [pid for pid in family if alive(pid)] == []


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """A tree for the tests after which it runs as before. It ends in order, whatever was killed."""
    data_dir = tmp_path_factory.mktemp("lasting") / "data"
    kiosk(data_dir, "facility", "add", "IN01", "--name", "District Hospital")
    with serving(data_dir, KIOSK_SCANS_FIRST="true") as tree:
        tree.ready()
        yield tree
        assert tree.stop() == 0


def starts(tree: Tree, role: str) -> int:
    """How often a role was started."""
    return len([line for line in tree.log_events("child_started") if line["role"] == role])


def test_a_killed_child_of_any_role_comes_back(lasting: Tree) -> None:
    url, relays = lasting.ready(), starts(lasting, "relay")
    worker = below(lasting.pid_of("web"))[0]
    for pid in (worker, lasting.pid_of("relay"), lasting.pid_of("web")):
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: not alive(pid))  # type: ignore[misc]  # the default is the value at hand
        until(lambda: status(f"{url}/healthz") == 200)
    until(lambda: starts(lasting, "relay") == relays + 1)


def test_a_terminal_that_stops_background_output_does_not_stop_the_roles(data_dir: Path) -> None:
    ours, terminal = os.openpty()
    modes = termios.tcgetattr(terminal)
    modes[3] |= termios.TOSTOP
    termios.tcsetattr(terminal, termios.TCSANOW, modes)
    command = subprocess.Popen(
        [sys.executable, "-m", "kiosk", "serve"], env=environment(data_dir), cwd=data_dir.parent, stdin=terminal,
        stdout=subprocess.PIPE, stderr=terminal, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    assert command.stdout is not None
    try:
        assert select.select([command.stdout], [], [], LONG_S)[0], "a role was stopped"
        assert command.stdout.readline().startswith(b"ready ")
        command.terminate()
        assert command.wait(STOPS_WITHIN_S) == 0
    finally:
        command.kill()
        command.wait()
        command.stdout.close()
        os.close(terminal)
        os.close(ours)


def scheduling(pid: int) -> dict[str, int]:
    """Of a process: its policy, niceness, session and process group (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return {name: int(fields[place]) for name, place in {"group": 2, "session": 3, "nice": 16, "policy": 38}.items()}


@pytest.mark.parametrize("role", ["deliver", "archive"])
def test_background_roles_run_only_when_scans_leave_the_processor(lasting: Tree, role: str) -> None:
    until(lambda: scheduling(lasting.pid_of(role))["policy"] == os.SCHED_IDLE)
    assert scheduling(lasting.pid_of(role))["nice"] > scheduling(lasting.pid_of("web"))["nice"]


def test_scans_come_first_because_the_roles_are_in_one_session(lasting: Tree) -> None:
    store = int(json.loads((lasting.data_dir / "lock").read_text())["server"])
    quick = [scheduling(pid) for pid in (lasting.pid_of("web"), lasting.pid_of("relay"), store)]
    assert {one["policy"] for one in quick} == {os.SCHED_BATCH}
    background = [scheduling(lasting.pid_of(role)) for role in ("deliver", "archive")]
    assert len({one["session"] for one in quick + background}) == 1
    assert len({one["group"] for one in quick + background}) == 5, "Ctrl-C in a terminal would end some of them"


def test_a_killed_store_is_restarted_without_data_loss(lasting: Tree) -> None:
    def times_ready() -> int:
        return len([line for line in lasting.log_events("store") if line["state"] == "ready"])

    url, before = lasting.ready(), times_ready()
    store = int(json.loads((lasting.data_dir / "lock").read_text())["server"])
    os.kill(store, signal.SIGKILL)
    until(lambda: times_ready() == before + 1)
    until(lambda: status(f"{url}/readyz") == 200)
    listed = kiosk(lasting.data_dir, "facility", "list", "--json")
    assert [one["hip_id"] for one in json.loads(listed.stdout)] == ["IN01"]


def test_killing_the_parent_or_everything_leaves_nothing_running_and_the_next_start_needs_no_repair(
    data_dir: Path,
) -> None:
    with serving(data_dir) as tree:
        tree.ready()
        family = below(tree.process.pid)
        tree.process.kill()
        until(lambda: not [pid for pid in family if alive(pid)])
    with serving(data_dir) as tree:
        tree.ready()
        for pid in (tree.process.pid, *below(tree.process.pid)):
            with contextlib.suppress(ProcessLookupError):  # children end with their parent
                os.kill(pid, signal.SIGKILL)
    with serving(data_dir) as again:
        again.ready()
        assert again.stop() == 0


def refusal(tree: Tree) -> str:
    """The line that says why a start was refused."""
    assert tree.process.wait(60) == 1
    tree.kill()
    assert tree.lines == []
    refusals = [line for line in tree.log if line.startswith("kiosk: ")]
    assert len(refusals) == 1, tree.log
    return refusals[0]


def test_a_second_tree_on_the_same_folder_or_port_is_refused_in_one_line(lasting: Tree, data_dir: Path) -> None:
    url = lasting.ready()
    with serving(lasting.data_dir) as second:
        assert f"in use by process {lasting.process.pid}" in refusal(second)
    # Workers share a port, and the kernel would let another program of the same user share it too.
    with serving(data_dir, KIOSK_PORT=url.rpartition(":")[2]) as second:
        assert "is in use" in refusal(second)
    assert status(f"{url}/readyz") == 200


def test_a_port_in_use_is_refused_in_one_line_and_leaves_nothing_running(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serving(data_dir, KIOSK_PORT=str(port)) as tree:
            assert f"port {port}: is in use by another program" in refusal(tree)
            assert processes_on(data_dir) == []


EVICTS = ("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")


@pytest.mark.parametrize(
    ("role", "settings", "sentence"),
    [
        *(
            (role, EVICTS, "set maxmemory-policy noeviction")
            for role in ("serve", "web", "relay", "archive", "deliver")
        ),
        ("serve", ("ACL", "SETUSER", "default", "-function"), "does not allow functions"),
        ("web", ("ACL", "SETUSER", "default", "-fcall"), "does not allow functions"),
    ],
)
def test_an_unsuitable_store_is_refused_in_one_line_without_retries(
    tmp_path: Path, role: str, settings: tuple[str, ...], sentence: str
) -> None:
    with EmbeddedValkey(tmp_path / "theirs") as server:
        with Redis.from_url(server.operator_url) as client:
            client.execute_command(*settings)
        done = kiosk(
            tmp_path / "data", role,
            KIOSK_REDIS_URL=server.url, KIOSK_GATEWAY_CLIENT_ID="me", KIOSK_GATEWAY_CLIENT_SECRET="s",
        )  # fmt: skip
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("kiosk: ")]
    assert len(lines) == 1, done.stderr
    assert sentence in lines[0]


def test_a_wrong_setting_stops_the_start_before_anything_runs(data_dir: Path) -> None:
    with serving(data_dir, KIOSK_WORKERS="many") as tree:
        assert "KIOSK_WORKERS is 'many'; allowed: a whole number from 1 to 64" in refusal(tree)
    assert not data_dir.exists()


def test_workers_share_one_port_and_one_that_dies_twice_in_a_few_seconds_does_not_end_the_others(
    data_dir: Path,
) -> None:
    with serving(data_dir, KIOSK_WORKERS="2") as tree:
        address = tree.ready()
        web = tree.pid_of("web")
        assert len(below(web)) == 2
        assert status(f"{address}/metrics") == 200
        time.sleep(STARTED_S)
        mortal, other = below(web)
        for _ in range(2):
            os.kill(mortal, signal.SIGKILL)
            mortal = newcomer(web, mortal, other)
        until(lambda: status(f"{address}/readyz") == 200)
        assert alive(other)
        assert tree.pid_of("web") == web
        assert tree.stop() == 0


def newcomer(parent: int, *known: int) -> int:
    until(lambda: set(below(parent)) - {*known})
    return (set(below(parent)) - {*known}).pop()


def test_separate_roles_need_a_running_store_and_say_so(data_dir: Path) -> None:
    refused = kiosk(data_dir, "web")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "no store runs" in refused.stderr
