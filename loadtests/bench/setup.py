"""What every case of the benchmark uses: one kiosk, one gateway, one yardstick, and load clients."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from statistics import median
from typing import Any

from msgspec import Struct

from loadtests.acknowledgements import Acknowledgements
from loadtests.bench.machine import Parts, cpu_s, tree
from loadtests.shapes import Chooser
from loadtests.simulator.people.crowd import Crowd, Share
from loadtests.simulator.people.share_client import SendResult, ShareClient, post, timestamp
from loadtests.stack import Stack, fresh_stack

CONNECTIONS = 64
"""Connections, as many as a gateway opens. With more, requests would only wait at another place."""
SETTLED_WITHIN_S = 60.0
SHOWN_EVERY_S = 0.1


class Size(Struct, frozen=True, kw_only=True):
    """Sizes of a quick or a whole benchmark."""

    rounds: int
    round_scans: int
    facilities: int
    """Registered facilities with sizes as in J&K, largest first."""
    deep_facilities: int
    """Facilities that are filled with waiting people, to measure a long queue."""
    deep_from: int
    deep_round: int
    spread: tuple[int, ...]
    """How many facilities get scans, to measure the cost of many facilities."""
    listeners: tuple[int, ...]
    calls: int
    """How many calls of clerks are timed on screens."""


QUICK = Size(
    rounds=3, round_scans=3_000, facilities=3_607, deep_facilities=1, deep_from=8_800, deep_round=400,
    spread=(10, 3_607), listeners=(1_000, 10_000), calls=30,
)  # fmt: skip
WHOLE = Size(
    rounds=9, round_scans=5_000, facilities=30_000, deep_facilities=4, deep_from=8_000, deep_round=1_000,
    spread=(10, 3_607, 30_000), listeners=(1_000, 10_000), calls=120,
)  # fmt: skip


class RoundResult(Struct, frozen=True, kw_only=True):
    """One round: what was sent and answered, and the processor seconds of each part."""

    shares: list[Share]
    sent: SendResult
    spent_s: dict[str, float]

    @property
    def served_us(self) -> float:
        """Processor microseconds of web and store for one scan."""
        return (self.spent_s["web"] + self.spent_s["store"]) / len(self.shares) * 1e6


class BenchSetup:
    """All programs that run during a bench."""

    def __init__(self, size: Size, stack: Stack, share_client: ShareClient, token: str, *, seed: int) -> None:
        self.size, self.stack, self.share_client, self.seed = size, stack, share_client, seed
        self.token = token
        self.crowd = Crowd(seed=seed, run=seed)
        self.acknowledgements = Acknowledgements(self.crowd)
        self.parts = Parts.of(stack.pid, stack.simulator.announced.pid)
        self.idle_mb = self.parts.memory_mb()
        """Memory by part before the first scan."""
        self._chooser = Chooser(min(size.facilities, 3_607), seed)
        self._next = 0

    def by_size(self) -> int:
        """A facility, drawn by its size."""
        return self._chooser.facility()

    def shares(self, count: int, facility: Callable[[], int]) -> list[Share]:
        """Shares of ``count`` new people, each in a drawn facility."""
        first = self._next
        self._next += count
        return [Share(index, facility()) for index in range(first, first + count)]

    def requests(self, shares: list[Share]) -> list[bytes]:
        """The requests as bytes, built before anything is timed."""
        now, hips, crowd = timestamp(), self.stack.hips, self.crowd
        return [
            post(self.share_client.authority, self.token, hips[share.facility], crowd.request_id(share),
                 crowd.body(share, hips[share.facility]), now=now)
            for share in shares
        ]  # fmt: skip

    async def send(self, shares: list[Share], *, per_s: float = 0.0, window: int = 0) -> RoundResult:
        """Send these shares: as fast as they are accepted, at a rate, or with at most ``window`` unacknowledged."""
        requests = self.requests(shares)
        with closing(AnswersSince(self)) as answered, self.parts.spent() as spent:
            if window:
                sent = await self.share_client.send_in_window(requests, lambda: answered.now() + window)
                await answered.reach(len(shares))
            elif per_s:
                sent = await self.share_client.send_at_rate(requests, per_s)
            else:
                sent = await self.share_client.send_all(requests)
        self.acknowledgements.record_answers(shares, sent)
        return RoundResult(shares=shares, sent=sent, spent_s=spent)

    async def settled(self) -> None:
        """Wait until all accepted shares are acknowledged. If some never are, the verdict finds them."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        self.acknowledgements.follow(self.stack.journal)
        while self.acknowledgements.undelivered() and time.monotonic() < deadline:
            await asyncio.sleep(SHOWN_EVERY_S)
            self.acknowledgements.follow(self.stack.journal)

    @contextmanager
    def relay_paused(self) -> Iterator[None]:
        """Measures the endpoint only: pending replies are written and not sent."""
        pids = self.parts.pids["relay"]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


class AnswersSince:
    """How many answers the gateway's journal has gained since this was made."""

    def __init__(self, setup: BenchSetup) -> None:
        self._file = setup.stack.journal.open("rb")
        self._file.seek(0, os.SEEK_END)
        self._lines = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def now(self) -> int:
        """Lines so far."""
        self._lines += self._file.read().count(b"\n")
        return self._lines

    async def reach(self, count: int) -> None:
        """Wait until ``count`` answers came, or none came for a while."""
        moved = time.monotonic()
        seen = self._lines
        while self.now() < count and time.monotonic() - moved < SETTLED_WITHIN_S:
            if self._lines > seen:
                seen, moved = self._lines, time.monotonic()
            await asyncio.sleep(0.001)


class Yardstick(Struct, frozen=True):
    """A running yardstick."""

    share_client: ShareClient
    web: list[int]
    store: int

    async def send(self, requests: list[bytes]) -> tuple[SendResult, dict[str, float]]:
        """Send these requests to the yardstick. Returns the result and the processor seconds of its two parts."""
        before = sum(map(cpu_s, self.web)), cpu_s(self.store)
        sent = await self.share_client.send_all(requests)
        if sent.refused:
            raise RuntimeError(f"the yardstick refused: {sent.statuses}")
        return sent, {"web": sum(map(cpu_s, self.web)) - before[0], "store": cpu_s(self.store) - before[1]}


@asynccontextmanager
async def prepared(
    size: Size, *, seed: int, workers: int = 1, more: dict[str, str] | None = None
) -> AsyncIterator[BenchSetup]:
    """Start a fresh kiosk and gateway, and connect to the kiosk. ``more``: additional settings."""
    async with AsyncExitStack() as layers:
        fresh = fresh_stack(
            seed=seed, facilities=size.facilities, counters=2, staffed=2, strangers=True, workers=workers, more=more
        )
        stack = await layers.enter_async_context(fresh)
        share_client = await layers.enter_async_context(ShareClient(stack.kiosk_url, connections=CONNECTIONS))
        token = await stack.simulator.callback_token()
        yield BenchSetup(size, stack, share_client, token, seed=seed)


@asynccontextmanager
async def running_yardstick() -> AsyncIterator[Yardstick]:
    """A yardstick that runs while the context lasts."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtests.bench.yardstick", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert child.stdout is not None  # noqa: S101  it was asked for as a pipe; narrows the type
        async with asyncio.timeout(30):
            _, url, store = (await child.stdout.readline()).decode().split()
            share_client = await _connected(url)
        async with share_client:
            yield Yardstick(share_client, [pid for pid in tree(child.pid) if pid != int(store)], int(store))
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()


async def _connected(url: str) -> ShareClient:
    """Connect as soon as the worker listens."""
    while True:
        try:
            async with ShareClient(url, connections=1):
                return ShareClient(url, connections=CONNECTIONS)
        except ConnectionRefusedError:
            await asyncio.sleep(0.1)


def middle(values: list[float]) -> float:
    """The median; 0 without values."""
    return median(values) if values else 0.0


def mean_us(rounds: list[dict[str, float]], scans: int) -> dict[str, float]:
    """Microseconds for one scan by part: the median of the rounds, each with ``scans`` scans."""
    return {part: round(middle([one[part] for one in rounds]) / scans * 1e6, 1) for part in rounds[0]} if rounds else {}


Figures = dict[str, Any]
