"""Counters, gauges and timings for Prometheus. Label values are fixed words, never ids, and never patient data."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import prometheus_client
from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from kiosk.observability.prometheus_parts import name_processes_by, observe_all
from kiosk.settings import metrics_folder
from queueing.targets import TargetKind

SCAN_SECONDS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""The promise for the gateway's endpoint is 100 ms at the 99th percentile."""
REPLY_SECONDS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
"""The phone waits thirty seconds. A reply normally takes less than one."""


class _Process:
    """The id of this process. Read at the start: asking the system with each count costs three calls a scan."""

    id = os.getpid()

    @classmethod
    def read(cls) -> None:
        cls.id = os.getpid()


os.register_at_fork(after_in_child=_Process.read)
if metrics_folder() is not None:
    name_processes_by(lambda: _Process.id)

SCANS = Counter("kiosk_scans", "Shares that reached a decision, by outcome.", ("outcome",))
REQUEST_SECONDS = Histogram(
    "kiosk_request_duration_seconds", "Time from request to answer.", ("endpoint",), buckets=SCAN_SECONDS
)
REQUESTS_REFUSED = Counter("kiosk_requests_refused", "Requests answered with an error status.", ("endpoint", "status"))
REPLIES = Counter("kiosk_replies", "Replies to the gateway that ended: delivered, or parked for staff.", ("result",))
REPLY_AGE = Histogram(
    "kiosk_reply_age_seconds", "Time from a share to the end of its reply.", ("result",), buckets=REPLY_SECONDS
)
OPEN_STREAMS = Gauge("kiosk_open_streams", "Open streams of screens, phones and desks.", multiprocess_mode="livesum")
POLLS = Counter("kiosk_live_polls", "Snapshots asked for by screens whose stream is full or held back by a proxy.")
NOT_ACKNOWLEDGED = Counter(
    "kiosk_replies_not_acknowledged",
    "Attempts answered with a web page, an error, a redirect or a text instead of an acknowledgement.",
    ("kind",),
)
CALLERS_REJECTED = Counter(
    "kiosk_callers_rejected", "Callers of the gateway's endpoints that were refused, by reason.", ("reason",)
)
CONNECTIONS_CLOSED = Counter(
    "kiosk_connections_closed", "Connections that we closed because they used up a worker, by reason.", ("reason",)
)
STREAMS_REFUSED = Counter(
    "kiosk_streams_refused",
    "Streams refused because an address or a facility had its share already, by which.",
    ("reason",),
)
FELL_OPEN = Counter("kiosk_fell_open", "Times a helper failed and patients were still served, by helper.", ("helper",))

PLACE_SEARCHES = Counter(
    "kiosk_place_searches", "Searches of patients for their own ticket page by number, by result.", ("result",)
)
PROFILE_ALARMS = Counter("kiosk_profile_alarms", "Sessions that read more profiles in ten minutes than a desk needs.")

DELIVERIES = Counter(
    "kiosk_deliveries", "Tries to deliver an event to another program, and events given up.", ("kind", "result")
)

PUSH_MESSAGES = Counter(
    "kiosk_push_messages",
    "Tries to send a message to a patient's phone, and messages left out.",
    ("result",),
)

SCAN_OUTCOMES: Final = ("new", "same_request", "same_person", "refused", "conflict")
REJECTED_FOR: Final = (
    "off", "iss", "aud", "azp", "kid", "alg", "sig", "exp", "nbf", "iat", "shape", "header", "time", "address",
)  # fmt: skip
"""Why a caller of the gateway's endpoints is refused; ``kiosk/abdm/callers.py`` says what to do about each."""

for _outcome in SCAN_OUTCOMES:
    SCANS.labels(_outcome)
for _reason in REJECTED_FOR:
    CALLERS_REJECTED.labels(_reason)
for _kind in ("redirect", "page", "unreadable", "error"):
    NOT_ACKNOWLEDGED.labels(_kind)
for _reason in ("address", "facility", "screen"):
    STREAMS_REFUSED.labels(_reason)
for _result in ("delivered", "failed", "gone", "refused", "left_out"):
    PUSH_MESSAGES.labels(_result)
for _result in ("delivered", "parked"):
    REPLIES.labels(_result)
for _result in ("found", "not_found", "too_many"):
    PLACE_SEARCHES.labels(_result)
for _kind in TargetKind:
    for _result in ("delivered", "failed", "switched_off", "parked"):
        DELIVERIES.labels(_kind.value, _result)
for _helper in ("day_keys", "gateway_keys", "connection_guard"):
    FELL_OPEN.labels(_helper)
# They are 0 from the start. Prometheus sees no increase in a counter that appears with its first event.

WRITTEN_EVERY_S: Final = 1.0
PROMISES: Final = {"none": 0, "disk": 1, "replica": 2}


class Facts(Struct, frozen=True):
    """The state of the whole service now, not of one process. It is asked for at each scrape."""

    store_up: bool
    promise: str
    """A name of ``PROMISES``."""
    replies_pending: int | None
    """None while the store cannot tell."""
    archive_lag_s: float | None = None
    """None while no archive role has run, or the store cannot tell."""
    deliveries_pending: dict[str, int] | None = None
    """Events that wait for other programs, by kind of target. None while no delivery role works."""


class FactsNow(Collector):
    """Gauges of this scrape only. A stored gauge keeps an old value in each process that is not scraped."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def collect(self) -> Iterator[Metric]:
        facts = self._facts
        yield GaugeMetricFamily("kiosk_store_up", "Whether the store answers (1) or not (0).", facts.store_up)
        yield GaugeMetricFamily(
            "kiosk_store_promise", "The promise in force: 0 none, 1 disk, 2 replica.", PROMISES[facts.promise]
        )
        if facts.replies_pending is not None:
            yield GaugeMetricFamily(
                "kiosk_replies_pending", "Replies that the gateway has not received yet.", facts.replies_pending
            )
        if facts.archive_lag_s is not None:
            yield GaugeMetricFamily(
                "kiosk_archive_lag_seconds", "Age of what happened and is not archived yet.", facts.archive_lag_s
            )
        if facts.deliveries_pending is not None:
            pending = GaugeMetricFamily(
                "kiosk_deliveries_pending", "Events that other programs have not taken yet.", labels=("kind",)
            )
            for kind, count in sorted(facts.deliveries_pending.items()):
                pending.add_metric((kind,), count)
            yield pending


class _Tally:
    """Counts of scans and replies. They are written once a second, because writing each into the shared file costs as
    much as sealing the patient's envelope.
    """

    def __init__(self) -> None:
        self._counts: defaultdict[tuple[Counter, str], int] = defaultdict(int)
        self._seconds: defaultdict[tuple[Histogram, str], list[float]] = defaultdict(list)
        self._scheduled = False

    def count(self, counter: Counter, label: str) -> None:
        self._counts[counter, label] += 1
        if not self._scheduled:
            self._schedule()

    def observe(self, histogram: Histogram, label: str, seconds: float) -> None:
        self._seconds[histogram, label].append(seconds)
        if not self._scheduled:
            self._schedule()

    def _schedule(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a command, not a server: no loop would call us later
            self.write()
        else:
            self._scheduled = True
            loop.call_later(WRITTEN_EVERY_S, self.write)

    def write(self) -> None:
        self._scheduled = False
        for (counter, label), count in self._counts.items():
            counter.labels(label).inc(count)
        for (histogram, label), seconds in self._seconds.items():
            observe_all(histogram.labels(label), seconds)
        self._counts.clear()
        self._seconds.clear()


_tally: Final = _Tally()
write_counts = _tally.write
"""Write the counts of the last second now."""


def scanned(outcome: str) -> None:
    """A share ended with ``outcome`` (the name of a ``queueing.models.Outcome``, in lower case)."""
    _tally.count(SCANS, outcome)


def answered(endpoint: str, status: int, seconds: float) -> None:
    """An endpoint answered. ``endpoint`` is a fixed name of ours."""
    _tally.observe(REQUEST_SECONDS, endpoint, seconds)
    if status >= 400:
        REQUESTS_REFUSED.labels(endpoint, str(status)).inc()


def reply_ended(result: str, age_s: float) -> None:
    """A reply was ``delivered`` or ``parked``, this long after its share."""
    _tally.count(REPLIES, result)
    _tally.observe(REPLY_AGE, result, max(age_s, 0.0))


def open_streams(count: int) -> None:
    """This process has ``count`` open streams now."""
    OPEN_STREAMS.set(count)


def fell_open(helper: str) -> None:
    """``helper`` (a fixed word) failed, and the program continued without it."""
    FELL_OPEN.labels(helper).inc()


def delivery_ended(kind: str, result: str) -> None:
    """A try to deliver to a ``webhook`` or ``hl7`` receiver ended, or an event was parked. Both are fixed words."""
    DELIVERIES.labels(kind, result).inc()


def push_ended(result: str) -> None:
    """A try to send a message to a phone ended, or a message was ``left_out`` after the last try. Fixed words."""
    PUSH_MESSAGES.labels(result).inc()


def place_searched(result: str) -> None:
    """A patient's search for the own page was ``found``, ``not_found``, or refused as ``too_many``. Fixed words."""
    PLACE_SEARCHES.labels(result).inc()


def not_acknowledged(kind: str) -> None:
    """The gateway answered a reply without acknowledging it. ``kind`` is a fixed word."""
    NOT_ACKNOWLEDGED.labels(kind).inc()


def caller_rejected(reason: str) -> None:
    """A caller of the gateway's endpoints was refused for ``reason`` (a fixed word)."""
    CALLERS_REJECTED.labels(reason).inc()


def stream_refused(reason: str) -> None:
    """A stream was refused: its ``address``, its ``facility`` or the paired ``screen`` had its share already."""
    STREAMS_REFUSED.labels(reason).inc()


def polled() -> None:
    """A screen asked for a snapshot in place of a stream."""
    POLLS.inc()


def connections_closed(reason: str, count: int) -> None:
    """Connections were closed for ``reason`` (a fixed word)."""
    CONNECTIONS_CLOSED.labels(reason).inc(count)


def exposition(facts: Facts) -> bytes:
    """All metrics of this process, or of all processes that share a metrics folder."""
    now = CollectorRegistry()
    now.register(FactsNow(facts))
    return prometheus_client.generate_latest(_counted()) + prometheus_client.generate_latest(now)


def _counted() -> CollectorRegistry:
    folder = metrics_folder()
    if folder is None:
        return prometheus_client.REGISTRY
    _forget_ended(folder)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]  # untyped upstream
    return registry


def _forget_ended(folder: Path) -> None:
    """Delete the gauges of processes that ended: their streams would be counted for ever."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            file.unlink(missing_ok=True)
