"""The proxy samples that we ship, run by real nginx and Caddy in front of a real kiosk.

Only ports, addresses and certificates are replaced. Each caller uses another loopback address. If a program is not
installed, the test only reads the text of the sample.
"""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from kiosk.runtime.web_server import IDLE_MS
from kiosk.security import own_ca
from tests.kiosk.in_process import kiosk
from tests.kiosk.process_tree import ROOT, serving, until
from tests.ports import free_ports

HOST = "opd.example.in"
OPERATORS = ("/metrics", "/metrics/", "/metrics/more", "/readyz", "//metrics")
WRONG_TRIES = 30
"""Wrong sign-ins that one address has (``kiosk/accounts/login_throttle.py``)."""
NEEDED = {
    "nginx": (
        "proxy_set_header X-Forwarded-For $remote_addr;", 'proxy_set_header Forwarded "";', "listen 443 ssl http2;",
        "location ^~ /metrics { return 404; }", "location ^~ /readyz { return 404; }",
    ),
    "caddy": (
        "header_up X-Forwarded-For {remote_host}", "header_up -Forwarded",
        "@operators path /metrics* /readyz*", "respond @operators 404",
    ),
}  # fmt: skip
NOT_WANTED = {"nginx": ("http2 on;", "$proxy_add_x_forwarded_for"), "caddy": ("+X-Forwarded-For",)}
SAMPLES = {"nginx": ROOT / "deploy/nginx.conf", "caddy": ROOT / "deploy/Caddyfile"}


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """Replace each text, and check that it is in the sample."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx_command(folder: Path, tls: own_ca.Files, kiosk_port: int, https_port: int) -> list[str]:
    """The sample in a minimal ``http`` block, with every file in the test's folder."""
    [http_port] = free_ports(1)
    text = replaced(
        SAMPLES["nginx"].read_text("utf-8"),
        ("listen 80;", f"listen 127.0.0.1:{http_port};"), ("listen 443 ssl", f"listen 127.0.0.1:{https_port} ssl"),
        ("127.0.0.1:8000", f"127.0.0.1:{kiosk_port}"),
        (f"/etc/letsencrypt/live/{HOST}/fullchain.pem", str(tls.certificate)),
        (f"/etc/letsencrypt/live/{HOST}/privkey.pem", str(tls.key)),
    )  # fmt: skip
    temporary = "".join(
        f"{kind}_temp_path {folder / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = (
        f"daemon off; master_process off; pid {folder / 'pid'}; error_log {folder / 'error.log'};\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{text}}}\n"
    )
    file = folder / "nginx.conf"
    file.write_text(whole)
    return ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(file)]


def caddy_command(folder: Path, tls: own_ca.Files, kiosk_port: int, https_port: int) -> list[str]:
    """The sample with a certificate of the test, so that Caddy requests none."""
    text = replaced(
        SAMPLES["caddy"].read_text("utf-8"),
        ("{$KIOSK_DOMAIN} {", f"https://{HOST}:{https_port} {{\n\tbind 127.0.0.1\n\ttls {tls.certificate} {tls.key}"),
        ("kiosk:8000", f"127.0.0.1:{kiosk_port}"),
    )
    own = f"{{\n\tadmin off\n\tauto_https off\n\tstorage file_system {folder / 'storage'}\n}}\n"
    file = folder / "Caddyfile"
    file.write_text(own + text)
    return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]


COMMANDS = {"nginx": nginx_command, "caddy": caddy_command}


@contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}  # where Caddy writes
    with (folder / "output.log").open("wb") as output:
        proxy = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder, env=environment)
        try:
            until(lambda: _listens(port) or proxy.poll() is not None)
            assert proxy.poll() is None, (folder / "output.log").read_text()
            yield
        finally:
            proxy.terminate()
            proxy.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def caller(address: str, port: int, ca: Path) -> Iterator[httpx.Client]:
    """A browser on a loopback address of its own."""
    transport = httpx.HTTPTransport(verify=_trusting(ca), local_address=address, http2=False)
    headers = {"host": HOST, "origin": f"https://{HOST}", "accept": "text/html"}
    with httpx.Client(transport=transport, base_url=f"https://127.0.0.1:{port}", headers=headers) as client:
        yield client


def _trusting(ca: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca))


def sign_in(client: httpx.Client, login: str, password: str, pretended: str = "") -> int:
    headers = {"x-forwarded-for": pretended, "forwarded": f"for={pretended}"} if pretended else {}
    form = {"login": login, "password": password}
    return client.post(
        "/console/login", data=form, headers=headers, extensions={"sni_hostname": HOST}
    ).status_code  # fmt: skip


@pytest.mark.parametrize(
    ("program", "pattern"), [("nginx", r"keepalive_timeout (\d+)s;"), ("caddy", r"keepalive (\d+)s")]
)
def test_a_sample_closes_an_idle_connection_before_the_kiosk_does(program: str, pattern: str) -> None:
    text = SAMPLES[program].read_text("utf-8")
    assert f"The kiosk closes a connection after {IDLE_MS // 1000} idle seconds." in text
    assert [seconds for seconds in re.findall(pattern, text) if int(seconds) * 1000 >= IDLE_MS] == []
    assert re.search(pattern, text)


@pytest.mark.proof
@pytest.mark.parametrize("program", ["nginx", "caddy"])
def test_a_sample_counts_each_caller_and_hides_the_pages_of_operators(program: str, tmp_path: Path) -> None:
    text = SAMPLES[program].read_text("utf-8")
    assert [line for line in NEEDED[program] if line not in text] == []
    assert [line for line in NOT_WANTED[program] if line in text] == []
    if shutil.which(program) is None:
        return
    data_dir, folder = tmp_path / "data", tmp_path / program
    folder.mkdir()
    kiosk(data_dir, "facility", "add", "IN01", "--name", "District Hospital")
    added = kiosk(data_dir, "staff", "add", "asha", "--facility", "IN01", "--role", "clerk", "--json")
    password = json.loads(added.stdout)["password"]
    tls = own_ca.make(tmp_path / "tls", [HOST], datetime.now(UTC))
    kiosk_port, https_port = free_ports(2)
    settings = {
        "KIOSK_PORT": str(kiosk_port), "KIOSK_PUBLIC_URL": f"https://{HOST}", "KIOSK_TRUSTED_PROXIES": "127.0.0.1",
    }  # fmt: skip
    with serving(data_dir, **settings) as tree:
        tree.ready()
        with running(COMMANDS[program](folder, tls, kiosk_port, https_port), folder, https_port):
            _check_operators_pages(https_port, tls.ca)
            _check_callers(https_port, tls.ca, password)


def _check_operators_pages(port: int, ca: Path) -> None:
    with caller("127.0.0.4", port, ca) as client:
        sni = {"sni_hostname": HOST}
        assert client.get("/healthz", extensions=sni).status_code == 200
        # The whole address: from `//metrics` the client would make a host name.
        answers = {path: client.get(f"https://127.0.0.1:{port}{path}", extensions=sni) for path in OPERATORS}
        assert [answer.request.url.raw_path.decode() for answer in answers.values()] == list(OPERATORS)
        assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(OPERATORS, 404)


def _check_callers(port: int, ca: Path, password: str) -> None:
    """The 31st wrong try of an address must wait, also with a forged address header. Another address signs
    in at once.
    """
    with caller("127.0.0.2", port, ca) as guesser, caller("127.0.0.3", port, ca) as clerk:
        tries = [sign_in(guesser, f"unknown{n}", "wrong", f"203.0.113.{n}") for n in range(WRONG_TRIES + 1)]
        assert tries == [401] * WRONG_TRIES + [429]
        assert sign_in(guesser, "asha", password) == 429
        assert sign_in(clerk, "asha", password) == 303
