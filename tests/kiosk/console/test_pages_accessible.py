"""Staff pages beside the desk for somebody with a screen reader: axe, and names of buttons."""

import pytest
from playwright.async_api import Page, expect

from kiosk.console.rooms import ROOMS
from tests.accessible import problems_in_any_light
from tests.kiosk.console.running_desk import Served
from tests.kiosk.console.signed_in import OWN_PASSWORD, ready_login

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
ADMIN_PAGES = (
    "/console", "/console/account", "/console/password", "/console/admin/queues/medicine",
    *(leaf.path for room in ROOMS for leaf in room.leaves),
)  # fmt: skip


async def test_the_other_staff_pages(page: Page, served: Served) -> None:
    await ready_login(served.services.staff, f"admin-{served.hip.lower()}", served.hip, "admin", name="Imran")
    await page.context.clear_cookies()
    await page.goto(served.address + "/console/login")
    assert await problems_in_any_light(page) == []
    await page.locator("[name=login]").fill(f"admin-{served.hip.lower()}")
    await page.locator("[name=password]").fill(OWN_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Where do you sit?")).to_be_visible()
    for path in ADMIN_PAGES:
        answer = await page.goto(served.address + path)
        assert answer is not None
        assert answer.ok, path
        assert await problems_in_any_light(page) == [], path


async def test_no_two_buttons_of_a_page_have_one_name(page: Page, served: Served) -> None:
    login = f"admin-{served.hip.lower()}"
    await ready_login(served.services.staff, login, served.hip, "admin", name="Imran")
    await page.context.clear_cookies()
    await page.goto(served.address + "/console/login")
    await page.locator("[name=login]").fill(login)
    await page.locator("[name=password]").fill(OWN_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Where do you sit?")).to_be_visible()
    await page.goto(served.address + "/console/admin/rooms/queues")
    names = [name.replace("\n", " ") for name in await page.locator("table button").all_inner_texts()]
    assert len(names) > 4
    assert sorted(names) == sorted(set(names))
