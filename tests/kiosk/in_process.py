"""A command of the program run within a test's own process: the start of a Python takes most of a command's time.

``tests.kiosk.process_tree.kiosk`` takes the same arguments and runs a real process; one test of each kind uses it.
"""

import io
import os
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from kiosk.__main__ import run
from tests.kiosk.process_tree import environment


def kiosk(data_dir: Path, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """One command, run to its end in a bare environment with these settings."""
    out, error = _stream(), _stream()
    with (
        patch.dict(os.environ, environment(data_dir, **settings), clear=True),
        patch("sys.stdin", io.StringIO()),
        redirect_stdout(out),
        redirect_stderr(error),
    ):
        code = run(arguments)
    return subprocess.CompletedProcess(["kiosk", *arguments], code, _text(out), _text(error))


def _stream() -> io.TextIOWrapper:
    """A stream that takes bytes as well, as those of a process do."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    written = stream.buffer
    assert isinstance(written, io.BytesIO)
    return written.getvalue().decode()
