"""A patient's ticket page in a real Chromium: without a network, ringing in time, giving the place up."""

import pytest
from playwright.async_api import Browser, Page, expect

from kiosk.locales import BOOK
from queueing.models import State
from tests.accessible import serious_problems
from tests.kiosk.displays.pages import PHONE, opened
from tests.kiosk.hospital import HIP, Hospital

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

KEPT = "async () => (await (await caches.open('kiosk-pages')).keys()).map((one) => new URL(one.url).pathname)"


async def live(page: Page) -> None:
    await expect(page.locator("body")).to_have_attribute("data-link", "live")


async def test_without_a_network_the_page_opens_as_it_was_seen_last_and_says_when(
    served: Hospital, plain_browser: Browser
) -> None:
    *_, mine = await served.arrive(patients=3)
    link = served.ticket_link(mine)
    context = await plain_browser.new_context(viewport=PHONE)
    page = await context.new_page()
    await page.goto(f"{served.url}{link}?lang=en")
    await live(page)
    await page.wait_for_function(f"async () => (await ({KEPT})()).length === 1")
    await served.call("M1")
    await expect(page.locator("#ahead")).to_have_text("1")
    await context.set_offline(True)
    await page.reload()
    await expect(page.locator(".slip .token")).to_have_text("M-003")
    await expect(page.locator("#ahead")).to_have_text("1")
    await expect(page.locator("#old")).to_contain_text("No news since")
    assert await page.evaluate("getComputedStyle(document.querySelector('.slip')).borderTopStyle") == "solid"
    await context.set_offline(False)
    await live(page)
    await expect(page.locator("#old")).to_be_hidden()
    await page.goto(f"{served.url}/find/{HIP}")
    await page.goto(f"{served.url}{link}/now")
    assert await page.evaluate(KEPT) == [link], "no other page is kept"
    await context.close()


@pytest.mark.parametrize(("language", "whole"), [("en", set()), ("ur", {"noto-nastaliq-urdu-400.woff2"})])
async def test_a_page_fetches_the_whole_font_of_its_own_language_only(
    served: Hospital, plain_browser: Browser, language: str, whole: set[str]
) -> None:
    """The names of the other languages stand in small files of their own."""
    (mine,) = await served.arrive(patients=1)
    context = await plain_browser.new_context(viewport=PHONE)
    page = await context.new_page()
    fetched: set[str] = set()
    page.on("request", lambda request: fetched.add(request.url.rpartition("/")[2]))
    await page.goto(f"{served.url}{served.ticket_link(mine)}?lang={language}")
    await live(page)
    await page.wait_for_function("() => document.fonts.status === 'loaded'")
    fonts = {name for name in fetched if name.endswith(".woff2") and not name.startswith("noto-sans-400")}
    small = {name for name in fonts if name.startswith("language-names-")}
    assert len(small) == 3
    assert fonts - small - {"noto-sans-700.woff2"} == whole
    await context.close()


async def test_the_phone_rings_before_the_call_as_chosen_and_goes_on_after_a_reload(
    served: Hospital, plain_browser: Browser
) -> None:
    *_, mine = await served.arrive(patients=5)
    async with opened(plain_browser, f"{served.url}{served.ticket_link(mine)}?lang=en", PHONE) as page:
        body = page.locator("body")
        await live(page)
        await page.select_option("#near", "2")
        await expect(page.locator("#ring")).to_have_attribute("aria-pressed", "true")
        await expect(page.locator("#ring-note")).to_be_visible()
        await served.call("M1")
        await expect(page.locator("#ahead")).to_have_text("3")
        assert await body.get_attribute("data-warnings") == "0"
        await served.call("M2")
        await expect(body).to_have_attribute("data-warnings", "1")
        await expect(page.locator("#do")).to_have_text(BOOK["en"].say("ticket.near_do"))
        await page.reload()
        await live(page)
        await expect(page.locator("#ring")).to_have_attribute("aria-pressed", "true")
        await expect(page.locator("#near")).to_have_value("2")
        await served.call("M3")
        await expect(page.locator("#ahead")).to_have_text("1")
        assert await body.get_attribute("data-warnings") == "0", "it rings once for one choice"
        await served.call("ROOM17")
        await served.call("M1")
        await expect(body).to_have_attribute("data-alarms", "1")
        await page.locator("#ring").click()
        await expect(page.locator("#ring")).to_have_attribute("aria-pressed", "false")
        await expect(page.locator("#ring-note")).to_be_hidden()


async def test_a_browser_without_wake_lock_says_that_the_screen_must_stay_on(
    served: Hospital, plain_browser: Browser
) -> None:
    [mine] = await served.arrive()
    context = await plain_browser.new_context(viewport=PHONE)
    await context.add_init_script("Object.defineProperty(Navigator.prototype, 'wakeLock', { value: undefined })")
    page = await context.new_page()
    await page.goto(f"{served.url}{served.ticket_link(mine)}?lang=en")
    await live(page)
    await page.locator("#ring").click()
    await expect(page.locator("#ring-note")).to_have_text(BOOK["en"].say("ticket.ring_screen"))
    await context.close()


async def test_a_place_is_given_up_with_a_second_tap(served: Hospital, plain_browser: Browser) -> None:
    mine, other = await served.arrive(patients=2)
    async with opened(plain_browser, f"{served.url}{served.ticket_link(mine)}?lang=en", PHONE) as page:
        await live(page)
        button = page.get_by_role("button", name="Yes, give up M-001")
        await expect(button).to_be_hidden()
        await page.locator("#cancel summary").click()
        assert await serious_problems(page) == []
        await button.click()
        await expect(page.locator("#state")).to_have_text(BOOK["en"].say("ticket.cancelled"))
        await expect(page.locator("#cancel")).to_be_hidden()
    states = {one.id: one.state for one in await served.services.desk.these(HIP, [mine.ticket, other.ticket])}
    assert states == {mine.ticket: State.CANCELLED, other.ticket: State.WAITING}
