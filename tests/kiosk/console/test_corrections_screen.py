"""An administrator corrects a word by keyboard, and screens that hang already show it without being loaded again."""

import time

import pytest
from playwright.async_api import Page, expect

from tests.accessible import serious_problems
from tests.kiosk.console.running_desk import Served
from tests.kiosk.console.signed_in import OWN_PASSWORD, ready_login

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
PATIENCE_MS = 30_000
"""No promise: the pages ask within two seconds, and a busy machine is given time."""
OURS, BETTER = "आपका नंबर", "आपका अपना नंबर"


async def opened(page: Page, address: str) -> Page:
    """A page that hangs somewhere, with a mark that loading it again would wipe off."""
    screen = await page.context.new_page()
    await screen.goto(address)
    await expect(screen.locator("body")).to_have_attribute("data-link", "live")
    await screen.evaluate("document.documentElement.dataset.hangs = 'yes'")
    return screen


async def sign_in(page: Page, served: Served, login: str) -> None:
    await page.context.clear_cookies()
    await page.goto(served.address + "/console/login")
    await page.locator("[name=login]").fill(login)
    await page.locator("[name=password]").fill(OWN_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Where do you sit?")).to_be_visible()


async def correct(page: Page, served: Served, key: str, text: str) -> None:
    """By keyboard, from the field of the search to the saved sentence."""
    await page.goto(f"{served.address}/console/words?language=hi&which=all&find={key}")
    await expect(page.locator("article")).to_have_count(1)
    await page.get_by_label("with the text").focus()
    await page.keyboard.press("Control+A")
    await page.keyboard.type(key)
    await page.keyboard.press("Enter")
    article = page.locator(f"[id='{key}']")
    await expect(page.locator("article")).to_have_count(1)
    await article.locator("summary").focus()
    await page.keyboard.press("Enter")
    await expect(article.locator("[name=form0]")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(article.locator("[name=form0]")).to_be_focused()
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text(text)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("Corrected.")
    await expect(article.locator(".tag.on")).to_have_text("corrected")


async def test_a_corrected_word_reaches_what_hangs_and_goes_back(page: Page, served: Served) -> None:
    login = f"admin-{served.hip.lower()}"
    await ready_login(served.services.staff, login, served.hip, "admin", name="Imran")
    place = await served.arrive("Zoona Begum")
    board = await opened(page, f"{served.address}/board/{served.hip}?lang=hi")
    screen = await opened(page, f"{served.address}/kiosk/{served.hip}/M1?lang=hi")
    now_s = int(time.time())
    link = served.services.ticket_links.mint(served.hip, place.ticket, expires_s=now_s + 3600, now_s=now_s)
    phone = await opened(page, f"{served.address}/t/{link}?lang=hi")
    await expect(phone.locator("h1")).to_have_text(OURS)
    await sign_in(page, served, login)
    await correct(page, served, "ticket.title", BETTER)
    await correct(page, served, "board.hint", "अपनी बारी पर काउंटर पर जाएँ।")
    await correct(page, served, "counter_screen.title", "पर्ची यहाँ")
    await expect(phone.locator("h1")).to_have_text(BETTER, timeout=PATIENCE_MS)
    await expect(board.locator(".hint")).to_have_text("अपनी बारी पर काउंटर पर जाएँ।", timeout=PATIENCE_MS)
    await expect(screen.locator("h1")).to_have_text("पर्ची यहाँ", timeout=PATIENCE_MS)
    await expect(phone.locator("#ahead")).to_have_text("0")
    await page.goto(f"{served.address}/console/words?language=hi&which=corrected")
    assert await serious_problems(page) == []
    await page.locator("[id='ticket.title']").get_by_role("button", name="Take it back").press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("Taken back.")
    await expect(page.locator("article")).to_have_count(2)
    await expect(phone.locator("h1")).to_have_text(OURS, timeout=PATIENCE_MS)
    for hanging in (board, screen, phone):
        await expect(hanging.locator("html")).to_have_attribute("data-hangs", "yes")
