"""A small hospital for tests: two queues, five counters, and people who arrive."""

import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec

from queueing.day import ServiceClock
from queueing.desk import OpdDesk
from queueing.models import Arrival, Facility, Queue
from queueing.redis_keys import counter_text
from queueing.registry import Registry
from queueing.store.store import Store

HIP = "IN0110000123"
DAY_MS = 86_400_000
_numbers: Iterator[int] = count(1)


async def build(store: Store, **facility: Any) -> None:
    """Registers the hospital: medicine (M1 to M3, the default) and registration (R1, R2)."""
    registry = Registry(store)
    await registry.put_facility(Facility(hip_id=HIP, name="District Hospital", **facility))
    await registry.put_queue(HIP, Queue(id="medicine", name="Medicine", prefix="M"), 3)
    await registry.put_queue(HIP, Queue(id="registration", name="Registration", prefix="R"), 2)


def arrival(person: str = "", **changed: Any) -> Arrival:
    """The arrival of a new person who scanned the poster of M1. ``changed`` replaces values."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "facility": HIP,
        "text": "M1",
        "request": f"request-{number}",
        "fingerprint": number.to_bytes(8),
        "persons": ((person or f"person-{number}").encode(),),
        "envelope": b"sealed envelope",
        "reply_wanted": True,
    }
    fields |= changed
    return Arrival(**(fields | {"text": counter_text(fields["text"])}))


def again(first: Arrival, **changed: Any) -> Arrival:
    """The same person with a new request."""
    number = next(_numbers)
    return msgspec.structs.replace(first, request=f"request-{number}", fingerprint=number.to_bytes(8), **changed)


class MovedMidnight(ServiceClock):
    """A clock whose day is ``moved_ms`` ahead, so that a test decides when the next day begins."""

    moved_ms = 0

    def values(self) -> tuple[int, int, int, int, str]:
        now, offset, change, after, zone = super().values()
        return (now, offset + self.moved_ms, change, after, zone)


def open_desk(store: Store, clock: ServiceClock | None = None) -> OpdDesk:
    """A desk without a limit on arrivals."""
    return OpdDesk(store, clock=clock, facility_rate=1_000_000, facility_burst=1_000_000)


def kolkata() -> MovedMidnight:
    """The clock of Kolkata, with a midnight that a test can move."""
    return MovedMidnight("Asia/Kolkata", lambda: time.time_ns() // 1_000_000)


def midnight_in(clock: MovedMidnight, *, ms: int) -> int:
    """How far the facility's day must be moved so that its midnight comes in this time."""
    now, offset, *_ = clock.values()
    into_day = (now + offset) % DAY_MS
    return DAY_MS - into_day - ms
