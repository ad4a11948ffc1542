"""Answers that many ask for at once are read once, given again for some seconds, and never a failure."""

import asyncio

import pytest

from kiosk import recent_answers
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


async def test_many_who_ask_at_once_get_one_reading() -> None:
    archive, recent = Archive(), RecentAnswers[int]()
    assert await asyncio.gather(*(recent.get("page", archive.read) for _ in range(20))) == [1] * 20
    assert await recent.get("page", archive.read) == 1
    assert await recent.get("other page", archive.read) == 2


async def test_an_answer_is_read_again_after_its_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    archive, recent = Archive(), RecentAnswers[int]()
    await recent.get("page", archive.read)
    monkeypatch.setattr(recent_answers, "GOOD_FOR_S", 0.0)
    await asyncio.sleep(0.001)
    assert await recent.get("page", archive.read) == 2


async def test_a_failure_is_told_to_all_who_wait_and_to_nobody_after_them() -> None:
    archive, recent = Archive(), RecentAnswers[int]()
    archive.is_away = True
    failures = await asyncio.gather(*(recent.get("page", archive.read) for _ in range(3)), return_exceptions=True)
    assert [type(failure) for failure in failures] == [OSError] * 3
    archive.is_away = False
    assert await recent.get("page", archive.read) == 2


async def test_one_who_goes_away_does_not_end_it_for_the_others() -> None:
    archive, recent = Archive(), RecentAnswers[int]()
    first = asyncio.create_task(recent.get("page", archive.read))
    second = asyncio.create_task(recent.get("page", archive.read))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1


async def test_only_so_many_answers_are_stored() -> None:
    archive, recent = Archive(), RecentAnswers[int](most=2)
    for page in ("a", "b", "c"):
        await recent.get(page, archive.read)
    assert await recent.get("c", archive.read) == 3
    assert await recent.get("a", archive.read) == 4, "the oldest was dropped"
