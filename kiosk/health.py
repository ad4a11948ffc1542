"""Whether this worker should be sent people, and why not: ``/healthz``, ``/readyz``, ``/metrics``.

Closed on purpose: without store, promise, disk or clock a scan cannot be kept, so readiness fails (503). Open on
purpose: an unknown gateway key set or a growing outbox is told as a warning and counted, and people go on getting
numbers, because local queues need neither.
"""

import asyncio
import os
import time
from collections.abc import Awaitable
from typing import Final

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from kiosk.observability import metrics as metrics_room
from kiosk.services import Services
from queueing.errors import QueueingError, StoreUnsuitable
from queueing.store.address import parse_store_url

STORE_WITHIN_S: Final = 1.0
CLOCK_APART_S: Final = 5.0
"""Between this machine and the store's: numbers are given by the store's clock, codes by ours, a minute each."""
DISK_ROOM_BYTES: Final = 128 << 20
"""Twice what the embedded store needs to start again."""
BACKLOG_MANY: Final = 1000
"""At a fifth of the relay's pace these take five seconds; more means that the gateway is away."""
LOOK_EVERY_S: Final = 1.0
"""A flood of probes costs the store no more than this."""


class Reason(Struct, frozen=True):
    """One thing that is not as it should be. ``words`` are ours, for an operator."""

    what: str
    words: str
    fatal: bool


class Readiness(Struct, frozen=True):
    ready: bool
    promise: str
    reasons: tuple[Reason, ...]


class Look:
    """Looks at most once a second, once for all who ask."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._last: tuple[float, Readiness] | None = None
        self._looking = asyncio.Lock()

    async def __call__(self) -> Readiness:
        async with self._looking:
            if self._last is None or time.monotonic() - self._last[0] > LOOK_EVERY_S:
                self._last = (time.monotonic(), await look(self._services))
            return self._last[1]


async def look(services: Services) -> Readiness:
    """Ask every part once."""
    wanted = promised(services.settings.redis_url)
    found = [
        reason
        for reason in (
            *await asyncio.gather(_bounded(_store(services)), _bounded(_backlog(services))),
            _promise(wanted, services.store.promise),
            _room(services),
            _gateway_keys(services),
        )
        if reason is not None
    ]
    away = any(reason.what == "store" for reason in found)
    metrics_room.STORE_UP.set(not away)
    metrics_room.PROMISE.set(metrics_room.PROMISES["none" if away else services.store.promise])
    metrics_room.LISTENERS.set(services.hub.listeners)
    fatal = any(reason.fatal for reason in found)
    return Readiness(not fatal, "none" if away else services.store.promise, tuple(found))


def promised(redis_url: str | None) -> str:
    """What a start with these settings promises: ``disk``, or ``replica`` for a cluster."""
    address = parse_store_url(redis_url) if redis_url else None
    return address.promise if address and address.kind == "cluster" else "disk"


async def _bounded(question: Awaitable[Reason | None]) -> Reason | None:
    try:
        async with asyncio.timeout(STORE_WITHIN_S):
            return await question
    except StoreUnsuitable as unsuitable:
        return Reason("store", f"the store cannot serve: {unsuitable}", fatal=True)
    except (QueueingError, TimeoutError) as away:
        return Reason("store", f"the store does not answer ({type(away).__name__})", fatal=True)


async def _store(services: Services) -> Reason | None:
    await services.store.refresh_facts()
    told = await services.store.call("readiness", "TIME")
    theirs_s = int(told[0]) if isinstance(told, list) else 0
    apart_s = abs(time.time() - theirs_s)
    if apart_s > CLOCK_APART_S:
        return Reason("clock", f"this clock and the store's are {apart_s:.0f} s apart: use chrony or ntpd", fatal=True)
    return None


async def _backlog(services: Services) -> Reason | None:
    reply_wanted = await services.outbox.backlog()
    metrics_room.BACKLOG.set(reply_wanted)
    if services.settings.abdm and reply_wanted > BACKLOG_MANY:
        return Reason(
            "outbox", f"{reply_wanted} answers wait for the gateway: is it away, or the relay not running?", fatal=False
        )
    return None


def _promise(wanted: str, kept: str) -> Reason | None:
    if metrics_room.PROMISES[kept] >= metrics_room.PROMISES[wanted]:
        return None
    return Reason("promise", f"the store keeps {kept}, {wanted} was promised: set appendfsync always", fatal=True)


def _room(services: Services) -> Reason | None:
    facts = os.statvfs(services.settings.data_dir)
    free = facts.f_bavail * facts.f_frsize
    if free >= DISK_ROOM_BYTES:
        return None
    return Reason("disk", f"{free >> 20} MiB free in the data folder, {DISK_ROOM_BYTES >> 20} needed", fatal=True)


def _gateway_keys(services: Services) -> Reason | None:
    if not services.settings.abdm or services.gatekeeper.keys_known:
        return None
    return Reason("gateway", "the gateway's keys are not known yet: shares are answered 503", fatal=False)


@get("/healthz", media_type="text/plain", include_in_schema=False, sync_to_thread=False)
def healthz() -> str:
    """The process lives and its loop turns; whether it is of use is ``/readyz``."""
    return "ok\n"


@get("/readyz", include_in_schema=False)
async def readyz(look_once: NamedDependency[Look]) -> Response[bytes]:
    """200 with warnings, or 503 with reasons."""
    found = await look_once()
    return Response(
        msgspec.json.encode(found),
        status_code=200 if found.ready else 503,
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


@get("/metrics", include_in_schema=False)
async def metrics(look_once: NamedDependency[Look]) -> Response[bytes]:
    """Prometheus text, of the whole process tree."""
    await look_once()
    metrics_room.tell()
    body = await asyncio.to_thread(metrics_room.exposition)
    return Response(body, media_type="text/plain; version=0.0.4", headers={"Cache-Control": "no-store"})


def routes() -> list[ControllerRouterHandler]:
    """For operators; needs ``look_once`` (one ``Look`` per worker) among the application's dependencies."""
    return [healthz, readyz, metrics]
