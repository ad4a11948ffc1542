"""Names of other sites are refused, whatever a browser was made to believe."""

from pathlib import Path

import httpx
import pytest

from kiosk.web.hosts import Hosts, NoHost, WrongHost
from tests.kiosk.hospital import application

HOSTS = Hosts("https://opd.example.in/kiosk", ["opd.lan"])


@pytest.mark.parametrize(
    "host",
    [
        "opd.example.in",
        "OPD.example.in:443",
        "opd.example.in.",
        "opd.lan:8000",
        "localhost:8000",
        "127.0.0.1:8000",
        "192.0.2.10",
        "[2001:db8::1]:8000",
    ],
)
def test_our_names_and_addresses_in_figures_are_answered(host: str) -> None:
    HOSTS.check([(b"accept", b"*/*"), (b"host", host.encode())])


@pytest.mark.parametrize(
    "host", ["evil.example", "opd.example.in.evil.example", "xopd.example.in", "127.0.0.1.evil.example"]
)
def test_a_foreign_name_is_refused(host: str) -> None:
    with pytest.raises(WrongHost):
        HOSTS.check([(b"host", host.encode())])


@pytest.mark.parametrize(
    "hosts", [[], [b""], [b"opd.lan", b"opd.lan"], [b"opd.lan:port:1]["], [b"\xff.lan"], [b"a" * 300]]
)
def test_a_request_without_one_readable_host_is_refused(hosts: list[bytes]) -> None:
    with pytest.raises(NoHost):
        HOSTS.check([(b"host", host) for host in hosts])


@pytest.mark.anyio
async def test_a_page_under_a_foreign_name_is_a_problem_document(valkey_url: str, tmp_path: Path) -> None:
    app = application(valkey_url, tmp_path, 8000)
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # both mean ASGI, by other names
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client,
    ):
        for path in ("/board/H1", "/console/login", "/kiosk/H1/R1/qr"):
            answer = await client.get(path, headers={"Host": "evil.example"})
            assert answer.status_code == 421, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["type"] == "urn:kiosk:problem:http-421"
        assert (await client.get("/healthz")).status_code == 200
