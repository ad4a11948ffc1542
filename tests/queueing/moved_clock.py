"""A clock of the store that a test can move. The functions read TIME from it, and callers use it too."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from queueing import library
from queueing.desk import OpdDesk
from queueing.store.store import Store

_SHIFT = "{clock of a test}"
_TIME = "local time = redis.call('TIME')"
_CACHED = (library._body, library.version, library.function_name, library._called, library.source)


class MovedClock:
    """``move`` sets how far the clock is ahead of the right time; 0 sets it right."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._shift_s = 0

    async def move(self, *, days: int = 0, minutes: int = 0, seconds: int = 0) -> None:
        self._shift_s = days * 86_400 + minutes * 60 + seconds
        await self._store.call(_SHIFT, "SET", _SHIFT, self._shift_s)

    async def set_to(self, moment: datetime) -> None:
        """The clock shows this moment, and goes on."""
        await self.move(seconds=round(moment.timestamp() - time.time()))

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._shift_s * 1000

    def desk(self, **options: Any) -> OpdDesk:
        """A desk with the default rate, unless a test gives another."""
        return OpdDesk(self._store, now_ms=self.now_ms, **options)


@contextmanager
def moved_clock(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[MovedClock]:
    """While the context is open, the store has a library of functions whose clock can be moved."""
    read = library._read
    moved = f"{_TIME}\n  time[1] = time[1] + (redis.call('GET', '{_SHIFT}') or 0)"

    def read_moved(*parts: str) -> str:
        return read(*parts).replace(_TIME, moved)

    assert _TIME in read("shared", "clock.lua"), "the functions read their clock elsewhere now"
    monkeypatch.setattr(library, "_read", read_moved)
    for function in _CACHED:
        function.cache_clear()
    yield MovedClock(store)
    monkeypatch.undo()
    for function in _CACHED:
        function.cache_clear()
