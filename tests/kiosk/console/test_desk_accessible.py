"""The desk for a clerk with a screen reader, or with the page at 200 %: axe in each state, and nothing over Next."""

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.accessible import problems_in_any_light
from tests.kiosk.console.running_desk import Served, press

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
OVERLAPPED = """(move) => {
  const [one, other] = [move, document.getElementById("toast")].map((each) => each.getBoundingClientRect());
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}"""
ZOOMED: ViewportSize = {"width": 683, "height": 384}
"""What a screen of 1366 x 768 pixels shows of a page at 200 %."""


async def test_axe_finds_nothing_serious_in_any_state_of_the_desk(page: Page, served: Served) -> None:
    assert await problems_in_any_light(page) == [], "nobody waits"
    for name in ("First", "Second", "Third"):
        await served.arrive(name)
    await expect(page.locator("#list [role=option]")).to_have_count(3)
    assert await problems_in_any_light(page) == [], "people wait"
    await press(page, "n", "M-001 called to M1.")
    assert await problems_in_any_light(page) == [], "somebody is called"
    await page.keyboard.press("n")
    await expect(page.locator("#ask-came")).to_be_visible()
    assert await problems_in_any_light(page) == [], "did the called patient come"
    await page.keyboard.press("Escape")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#chosen")).to_be_visible()
    assert await problems_in_any_light(page) == [], "one is selected"
    for key, dialog in (("v", "#view"), ("t", "#ask-choice"), ("Delete", "#ask-sure"), ("?", "#help"), ("w", "#walk")):
        await page.keyboard.press(key)
        await expect(page.locator(dialog)).to_be_visible()
        assert await problems_in_any_light(page) == [], dialog
        await page.keyboard.press("Escape")
        await expect(page.locator(dialog)).to_be_hidden()


async def test_at_200_percent_the_toast_lies_over_none_of_the_moves(page: Page, served: Served) -> None:
    await page.set_viewport_size(ZOOMED)
    await served.arrive("First")
    await expect(page.locator("#list [role=option]")).to_have_count(1)
    await press(page, "n", "M-001 called to M1.")
    await expect(page.locator("#toast")).to_be_visible()
    moves = page.locator("#now .keys button")
    assert await moves.count() >= 9
    for at in range(await moves.count()):
        await page.evaluate("scrollTo(0, 0)")
        await moves.nth(at).focus()
        assert not await moves.nth(at).evaluate(OVERLAPPED), await moves.nth(at).inner_text()
        await expect(page.locator("#toast")).to_be_visible()
