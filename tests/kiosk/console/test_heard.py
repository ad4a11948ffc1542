"""The desk shows at once that it heard a key, before the scanner's wait is over, in a real Chromium."""

import asyncio
import time

import pytest
from playwright.async_api import Page, Route, expect

from tests.kiosk.console.keyboards import at_one_moment, scan
from tests.kiosk.console.running_desk import Served, choose_first, press, states_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
HEARD = """
  () => {
    const heard = [...document.querySelectorAll("button.heard")].map((one) => one.dataset.do);
    const now = document.getElementById("now");
    return [now.dataset.heard ?? "", document.getElementById("now-state").textContent, heard.join()];
  }
"""
SCANNER_WAIT_MS = 70
"""Longer than a key waits for a scanner's next one."""
CHANGES = """
  () => {
    window.changes = 0;
    const watcher = new MutationObserver((all) => { window.changes += all.length; });
    watcher.observe(document.getElementById("now"), { subtree: true, childList: true, attributes: true });
  }
"""
FLASHES = """
  () => {
    window.flashes = 0;
    const count = () => { window.flashes += document.getElementById("now").dataset.heard ? 1 : 0; };
    new MutationObserver(count).observe(document.getElementById("now"), { attributeFilter: ["data-heard"] });
  }
"""


@pytest.fixture
async def page(page: Page) -> Page:
    """The desk, with a clock that tests can hold."""
    await page.clock.install(time=time.time())
    return page


async def test_a_key_is_shown_before_the_wait_for_a_scanner_is_over_and_moves_nobody_yet(
    page: Page, served: Served
) -> None:
    for name in ("First", "Second"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    async with at_one_moment(page):
        await page.keyboard.press("s")
        assert await page.evaluate(HEARD) == ["start", "At the counter…", "start"]
        assert await states_of(served) == ["CALLED", "WAITING"]
    await expect(page.locator("#said")).to_have_text("M-001 is at the counter.")
    await expect(page.locator("#now[data-heard], .heard")).to_have_count(0)
    await expect(page.locator("#now-state")).to_have_text("At the counter")
    async with at_one_moment(page):
        await page.keyboard.press("n")
        assert await page.evaluate(HEARD) == ["next", "…", "next"]
        assert await states_of(served) == ["SERVING", "WAITING"]
    await expect(page.locator("#said")).to_have_text("M-002 called to M1.")
    await expect(page.locator("#now-state")).to_have_text("Called")


async def test_what_is_shown_of_a_key_is_not_drawn_anew_when_its_move_is_made(page: Page, served: Served) -> None:
    await served.arrive("First")
    await press(page, "n", "M-001 called to M1.")
    answers = asyncio.Event()

    async def hold(route: Route) -> None:
        await answers.wait()
        await route.continue_()

    await page.route("**/console/desk*", hold)
    await page.route("**/console/desk/start", hold)
    async with at_one_moment(page):
        await page.keyboard.press("s")
        assert await page.evaluate(HEARD) == ["start", "At the counter…", "start"]
        await page.evaluate(CHANGES)
        async with page.expect_request("**/console/desk/start"):
            await page.clock.run_for(SCANNER_WAIT_MS)
        assert await page.evaluate("window.changes") == 0
        answers.set()
    await expect(page.locator("#said")).to_have_text("M-001 is at the counter.")


async def test_what_a_scanner_types_is_not_shown_as_a_move(page: Page, served: Served) -> None:
    await served.arrive("First")
    await press(page, "n", "M-001 called to M1.")
    await page.evaluate(FLASHES)
    async with at_one_moment(page):
        await page.keyboard.press("f")
        await page.keyboard.press("4")
        assert await page.evaluate(HEARD) == ["", "Called", ""], "another key came: it is not known what this is"
        await page.keyboard.type("471-UHID")
        await page.keyboard.press("Enter")
    await expect(page.locator("#said")).to_have_text("This is not an ABHA card or app QR, and not one of our slips.")
    assert await page.evaluate(HEARD) == ["", "Called", ""]
    assert await states_of(served) == ["CALLED"]
    assert await page.evaluate("window.flashes") > 0
    await page.evaluate("window.flashes = 0")
    await scan(page, "f4471-UHID")
    assert await page.evaluate("window.flashes") == 0, "the desk knows that its scans begin with this key"
    await page.reload()
    await expect(page.locator("#now-token")).to_have_text("M-001")
    async with at_one_moment(page):
        await page.keyboard.press("f")
        assert await page.evaluate(HEARD) == ["", "Called", ""]
    await expect(page.locator("#said")).to_have_text("M-001 finished.")


async def test_a_move_that_is_not_made_leaves_the_desk_as_it_is(page: Page, served: Served) -> None:
    place = await served.arrive("First")
    await press(page, "n", "M-001 called to M1.")
    async with at_one_moment(page):
        await page.keyboard.press("n")
        assert await page.evaluate(HEARD) == ["next", "…", "next"]
    await expect(page.locator("#ask-came")).to_be_visible()
    assert await page.evaluate(HEARD) == ["", "Called", ""]
    await page.keyboard.press("Escape")
    for key in ("b", "c", "4"):
        async with at_one_moment(page):
            await page.keyboard.press(key)
            assert await page.evaluate(HEARD) == ["", "Called", ""], key
    assert [one.id for one in await served.desk.tickets(served.hip)] == [place.ticket]
    assert await states_of(served) == ["CALLED"]


async def test_a_key_about_somebody_chosen_is_shown_on_the_button_of_the_list(page: Page, served: Served) -> None:
    for name in ("First", "Second"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    await choose_first(page, "M-002")
    async with at_one_moment(page):
        await page.keyboard.press("h")
        assert await page.evaluate(HEARD) == ["", "Called", "hold"]
        assert await page.locator("#chosen button.heard").count() == 1
    await expect(page.locator("#said")).to_have_text("M-002 on hold; the place is kept.")
    await expect(page.locator(".heard")).to_have_count(0)
