"""What commands print, on a data folder."""

import json
from pathlib import Path
from typing import Any

from tests.kiosk.in_process import kiosk


def json_of(data_dir: Path, *arguments: str) -> dict[str, Any]:
    done = kiosk(data_dir, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    reply: dict[str, Any] = json.loads(done.stdout)
    return reply


def refused(data_dir: Path, *arguments: str) -> str:
    """The one line with which a command failed."""
    done = kiosk(data_dir, *arguments)
    assert done.returncode != 0
    assert done.stderr.startswith("kiosk: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    return done.stderr


def register(folder: Path, content: str, *, encoding: str = "utf-8") -> str:
    """The path of a CSV file with this content, in ``folder``."""
    path = folder / "register.csv"
    path.write_bytes(content.encode(encoding))
    return str(path)
