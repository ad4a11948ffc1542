"""``kiosk web`` without ``kiosk serve``: the answers of its two workers count both."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.kiosk.in_process import kiosk
from tests.kiosk.process_tree import LONG_S, below, environment, serving, status, until
from tests.ports import free_port

pytestmark = pytest.mark.proof
STREAMS = 12


@contextmanager
def web_alone(data_dir: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    settings = environment(data_dir, KIOSK_PORT=str(port), KIOSK_WORKERS="2")
    web = subprocess.Popen([sys.executable, "-m", "kiosk", "web"], env=settings, stderr=subprocess.DEVNULL)
    try:
        until(lambda: status(f"http://127.0.0.1:{port}/healthz") == 200)
        yield web
        web.terminate()
        assert web.wait(LONG_S) == 0
    finally:
        web.kill()
        web.wait()


def open_stream(port: int) -> socket.socket:
    stream = socket.create_connection(("127.0.0.1", port), timeout=10)
    stream.sendall(f"GET /live/IN01 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    assert stream.recv(12) == b"HTTP/1.1 200"
    return stream


def streams_counted(port: int) -> float:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        (value,) = re.findall(r"^kiosk_open_streams (\S+)$", answer.read().decode(), re.MULTILINE)
    return float(value)


def test_each_answer_counts_all_workers_and_leaves_the_trees_own_counters_alone(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    assert kiosk(data_dir, "facility", "add", "IN01", "--name", "District Hospital").returncode == 0
    assert kiosk(data_dir, "queue", "add", "IN01", "medicine", "--name", "Medicine", "--prefix", "M").returncode == 0
    with serving(data_dir) as tree, ExitStack() as screens:
        tree.ready()
        of_the_tree = {path.name for path in (data_dir / "metrics").glob("*.db")}
        port = free_port()
        with web_alone(data_dir, port) as web:
            until(lambda: len(below(web.pid)) == 2)
            for _ in range(STREAMS):
                screens.enter_context(open_stream(port))
            until(lambda: {streams_counted(port) for _ in range(8)} == {STREAMS}, 15)
            assert of_the_tree <= {path.name for path in (data_dir / "metrics").glob("*.db")}
            screens.close()
