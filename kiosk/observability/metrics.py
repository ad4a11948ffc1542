"""Counters, gauges and timings for Prometheus. Labels are enumerations, never ids; nothing of a patient."""

import asyncio
import os
from bisect import bisect_left
from collections import Counter as PlaceCounts
from collections import defaultdict
from pathlib import Path
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess, values

from kiosk.settings import metrics_folder

SCAN_SECONDS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""The door promises 100 ms at the 99th percentile."""
REPLY_SECONDS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
"""The phone waits thirty seconds, and hears within one."""


class _Process:
    """The id of this process, asked of the system at its birth and not with every count (three calls a scan)."""

    id = os.getpid()

    @classmethod
    def born(cls) -> None:
        cls.id = os.getpid()


os.register_at_fork(after_in_child=_Process.born)
if metrics_folder() is not None:
    values.ValueClass = values.MultiProcessValue(lambda: _Process.id)  # type: ignore[no-untyped-call]  # untyped upstream

SCANS = Counter("kiosk_scans", "Shares that reached a decision, by what they came to.", ("outcome",))
DOOR = Histogram("kiosk_door_seconds", "Time from request to answer at a door.", ("door",), buckets=SCAN_SECONDS)
REFUSALS = Counter("kiosk_door_refusals", "Requests a door answered with an error, by status.", ("door", "status"))
REPLIES = Counter("kiosk_debts", "Answers owed to the gateway that ended, by how.", ("verdict",))
REPLY_AGE = Histogram(
    "kiosk_debt_age_seconds", "Time from owing an answer to its end.", ("verdict",), buckets=REPLY_SECONDS
)
BACKLOG = Gauge("kiosk_debts_waiting", "Answers owed to the gateway now.", multiprocess_mode="mostrecent")
LISTENERS = Gauge("kiosk_listeners", "Open streams of screens.", multiprocess_mode="livesum")
STORE_UP = Gauge("kiosk_store_up", "Whether the store answers (1) or not (0).", multiprocess_mode="livemin")
PROMISE = Gauge("kiosk_store_promise", "The promise in force: 0 none, 1 disk, 2 replica.", multiprocess_mode="livemin")
CALLERS_REJECTED = Counter(
    "kiosk_callers_rejected", "Callers of the gateway's endpoints that were refused, by why.", ("reason",)
)
CONNECTIONS_CLOSED = Counter(
    "kiosk_connections_closed", "Connections that we ended because they used up a worker, by why.", ("reason",)
)
FELL_OPEN = Counter("kiosk_fell_open", "Times a helper failed and people were served all the same.", ("helper",))

TOLD_EVERY_S: Final = 1.0
PROMISES: Final = {"none": 0, "disk": 1, "replica": 2}


class _Tally:
    """What scans and pending replies count, kept here and told once a second: counting straight into the shared file
    costs as much as sealing the patient's letter.
    """

    def __init__(self) -> None:
        self._counts: defaultdict[tuple[Counter, str], int] = defaultdict(int)
        self._seconds: defaultdict[tuple[Histogram, str], list[float]] = defaultdict(list)
        self._planned = False

    def count(self, counter: Counter, label: str) -> None:
        self._counts[counter, label] += 1
        if not self._planned:
            self._plan()

    def observe(self, histogram: Histogram, label: str, seconds: float) -> None:
        self._seconds[histogram, label].append(seconds)
        if not self._planned:
            self._plan()

    def _plan(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a command, not a server: nobody would come back
            self.tell()
        else:
            self._planned = True
            loop.call_later(TOLD_EVERY_S, self.tell)

    def tell(self) -> None:
        self._planned = False
        for (counter, label), count in self._counts.items():
            counter.labels(label).inc(count)
        for (histogram, label), seconds in self._seconds.items():
            _observe(histogram.labels(label), seconds)
        self._counts.clear()
        self._seconds.clear()


def _observe(histogram: Histogram, seconds: list[float]) -> None:
    """All at once, which the library offers nobody: its own ``observe`` for each would cost what we save here."""
    histogram._sum.inc(sum(seconds))
    for place, count in PlaceCounts(bisect_left(histogram._upper_bounds, one) for one in seconds).items():
        histogram._buckets[place].inc(count)


_tally: Final = _Tally()
tell = _tally.tell
"""Tell now what was counted in the last second."""


def scanned(outcome: str) -> None:
    """A share came to ``outcome`` (the name of a ``queueing.models.Outcome``, in lower case)."""
    _tally.count(SCANS, outcome)


def answered(door: str, status: int, seconds: float) -> None:
    """A door answered. ``door`` is a fixed word of ours."""
    _tally.observe(DOOR, door, seconds)
    if status >= 400:
        REFUSALS.labels(door, str(status)).inc()


def reply_ended(verdict: str, seconds: float) -> None:
    """A pending reply was paid or parked, so long after it was owed."""
    _tally.count(REPLIES, verdict)
    _tally.observe(REPLY_AGE, verdict, max(seconds, 0.0))


def fell_open(helper: str) -> None:
    """``helper`` (a fixed word of ours) failed, and we went on without it."""
    FELL_OPEN.labels(helper).inc()


def caller_rejected(reason: str) -> None:
    """A caller of the gateway's endpoints was refused for ``reason`` (a fixed word of ours)."""
    CALLERS_REJECTED.labels(reason).inc()


def connections_closed(reason: str, count: int) -> None:
    """Connections were ended for ``reason`` (a fixed word of ours)."""
    CONNECTIONS_CLOSED.labels(reason).inc(count)


def exposition() -> bytes:
    """All metrics of this process, or of the whole tree when its processes share a folder for them."""
    folder = metrics_folder()
    if folder is None:
        return prometheus_client.generate_latest()
    _forget_the_dead(folder)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]  # untyped upstream
    return prometheus_client.generate_latest(registry)


def _forget_the_dead(folder: Path) -> None:
    """Gauges of processes that are gone would count their listeners for ever."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            file.unlink(missing_ok=True)
