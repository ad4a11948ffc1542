"""Check-in by a finger on the counter's screen, in a real Chromium."""

import uuid

import pytest
from playwright.async_api import Browser, Page, expect

from kiosk.locales import BOOK
from queueing.models import Place
from tests.accessible import serious_problems
from tests.kiosk.displays.pages import TELEVISION, UPRIGHT
from tests.kiosk.hospital import HIP, Hospital
from tests.kiosk.phone.test_arrive import OLD_POSTER
from tests.kiosk.phone.test_find import ZOONI
from tests.kiosk.share_builders import scan_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SAY = BOOK["en"].say


async def from_home(hospital: Hospital) -> Place:
    return await hospital.services.check_in.scanned(scan_of(ZOONI, str(uuid.uuid4()), facility=HIP, context=OLD_POSTER))


async def screen(hospital: Hospital, browser: Browser, *, touch: bool = True, upright: bool = False) -> Page:
    size = UPRIGHT if upright else TELEVISION
    context = await browser.new_context(viewport=size, has_touch=touch)
    page = await context.new_page()
    await page.goto(f"{hospital.url}/kiosk/{HIP}/M1?lang=en")
    await expect(page.locator("body")).to_have_attribute("data-link", "live")
    return page


async def type_digits(page: Page, digits: str) -> None:
    for digit in digits:
        await page.locator(".check-in .key", has_text=digit).tap()


@pytest.mark.parametrize("upright", [False, True], ids=["across", "upright"])
async def test_a_number_from_home_is_touched_and_stands_in_the_queue(
    served: Hospital, kiosk_browser: Browser, upright: bool
) -> None:
    place = await from_home(served)
    page = await screen(served, kiosk_browser, upright=upright)
    await page.locator("#check-in-open").tap()
    await page.locator("#check-in-numbers .token", has_text=place.token).tap()
    assert await serious_problems(page) == []
    await type_digits(page, "1962")
    await expect(page.locator("#check-in-words")).to_have_text(SAY("find.not_found"))
    await type_digits(page, "1961")
    await expect(page.locator("#check-in-words")).to_have_text(SAY("counter_screen.checked_in"))
    await expect(page.locator("#home")).to_be_hidden()
    await expect(page.locator("#waiting")).to_have_text("1")
    await page.locator("#check-in-close").tap()
    await expect(page.locator("#check-in")).to_be_hidden()


async def test_a_number_that_somebody_began_with_is_not_left_on_the_screen(
    served: Hospital, kiosk_browser: Browser
) -> None:
    await from_home(served)
    page = await screen(served, kiosk_browser)
    await page.clock.install()
    await page.locator("#check-in-open").tap()
    await page.locator("#check-in-numbers .token").tap()
    await type_digits(page, "19")
    await expect(page.locator("#check-in-typed")).to_have_text("● ● ○ ○")
    await page.clock.run_for(31_000)
    await expect(page.locator("#check-in")).to_be_hidden()
    await page.locator("#check-in-open").tap()
    await expect(page.locator("#check-in-digits")).to_be_hidden()


async def test_a_screen_that_cannot_be_touched_or_is_not_paired_offers_only_the_code(
    served: Hospital, kiosk_browser: Browser
) -> None:
    await from_home(served)
    no_touch = await screen(served, kiosk_browser, touch=False)
    await served.services.registry.set_networks(HIP, [])
    not_paired = await screen(served, kiosk_browser)
    for page in (not_paired, no_touch):
        await expect(page.locator("#check-in-open")).to_be_hidden()
        await expect(page.locator("#home-how")).to_have_text(SAY("counter_screen.home_how"))
