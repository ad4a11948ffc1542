"""Answers that many ask for at once: asked once, and given again for some seconds."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class RecentAnswers(Generic[T]):
    """Key -> answer, on one event loop. A failure is not given again."""

    def __init__(self, *, good_for_s: float, most: int, clock_s: Callable[[], float] = time.monotonic) -> None:
        """``most``: how many answers are stored; the oldest goes first."""
        self._good_for_s = good_for_s
        self._most = most
        self._clock_s = clock_s
        self._answers: dict[Hashable, tuple[float, asyncio.Future[T]]] = {}

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to this key, of the last seconds or new. Raises what ``ask`` raises."""
        asked_s, answer = self._answers.get(key, (0.0, None))
        if answer is None or self._clock_s() - asked_s > self._good_for_s or _has_failed(answer):
            answer = asyncio.ensure_future(ask())
            answer.add_done_callback(_has_failed)  # reads the failure also when nobody waits for it any more
            self._answers.pop(key, None)
            self._answers[key] = self._clock_s(), answer
            while len(self._answers) > self._most:
                self._answers.pop(next(iter(self._answers)))
        # One who goes away meanwhile does not end it for the others.
        return await asyncio.shield(answer)


def _has_failed(answer: "asyncio.Future[T]") -> bool:
    return answer.done() and (answer.cancelled() or answer.exception() is not None)
