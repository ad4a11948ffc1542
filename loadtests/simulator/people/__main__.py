"""``python -m loadtests.simulator.people``: the people of one hospital for one morning, in a separate process.

Reads a ``Plan`` as one line of JSON from standard input (not from arguments, because it contains passwords) and links
the hospital at the simulated gateway. Patients come as on a real morning and clerks call them. Twice a second it prints
the progress as one line of JSON. Ends when the morning is over and everybody was called, on SIGTERM, and when its
standard input is closed.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from array import array
from collections import Counter
from random import Random

import uvloop
from msgspec import Struct, json

from loadtests.simulator.gateway.launch import Announced, Simulator
from loadtests.simulator.people.clerks import Clerk, Habits, Seat
from loadtests.simulator.people.invented import invent
from loadtests.simulator.people.morning import CLOSING, GATE_OPEN, MORNING, arrivals, scaled
from loadtests.simulator.people.phones import GatewayRefused, Phones

PROGRESS_EVERY_S = 0.5
RESCANS = 0.08
"""The part of the patients who scan again, because they did not see the first number long enough."""
FROM_GATE_OPEN = tuple(stretch for stretch in MORNING if GATE_OPEN <= stretch.begins < CLOSING)
"""A demonstration starts when the hall is already full of people."""
DAY_S = (FROM_GATE_OPEN[-1].ends - FROM_GATE_OPEN[0].begins) * 60
"""Seconds from the first arrival to the last."""


class Plan(Struct, frozen=True, kw_only=True):
    """One morning."""

    kiosk_url: str
    gateway: Announced
    hip_id: str
    hospital: str
    seats: tuple[Seat, ...]
    patients: int
    minutes: float
    """How long the morning takes."""
    seed: int
    place: tuple[float, float]


class Progress(Struct, frozen=True, kw_only=True):
    """The progress so far."""

    scans: int
    acknowledged: int
    refused: int
    silent: int
    called: int
    p50_ms: int
    """Time from scan to the number on the phone."""
    p99_ms: int
    patients: int
    to_come: int
    over: bool
    trouble: str = ""
    """The class name of the last failure, without its message."""


class Morning:
    """One run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.counts: Counter[str] = Counter()
        self.took_ms = array("I")
        self.clerks: list[Clerk] = []
        self.trouble = ""
        self.all_came = False

    def progress(self, *, over: bool = False) -> Progress:
        waited = sorted(self.took_ms)
        return Progress(
            scans=self.counts["scans"],
            acknowledged=self.counts["token"],
            refused=self.counts["refused"],
            silent=self.counts["silent"],
            called=sum(len(clerk.called) for clerk in self.clerks),
            p50_ms=waited[len(waited) // 2] if waited else 0,
            p99_ms=waited[min(len(waited) - 1, len(waited) * 99 // 100)] if waited else 0,
            patients=self.plan.patients,
            to_come=self.plan.patients - self.counts["came"],
            over=over,
            trouble=self.trouble,
        )

    async def run(self) -> None:
        """Let all patients come, and let clerks call until nobody waits."""
        async with contextlib.AsyncExitStack() as stack:
            simulator = await stack.enter_async_context(Simulator.at(self.plan.gateway))
            await simulator.set_bridge(self.plan.kiosk_url)
            await simulator.link({self.plan.hip_id: self.plan.hospital})
            about = self.plan.gateway
            phones = await stack.enter_async_context(
                Phones(about.url, app_id=about.app_id, secret=about.app_secret, cm_id=about.cm_id)
            )
            async with asyncio.TaskGroup() as together:
                for number, seat in enumerate(self.plan.seats):
                    together.create_task(self._clerk(seat, number))
                await self._patients(phones)
                self.all_came = True

    async def _clerk(self, seat: Seat, number: int) -> None:
        """One clerk, who goes on working after the console was away for a while."""
        pace_s = self.plan.minutes * 60 * len(self.plan.seats) / self.plan.patients * 0.9
        habits = Habits(pace_s=max(pace_s, 0.02), idle_s=0.3)
        password = seat.password
        while True:
            clerk: Clerk | None = None
            try:
                async with Clerk.signed_in(self.plan.kiosk_url, seat.login, password) as clerk:
                    self.clerks.append(clerk)
                    await clerk.work(
                        seat.counter, seed=self.plan.seed + number, over=lambda: self.all_came, habits=habits
                    )
                    return
            except Exception as failure:  # a clerk who lost the connection to the server signs in again
                self.trouble = type(failure).__name__
                password = clerk.password if clerk is not None else password
                await asyncio.sleep(1)

    async def _patients(self, phones: Phones) -> None:
        draw = Random(f"hall:{self.plan.seed}")
        came = arrivals(self.plan.seed, self.plan.patients, day=FROM_GATE_OPEN)
        arrival_times = scaled(came, DAY_S / (self.plan.minutes * 60))
        began = time.perf_counter()
        async with asyncio.TaskGroup() as crowd:
            for index, moment in enumerate(arrival_times):
                await asyncio.sleep(max(0.0, began + moment - time.perf_counter()))
                seat = draw.choice(self.plan.seats)
                crowd.create_task(self._visit(phones, index, seat.counter, again=draw.random() < RESCANS))
                self.counts["came"] += 1

    async def _visit(self, phones: Phones, index: int, counter: str, *, again: bool) -> None:
        patient = invent(self.plan.seed, index)
        for _ in range(1 + again):
            self.counts["scans"] += 1
            try:
                received = await phones.scan(patient, self.plan.hip_id, counter, at=self.plan.place)
            except (GatewayRefused, OSError) as failure:
                self.trouble = type(failure).__name__
                self.counts["silent"] += 1
                continue
            self.counts["token" if received.token else "refused" if received.error else "silent"] += 1
            if received.token:
                self.took_ms.append(int(received.took_s * 1000))


def _print_progress(progress: Progress) -> None:
    sys.stdout.write(json.encode(progress).decode() + "\n")
    sys.stdout.flush()


async def _print_progress_often(morning: Morning) -> None:
    while True:
        _print_progress(morning.progress())
        await asyncio.sleep(PROGRESS_EVERY_S)


async def _input_closed() -> None:
    """Returns when standard input is closed: the starting process has ended or wants us to end."""
    closed, loop, stdin = asyncio.Event(), asyncio.get_running_loop(), sys.stdin.fileno()
    loop.add_reader(stdin, lambda: None if os.read(stdin, 4096) else closed.set())
    try:
        await closed.wait()
    finally:
        loop.remove_reader(stdin)


async def main() -> None:
    """One morning."""
    morning = Morning(json.decode(sys.stdin.readline(), type=Plan))
    work, printing = asyncio.create_task(morning.run()), asyncio.create_task(_print_progress_often(morning))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    closed = asyncio.create_task(_input_closed())
    await asyncio.wait({work, closed}, return_when=asyncio.FIRST_COMPLETED)
    for task in (printing, closed):
        task.cancel()
    if not work.done():
        work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    if not work.cancelled() and (failure := work.exception()) is not None:
        morning.trouble = type(failure).__name__
    _print_progress(morning.progress(over=not work.cancelled()))


if __name__ == "__main__":
    uvloop.run(main())
