"""axe-core finds nothing serious on the desk in each of its states, nor on any other staff page."""

import pytest
from playwright.async_api import Page, expect

from tests.accessible import serious_problems
from tests.kiosk.console.running_desk import Served, press
from tests.kiosk.console.signed_in import OWN_PASSWORD, ready_login

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
OPENED_BY = {
    "n": "#ask-came",
    "Delete": "#ask-sure",
    "v": "#view",
    "?": "#help",
    "t": "#ask-choice",
    "p": "#ask-choice",
    "w": "#walk",
}
ADMIN_PAGES = (
    "/console", "/console/account", "/console/admin", "/console/admin/screens", "/console/audit",
    "/console/connection", "/console/password",
)  # fmt: skip


async def test_the_desk_in_each_state(page: Page, served: Served) -> None:
    assert await serious_problems(page) == [], "nobody waits"
    for name in ("First", "Second", "Third"):
        await served.arrive(name)
    await expect(page.locator("#list [role=option]")).to_have_count(3)
    await press(page, "n", "M-001 called to M1.")
    await expect(page.locator("#list [role=option]")).to_have_count(2)
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[aria-selected=true] .token")).to_have_text("M-002")
    assert await serious_problems(page) == [], "one is called, one is chosen"
    for key, dialog in OPENED_BY.items():
        await page.keyboard.press(key)
        await expect(page.locator(dialog)).to_be_visible()
        assert await serious_problems(page) == [], key
        await page.keyboard.press("Escape")
        await expect(page.locator(dialog)).to_be_hidden()


async def test_the_other_staff_pages(page: Page, served: Served) -> None:
    await ready_login(served.services.staff, f"admin-{served.hip.lower()}", served.hip, "admin", name="Imran")
    await page.context.clear_cookies()
    await page.goto(served.address + "/console/login")
    assert await serious_problems(page) == []
    await page.locator("[name=login]").fill(f"admin-{served.hip.lower()}")
    await page.locator("[name=password]").fill(OWN_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Where do you sit?")).to_be_visible()
    for path in ADMIN_PAGES:
        answer = await page.goto(served.address + path)
        assert answer is not None
        assert answer.ok, path
        assert await serious_problems(page) == [], path


async def test_at_twice_the_size_the_message_covers_no_move(page: Page, served: Served) -> None:
    await served.arrive("First")
    await page.set_viewport_size({"width": 683, "height": 384})
    await press(page, "n", "M-001 called to M1.")
    toast = await page.locator("#toast").bounding_box()
    assert toast
    for move in await page.locator("#now button:visible").all():
        box = await move.bounding_box()
        assert box
        assert box["y"] >= toast["y"] + toast["height"], await move.inner_text()


async def test_no_two_buttons_of_a_page_have_one_name(page: Page, served: Served) -> None:
    login = f"admin-{served.hip.lower()}"
    await ready_login(served.services.staff, login, served.hip, "admin", name="Imran")
    await page.context.clear_cookies()
    await page.goto(served.address + "/console/login")
    await page.locator("[name=login]").fill(login)
    await page.locator("[name=password]").fill(OWN_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Where do you sit?")).to_be_visible()
    await page.goto(served.address + "/console/admin")
    names = [name.replace("\n", " ") for name in await page.locator("table button").all_inner_texts()]
    assert len(names) > 4
    assert sorted(names) == sorted(set(names))
