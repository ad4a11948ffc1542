"""Scanners that are nearly as slow as a person: none of their keys moves anybody."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, Request, expect

from tests.kiosk.console.keyboards import at_one_moment
from tests.kiosk.console.running_desk import Served, press, states_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
OTHER = "This is not an ABHA card or app QR, and not one of our slips."


@pytest.fixture
async def page(page: Page) -> Page:
    """The desk, with a clock that tests can hold."""
    await page.clock.install(time=time.time())
    return page


async def test_a_slow_scanner_that_lets_each_key_go_before_the_next_moves_nobody(page: Page, served: Served) -> None:
    for name in ("First", "Second"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    for first in ("s", "f", "x", "h"):
        async with counting_moves(page) as moves:
            await type_slowly(page, f"{first}4471-UHID", held_ms=23, apart_ms=46)
            await expect(page.locator("#said"), first).to_have_text(OTHER)
        assert moves == []
    assert await states_of(served) == ["CALLED", "WAITING"]


async def test_a_scanner_that_holds_each_key_until_the_next_moves_nobody(page: Page, served: Served) -> None:
    for name in ("First", "Second"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    for first in ("s", "f", "x", "h"):
        await page.evaluate("document.getElementById('said').textContent = ''")
        async with counting_moves(page) as moves:
            await type_slowly(page, f"{first}4471-UHID", held_ms=45, apart_ms=45)
            await expect(page.locator("#said"), first).to_have_text(OTHER)
        assert moves == [], first
    assert await states_of(served) == ["CALLED", "WAITING"]


@asynccontextmanager
async def counting_moves(page: Page) -> AsyncIterator[list[str]]:
    """Names of the moves that the desk asks for meanwhile; every scan asks what it was, which is none."""
    moves: list[str] = []

    def count(request: Request) -> None:
        if request.method == "POST" and "/console/desk/" in request.url:
            moves.append(request.url.rsplit("/", 1)[1])

    page.on("request", count)
    yield moves
    page.remove_listener("request", count)


async def type_slowly(page: Page, text: str, *, held_ms: int, apart_ms: int) -> None:
    """Press a key each ``apart_ms`` and hold it for ``held_ms``."""
    async with at_one_moment(page):
        for character in text:
            await page.keyboard.down(character)
            await page.clock.run_for(held_ms)
            await page.keyboard.up(character)
            await page.clock.run_for(apart_ms - held_ms)
        await page.keyboard.press("Enter")
