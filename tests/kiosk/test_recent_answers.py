"""Answers that many ask for at once are read once, given again for some seconds, and never a failure."""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest

from kiosk.recent_answers import RecentAnswers

pytestmark = pytest.mark.anyio


class Archive:
    """Counts how often it was read."""

    def __init__(self) -> None:
        self.reads = 0
        self.is_away = False

    async def read(self) -> int:
        self.reads += 1
        await asyncio.sleep(0.01)
        if self.is_away:
            raise OSError
        return self.reads


def recent_answers(most: int = 32, clock_s: Callable[[], float] = lambda: 0.0) -> RecentAnswers[int]:
    return RecentAnswers(good_for_s=10.0, most=most, clock_s=clock_s)


async def test_many_who_ask_at_once_get_one_reading() -> None:
    archive, recent = Archive(), recent_answers()
    assert await asyncio.gather(*(recent.get("page", archive.read) for _ in range(20))) == [1] * 20
    assert await recent.get("page", archive.read) == 1
    assert await recent.get("other page", archive.read) == 2


async def test_an_answer_is_read_again_after_its_seconds() -> None:
    now_s = [0.0]
    archive, recent = Archive(), recent_answers(clock_s=lambda: now_s[0])
    await recent.get("page", archive.read)
    now_s[0] = 10.0
    assert await recent.get("page", archive.read) == 1
    now_s[0] = 10.1
    assert await recent.get("page", archive.read) == 2


async def test_a_failure_is_told_to_all_who_wait_and_to_nobody_after_them() -> None:
    archive, recent = Archive(), recent_answers()
    archive.is_away = True
    failures = await asyncio.gather(*(recent.get("page", archive.read) for _ in range(3)), return_exceptions=True)
    assert [type(failure) for failure in failures] == [OSError] * 3
    archive.is_away = False
    assert await recent.get("page", archive.read) == 2


async def test_one_who_goes_away_does_not_end_it_for_the_others() -> None:
    archive, recent = Archive(), recent_answers()
    first = asyncio.create_task(recent.get("page", archive.read))
    second = asyncio.create_task(recent.get("page", archive.read))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1


async def test_a_failure_that_nobody_waits_for_any_more_is_no_error_of_the_loop() -> None:
    archive, recent = Archive(), recent_answers()
    archive.is_away = True
    errors: list[dict[str, Any]] = []
    tasks = asyncio.all_tasks()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    waiting = asyncio.create_task(recent.get("page", archive.read))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    (reading,) = asyncio.all_tasks() - tasks
    await asyncio.wait({reading})
    del recent, waiting, reading
    gc.collect()
    assert errors == []


async def test_only_so_many_answers_are_stored() -> None:
    archive, recent = Archive(), recent_answers(most=2)
    for page in ("a", "b", "c"):
        await recent.get(page, archive.read)
    assert await recent.get("c", archive.read) == 3
    assert await recent.get("a", archive.read) == 4, "the oldest was dropped"
