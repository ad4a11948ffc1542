"""The packages of a lock file in ``requirements/``."""

import re
from pathlib import Path
from typing import Final, NamedTuple

from packaging.markers import Marker

ROOT: Final = Path(__file__).parents[2]
RUN: Final = ROOT / "requirements" / "run.txt"
BUILD_ONLY: Final = frozenset({"setuptools"})
"""Pinned in run.txt to install the project; the image removes it again."""
_ENTRY: Final = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?: ; (?P<marker>[^\\\n]+?))?(?= \\|$)", re.MULTILINE
)


class Pin(NamedTuple):
    name: str
    version: str
    hashes: tuple[str, ...]
    here: bool
    """Whether this machine's Python installs it."""


def normal(name: str) -> str:
    """A package's name as locks write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: Path) -> dict[str, Pin]:
    found = {}
    for entry in re.split(r"\n(?=\S)", lock.read_text("utf-8").strip()):
        match = _ENTRY.match(entry)
        if match is None:
            raise ValueError(f"{lock.name}: no pin: {entry[:80]!r}")
        marker = match["marker"]
        here = marker is None or Marker(marker).evaluate()
        hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
        found[match["name"]] = Pin(match["name"], match["version"], hashes, here)
    return found


def shipped() -> dict[str, Pin]:
    """What a production installation on this machine has, without what only builds."""
    return {name: pin for name, pin in pins(RUN).items() if pin.here and name not in BUILD_ONLY}
