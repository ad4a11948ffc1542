"""A page that stayed open over midnight meets another patient's ticket with the same number."""

import pytest
from playwright.async_api import Browser, Route, expect

from tests.kiosk.hospital import HIP, Hospital

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_a_page_does_not_react_to_another_ticket_with_its_number(
    served: Hospital, kiosk_browser: Browser
) -> None:
    [today] = await served.arrive()
    ticket = await served.services.desk.ticket(HIP, today.ticket)
    assert ticket is not None
    key = ticket.key
    page = await (await kiosk_browser.new_context()).new_page()

    async def with_yesterdays_key(route: Route) -> None:
        answer = await route.fetch()
        page_text = await answer.text()
        assert key in page_text
        await route.fulfill(response=answer, body=page_text.replace(key, "00000000"))

    async def without_asking(route: Route) -> None:
        """The page hears of the call from the hall's stream alone: it may not ask for its own ticket."""
        await (route.abort() if route.request.resource_type == "fetch" else route.fallback())

    address = f"{served.url}{served.ticket_link(today)}"
    await page.route(f"{address}*", with_yesterdays_key)
    await page.route("**/t/**", without_asking)
    await page.goto(f"{address}?lang=en")
    body = page.locator("body")
    await expect(body).to_have_attribute("data-link", "live")
    await served.call("M1")
    await expect(page.locator("#last-called")).to_have_text("M-001 → M1")
    assert await body.get_attribute("data-alarms") == "0"
    assert await body.get_attribute("data-state") == "waiting"
    await page.context.close()
