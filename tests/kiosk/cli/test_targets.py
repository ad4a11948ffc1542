"""``kiosk webhook``, ``kiosk hl7`` and ``kiosk hmis``: from a real ``kiosk serve`` to a receiver in its own process."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kiosk.exchange.target_setup import new_secret
from tests.kiosk.delivery.receiver import receiving
from tests.kiosk.in_process import kiosk
from tests.kiosk.process_tree import serving
from tests.ports import free_port


class Receiving:
    """``kiosk hmis receive`` in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout
        self.process = process
        self.url = process.stdout.readline().split()[1]

    def lines(self) -> list[dict[str, Any]]:
        """What it printed, after its end."""
        self.process.terminate()
        out, _ = self.process.communicate(timeout=10)
        return [json.loads(line) for line in out.splitlines()]


@contextmanager
def receive(*options: str, port: int = 0) -> Iterator[Receiving]:
    command = [sys.executable, "-m", "kiosk", "hmis", "receive", "--port", str(port), "--json", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Receiving(process)
    finally:
        process.kill()
        process.communicate()


def until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def json_of(data_dir: Path, *arguments: str) -> Any:
    done = kiosk(data_dir, *arguments, "--json", KIOSK_PRIVATE_TARGETS="true")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    data_dir = tmp_path / "data"
    assert kiosk(data_dir, "facility", "add", "IN01", "--name", "District Hospital").returncode == 0
    return data_dir


def test_a_webhook_is_added_listed_replayed_and_removed(hospital: Path) -> None:
    url = "https://hmis.example/events"
    added = json_of(hospital, "webhook", "add", url, "--facility", "IN01", "--events", "ticket.done", "--profiles")
    assert added["secret"].startswith("whsec_")
    (row,) = json_of(hospital, "webhook", "list")
    assert (row["id"], row["address"], row["events"]) == (added["id"], url, "ticket.done")
    assert (row["profiles"], row["state"], row["delivered"]) == ("asked for", "ok", "never")
    assert "whsec" not in json.dumps(row)
    assert json_of(hospital, "hl7", "list") == []
    assert json_of(hospital, "webhook", "replay", added["id"], "--after", "0")["after"] == "0"
    assert kiosk(hospital, "hl7", "remove", added["id"]).returncode == 1
    assert json_of(hospital, "webhook", "remove", added["id"])["removed"]
    assert json_of(hospital, "webhook", "list") == []
    audit = json_of(hospital, "staff", "audit", "--facility", "IN01")
    acts = [(one["act"], one["why"]) for one in audit if one["act"].startswith("admin_target")]
    assert acts == [(f"admin_target-{act}", f"{added['id']} hmis.example") for act in ("remove", "replay", "add")]


@pytest.mark.parametrize(
    "arguments",
    [
        ("webhook", "add", "ftp://x.example", "--facility", "IN01"),
        ("webhook", "add", "https://x.example", "--facility", "IN99"),
        ("webhook", "add", "https://x.example", "--facility", "IN01", "--events", "ticket.eaten"),
        ("webhook", "remove", "wh-000000000000"),
        ("webhook", "test", "wh-000000000000"),
        ("hl7", "add", "hl7.example", "--facility", "IN01"),
        ("hmis", "receive", "--secret", "nonsense"),
        ("hmis", "check", "ftp://x.example", "--secret", "whsec_YWJj"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said_in_one_line(hospital: Path, arguments: tuple[str, ...]) -> None:
    done = kiosk(hospital, *arguments)
    assert done.returncode != 0
    assert done.stderr.startswith("kiosk: ")
    assert done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("webhook", "add", "http://127.0.0.1:9/"), ("hl7", "add", "127.0.0.1:9")],
    ids=lambda sentence: sentence[0],
)
def test_an_address_that_nothing_may_be_sent_to_is_named_at_once(hospital: Path, arguments: tuple[str, ...]) -> None:
    """A vendor on the own machine who forgot the setting reads it here, and does not wait for events."""
    added = kiosk(hospital, *arguments, "--facility", "IN01")
    assert added.returncode == 0
    why = "private and loopback addresses need KIOSK_PRIVATE_TARGETS=true"
    assert f"With these settings nothing is sent there: {why}. Events wait." in added.stdout
    assert json_of(hospital, *arguments, "--facility", "IN01")["unreachable"] is None


def test_a_target_is_tried_with_an_invented_event(hospital: Path) -> None:
    with receiving() as receiver:
        added = json_of(hospital, "webhook", "add", receiver.url, "--facility", "IN01")
        refused = kiosk(hospital, "webhook", "test", added["id"])
        assert (refused.returncode, receiver.received) == (1, [])
        assert "KIOSK_PRIVATE_TARGETS" in refused.stderr
        done = json_of(hospital, "webhook", "test", added["id"])
        assert (done["result"], done["status"], done["answer"]) == ("delivered", "200", "taken")
        receiver.verify_all(added["secret"])
        assert receiver.received[0].event["type"] == "test"


def test_a_running_service_delivers_to_a_receiver_that_verifies(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    port = free_port()
    assert kiosk(data_dir, "hmis", "sandbox", "--patients", "1", "--every", "0").returncode == 0
    added = json_of(data_dir, "webhook", "add", f"http://127.0.0.1:{port}/", "--facility", "SANDBOX0001")
    with (
        serving(data_dir, KIOSK_PRIVATE_TARGETS="true") as tree,
        receive("--secret", added["secret"], port=port) as receiver,
    ):
        tree.ready()
        made = json_of(data_dir, "hmis", "sandbox", "--patients", "5", "--every", "0", "--seed", "2")

        def all_delivered() -> bool:
            (row,) = json_of(data_dir, "webhook", "list")
            return bool(row["failed"] == 0 and row["delivered"] != "never")

        until(all_delivered)
        time.sleep(1)
        lines = receiver.lines()
        assert {line["verified"] for line in lines} == {True}
        assert len({line["id"] for line in lines if line["type"] == "ticket.created"}) == made["events"]["created"]
        assert tree.stop() == 0


def test_the_receiver_fails_on_demand_and_refuses_an_old_signature() -> None:
    secret = new_secret()
    with receive("--secret", secret) as receiver:
        done = subprocess.run(
            [sys.executable, "-m", "kiosk", "hmis", "check", receiver.url, "--secret", secret, "--seen",
             f"{receiver.url}seen", "--json"], capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout
        verdicts = {row["point"]: row["verdict"] for row in json.loads(done.stdout)}
        assert set(verdicts.values()) == {"ok", "look"}
        assert verdicts["a signature that is six minutes old is refused"] == "ok"
        assert verdicts["duplicates are taken once"] == "ok"
        whys = [line["why"] for line in receiver.lines() if line["why"]]
        assert whys == ["No matching signature found", "No matching signature found", "Message timestamp too old",
                        "Missing required headers"]  # fmt: skip


@pytest.mark.proof
@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ((), "a wrong signature is refused"),
        (("--status", "500"), "a signed event is taken"),
        (("--fail", "1"), "a signed event is taken"),
        (("--status", "410"), "a signed event is taken"),
        (("--gone-after", "1"), "the next events of the ticket are taken"),
        (("--slow", "5.2"), "answers are fast"),
    ],
    ids=str,
)
def test_the_checklist_finds_what_a_receiver_does_wrong(options: tuple[str, ...], wrong: str) -> None:
    secret = new_secret()
    faults = ("--secret", secret, *options) if options else ()
    with receive(*faults) as receiver:
        done = subprocess.run(
            [sys.executable, "-m", "kiosk", "hmis", "check", receiver.url, "--secret", secret, "--json"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert re.search(r"point(s are| is) wrong: http", done.stderr)
    assert wrong in [row["point"] for row in json.loads(done.stdout) if row["verdict"] == "wrong"]


def test_a_receiver_that_is_not_there_ends_the_walk_at_once() -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    done = subprocess.run(
        [sys.executable, "-m", "kiosk", "hmis", "check", url, "--secret", new_secret()],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.count("\n")) == (1, 1)
