"""The page *Copy a facility* in Chromium."""

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import expect

from kiosk.accounts.sessions import EVERY_FACILITY
from queueing.models import Facility, Queue
from tests.accessible import serious_problems
from tests.kiosk.console.running_desk import Served
from tests.kiosk.console.signed_in import OWN_PASSWORD, PHONE, code_for, ready_login

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_a_new_facility_is_made_from_a_template_by_keyboard(chromium: Chromium, served: Served) -> None:
    new, login, services = f"{served.hip}X", f"state-{served.hip.lower()}", served.services
    await services.registry.put_facility(Facility(hip_id=new, name="New Hospital"))
    await services.registry.put_queue(new, Queue(id="ent", name="ENT", prefix="M"), 0)
    await ready_login(services.staff, login, EVERY_FACILITY, "admin")
    page = await chromium.new_page(viewport={"width": 1366, "height": 768})
    await page.goto(f"{served.address}/console/login")
    await page.fill("[name=login]", login)
    await page.fill("[name=password]", OWN_PASSWORD)
    await page.press("[name=password]", "Enter")
    await expect(page.locator("[name=code]")).to_be_visible()
    await page.fill("[name=code]", code_for(PHONE))
    await page.press("[name=code]", "Enter")
    await expect(page.locator("[name=hip]").first).to_be_visible()
    await page.get_by_role("link", name="Give a facility the queues").press("Enter")
    await page.fill("[name=template]", served.hip)
    await page.fill("[name=to]", new)
    await page.press("[name=to]", "Enter")
    await expect(page.locator("#made-title")).to_have_text(f"This would be made in {new}")
    await expect(page.locator("tbody tr")).to_have_count(2)
    assert await serious_problems(page) == []
    await page.get_by_role("button", name=f"Make these in {new}").press("Enter")
    await expect(page.locator("#made-title")).to_have_text("Nothing is left to make")
    await expect(page.locator("li", has_text="medicine")).to_contain_text("has the prefix of another queue there")
    assert [one.id for one in await services.registry.queues(new)] == ["ent", "registration"]
    await page.close()
