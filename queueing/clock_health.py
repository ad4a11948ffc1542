"""Whether the store's clock ran ahead once and was set right, and the way back.

Numbers go on in any case: a facility stays on the day it reached, keeps the order of arrival, and each midnight begins
a new day (functions/shared/day.lua). But its dates are wrong, and people whom the wrong clock lapsed stay lapsed. An
operator who knows that the clock is right now corrects both with ``heal``.
"""

import asyncio
from typing import Any, Final

from queueing.audit import Audit
from queueing.desk import OpdDesk
from queueing.errors import StoreRefused
from queueing.redis_keys import ALL_PARTITIONS, CLOCK_KEY, changes_key
from queueing.registry import Registry
from queueing.store.store import Store

AHEAD_MS: Final = 60_000
"""Clocks of servers differ by less, and time that goes back by less changes nothing for people."""
_PAGE: Final = 500


async def clock_ran_ahead_ms(store: Store) -> int:
    """By how much the newest change was written in the future, ms; 0 when the clock is right or was healed since.

    A stream never numbers an entry before an older one, so its newest id shows the latest time that the clock had.
    """
    newest = max(await asyncio.gather(*(_newest_ms(store, partition) for partition in ALL_PARTITIONS)))
    healed: Any = await store.call(CLOCK_KEY, "GET", CLOCK_KEY)
    ahead = newest - await _now_ms(store)
    return ahead if ahead > AHEAD_MS and newest > int(healed or 0) else 0


async def heal(store: Store, desk: OpdDesk, *, by: str) -> int:
    """Bring every facility back to the day of the clock. Returns how many had to be healed. Safe to repeat.

    Call it only when the clock is right: people of the day by the clock wait again, in their order, with their numbers.
    The audit of each healed facility records it.
    """
    newest = max(await asyncio.gather(*(_newest_ms(store, partition) for partition in ALL_PARTITIONS)))
    registry, audit, healed, after = Registry(store), Audit(store), 0, ""
    while page := await registry.facilities(after, _PAGE):
        changed = await asyncio.gather(*(desk.heal_clock(facility.hip_id, by=by) for facility in page))
        hips = [facility.hip_id for facility, is_healed in zip(page, changed, strict=True) if is_healed]
        await asyncio.gather(*(audit.record(hip, "clock_healed", by=by) for hip in hips))
        healed += len(hips)
        after = page[-1].hip_id
    await store.call(CLOCK_KEY, "SET", CLOCK_KEY, newest)
    await store.durable(CLOCK_KEY)
    return healed


async def _now_ms(store: Store) -> int:
    time: Any = await store.call(CLOCK_KEY, "TIME")
    return int(time[0]) * 1000 + int(time[1]) // 1000


async def _newest_ms(store: Store, partition: str) -> int:
    key = changes_key(partition)
    try:
        flat: Any = await store.call(key, "XINFO", "STREAM", key)
    except StoreRefused:  # no facility of this partition was ever used
        return 0
    fields = dict(zip(flat[::2], flat[1::2], strict=True)) if isinstance(flat, list) else flat
    return int(fields[b"last-generated-id"].split(b"-")[0])
