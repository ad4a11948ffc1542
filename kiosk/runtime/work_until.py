"""Runs the work of a role until its process is told to stop."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def work_until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Run ``work``, which has no end of its own, until ``stop``. Raises what the work raised."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (working, stopping):
        task.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
    try:
        await working
    except asyncio.CancelledError:
        return
