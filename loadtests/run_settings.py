"""The settings of a load run. The starting process writes them to a file; every process of the run reads it."""

import os
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, json

from loadtests.shapes import SHAPES, Shape
from loadtests.simulator.gateway.launch import Announced
from loadtests.simulator.people.morning import arrivals

VARIABLE: Final = "KIOSK_LOADTEST_RUN"
"""The environment variable that names the file."""


class RunSettings(Struct, frozen=True, kw_only=True):
    """One run."""

    kiosk_url: str
    gateway: Announced
    hips: list[str]
    """Facilities, largest first."""
    hospitals: list[dict[str, Any]]
    """Hospitals with clerks: ``{hip_id, counters, clerks: [{login, password, counter}]}``."""
    shape: str
    patients: int
    """Scans of the whole run."""
    seconds: float
    """Length of the simulated day."""
    boards: int
    seed: int
    run: str
    text: str = "M1"
    """Counter text in every QR."""

    @property
    def day(self) -> Shape:
        """The shape of the day."""
        return SHAPES[self.shape]

    @property
    def speed(self) -> float:
        """How many times faster than real time."""
        return self.day.minutes() * 60 / self.seconds

    @property
    def seats(self) -> list[tuple[str, dict[str, str]]]:
        """Every clerk: facility, and login, password and counter."""
        return [(hospital["hip_id"], seat) for hospital in self.hospitals for seat in hospital["clerks"]]

    def arrival_times(self) -> list[tuple[float, int]]:
        """When each person of the day comes, in seconds of the run, with the person's number."""
        begins_s = self.day.begins() * 60
        came = arrivals(self.seed, self.patients, day=self.day.stretches)
        return [((moment - begins_s) / self.speed, index) for index, moment in enumerate(came)]

    def scans_per_s(self, at_s: float) -> float:
        """How many scans a second are planned at this moment of the run."""
        a_minute = self.day.pace(at_s / self.seconds) * self.patients / self.day.patients
        return a_minute / 60 * self.speed

    def peak_per_s(self) -> float:
        """The most scans planned for one second."""
        return self.day.peak() * self.patients / self.day.patients / 60 * self.speed


def write(run_settings: RunSettings, path: Path) -> None:
    """Write the settings for the other processes. The file is private, because it holds the clerks' passwords."""
    path.touch(mode=0o600)
    path.write_bytes(json.encode(run_settings))


def read() -> RunSettings:
    """The settings of this run."""
    path = os.environ.get(VARIABLE)
    if not path:
        raise SystemExit(f"{VARIABLE} names no file: start a load run with `make load` or `python -m loadtests.load`")
    return json.decode(Path(path).read_bytes(), type=RunSettings)


def figures_path() -> Path:
    """The file for Locust's counts, in the folder of the settings."""
    return Path(os.environ[VARIABLE]).with_name("locust.json")
