"""Each figure that people alert on is true in a real tree with two workers, within fifteen seconds both ways."""

import math
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from tests.kiosk.in_process import kiosk
from tests.kiosk.process_tree import Tree, below, serving

TRUE_WITHIN_S = 15.0
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    data_dir = tmp_path_factory.mktemp("tree") / "data"
    assert kiosk(data_dir, "facility", "add", "IN01", "--name", "District Hospital").returncode == 0
    assert kiosk(data_dir, "queue", "add", "IN01", "medicine", "--name", "Medicine", "--prefix", "M").returncode == 0
    with serving(data_dir, KIOSK_WORKERS="2") as running:
        running.ready()
        assert len(below(running.pid_of("web"))) == 2
        yield running


def figure(tree: Tree, name: str) -> float | None:
    """One value as an operator's Prometheus reads it, from whichever worker answers; None for no such line."""
    with urlopen(f"{tree.ready()}/metrics", timeout=10) as answer:  # noqa: S310 - an address of the test's own
        lines = re.findall(rf"^{re.escape(name)} (\S+)$", answer.read().decode(), re.MULTILINE)
    assert len(lines) <= 1, "one fact, one line"
    return float(lines[0]) if lines else None


def becomes(tree: Tree, name: str, value: float | None) -> None:
    """Every worker says so in the end: six answers in a row, on connections of their own."""
    deadline = time.monotonic() + TRUE_WITHIN_S
    in_a_row = 0
    while in_a_row < 6:
        try:
            seen = figure(tree, name)
        except OSError:  # the worker that was asked ended before it answered
            seen = math.nan
        in_a_row = in_a_row + 1 if seen == value else 0
        assert time.monotonic() < deadline, f"{name} is {seen}, not {value}"


def store_pid(tree: Tree) -> int:
    [pid] = [pid for pid in below(tree.process.pid) if "valkey" in Path(f"/proc/{pid}/cmdline").read_text()]
    return pid


def stream(tree: Tree) -> socket.socket:
    place = urlsplit(tree.ready())
    opened = socket.create_connection((place.hostname, place.port), timeout=10)
    opened.sendall(f"GET /live/IN01 HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
    assert opened.recv(12) == b"HTTP/1.1 200"
    return opened


def test_a_healthy_store_is_up_in_every_workers_answer(tree: Tree) -> None:
    becomes(tree, "kiosk_store_up", 1)
    becomes(tree, "kiosk_store_promise", 1)
    becomes(tree, "kiosk_replies_pending", 0)


def test_a_store_that_stands_still_is_down_and_up_again_when_it_goes_on(tree: Tree) -> None:
    pid = store_pid(tree)
    os.kill(pid, signal.SIGSTOP)
    try:
        becomes(tree, "kiosk_store_up", 0)
        becomes(tree, "kiosk_store_promise", 0)
        becomes(tree, "kiosk_replies_pending", None)
    finally:
        os.kill(pid, signal.SIGCONT)
    becomes(tree, "kiosk_store_up", 1)
    becomes(tree, "kiosk_store_promise", 1)


def test_open_streams_of_both_workers_are_counted_and_uncounted(tree: Tree) -> None:
    with ExitStack() as screens:
        for _ in range(24):
            screens.enter_context(stream(tree))
        becomes(tree, "kiosk_open_streams", 24)
    becomes(tree, "kiosk_open_streams", 0)


def test_streams_of_a_killed_worker_are_not_counted_for_ever(tree: Tree) -> None:
    with ExitStack() as screens:
        for _ in range(24):
            screens.enter_context(stream(tree))
        becomes(tree, "kiosk_open_streams", 24)
        os.kill(below(tree.pid_of("web"))[0], signal.SIGKILL)
    becomes(tree, "kiosk_open_streams", 0)
