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
"""From a short disk stall to longer than callers of the store wait."""

Fault = Callable[[BenchSetup, Random], Awaitable[None]]


async def kill_store(setup: BenchSetup, _: Random) -> None:
    """``kill -9`` of the embedded server."""
    os.kill((await _now(setup)).pids["store"][0], signal.SIGKILL)


async def kill_web(setup: BenchSetup, draw: Random) -> None:
    """``kill -9`` of one of the web workers."""
    supervisor, *_ = (await _now(setup)).pids["web"]
    os.kill(draw.choice(tree(supervisor)[1:]), signal.SIGKILL)


async def kill_relay(setup: BenchSetup, _: Random) -> None:
    """``kill -9`` of the relay, while replies are being sent."""
    os.kill((await _now(setup)).pids["relay"][0], signal.SIGKILL)


async def freeze_store(setup: BenchSetup, draw: Random) -> None:
    """The store is frozen for a while, as with a disk that does not answer."""
    store = (await _now(setup)).pids["store"][0]
    os.kill(store, signal.SIGSTOP)
    try:
        await asyncio.sleep(draw.uniform(*FROZEN_S))
    finally:
        os.kill(store, signal.SIGCONT)


async def _now(setup: BenchSetup) -> Parts:
    """Who plays which part at this moment; waits for one, or a worker, that is just being started again."""
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
"""What is done, and the seconds of quiet before it: a relay needs more to be back, and nothing tells when it is."""
