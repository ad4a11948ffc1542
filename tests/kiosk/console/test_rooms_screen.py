"""An administrator goes through the rooms in a real Chromium, by keyboard, and in Urdu from right to left."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from kiosk.console.language import languages
from kiosk.console.rooms import ROOMS
from queueing.models import Queue
from tests.accessible import serious_problems
from tests.kiosk.console.running_desk import Served
from tests.kiosk.console.signed_in import OWN_PASSWORD, ready_login

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture
async def office(chromium: Browser, served: Served) -> AsyncIterator[Page]:
    """Signed in, in the first room; anything that the page complains about fails the test at its end."""
    login = f"admin-{served.hip.lower()}"
    await ready_login(served.services.staff, login, served.hip, "admin", name="Imran")
    context = await chromium.new_context(viewport={"width": 1366, "height": 768})
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if "Content Security" in line.text else None)
    await page.goto(served.address + "/console/login")
    await page.locator("[name=login]").fill(login)
    await page.locator("[name=password]").fill(OWN_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Where do you sit?")).to_be_visible()
    await page.goto(served.address + "/console/admin")
    yield page
    await context.close()
    assert wrong == []


async def test_the_keyboard_goes_through_all_rooms_and_past_their_navigation(office: Page) -> None:
    navigation = office.locator("nav.rooms > ul").first
    for number, room in enumerate(ROOMS):
        link = navigation.get_by_role("link").nth(number)
        await expect(link).to_have_text(room.title)
        await link.focus()
        assert await link.evaluate("(one) => getComputedStyle(one).outlineStyle !== 'none'")
        await office.keyboard.press("Enter")
        await office.wait_for_url(f"**{room.leaves[0].path}")
        await expect(navigation.locator("[aria-current]")).to_have_text(room.title)
    past = office.locator("a.skip")
    await past.focus()
    await office.keyboard.press("Enter")
    await office.keyboard.press("Tab")
    assert await office.evaluate("document.querySelector('main').contains(document.activeElement)")


async def test_buttons_of_a_row_stay_apart_where_a_long_name_takes_the_room(office: Page, served: Served) -> None:
    name = "Gynaecology and Obstetrics including antenatal clinic and family planning"
    await office.goto(served.address + "/console/admin/rooms/queues")
    await expect(office.locator("#queue .tag", has_text="no counter")).to_have_count(0)
    queue = Queue(id="gynaecology-and-obstetrics-in", name=name, prefix="GYN")
    await served.services.registry.put_queue(served.hip, queue)
    for width in (1366, 1024):
        await office.set_viewport_size({"width": width, "height": 768})
        await office.goto(served.address + "/console/admin/rooms/queues")
        await expect(office.get_by_role("cell", name=name)).to_contain_text("no counter")
        await expect(office.get_by_text("Nobody calls from this queue yet")).to_be_visible()
        assert await serious_problems(office) == []


async def test_the_rooms_in_urdu_stand_at_the_right(office: Page, served: Served) -> None:
    """``test_admin_languages.py`` looks at every page of them."""
    await office.locator("details.menu > summary").click()
    await office.get_by_role("button", name="اردو").click()
    await office.goto(served.address + "/console/admin")
    await expect(office.locator("html")).to_have_attribute("dir", "rtl")
    urdu = languages()["ur"].texts
    await expect(office.locator("nav.rooms > ul").first.get_by_role("link").nth(4)).to_have_text(urdu["Rules"])
    beside = await office.evaluate(
        "document.querySelector('nav.rooms').getBoundingClientRect().left >"
        " document.querySelector('main').getBoundingClientRect().left"
    )
    assert beside, "the navigation stands at the right"


async def test_a_rule_is_tried_on_today_saved_and_taken_back_by_keyboard(office: Page, served: Served) -> None:
    await served.arrive("Zoona")
    await office.goto(served.address + "/console/admin/rooms/rules")
    poster = office.locator("#poster")
    await poster.focus()
    await poster.select_option("EXPECT")
    look = office.get_by_role("button", name="What would they do today?")
    await look.focus()
    await office.keyboard.press("Enter")
    await expect(office.locator("#poster-effect")).to_have_text(
        "With this rule 1 of today's 1 would have waited for check-in."
    )
    await expect(poster).to_have_value("EXPECT")
    await expect(office.locator(".last-change")).to_have_count(0)
    await office.get_by_role("button", name="Save rules").focus()
    await office.keyboard.press("Enter")
    await expect(office.get_by_text("Rules saved.")).to_be_visible()
    change = office.locator(".last-change")
    await expect(change).to_contain_text("before: take a place at once")
    assert await serious_problems(office) == []
    await change.get_by_role("button").focus()
    await office.keyboard.press("Enter")
    await expect(office.get_by_text("Taken back: what was set before is set again.")).to_be_visible()
    await expect(poster).to_have_value("TAKE")
    await expect(office.locator("#poster-effect")).to_have_text("With this rule 1 of today's 1 take a place at once.")
