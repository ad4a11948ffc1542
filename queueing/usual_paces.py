"""How fast the queues of a facility usually move. The archive learns it and writes it here; snapshots carry it."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from queueing import library
from queueing.redis_keys import facility_root
from queueing.store.store import Store

KEEP_S: Final = 14 * 86_400
"""An archive that learns no more is forgotten: what it knew last grows old."""

_pack = msgspec.msgpack.Encoder().encode


class UsualDay(Struct, frozen=True, kw_only=True):
    """One weekday of one queue; ``queueing.waiting.Usual`` says what the fields mean."""

    first_s: int
    """When its first half hour begins, seconds after midnight."""
    gaps_s: tuple[int, ...]
    spread: int


async def write_usual_days(store: Store, hip: str, days: Mapping[tuple[int, str], UsualDay]) -> None:
    """Replace all of it. ``days``: weekday (0: Monday) and queue id -> what is usual. No screen is told: it shows the
    new figures with its next change.
    """
    root = facility_root(hip)
    fields = (part for (weekday, queue), day in days.items() for part in (f"{weekday}:{queue}", _pack(day)))
    await library.call(store, "usual", root, KEEP_S, *fields)
