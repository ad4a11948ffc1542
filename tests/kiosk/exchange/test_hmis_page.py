"""docs/hmis.md says what the code does, and its receivers work: each is taken from the page and run."""

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

import click
import httpx
import msgspec
import pytest

from kiosk.__main__ import program
from kiosk.exchange import copy_text, fhir
from kiosk.exchange.event_json import EventJson
from kiosk.exchange.hospital_numbers import HospitalNumbers
from kiosk.exchange.profile_json import AddressJson, ProfileJson
from kiosk.exchange.ticket_json import LinksJson, TicketJson
from queueing.event_log import PUBLIC_KINDS
from tests.ports import free_port

PAGE = (Path(__file__).parents[3] / "docs" / "hmis.md").read_text("utf-8")
SECRET = base64.b64encode(bytes(range(32))).decode()
EVENT = json.dumps({"id": "e-1", "data": {"profile": {"name": "अनीता محمد"}}}, ensure_ascii=False).encode()


def section(title: str) -> str:
    """The part of the page below a heading."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def first_column(title: str) -> str:
    return "\n".join(line.split("|")[1] for line in section(title).splitlines() if line.startswith("| "))


def test_every_field_of_a_profile_and_of_a_ticket_has_a_row() -> None:
    person, visit = first_column("The person"), first_column("The visit")
    fields = {field for field in ProfileJson.__struct_fields__ if field != "address"}
    fields |= {f"address.{field}" for field in AddressJson.__struct_fields__}
    assert [field for field in sorted(fields) if f"`{field}`" not in person] == []
    fields = {field for field in TicketJson.__struct_fields__ if field != "links"}
    fields |= {f"links.{field}" for field in LinksJson.__struct_fields__}
    assert [field for field in sorted(fields) if f"`{field}`" not in visit] == []


def test_every_field_that_can_be_copied_stands_in_the_table_of_the_person() -> None:
    listed = set(re.findall(r"`(\w+)`", section("The person")))
    assert copy_text.FIELDS.keys() - listed == {"token"}


def test_every_type_of_event_is_explained() -> None:
    listed = set(re.findall(r"`((?:ticket|share|acknowledgement)\.\w+)`", first_column("Types")))
    assert listed == {kind.type for kind in PUBLIC_KINDS}


def test_states_and_their_status_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| `([\w-]+)`", section("States"), re.MULTILINE)
    assert dict(rows) == fhir.STATUSES


def test_the_event_of_the_page_is_an_event() -> None:
    found = re.search(r"```json\n(\{\n  \"id\".*?)```", PAGE, re.DOTALL)
    assert found is not None
    event = json.loads(found[1])
    assert event.keys() == {"id", "type", "timestamp", "facility", "cursor", "data"}
    msgspec.convert(event, EventJson)
    assert event["data"]["ticket"].keys() == set(TicketJson.__struct_fields__)
    assert event["data"]["profile"].keys() == set(ProfileJson.__struct_fields__)


def commands() -> list[str]:
    """Every command of ours on the page, in one line each."""
    inline = re.findall(r"`(?:\.venv/bin/)?(kiosk [a-z][^`]*)`", PAGE)
    in_blocks = re.findall(r"^ +\.venv/bin/(kiosk [^\n`]*)$", PAGE, re.MULTILINE)
    return sorted({" ".join(each.split()) for each in (*inline, *in_blocks)})


@pytest.mark.parametrize("line", commands())
def test_a_command_of_the_page_exists_and_has_all_that_it_needs(line: str) -> None:
    command: click.Command = program
    context, arguments = click.Context(command), line.split()[1:]
    while isinstance(command, click.Group):
        name, found, arguments = command.resolve_command(context, arguments)
        assert found is not None
        command, context = found, click.Context(found, parent=context, info_name=name)
    command.make_context(command.name, arguments)


def test_a_vendor_is_told_how_to_send_a_number_back_and_how_profiles_are_allowed() -> None:
    first_hour = section("The first hour")
    body = re.search(r"-d '(.*?)'", first_hour)
    assert body is not None
    msgspec.convert(json.loads(body[1]), HospitalNumbers)
    assert "Send\n   profiles to it" in first_hour


def taken(name: str, folder: Path) -> None:
    """Write a program of the page into an empty folder."""
    found = re.search(rf"^`{re.escape(name)}`[^\n]*\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/hmis.md has no {name}"
    (folder / name).write_text(found[1], "utf-8")


def python(folder: Path, port: int) -> list[str]:
    taken("receive.py", folder)
    return [sys.executable, "receive.py", str(port), f"whsec_{SECRET}"]


def php(folder: Path, port: int) -> list[str]:
    taken("receive.php", folder)
    return ["env", f"WHSEC=whsec_{SECRET}", "php", "-S", f"127.0.0.1:{port}", "receive.php"]


def java(folder: Path, port: int) -> list[str]:
    taken("Receive.java", folder)
    return ["java", "Receive.java", str(port), f"whsec_{SECRET}"]


def csharp(folder: Path, port: int) -> list[str]:
    taken("Receive.cs", folder)
    subprocess.run(["mcs", "Receive.cs"], cwd=folder, check=True, timeout=60)
    return ["mono", "Receive.exe", str(port), f"whsec_{SECRET}"]


COMPILERS = {python: sys.executable, php: "php", java: "java", csharp: "mcs"}
RECEIVERS = [start for start, program in COMPILERS.items() if shutil.which(program)]
"""Those whose compiler this machine has: Python's always."""


@contextmanager
def running(start: Callable[[Path, int], list[str]], folder: Path) -> Iterator[httpx.Client]:
    port = free_port()
    process = subprocess.Popen(start(folder, port), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30  # a cold Java on a busy machine
        while time.monotonic() < until and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as client:
            yield client
    finally:
        process.terminate()
        process.wait(10)


def signed(event: str, body: bytes, *, age_s: int = 0, secret: bytes = bytes(range(32))) -> dict[str, str]:
    moment = str(int(time.time()) - age_s)
    digest = hmac.new(secret, f"{event}.{moment}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": event, "webhook-timestamp": moment, "webhook-signature": signature}


@pytest.mark.proof
@pytest.mark.parametrize("start", RECEIVERS, ids=lambda start: start.__name__)
def test_a_receiver_of_the_page_takes_what_is_genuine_once(
    start: Callable[[Path, int], list[str]], tmp_path: Path
) -> None:  # fmt: skip
    with running(start, tmp_path) as client:

        def status(headers: dict[str, str], body: bytes = EVENT) -> int:
            return client.post("/", content=body, headers=headers).status_code

        good = signed("8c1f-1764305100123-0.1", EVENT)
        assert status(good) == 204
        stored = tmp_path / "inbox" / "8c1f-1764305100123-0.1.json"
        assert stored.read_bytes() == EVENT
        stored.write_bytes(b"worked on")
        assert status(good) == 204
        assert stored.read_bytes() == b"worked on", "the same event is not written again"
        rotated = signed("second", EVENT)
        rotated["webhook-signature"] = "v1,b2xk " + rotated["webhook-signature"]
        assert status(rotated) == 204
        bad = [
            signed("wrong", EVENT, secret=b"another"),
            signed("old", EVENT, age_s=400),
            signed("future", EVENT, age_s=-400),
            signed("changed", EVENT + b" "),
            signed("moved", EVENT) | {"webhook-id": "other"},
            signed("../../out", EVENT),
            signed("no-moment", EVENT) | {"webhook-timestamp": "x"},
            {},
        ]
        assert [status(headers) for headers in bad] == [401] * len(bad)
        assert status(signed("third", EVENT)) == 204, "it goes on after all that"
    names = sorted(path.name for path in (tmp_path / "inbox").iterdir())
    assert names == ["8c1f-1764305100123-0.1.json", "second.json", "third.json"]
    assert not [path for path in tmp_path.parent.rglob("out*") if path.suffix == ".json"]


class Api(BaseHTTPRequestHandler):
    """The events of a facility: two pages, a refusal for being quick, a cursor that is too old, then nothing more."""

    after: ClassVar[list[str]]
    PAGES: ClassVar[dict[str, tuple[int, dict[str, object]]]] = {
        "": (200, {"items": [{"id": "e-1", "data": {"name": "अनीता"}}, {"id": "e-2"}], "next": "2-0"}),
        "2-0": (410, {"type": "about:blank", "title": "Gone", "status": 410, "begin": "5-0"}),
        "5-0": (200, {"items": [{"id": "e-6"}], "next": "6-0"}),
        "6-0": (200, {"items": [], "next": "7-0"}),
    }

    def do_GET(self) -> None:
        query = dict(parse_qsl(urlsplit(self.path).query))
        assert urlsplit(self.path).path == "/api/v1/facilities/IN0110000001/events"
        assert (query["wait"], self.headers["authorization"]) == ("25", "Bearer the-key")
        cursor = query.get("after", "")
        first_time = cursor not in self.after
        self.after.append(cursor)
        status, body = self.PAGES.get(cursor, (200, {"items": [], "next": cursor}))
        if cursor == "5-0" and first_time:
            status, body = 429, {"title": "Too many requests"}
        text = json.dumps(body, ensure_ascii=False).encode()
        if cursor not in self.PAGES:
            time.sleep(0.3)  # nothing happens: the answer waits
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        if status == 429:
            self.send_header("retry-after", "1")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


POLLERS = {
    "poll.py": ([sys.executable, "poll.py"], sys.executable),
    "poll.php": (["php", "poll.php"], "php"),
    "Poll.java": (["java", "Poll.java"], "java"),
    "Poll.cs": (["mono", "Poll.exe"], "mcs"),
}


@pytest.mark.proof
@pytest.mark.parametrize("name", [name for name, (_, compiler) in POLLERS.items() if shutil.which(compiler)])
def test_a_poller_of_the_page_takes_every_event_and_goes_on_where_it_was(name: str, tmp_path: Path) -> None:
    taken(name, tmp_path)
    if name == "Poll.cs":
        subprocess.run(["mcs", name], cwd=tmp_path, check=True, timeout=60)
    Api.after = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [*POLLERS[name][0], f"http://127.0.0.1:{server.server_port}", "IN0110000001"]
        polled_until(command, tmp_path, lambda: "7-0" in Api.after)
        assert [*dict.fromkeys(Api.after)] == ["", "2-0", "5-0", "6-0", "7-0"]
        Api.after.clear()
        polled_until(command, tmp_path, lambda: bool(Api.after))
        server.shutdown()
    assert Api.after[0] == "7-0", "a restart goes on"
    stored = "".join(path.read_text("utf-8") for path in sorted((tmp_path / "inbox").iterdir()))
    assert re.findall(r'"id": ?"([^"]+)"', stored) == ["e-1", "e-2", "e-6"]
    assert "अनीता" in stored
    assert (tmp_path / "cursor.txt").read_text() == "7-0"


def polled_until(command: list[str], folder: Path, reached: Callable[[], bool]) -> None:
    """Run a poller until the server has seen it there."""
    process = subprocess.Popen(
        command, cwd=folder, env={**os.environ, "KEY": "the-key"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 40  # a cold Java on a busy machine, and a second of Retry-After
        while not reached():
            assert process.poll() is None, "the program ended"
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        process.terminate()
        process.wait(10)
