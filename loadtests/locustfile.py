"""A day at the hospital for Locust: patients, clerks and screens, from the first scan to the last.

``make load`` starts it and writes the run's settings to a file. With ``--processes``, or workers on other machines,
master and workers use this same file.
"""

from typing import Any

from locust import LoadTestShape, events
from locust.env import Environment
from locust.runners import WorkerRunner
from msgspec import json

from loadtests import patients, run_settings
from loadtests.boards import Board
from loadtests.counters import Clerk
from loadtests.patients import GATES, Gate, processes_of

RUN = run_settings.read()
SPAWN_PER_S = 100
"""With more than this Locust itself becomes the bottleneck."""
TAIL_S = 2.0
"""Seconds to wait for the last answers after the last scan."""

Board.fixed_count = RUN.boards
Clerk.fixed_count = len(RUN.seats)
__all__ = ["Board", "Clerk", "Day", "Gate"]


def _prepare(environment: Environment, **_rest: Any) -> None:
    """Called in every process that has users."""
    patients.prepare(environment, RUN)


def _write_down(environment: Environment, **_rest: Any) -> None:
    """Write the figures of all processes once, for the verdict."""
    if isinstance(environment.runner, WorkerRunner):
        return
    entries = [*environment.stats.entries.values(), environment.stats.total]
    figures = {
        entry.name: {
            "requests": entry.num_requests, "failures": entry.num_failures,
            "p50_ms": entry.get_response_time_percentile(0.5), "p99_ms": entry.get_response_time_percentile(0.99),
        }
        for entry in entries
    }  # fmt: skip
    run_settings.figures_path().write_bytes(json.encode(figures))


events.test_start.add_listener(_prepare)  # type: ignore[no-untyped-call]  # untyped upstream
events.quitting.add_listener(_write_down)  # type: ignore[no-untyped-call]  # as above


class Day(LoadTestShape):
    """All Locust users run from the beginning to the end. The gates decide when patients come."""

    def tick(self) -> tuple[int, float] | None:
        """How many users; None when the day is over."""
        at_s = float(self.get_run_time())  # type: ignore[no-untyped-call]  # untyped upstream
        runner = self.runner
        gates = GATES * (processes_of(runner.environment) if runner is not None else 1)
        users = Board.fixed_count + Clerk.fixed_count + gates
        return None if at_s > RUN.seconds + users / SPAWN_PER_S + TAIL_S else (users, SPAWN_PER_S)
