"""A day at the hospital for Locust: who takes part, and how many of them at each moment.

Started by ``make load``, which writes the run's sheet; with ``--processes`` or workers of other machines the same file
serves master and workers.
"""

from typing import Any

from locust import LoadTestShape, events
from locust.env import Environment
from locust.runners import WorkerRunner
from msgspec import json

from loadtests import patients, sheet
from loadtests.boards import Board
from loadtests.counters import Clerk
from loadtests.patients import TURN_S, Patient

RUN = sheet.read()
SPAWN_PER_S = 100
"""More, and Locust itself becomes what is slow."""
TAIL_S = 2.0
"""After the last scan, for the last answers."""

Board.fixed_count = RUN.boards
Clerk.fixed_count = len(RUN.seats)
__all__ = ["Board", "Clerk", "Day", "Patient"]


def _prepare(environment: Environment, **_rest: Any) -> None:
    """In every process that has users."""
    patients.prepare(environment, RUN)


def _write_down(environment: Environment, **_rest: Any) -> None:
    """What all processes saw together, once, for the verdict."""
    if isinstance(environment.runner, WorkerRunner):
        return
    entries = [*environment.stats.entries.values(), environment.stats.total]
    told = {
        entry.name: {
            "requests": entry.num_requests, "failures": entry.num_failures,
            "p50_ms": entry.get_response_time_percentile(0.5), "p99_ms": entry.get_response_time_percentile(0.99),
        }
        for entry in entries
    }  # fmt: skip
    sheet.figures_path().write_bytes(json.encode(told))


events.test_start.add_listener(_prepare)  # type: ignore[no-untyped-call]  # untyped upstream
events.quitting.add_listener(_write_down)  # type: ignore[no-untyped-call]  # as above


class Day(LoadTestShape):
    """The sheet's shape, as users."""

    def tick(self) -> tuple[int, float] | None:
        """How many users now; None when the day is over."""
        at_s = float(self.get_run_time())  # type: ignore[no-untyped-call]  # untyped upstream
        others = Board.fixed_count + Clerk.fixed_count
        if at_s > RUN.seconds + TAIL_S:
            return None
        return others + round(RUN.scans_per_s(at_s) * TURN_S), SPAWN_PER_S
