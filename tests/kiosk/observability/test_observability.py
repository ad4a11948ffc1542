"""What a program says of itself: one line an event, listed fields alone, no words that may be a patient's."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import prometheus_client
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.observability import logs, metrics
from tests.kiosk.process_tree import ROOT

CANARY = "Rukhsana Bhat 91-1111-2222-3333"


@contextmanager
def configured() -> Iterator[None]:
    """Logs as a process of ours has them; the test runner's come back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure_logs("info")
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.raiseExceptions = True
        structlog.reset_defaults()


def events(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_field_that_is_not_listed_is_dropped_and_its_name_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    with configured():
        structlog.get_logger("kiosk.test").warning("child_died", role="web", patient=CANARY, phone=CANARY)
    (event,) = events(capsys)
    assert event["role"] == "web"
    assert event["dropped"] == ["patient", "phone"]
    assert CANARY not in json.dumps(event)
    assert str(event["time"]).endswith("+00:00")


def test_an_exception_is_logged_by_class_and_place_only(capsys: pytest.CaptureFixture[str]) -> None:
    with configured():
        try:
            raise ValueError(CANARY)
        except ValueError:
            structlog.get_logger("kiosk.test").exception("it_failed")
            logging.getLogger("kiosk.test").exception("it failed too")
            logging.getLogger("somelibrary").exception("and there")
    lines = events(capsys)
    assert [event["error"] for event in lines] == ["ValueError"] * 3
    assert "test_observability.py" in str(lines[0]["at"])
    assert CANARY not in json.dumps(lines)


def test_arguments_of_a_librarys_message_are_not_logged_and_ours_are(capsys: pytest.CaptureFixture[str]) -> None:
    with configured():
        logging.getLogger("somelibrary.http").warning("bad request from %s", CANARY)
        logging.getLogger("queueing.store.connection").warning("store at %s: connected", "unix:valkey.sock")
    foreign, own = events(capsys)
    assert foreign["event"] == "bad request from %s"
    assert own["event"] == "store at unix:valkey.sock: connected"


def test_a_log_line_that_cannot_be_written_is_not_printed_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """The standard library would print the whole record beside its traceback."""
    with configured():
        closed = io.StringIO()
        closed.close()
        handler = logging.getLogger().handlers[0]
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(closed)
        structlog.get_logger("kiosk.test").warning("child_died", patient=CANARY)
    assert capsys.readouterr().err == ""


@given(text=st.text(max_size=500), number=st.one_of(st.integers(), st.floats(), st.binary(max_size=20)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_no_input_forges_a_line(text: str, number: object) -> None:
    """Any value of a field gives one line of JSON."""
    event = logs.only_listed(None, "", {"event": text, "reason": f"{text}\r\nx", "count": number, text: text})
    line = logs._line(None, "", event)
    assert len(line.splitlines()) == 1
    assert set(json.loads(line)) <= logs.FIELDS | {"dropped"}


def test_counters_of_all_processes_of_a_tree_are_read_together(tmp_path: Path) -> None:
    """Two processes count and a third one exposes. Gauges of ended processes are not counted."""
    count = (
        "from kiosk.observability import metrics as t; t.scanned('new'); t.reply_ended('delivered', 0.2);"
        "t.open_streams(7);"
        "t.answered('share', 202, 0.004); t.answered('share', 503, 0.004); t.fell_open('location');"
        "t.delivery_ended('webhook', 'delivered')"
    )
    tell = (
        "import sys; from kiosk.observability import metrics as t; t.open_streams(2); "
        "sys.stdout.buffer.write(t.exposition(t.Facts(True, 'disk', 3, None, {'hl7': 2})))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", count], env=environment, check=True)
    exposed = subprocess.run(
        [sys.executable, "-c", tell], env=environment, check=True, capture_output=True, text=True
    ).stdout
    lines = set(exposed.splitlines())
    assert {
        'kiosk_scans_total{outcome="new"} 2.0',
        'kiosk_replies_total{result="delivered"} 2.0',
        'kiosk_request_duration_seconds_count{endpoint="share"} 4.0',
        'kiosk_requests_refused_total{endpoint="share",status="503"} 2.0',
        'kiosk_fell_open_total{helper="location"} 2.0',
        "kiosk_open_streams 2.0",
        "kiosk_store_up 1.0",
        "kiosk_store_promise 1.0",
        "kiosk_replies_pending 3.0",
        'kiosk_deliveries_total{kind="webhook",result="delivered"} 2.0',
        'kiosk_deliveries_total{kind="hl7",result="parked"} 0.0',
        'kiosk_deliveries_pending{kind="hl7"} 2.0',
    } <= lines


@pytest.mark.anyio
async def test_counts_are_written_when_a_scrape_asks() -> None:
    before = _sample("kiosk_request_duration_seconds_count", {"endpoint": "test"}) or 0.0
    for seconds in (0.001, 0.02, 0.03, 9.0):
        metrics.answered("test", 202, seconds)
    assert (_sample("kiosk_request_duration_seconds_count", {"endpoint": "test"}) or 0.0) == before
    metrics.write_counts()
    assert _sample("kiosk_request_duration_seconds_count", {"endpoint": "test"}) == before + 4
    assert _sample("kiosk_request_duration_seconds_bucket", {"endpoint": "test", "le": "0.02"}) == 2
    assert _sample("kiosk_request_duration_seconds_bucket", {"endpoint": "test", "le": "5.0"}) == 3


def _sample(name: str, labels: dict[str, str]) -> float | None:
    return prometheus_client.REGISTRY.get_sample_value(name, labels)
