"""An administrator connects a program in a real Chromium, by keyboard alone: add, watch, send again, switch off."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from kiosk.runtime.delivery_role import opened_secret
from tests.accessible import serious_problems
from tests.kiosk.console.running_desk import Served
from tests.kiosk.console.signed_in import OWN_PASSWORD, ready_login
from tests.kiosk.delivery.receiver import receiving
from tests.kiosk.delivery.running import reached, role, until

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
PLACE = "/console/connections"
STOPS_MAX = 80
"""Presses of Tab: the menu, the rooms and the two forms have some forty stops."""


@asynccontextmanager
async def administrator(chromium: Browser, served: Served) -> AsyncIterator[Page]:
    """Signed in, on the page *Connections*."""
    login = f"admin-{served.hip.lower()}"
    await ready_login(served.services.staff, login, served.hip, "admin", name="Imran")
    context = await chromium.new_context(viewport={"width": 1366, "height": 768})
    page = await context.new_page()
    await page.goto(served.address + "/console/login")
    await expect(page.locator("[name=login]")).to_be_focused()
    await page.keyboard.type(login)
    await page.keyboard.press("Tab")
    await page.keyboard.type(OWN_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Where do you sit?")).to_be_visible()
    await page.goto(served.address + PLACE)
    yield page
    await context.close()


async def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the element has the focus, and see that the focus is drawn."""
    await expect(wanted).to_have_count(1)
    for _ in range(STOPS_MAX):
        await page.keyboard.press("Tab")
        if await wanted.evaluate("(one) => one === document.activeElement"):
            assert await wanted.evaluate("(one) => getComputedStyle(one).outlineStyle !== 'none'")
            return
    raise AssertionError(f"the keyboard does not reach {wanted}")


async def fits(page: Page, size: ViewportSize) -> bool:
    """Whether the page is no wider than the window."""
    await page.set_viewport_size(size)
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


async def test_a_webhook_is_added_watched_and_switched_off_by_keyboard(chromium: Browser, served: Served) -> None:
    services = served.services
    with receiving() as receiver:
        async with (
            administrator(chromium, served) as page,
            role(services.store, secret_of=lambda target: opened_secret(services.target_seal, target)),
        ):
            await tab_to(page, page.locator("#webhook [name=url]"))
            await page.keyboard.type(receiver.url)
            await page.keyboard.press("Enter")
            secret = page.locator("#secret .sample")
            await expect(secret).to_contain_text("whsec_")
            await expect(page.get_by_role("status")).to_have_text("Added. Events are sent from now on.")
            assert await serious_problems(page) == []
            shown = await secret.inner_text()
            await page.goto(served.address + PLACE)
            await expect(page.locator("#secret")).to_have_count(0)
            assert "whsec_" not in await page.content()

            await served.arrive("Patient One")
            await until(lambda: bool(receiver.taken))
            receiver.verify_all(shown)
            target = (await services.targets.of(served.hip))[0]
            await reached(services.store, target, lambda one: bool(one.deliveries))
            await page.reload()
            box = page.locator(f"[id='{target.id}']")
            await tab_to(page, box.locator("summary"))
            await page.keyboard.press("Enter")
            row = box.get_by_role("row").filter(has_text="ticket.created")
            await expect(row).to_contain_text("taken")
            await expect(row).to_contain_text("200")
            assert await serious_problems(page) == []
            assert await fits(page, {"width": 390, "height": 844})
            for path in (
                "/console/admin",
                "/console/admin/rooms/queues",
                "/console/admin/rooms/rules",
                "/console/admin/queues/medicine",
                "/console/connections/keys",
                "/console/connections",
            ):
                await page.goto(served.address + path)
                assert await fits(page, {"width": 390, "height": 844}), path
            assert await fits(page, {"width": 1366, "height": 768})
            await tab_to(page, box.locator("summary"))
            await page.keyboard.press("Enter")

            await tab_to(page, row.get_by_role("button", name="Send again"))
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("status")).to_have_text("The event is sent again within seconds.")
            await until(lambda: len(receiver.taken) == 2)
            assert len(receiver.ids()) == 1, "a receiver knows by the id that it has the event"

            await reached(services.store, target, lambda one: not one.progress.failed)  # else the box is open already
            await page.goto(served.address + PLACE)
            await tab_to(page, box.locator("summary"))
            await page.keyboard.press("Enter")
            await tab_to(page, box.get_by_role("button", name="Switch off"))
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("status")).to_have_text("Switched off. What happens from now on waits.")
            await expect(box.locator("summary .tag")).to_have_text("switched off")
            await expect(box.get_by_role("button", name="Switch on")).to_be_visible()
            assert (await services.targets.one(target.id)).target.off == f"by admin-{served.hip.lower()}"
