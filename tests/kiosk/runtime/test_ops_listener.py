"""Operators' pages on a separate port: only these pages, only for operators, with the figures of all workers."""

import asyncio
import json
import re
import socket
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest

from kiosk.runtime import ops_listener
from kiosk.runtime.ops_listener import NotRead, OpsListener, parse_head
from kiosk.web.client_address import networks_of
from tests.kiosk import process_tree
from tests.kiosk.hospital import Hospital
from tests.kiosk.in_process import kiosk
from tests.kiosk.process_tree import Tree, serving, status, until
from tests.ports import free_port

STREAMS = 9


def spoken(port: int, request: bytes, *, within_s: float = 10.0) -> bytes:
    """Send these bytes and read until the connection closes."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=within_s)) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
        return answer


def get(port: int, path: str, *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *headers, "", ""]
    return spoken(port, "\r\n".join(lines).encode())


def code(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def stream_of(tree_url: str) -> socket.socket:
    port = int(tree_url.rpartition(":")[2])
    stream = socket.create_connection(("127.0.0.1", port), timeout=10)
    stream.sendall(f"GET /live/IN01 HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    assert stream.recv(12) == b"HTTP/1.1 200"
    return stream


def counted(port: int) -> set[float]:
    """The open streams in eight answers, because the kernel gives each connection to any worker."""
    found = set()
    for _ in range(8):
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            found |= set(re.findall(r"^kiosk_open_streams (\S+)$", answer.read().decode(), re.MULTILINE))
    return {float(value) for value in found}


def test_the_port_answers_operators_pages_with_the_figures_of_the_whole_tree(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "data", free_port()
    assert kiosk(data_dir, "facility", "add", "IN01", "--name", "District Hospital").returncode == 0
    assert kiosk(data_dir, "queue", "add", "IN01", "medicine", "--name", "Medicine", "--prefix", "M").returncode == 0
    with serving(data_dir, KIOSK_OPS_PORT=str(port), KIOSK_WORKERS="2") as tree:
        url = tree.ready()
        until(lambda: len(tree.log_events("ops_port")) == 2)
        streams = [stream_of(url) for _ in range(STREAMS)]
        until(lambda: counted(port) == {STREAMS}, 15)
        for stream in streams:
            stream.close()
        ready = get(port, "/readyz")
        assert code(ready) == 200
        assert json.loads(ready.rpartition(b"\r\n\r\n")[2])["ready"]
        _refuses_everything_else(tree, port)
        assert status(url + "/metrics") == 200, "the rule by address on the main port stays"
        assert tree.stop() == 0


def _refuses_everything_else(tree: Tree, port: int) -> None:
    for path in (
        "/",
        "/console/login",
        "/metricsx",
        "//metrics",
        "/live/IN01",
        "/.well-known/jwks.json",
        "/metrics%2f",
    ):
        assert code(get(port, path)) == 404, path
    assert code(spoken(port, b"POST /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")) == 404
    # A page of another host must not read them through the browser of an operator.
    assert code(spoken(port, b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n")) == 421
    assert code(spoken(port, b"GET /metrics HTTP/1.1\r\n\r\n")) == 400
    assert spoken(port, b"GET /metrics HTTP/1.1\r\nX: " + b"x" * ops_listener.HEAD_MAX) == b""
    assert spoken(port, b"", within_s=ops_listener.REQUEST_WITHIN_S + 5) == b"", "a silent connection ends by itself"
    assert tree.log_events("child_died") == []


def test_a_port_that_is_in_use_stops_the_start_with_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = process_tree.kiosk(tmp_path / "data", "serve", KIOSK_OPS_PORT=str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "is in use by another program (KIOSK_OPS_HOST, KIOSK_OPS_PORT)" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("allowed", "caller", "may"),
    [
        ((), "192.0.2.7", True),
        (("10.0.0.0/8",), "192.0.2.7", False),
        (("10.0.0.0/8",), "10.1.2.3", True),
        (("10.0.0.0/8",), "127.0.0.1", True),
    ],
)
def test_on_another_address_only_the_named_networks_may_ask(allowed: tuple[str, ...], caller: str, may: bool) -> None:
    listener = OpsListener(None, networks_of(allowed))
    assert listener._may_ask((caller, 9)) is may


@pytest.mark.parametrize(
    "head",
    [
        b"GET /metrics\r\n",
        b"GET  /metrics HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"GET /metrics HTTP/1.1\r\n folded: x\r\n",
        b"GET /metrics HTTP/1.1\r\nno colon\r\n",
        b"\xff\xfe\x00\r\n",
    ],
)
def test_bytes_that_are_not_a_request_are_not_read(head: bytes) -> None:
    with pytest.raises(NotRead):
        parse_head(head)


@pytest.mark.parametrize(
    ("line", "method", "path", "version"),
    [
        (b"GET http://10.0.0.1:9100/metrics?x=1 HTTP/1.1", "GET", "/metrics", "1.1"),
        (b"OPTIONS /healthz HTTP/1.0", "OPTIONS", "/healthz", "1.0"),
        (b"HEAD /metrics/http://x/ HTTP/1.1", "HEAD", "/metrics/http://x/", "1.1"),
    ],
)
def test_what_balancers_and_monitors_may_send_is_read(line: bytes, method: str, path: str, version: str) -> None:
    request = parse_head(line + b"\r\n")
    assert (request.method, request.path, request.version) == (method, path, version)


@pytest.mark.anyio
async def test_a_balancer_may_ask_by_options_and_without_a_host(hospital: Hospital) -> None:
    server = await asyncio.start_server(OpsListener(hospital.app).answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for line, expected in ((b"OPTIONS /healthz HTTP/1.0", b"204"), (b"GET /readyz HTTP/1.0", b"200")):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(line + b"\r\n\r\n")
        async with asyncio.timeout(10):
            assert (await reader.read()).split(b" ", 2)[1] == expected, line
        writer.close()
    server.close()


@pytest.mark.anyio
async def test_more_connections_than_monitoring_needs_are_closed_unread() -> None:
    listener = OpsListener(None)
    server = await asyncio.start_server(listener.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(ops_listener.CONNECTIONS_MAX)]
    await asyncio.sleep(0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(30):
        assert await reader.read() == b""
    for _, each in [*pairs, (reader, writer)]:
        each.close()
    server.close()
