"""A real ``kiosk serve`` as a child process of a test."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LONG_S = 60.0
"""No promise: a busy machine is given time before a test gives up."""


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """That of a bare machine, with these settings."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(("KIOSK_", "PROMETHEUS_"))}
    # Beside other tests on a full machine, deliveries would wait without end.
    decided = {"KIOSK_DATA_DIR": str(data_dir), "KIOSK_PORT": "0", "KIOSK_SCANS_FIRST": "false", **settings}
    return {**inherited, "PYTHONPATH": str(ROOT), **decided}


def kiosk(
    data_dir: Path, *arguments: str, timeout_s: float = LONG_S, **settings: str
) -> "subprocess.CompletedProcess[str]":
    """One command, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "kiosk", *arguments],
        env=environment(data_dir, **settings), capture_output=True, text=True, timeout=timeout_s, check=False,
        cwd=data_dir.parent,
    )  # fmt: skip


class Tree:
    """One ``kiosk serve``."""

    def __init__(self, data_dir: Path, *, files: str = "", **settings: str) -> None:
        """``files``: how many files each process may open; as many as the test itself unless said."""
        self.data_dir = data_dir
        self.lines: list[str] = []
        self.log: list[str] = []
        self.process = subprocess.Popen(
            [*limited(files), sys.executable, "-m", "kiosk", "serve"],
            env=environment(data_dir, **settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=data_dir.parent, start_new_session=True,
        )  # fmt: skip
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stdout, self.lines), daemon=True),
            threading.Thread(target=self._read, args=(self.process.stderr, self.log), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: Any, lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))  # noqa: PERF401 - others look at the list while it grows

    def ready(self) -> str:
        """The address, once it is said."""
        until(lambda: any(line.startswith("ready ") for line in self.lines) or self.process.poll() is not None)
        assert self.process.poll() is None, "\n".join(self.log)
        return next(line for line in self.lines if line.startswith("ready ")).removeprefix("ready ")

    def log_events(self, event: str) -> list[dict[str, Any]]:
        """Log lines of this kind; every line must be JSON."""
        log = list(self.log)
        assert all(line.startswith("{") for line in log), "\n".join(log)
        return [line for line in map(json.loads, log) if line["event"] == event]

    def pid_of(self, role: str) -> int:
        """The latest process of a role."""
        return int([line for line in self.log_events("child_started") if line["role"] == role][-1]["pid"])

    def stop(self) -> int:
        """As an init system does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(LONG_S)
        for reader in self._readers:
            reader.join()
        return code

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader, stream in zip(self._readers, (self.process.stdout, self.process.stderr), strict=True):
            reader.join(LONG_S)
            assert not reader.is_alive(), "somebody of the tree outlived it"  # and closing its pipe would wait for ever
            if stream is not None:
                stream.close()


def limited(files: str) -> list[str]:
    """Stands before a command that may open no more files than these."""
    return ["sh", "-c", 'ulimit -n "$0" && exec "$@"', files] if files else []


@contextmanager
def serving(data_dir: Path, *, files: str = "", **settings: str) -> Iterator[Tree]:
    """A tree that is gone at the end, whatever the test did to it."""
    tree = Tree(data_dir, files=files, **settings)
    try:
        yield tree
    finally:
        tree.kill()


def until(true: Callable[[], object], within_s: float = LONG_S) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def status(url: str) -> int:
    """0 while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - an address of the test's own
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


def processes_on(data_dir: Path) -> list[int]:
    """Every process whose environment names this data folder, whoever its parent is."""
    setting = f"KIOSK_DATA_DIR={data_dir}\0".encode()
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # the process has ended, or belongs to another user
            if setting in environ.read_bytes():
                found.append(int(environ.parent.name))
    return found


def below(pid: int) -> list[int]:
    """Every process under this one, and their names are of no interest."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended meanwhile
            for child in task.read_text().split():
                found += [int(child), *below(int(child))]
    return found


def alive(pid: int) -> bool:
    """Running, and not merely waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False
