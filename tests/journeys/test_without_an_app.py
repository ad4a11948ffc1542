"""People without an ABHA app and people without a phone get numbers in the same queue."""

import pytest
from playwright.async_api import Browser, expect

from kiosk.locales import BOOK, ENGLISH
from tests.journeys.running_hospital import Hospital
from tests.journeys.screens import PHONE, Desk, Phone, look_at_kiosk

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
say = ENGLISH.say

NAME = "رخسانہ اختر"
URDU = BOOK["ur"]


async def test_a_walk_in_is_registered_by_keyboard_alone_and_stands_in_the_same_queue(
    browser: Browser, hospital: Hospital
) -> None:
    desk = await Desk.opened(browser, hospital, await hospital.staff("asha"))
    await hospital.scan(hospital.deployment.patient(), hospital.poster("M1"))
    keyboard = desk.page.keyboard
    await expect(desk.row("M-001")).to_be_visible()
    await keyboard.press("w")
    await expect(desk.page.locator("#walk [name=name]")).to_be_focused()
    await keyboard.type("Noor Jahan")
    await keyboard.press("Tab")
    await keyboard.type("34")
    await keyboard.press("Tab")
    await keyboard.press("Space")
    await keyboard.press("Enter")
    await expect(desk.page.locator("#walk-token")).to_have_text("M-002")
    await keyboard.press("Enter")
    phone = await Phone.opened(browser, await desk.read_paper())
    await keyboard.press("Escape")

    row = desk.row("M-002")
    await expect(row).to_contain_text("Noor Jahan")
    await expect(row.locator(".age")).to_have_text("34 F")
    await expect(phone.token).to_have_text("M-002")
    await phone.shows("waiting")
    await expect(phone.page.locator("#ahead")).to_have_text("1")
    await desk.next("M-001")
    await expect(phone.page.locator("#ahead")).to_have_text("0")
    await desk.next("M-002")
    await phone.shows("called", say("ticket.called", counter="M1"))


async def test_a_phone_without_an_app_takes_one_number_in_urdu_however_often_it_asks(
    browser: Browser, hospital: Hospital
) -> None:
    screen = await look_at_kiosk(browser, hospital)
    phone = await Phone.opened(browser, screen.camera, locale="ur-IN")
    page = phone.page
    await expect(page.locator("html")).to_have_attribute("dir", "rtl")
    await expect(page.get_by_role("heading", level=1)).to_have_text(URDU.say("form.title"))
    await fits(phone)
    await page.get_by_role("button").tap()
    await expect(page.locator(".fault").first).to_be_visible()
    await fits(phone)

    await page.locator("#name").fill(NAME)
    await page.locator("#age").fill("۴۵")
    await page.locator("[name=gender][value=F]").check()
    await page.locator("[name=consent]").check()
    await page.get_by_role("button").tap()
    await expect(phone.token).to_have_text("M-001")
    assert "/t/" in page.url
    assert NAME not in await page.content()
    await expect(page.locator("html")).to_have_attribute("lang", "ur")
    await phone.shows("waiting")
    await fits(phone)

    await page.go_back()
    await page.get_by_role("button").dblclick()
    await expect(phone.token).to_have_text("M-001")
    assert (await hospital.scan(hospital.deployment.patient(), hospital.poster("M1"))).token == "M-002"
    desk = await Desk.opened(browser, hospital, await hospital.staff("asha"))
    await expect(desk.row("M-001")).to_contain_text(NAME)
    await desk.next("M-001")
    await phone.shows("called", URDU.say("ticket.called", counter="M1"))


async def fits(phone: Phone) -> None:
    """Check that a narrow phone need not scroll sideways."""
    widest = await phone.page.evaluate("document.documentElement.scrollWidth")
    assert widest <= PHONE["width"]
