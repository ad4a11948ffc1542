"""Health of this worker: ``/healthz``, ``/readyz``, ``/metrics``.

Without store, durability promise, disk space or a right clock a scan cannot be stored, so readiness fails (503).
Unknown gateway keys and a growing outbox are warnings, because patients still get numbers without the gateway.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler
from msgspec import Struct, structs

from kiosk.abdm import connection
from kiosk.archive.status import ArchiveState, KnownState
from kiosk.observability.clocks import APART_S, Clocks
from kiosk.observability.metrics import PROMISES, Facts, exposition, write_counts
from kiosk.services.web import Services
from kiosk.web.operators import may_see, operators_only
from queueing import clock_health
from queueing.errors import QueueingError, StoreUnsuitable
from queueing.store.address import parse_store_url
from queueing.store.store import Store, store_time_s

STORE_DURABLE: Final = (
    "set appendonly yes and appendfsync always, or KIOSK_STORE_VOUCHED=durable where a provider hides them and "
    "promises it"
)
STORE_WITHIN_S: Final = 1.0
DAYS_APART_S: Final = 26 * 3_600.0
"""``CLOCKS_APART_MS`` of queueing/functions/shared/clock.lua: with more the store refuses new days."""
DISK_ROOM_BYTES: Final = 128 << 20
"""Twice what the embedded store needs to start again."""
BACKLOG_MANY: Final = 1000
"""At a fifth of the relay's speed these take five seconds. More means that the gateway is away."""
LOOK_EVERY_S: Final = 1.0
"""Many probes cost the store no more than one check in this time."""


DELIVERIES_KNOWN_S: Final = 15.0
"""The delivery role writes its count each five seconds."""
CLOCK_AHEAD_EVERY_S: Final = 60.0
"""Whether the store's clock ran ahead is read from 48 streams: too much for each look, and it changes once a year."""


class ClockAhead:
    """By how much the store's clock ran ahead, read once a minute."""

    def __init__(self) -> None:
        self._read_at = -CLOCK_AHEAD_EVERY_S
        self._ahead_ms = 0

    async def read_ms(self, store: Store) -> int:
        """The last value; it is read again when it is older than a minute."""
        if time.monotonic() - self._read_at >= CLOCK_AHEAD_EVERY_S:
            self._ahead_ms = await clock_health.clock_ran_ahead_ms(store)
            self._read_at = time.monotonic()
        return self._ahead_ms


class Reason(Struct, frozen=True):
    """One fault. ``words`` is our own sentence for an operator."""

    what: str
    words: str
    fatal: bool


class Readiness(Struct, frozen=True):
    """The answer of ``/readyz``."""

    ready: bool
    promise: str
    reasons: tuple[Reason, ...]


class Health(NamedTuple):
    """The result of one check, for ``/readyz`` and ``/metrics``."""

    readiness: Readiness
    facts: Facts


class Look:
    """Checks at most once a second, and shares the result."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services
        self._last: tuple[float, Health] | None = None
        self._clock = ClockAhead()
        self._archive = KnownState()
        self._looking = asyncio.Lock()

    async def __call__(self) -> Health:
        async with self._looking:
            if self._last is None or time.monotonic() - self._last[0] > LOOK_EVERY_S:
                self._last = (time.monotonic(), await look(self._services(), self._clock, self._archive))
            return self._last[1]


async def look(services: Services, clock: ClockAhead | None = None, archive: KnownState | None = None) -> Health:
    """Check every part once."""
    try:
        async with asyncio.timeout(STORE_WITHIN_S):
            store_s, pending, facts, ahead_ms, archived, deliveries = await asyncio.gather(
                _store_time_s(services), services.outbox.backlog(), services.connection.facts(),
                (clock or ClockAhead()).read_ms(services.store), (archive or KnownState()).read(services.store),
                _deliveries_pending(services),
            )  # fmt: skip
    except StoreUnsuitable as unsuitable:
        sentence = f"the store cannot serve: {unsuitable}"
        return _without_promise(services, Facts(store_up=True, promise="none", replies_pending=None), sentence)
    except (QueueingError, TimeoutError) as away:
        sentence = f"the store does not answer ({type(away).__name__})"
        return _without_promise(services, Facts(store_up=False, promise="none", replies_pending=None), sentence)
    reasons = [
        *(_clock(services.connection.clocks(facts, store_s)) or _clock_ahead(ahead_ms)),
        *_backlog(services, pending),
        *_callers(services, facts),
        *_archive(archived),
        *_own_reasons(services),
    ]
    lag_s = archived.lag_s if archived else None
    return _health(
        reasons,
        Facts(
            True, services.store.promise, replies_pending=pending, archive_lag_s=lag_s, deliveries_pending=deliveries
        ),
    )


def _without_promise(services: Services, facts: Facts, sentence: str) -> Health:
    return _health([Reason("store", sentence, fatal=True), *_own_reasons(services)], facts)


def _health(reasons: list[Reason], facts: Facts) -> Health:
    ready = not any(reason.fatal for reason in reasons)
    return Health(Readiness(ready, facts.promise, tuple(reasons)), facts)


def _own_reasons(services: Services) -> list[Reason]:
    """Reasons that are known without the store."""
    return [*_promise(services), *_room(services), *_gateway_keys(services)]


def promised(redis_url: str | None) -> str:
    """What a start with these settings promises: ``disk``, or ``replica`` for a cluster."""
    address = parse_store_url(redis_url) if redis_url else None
    return address.promise if address and address.kind == "cluster" else "disk"


async def _deliveries_pending(services: Services) -> dict[str, int] | None:
    """As the delivery role that works counts them; None when it has been silent."""
    facts = await services.targets.facts()
    if facts is None or time.time() * 1000 - facts.at_ms > DELIVERIES_KNOWN_S * 1000:
        return None
    return facts.pending


async def _store_time_s(services: Services) -> float:
    await services.store.refresh_facts()
    return await store_time_s(services.store)


def _clock(clocks: Clocks) -> list[Reason]:
    """Fatal where another machine would serve better. With a wrong clock of the store, or with one that all share,
    no other machine would: numbers go on, and codes follow this machine's clock.
    """
    if not clocks.wrong:
        return []
    fatal = clocks.apart_s > APART_S and (clocks.wrong != "store" or clocks.apart_s > DAYS_APART_S)
    return [Reason("clock", clocks.sentence, fatal=fatal)]


def clock_ahead_words(ahead_ms: int) -> str:
    """What happened, for an operator."""
    hours = ahead_ms / 3_600_000
    far = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.0f} min"
    return f"the store's clock was {far} ahead: facilities may be on a wrong date, and patients out of the line"


def _clock_ahead(ahead_ms: int) -> list[Reason]:
    """For the time after a clock was set right: while one is wrong, nothing can be healed."""
    if not ahead_ms:
        return []
    sentence = f"{clock_ahead_words(ahead_ms)}; when the clock is right: kiosk store heal-clock"
    return [Reason("clock", sentence, fatal=False)]


def _backlog(services: Services, pending: int) -> Iterator[Reason]:
    if services.settings.abdm and pending > BACKLOG_MANY:
        sentence = f"{pending} replies wait for the gateway: is it away, or does no relay run?"
        yield Reason("outbox", sentence, fatal=False)


def _archive(state: ArchiveState | None) -> Iterator[Reason]:
    if state and state.words:
        yield Reason("archive", state.words, fatal=False)


def _callers(services: Services, facts: connection.Facts) -> Iterator[Reason]:
    if services.settings.abdm and (sentence := connection.refused_words(facts, time.time())):
        yield Reason("callbacks", sentence, fatal=False)


def _promise(services: Services) -> Iterator[Reason]:
    wanted, promise = promised(services.settings.redis_url), services.store.promise
    if alone := services.store.lone_shards:
        sentence = f"{alone} shards continue without a replica, their tickets are on one disk: bring the replicas back"
        yield Reason("promise", sentence, fatal=promise == "none")
    elif PROMISES[promise] < PROMISES[wanted]:
        yield Reason("promise", f"the store promises {promise}, {wanted} was expected: {STORE_DURABLE}", fatal=True)


def _room(services: Services) -> Iterator[Reason]:
    disk = os.statvfs(services.settings.data_dir)
    free = disk.f_bavail * disk.f_frsize
    if free < DISK_ROOM_BYTES:
        sentence = f"{free >> 20} MiB free in the data folder, {DISK_ROOM_BYTES >> 20} needed"
        yield Reason("disk", sentence, fatal=True)


def _gateway_keys(services: Services) -> Iterator[Reason]:
    if services.settings.abdm and not services.authenticator.keys_known:
        yield Reason("gateway", "the gateway's keys are not known yet: shares are answered 503", fatal=False)


@get("/healthz", media_type="text/plain", include_in_schema=False, sync_to_thread=False)
def healthz() -> str:
    """200 while the process and its event loop run. Whether it can serve patients is ``/readyz``."""
    return "ok\n"


@get("/readyz", include_in_schema=False)
async def readyz(request: Request[object, object, State], look_once: NamedDependency[Look]) -> Response[bytes]:
    """200 with warnings, or 503 with reasons. Callers outside the operators' networks get no reasons."""
    readiness = (await look_once()).readiness
    if not may_see(request):
        readiness = structs.replace(readiness, reasons=())
    return Response(
        msgspec.json.encode(readiness),
        status_code=200 if readiness.ready else 503,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


@get("/metrics", include_in_schema=False, guards=[operators_only])
async def metrics(look_once: NamedDependency[Look]) -> Response[bytes]:
    """Prometheus text of all processes of this installation on this machine."""
    facts = (await look_once()).facts
    write_counts()
    body = await asyncio.to_thread(exposition, facts)
    return Response(body, media_type="text/plain; version=0.0.4", headers={"Cache-Control": "no-store"})


def routes() -> list[ControllerRouterHandler]:
    """For operators; needs ``look_once`` (one ``Look`` per worker) among the application's dependencies."""
    return [healthz, readyz, metrics]
