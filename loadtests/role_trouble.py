"""A role that is killed again and again while a day runs, and something it needs that is away for the day's middle."""

import asyncio
import os
import signal
import time
from contextlib import AbstractAsyncContextManager
from typing import Final

from msgspec import Struct

from loadtests.bench.machine import tree, words
from loadtests.stack import Stack

KILLS: Final = 10
AWAY_FROM, AWAY_TO = 1 / 3, 2 / 3
"""Parts of the day between which something is away."""
AT_WORK_S: Final = 4.0
"""A start takes two seconds, and the first work comes a second later."""


class Trouble(Struct):
    """What was done."""

    kills: int = 0
    away_s: float = 0.0


def role_pid(parent: int, role: str) -> int | None:
    """The role of this ``kiosk serve``, by its command; None while it is being started again."""
    return next((pid for pid in tree(parent) if f" kiosk {role} " in words(pid)), None)


async def role_at_work(parent: int, role: str) -> int:
    """The role once it lives long enough to have done something."""
    pid, since = None, 0.0
    while pid is None or time.monotonic() - since < AT_WORK_S:
        if (found := role_pid(parent, role)) != pid:
            pid, since = found, time.monotonic()
        await asyncio.sleep(0.05)
    return pid


async def make_trouble(
    stack: Stack, role: str, away: AbstractAsyncContextManager[None], patients: int, trouble: Trouble
) -> None:
    """Kill the role at even parts of a day of so many patients. ``away`` lasts for its middle."""

    async def until_part(part: float) -> None:
        while (await stack.simulator.summary())["tokens"] / patients < part:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)

    async def kill_often() -> None:
        for turn in range(KILLS):
            await until_part((turn + 0.5) / KILLS)
            os.kill(await role_at_work(stack.pid, role), signal.SIGKILL)
            trouble.kills += 1

    async def take_away() -> None:
        await until_part(AWAY_FROM)
        began = time.monotonic()
        async with away:
            await until_part(AWAY_TO)
        trouble.away_s = time.monotonic() - began

    await asyncio.gather(kill_often(), take_away())
