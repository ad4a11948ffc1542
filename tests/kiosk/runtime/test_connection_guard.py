"""Connections that use up a worker are closed, and ordinary ones are not."""

import errno
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from kiosk.observability import metrics
from kiosk.runtime import connection_guard
from kiosk.runtime.connection_guard import (
    FIRST_REQUEST_S,
    NOT_READING_S,
    REASONS,
    SILENT_S,
    ConnectionGuard,
    Seen,
    see,
)
from kiosk.web.client_address import read_address
from tests.kiosk.process_tree import Tree, serving, status, until

FILES = 400


def seen(port: int, *, address: str = "192.0.2.1", idle_s: float = 0, received: int = 1, **more: object) -> Seen:
    fields = {"descriptor": port, "confirmed": 1, "unsent": False, **more}
    return Seen(address=address, port=port, idle_s=idle_s, received=received, **fields)  # type: ignore[arg-type]  # a test's


def guard(files: int = FILES) -> ConnectionGuard:
    return ConnectionGuard(files=files, has_no_share=lambda address: address.startswith("127."))


def test_a_connection_that_never_sent_a_byte_ends_after_its_time() -> None:
    early, late = seen(1, idle_s=SILENT_S - 1, received=0, confirmed=0), seen(2, idle_s=SILENT_S + 1, received=0)
    assert guard().to_close([early, late], now_s=100, open_files=10) == {late: "silent"}


def test_a_first_request_that_never_completes_is_closed_though_bytes_arrive() -> None:
    watched = guard()
    dripping = [seen(1, received=count, confirmed=0) for count in range(1, 40)]
    ends = [watched.to_close([one], now_s=100 + at, open_files=10) for at, one in enumerate(dripping)]
    closed_at = next(at for at, end in enumerate(ends) if end)
    assert FIRST_REQUEST_S < closed_at <= FIRST_REQUEST_S + 1
    assert ends[closed_at] == {dripping[closed_at]: "silent"}


def test_an_idle_connection_after_a_request_stays_open() -> None:
    watched = guard()
    for at in range(60):
        assert watched.to_close([seen(1, idle_s=at)], now_s=100 + at, open_files=10) == {}


def test_a_reader_that_takes_nothing_ends_and_a_slow_one_does_not() -> None:
    watched = guard()
    closed: dict[int, float] = {}
    for at in range(40):
        stuck, slow = seen(1, unsent=True, confirmed=500), seen(2, unsent=True, confirmed=500 + at)
        for one in watched.to_close([stuck, slow], now_s=100 + at, open_files=10):
            closed.setdefault(one.port, at)
    assert list(closed) == [1]
    assert NOT_READING_S < closed[1] <= NOT_READING_S + 1


def test_an_address_over_its_limit_loses_its_idle_connections_first() -> None:
    crowd = [seen(port, idle_s=port) for port in range(FILES // 4 + 3)]
    others = [seen(port, address="192.0.2.2") for port in range(1000, 1010)]
    ends = guard().to_close([*crowd, *others], now_s=100, open_files=10)
    assert ends == dict.fromkeys(reversed(crowd[-3:]), "address")


def test_a_trusted_proxy_has_no_limit_of_connections() -> None:
    crowd = [seen(port, address="127.0.0.1") for port in range(300)]
    assert guard().to_close(crowd, now_s=100, open_files=300) == {}


def test_some_open_files_stay_free_for_the_gateway() -> None:
    crowd = [seen(port, address=f"192.0.2.{port}", idle_s=port) for port in range(1, 200)]
    ends = guard().to_close(crowd, now_s=100, open_files=365)
    assert ends == dict.fromkeys(crowd[:-6:-1], "files")


def test_an_ipv4_address_on_an_ipv6_socket_is_the_same_address() -> None:
    assert read_address("::ffff:192.0.2.1") == read_address("192.0.2.1")


@pytest.mark.skipif(sys.platform != "linux", reason="tcp_info is Linux's")
def test_the_kernels_figures_are_read_from_their_places() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        accepted, port = server.accept()[0], server.getsockname()[1]
        with accepted:
            client.sendall(b"12345")
            accepted.sendall(b"123")
            until(lambda: (now := see(accepted.fileno(), port)) and (now.received, now.confirmed) == (5, 3))
            now = see(accepted.fileno(), port)
            assert now is not None
            assert (now.address, now.port, now.unsent) == (*client.getsockname(), False)
            assert see(client.fileno(), port) is see(server.fileno(), port) is see(0, port) is None


def connect(url: str) -> socket.socket:
    return socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=30)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    with serving(tmp_path_factory.mktemp("bare") / "data", KIOSK_HOST="0.0.0.0") as running:
        running.ready()
        yield running


def url_of(tree: Tree) -> str:
    return tree.ready().replace("0.0.0.0", "127.0.0.1")


@pytest.mark.slow
def test_http2_is_not_spoken_on_this_port(tree: Tree) -> None:
    with connect(url_of(tree)) as raw:
        raw.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        assert not raw.recv(9).startswith(b"\x00\x00")  # a settings frame would begin so
        while raw.recv(4096):
            pass  # and it is closed


@pytest.mark.slow
def test_headers_over_the_limit_are_refused(tree: Tree) -> None:
    with connect(url_of(tree)) as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 60_000)
        assert raw.recv(12) in {b"HTTP/1.1 431", b""}


@pytest.mark.slow
def test_a_pooled_connection_stays_open_longer_than_a_silent_one(tree: Tree) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with connect(url_of(tree)) as pooled, connect(url_of(tree)) as silent:
        pooled.sendall(request)
        assert pooled.recv(4096).startswith(b"HTTP/1.1 200")
        assert silent.recv(1) == b""
        time.sleep(2)
        pooled.sendall(request)
        assert pooled.recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.slow
def test_each_reason_is_counted_from_the_start(tree: Tree) -> None:
    """So the counters' file is open before a flood leaves no free descriptor."""
    with urlopen(f"{url_of(tree)}/metrics", timeout=10) as answer:  # noqa: S310 - an address of the test's own
        counted = answer.read().decode()
    for reason in set(REASONS) - {"silent"}:  # some connection of the tests above may have been silent for too long
        assert f'kiosk_connections_closed_total{{reason="{reason}"}} 0.0' in counted
    assert 'kiosk_connections_closed_total{reason="silent"} ' in counted


def test_a_check_that_fails_and_cannot_say_so_does_not_end_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = iter(range(3))

    def no_descriptor(*_: object) -> None:
        if next(checks, None) is None:
            raise SystemExit
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(connection_guard, "_look", no_descriptor)
    monkeypatch.setattr(connection_guard, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(metrics, "fell_open", no_descriptor)
    with pytest.raises(SystemExit):
        connection_guard._watch(guard(), 1)


@pytest.mark.slow
def test_many_silent_connections_are_closed_and_logged_and_requests_are_still_answered(tmp_path: Path) -> None:
    """There are more silent connections than files. After the first check every request is answered."""
    with serving(tmp_path / "data", files=str(FILES), KIOSK_HOST="0.0.0.0") as tree, ExitStack() as flood:
        url = url_of(tree)
        for _ in range(FILES + 100):
            flood.enter_context(connect(url))
        until(lambda: status(f"{url}/healthz") == 200, within_s=8)
        until(lambda: tree.log_events("connections_closed"), within_s=8)
        assert {line["reason"] for line in tree.log_events("connections_closed")} <= {"silent", "address", "files"}
        with urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310 - an address of the test's own
            counted = re.findall(r"^kiosk_connections_closed_total\{.*\} (.*)$", answer.read().decode(), re.MULTILINE)
        assert sum(map(float, counted)) > 100
