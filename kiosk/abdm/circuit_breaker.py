"""How many replies may be on their way to the gateway at once: a circuit breaker, a budget and a pace in one place.

- A gateway that keeps failing gets one probe at a time and nothing else.
- When it works again, waiting replies go out at no more than twice the steady rate (at least 200 a second). Replies for
  which a phone still waits go first, the oldest of them first.
- Otherwise a reply waits only when the budget of attempts is used up.
"""

import asyncio
import heapq
import itertools
import math
from collections.abc import Sequence
from enum import Enum
from typing import Final

IN_FLIGHT: Final = 256
"""Attempts at once. At 20 ms each that is far more than any hospital's morning needs, and a load the
gateway can bear.
"""
FAILURES_TO_OPEN: Final = 20
"""Failures in a row that open the breaker. If four in ten attempts fail, which retries can bear, so many in a row
happen once in a hundred million.
"""
PAUSES_S: Final = (0.5, 1.0, 2.0)
"""The pauses before each probe. They are short, because a patient's app waits only thirty seconds."""
RECOVERY_RATE: Final = 200.0
RATE_MEMORY_S: Final = 10.0
"""The time over which the steady rate is measured."""
TICK_S: Final = 0.01

Rank = tuple[int, int]
"""The order of replies: ``(0, created)`` while a phone waits for the reply, ``(1, created)`` for a late reply."""


class Flow(Enum):
    FREE = "free"
    STOPPED = "stopped"
    PROBING = "probing"
    RECOVERING = "recovering"


class CircuitBreaker:
    """One per relay, on one event loop. Times are the loop's own, in seconds."""

    def __init__(self, in_flight: int = IN_FLIGHT, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self._budget = in_flight
        self._pauses_s = pauses_s
        self._out = 0
        self._waiting: list[tuple[Rank, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._failures = 0
        self._pause = 0
        self._rate = 0.0
        self._rated_at = 0.0
        self._credit = 0.0
        self._credited_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.flow = Flow.FREE

    def arrived(self, count: int) -> None:
        """``count`` new pending replies came. The steady rate is calculated from these."""
        now = asyncio.get_running_loop().time()
        faded = math.exp(-(now - self._rated_at) / RATE_MEMORY_S) if self._rated_at else 0.0
        self._rate = self._rate * faded + count / RATE_MEMORY_S
        self._rated_at = now

    async def enter(self, rank: Rank) -> None:
        """Return when one attempt may start. Call ``leave`` afterwards. A cancelled wait needs no ``leave``."""
        if self.flow is Flow.FREE and self._out < self._budget and not self._waiting:
            self._out += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._order), turn))
        self._pump()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the turn came at the moment of the cancellation: give it back
                self._out -= 1
                self._pump()
            raise

    def leave(self, *, well: bool | None) -> None:
        """The attempt ended: the gateway worked (True), failed (False), or the attempt shows neither (None)."""
        self._out -= 1
        if well:
            self._worked()
        elif well is False:
            self._failed()
        elif self.flow is Flow.PROBING:
            self._stop()
        self._pump()

    def _worked(self) -> None:
        self._failures = self._pause = 0
        if self.flow in (Flow.STOPPED, Flow.PROBING):
            self.flow = Flow.RECOVERING
            self._credit, self._credited_at = 0.0, asyncio.get_running_loop().time()

    def _failed(self) -> None:
        self._failures += 1
        if self.flow is Flow.PROBING or (self.flow is not Flow.STOPPED and self._failures >= FAILURES_TO_OPEN):
            self._stop()

    def _stop(self) -> None:
        self.flow = Flow.STOPPED
        pause_s = self._pauses_s[min(self._pause, len(self._pauses_s) - 1)]
        self._pause += 1
        self._wake_in(pause_s, probing=True)

    def _wake_in(self, delay_s: float, *, probing: bool = False) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._wake, probing)

    def _wake(self, probing: bool) -> None:
        self._timer = None
        if probing and self.flow is Flow.STOPPED:
            self.flow = Flow.PROBING
            self._let_through(1)
        else:
            self._pump()

    def _pump(self) -> None:
        """Let through as many as may go now."""
        if self.flow is Flow.FREE:
            self._let_through(self._budget - self._out)
        elif self.flow is Flow.PROBING:
            if self._out == 0:
                self._let_through(1)
        elif self.flow is Flow.RECOVERING:
            self._recover()

    def _recover(self) -> None:
        now = asyncio.get_running_loop().time()
        rate = max(RECOVERY_RATE, 2 * self._rate)
        self._credit = min(self._credit + (now - self._credited_at) * rate, max(1.0, rate * TICK_S * 2))
        self._credited_at = now
        self._credit -= self._let_through(min(int(self._credit), self._budget - self._out))
        if not self._waiting:
            self.flow = Flow.FREE
        elif self._timer is None:
            self._wake_in(TICK_S)

    def _let_through(self, count: int) -> int:
        passed = 0
        while passed < count and self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                self._out += 1
                passed += 1
        return passed
