"""The faults of the chaos test: one process of a kiosk is killed or frozen, again and again."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

from loadtests.bench.machine import Parts, tree
from loadtests.bench.setup import BenchSetup

FROZEN_S: Final = (0.2, 8.0)
"""Seconds of a freeze: from a short disk stall to longer than callers wait for the store."""

Fault = Callable[[BenchSetup, Random], Awaitable[None]]


async def kill_store(setup: BenchSetup, _: Random) -> None:
    """``kill -9`` of the embedded server."""
    os.kill((await _now(setup)).pids["store"][0], signal.SIGKILL)


async def kill_web(setup: BenchSetup, draw: Random) -> None:
    """``kill -9`` of one web worker."""
    supervisor, *_ = (await _now(setup)).pids["web"]
    os.kill(draw.choice(tree(supervisor)[1:]), signal.SIGKILL)


async def kill_relay(setup: BenchSetup, _: Random) -> None:
    """``kill -9`` of the relay, while replies are being sent."""
    os.kill((await _now(setup)).pids["relay"][0], signal.SIGKILL)


async def freeze_store(setup: BenchSetup, draw: Random) -> None:
    """Freeze the store for some seconds, as when its disk does not answer."""
    store = (await _now(setup)).pids["store"][0]
    os.kill(store, signal.SIGSTOP)
    try:
        await asyncio.sleep(draw.uniform(*FROZEN_S))
    finally:
        os.kill(store, signal.SIGCONT)


async def _now(setup: BenchSetup) -> Parts:
    """The processes of the kiosk at this moment. Waits for a process that is being started again."""
    until = time.monotonic() + 10
    while True:
        found = Parts.of(setup.stack.pid, setup.stack.simulator.announced.pid)
        if (all(found.pids.values()) and len(found.pids["web"]) > 1) or time.monotonic() > until:
            return found
        await asyncio.sleep(0.05)


FAULTS: Final[dict[str, tuple[Fault, tuple[float, float]]]] = {
    "store": (kill_store, (1.0, 3.0)),
    "web": (kill_web, (1.0, 3.0)),
    "relay": (kill_relay, (3.0, 5.0)),
    "freeze": (freeze_store, (1.0, 3.0)),
}
"""Each fault, and the seconds to wait before it. A relay gets more time, because nothing shows when it works again."""
