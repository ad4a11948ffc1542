"""Answers of the archive that many ask for at once: read once, and given again for some seconds."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

GOOD_FOR_S: Final = 10.0
"""The archive itself is some seconds behind, and a page of months does not change visibly in ten."""
ANSWERS_MAX: Final = 32
"""Pages that some officials look at together. An answer is some 200 kB."""


class RecentAnswers(Generic[T]):
    """Key -> answer. A failure is not given again."""

    def __init__(self, most: int = ANSWERS_MAX) -> None:
        self._most = most
        self._answers: dict[Hashable, tuple[float, asyncio.Future[T]]] = {}

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to this key, of the last seconds or new. Raises what ``ask`` raises."""
        found = self._answers.get(key)
        if found is None or time.monotonic() - found[0] > GOOD_FOR_S:
            self._answers.pop(key, None)
            found = time.monotonic(), asyncio.ensure_future(ask())
            self._answers[key] = found
            while len(self._answers) > self._most:
                self._answers.pop(next(iter(self._answers)))
        try:
            # One who goes away meanwhile does not end it for the others.
            return await asyncio.shield(found[1])
        finally:
            answer = found[1]
            if answer.done() and (answer.cancelled() or answer.exception()) and self._answers.get(key) == found:
                del self._answers[key]
