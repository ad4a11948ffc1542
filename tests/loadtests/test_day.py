"""A small simulated day against a real kiosk, started and ended through the program's own commands."""

import subprocess
import sys

import pytest
from msgspec import json

pytestmark = pytest.mark.slow


def test_a_day_with_faults_of_the_gateway_keeps_every_promise() -> None:
    arguments = ["--patients", "60", "--facilities", "1", "--counters", "1", "--seed", "5"]
    done = subprocess.run(
        [sys.executable, "-m", "loadtests.day", *arguments], capture_output=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    report = json.decode(done.stdout)
    assert report["good"]
    assert report["findings"]["taken"] == report["gateway"]["tokens"] == report["scans"]["scans"] >= 60
    assert report["findings"]["patients"] == 60
    assert report["holes"] == {}
    assert report["called"] == report["findings"]["numbers"], "clerks called everybody"
    assert report["mischief"]["on_share void"] == 1
    assert report["gateway"]["deliveries"]["202"] > report["findings"]["taken"], "copies were delivered"
