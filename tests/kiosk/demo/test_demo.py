"""The demonstration: comes up, shows itself, goes on after a kill, leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kiosk.process_tree import LONG_S, alive, below, environment, status, until


class Demo:
    """One ``kiosk demo``."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kiosk", "demo", *arguments],
            env=environment(home / "unused", TMPDIR=str(home)), stdout=subprocess.PIPE, text=True, cwd=home,
            start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, stream: Any) -> None:
        for line in stream:
            self.lines.append(line.rstrip("\n"))

    def ready(self) -> dict[str, str]:
        """The addresses, by name."""
        until(lambda: "ready" in self.lines or self.process.poll() is not None)
        assert "ready" in self.lines
        found = (re.match(r"(\S+(?: app)?)\s+(http\S+)", line) for line in self.lines)
        return {match[1]: match[2] for match in found if match}

    def signed_in(self, console: str) -> str:
        """Where the login that it prints leads."""
        login = next(match for line in self.lines if (match := re.search(r"login (\S+)\s+password (\S+)", line)))
        origin = console.removesuffix("/console")
        with httpx.Client(headers={"Origin": origin, "Accept": "text/html"}, follow_redirects=True) as visitor:
            answer = visitor.post(f"{console}/login", data={"login": login[1], "password": login[2]})
        assert answer.status_code == 200
        return answer.url.path

    def acknowledged(self) -> int:
        """As the last line of progress says."""
        numbers = [int(match[1]) for line in self.lines if (match := re.search(r"acknowledged (\d+)", line))]
        return numbers[-1] if numbers else 0

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        code = self.process.wait(LONG_S)
        self._reader.join()
        return code


@contextmanager
def demonstrating(home: Path, *arguments: str) -> Iterator[Demo]:
    demo = Demo(home, *arguments)
    try:
        yield demo
    finally:
        family = below(demo.process.pid)
        if demo.process.poll() is None:
            demo.process.kill()
            demo.process.wait()
        until(lambda: not [pid for pid in family if alive(pid)])
        demo._reader.join(5)
        if demo.process.stdout is not None:
            demo.process.stdout.close()


@pytest.mark.proof
def test_a_morning_runs_to_its_end_with_everybody_answered(tmp_path: Path) -> None:
    with demonstrating(tmp_path, "--once", "--patients", "40", "--minutes", "0.1") as demo:
        assert demo.process.wait(120) == 0
        assert demo.acknowledged() >= 40
    assert [path.name for path in tmp_path.iterdir()] == [], "the data folder was left behind"


def test_its_addresses_answer_people_get_numbers_and_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    with demonstrating(tmp_path, "--patients", "20", "--minutes", "0.2") as demo:
        addresses = demo.ready()
        assert {"board", "screen", "ticket", "no app", "console"} <= addresses.keys()
        answers = {name: status(addresses[name]) for name in ("board", "screen", "ticket", "no app")}
        assert answers == dict.fromkeys(answers, 200)
        assert demo.signed_in(addresses["console"]) == "/console/counters"
        until(lambda: demo.acknowledged() > 0)
        family = below(demo.process.pid)
        assert demo.end(signal.SIGINT) == 0
        assert [pid for pid in family if alive(pid)] == []
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.proof
def test_after_killing_everything_it_goes_on_with_the_same_numbers_and_links(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    with demonstrating(tmp_path, "--data-dir", str(folder), "--patients", "60", "--minutes", "0.1") as demo:
        ticket = demo.ready()["ticket"]
        until(lambda: demo.acknowledged() > 10)
        for pid in (demo.process.pid, *below(demo.process.pid)):
            os.kill(pid, signal.SIGKILL)
    with demonstrating(tmp_path, "--data-dir", str(folder), "--patients", "20", "--minutes", "0.05", "--once") as again:
        again.ready()
        assert status(ticket) == 200, "a link that was given out must outlive the kill"
        assert again.process.wait(120) == 0


def test_an_installation_without_the_simulator_says_what_to_install() -> None:
    """Production installs neither the simulator nor what only it needs."""
    code = (
        "import sys, importlib.util as util; real = util.find_spec;"
        "util.find_spec = lambda name, package=None: None if name == 'httptools' else real(name, package);"
        "sys.argv = ['kiosk', 'demo']; from kiosk.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LONG_S, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "kiosk: this installation has no demonstration: run `make demo`, or install abdm-kiosk[demo]"
    ]
