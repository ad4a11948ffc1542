"""Every page of patients and of the hall in every language: axe, nothing outside its box, all reached by keyboard."""

from collections.abc import Sequence

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from kiosk.locales import LANGUAGES
from queueing.models import Queue
from tests.accessible import serious_problems
from tests.kiosk.displays.pages import TELEVISION, opened
from tests.kiosk.displays.test_nothing_is_cut import LONG_NAMES, OVERLAPPING, outside
from tests.kiosk.hospital import HIP, MEDICINE, Hospital
from tests.reading_order import backwards

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
PHONES = [ViewportSize(width=320, height=640), ViewportSize(width=412, height=915)]
REACHED = """() => {
  const may = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")].filter((one) =>
    one.type !== "hidden" && one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }));
  globalThis.left = new Set(may);
  document.addEventListener("focusin", ({ target }) => {
    for (const one of may) if (one === target || (one.type === "radio" && one.name === target.name)) left.delete(one);
  });
  return may.length;
}"""
"""Notes what somebody with a mouse may use, and takes off the list what Tab reaches; arrows go through radios."""


LOOKS_EVERY = 8
"""A look at what is left costs as much as a press of the key."""


async def not_reached(page: Page) -> list[str]:
    """What the key Tab does not reach. Ends when everything is reached, or after two rounds through the page."""
    for pressed in range(2 * await page.evaluate(REACHED) + 5):
        await page.keyboard.press("Tab")
        if pressed % LOOKS_EVERY == 0 and not await page.evaluate("globalThis.left.size"):
            return []
    found: list[str] = await page.evaluate("[...globalThis.left].map((one) => one.outerHTML.slice(0, 120))")
    return found


async def phone_pages(hospital: Hospital) -> list[str]:
    """Addresses of a patient's pages: two states of a ticket, the form, the search, the first page, a wrong link."""
    await hospital.services.registry.put_queue(HIP, Queue(id=MEDICINE, name=LONG_NAMES[0], prefix="M"), 3)
    places = await hospital.arrive(patients=2)
    await hospital.call("M1")
    tickets = [hospital.ticket_link(place) for place in places]
    return [*tickets, hospital.camera_link(), f"/find/{HIP}", f"/?facility={HIP}&", "/t/forged"]


def in_language(path: str, code: str) -> str:
    return f"{path}lang={code}" if path.endswith("&") else f"{path}?lang={code}"


async def walk_phones(hospital: Hospital, browser: Browser, codes: Sequence[str]) -> list[str]:
    wrong = []
    async with opened(browser, hospital.url, PHONES[0]) as page:
        for path in await phone_pages(hospital):
            for code in codes:
                await page.goto(hospital.url + in_language(path, code))
                found = [f"axe: {one}" for one in await serious_problems(page)]
                for size in PHONES:
                    await page.set_viewport_size(size)
                    found += await outside(page) + await page.evaluate(OVERLAPPING) + await backwards(page)
                wrong += [f"{path[:6]} {code} {one}" for one in found]
            wrong += [f"{path[:6]} by keyboard: {one}" for one in await not_reached(page)]
    return wrong


async def walk_screens(hospital: Hospital, browser: Browser, codes: Sequence[str]) -> list[str]:
    await phone_pages(hospital)
    wrong = []
    async with opened(browser, hospital.url, TELEVISION) as page:
        for path in (f"/board/{HIP}", f"/kiosk/{HIP}/M1", "/screen"):
            for code in codes:
                await page.goto(f"{hospital.url}{path}?lang={code}")
                await expect(page.locator("h1").first).to_be_visible()
                found = await serious_problems(page) + await backwards(page)
                wrong += [f"{path} {code} {one}" for one in found]
            wrong += [f"{path} by keyboard: {one}" for one in await not_reached(page)]
    return wrong


async def test_pages_in_urdu_are_accessible_and_whole(served: Hospital, kiosk_browser: Browser) -> None:
    assert await walk_phones(served, kiosk_browser, ("ur",)) == []
    assert await walk_screens(served, kiosk_browser, ("ur",)) == []


async def test_a_button_that_only_a_mouse_reaches_is_found(chromium: Browser) -> None:
    page = await chromium.new_page()
    buttons = "".join(f"<button>{number}</button>" for number in range(LOOKS_EVERY + 2))
    await page.set_content(f"{buttons}<p inert><button>cut off</button></p>")
    assert await not_reached(page) == ["<button>cut off</button>"]


@pytest.mark.proof
async def test_pages_in_every_language_are_accessible_and_whole(served: Hospital, kiosk_browser: Browser) -> None:
    assert await walk_phones(served, kiosk_browser, LANGUAGES) == []
    assert await walk_screens(served, kiosk_browser, LANGUAGES) == []
