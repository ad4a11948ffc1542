"""The board announces each call once and in its order, however many come at once; and it tells tickets apart."""

import asyncio
import itertools

import pytest
from playwright.async_api import Browser, expect

from tests.kiosk.displays.pages import board, history, opened
from tests.kiosk.hospital import HIP, Hospital

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

BURST = 20
BURST_S = 5.0
ALL_ANNOUNCED_MS = 75_000
"""Twenty calls take about 45 s; a busy machine is given time."""


@pytest.mark.proof
async def test_twenty_calls_in_five_seconds_are_all_announced_once_and_in_order(
    served: Hospital, kiosk_browser: Browser
) -> None:
    await served.arrive(patients=BURST)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=en") as page:
        await board(page)
        await history(page)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        called = []
        for number, counter in zip(range(BURST), itertools.cycle(("M1", "M2", "M3")), strict=False):
            called.append(f"{await served.call(counter)} {counter}")
            await asyncio.sleep(max(0.0, begun + (number + 1) * BURST_S / BURST - loop.time()))
        body = page.locator("body")
        await expect(body).to_have_attribute("data-announced", str(BURST), timeout=ALL_ANNOUNCED_MS)
        await expect(body).to_have_attribute("data-announcing", "no", timeout=ALL_ANNOUNCED_MS)
        assert await page.evaluate("announced") == called
        assert await body.get_attribute("data-chimes") == str(BURST)
        assert await body.get_attribute("data-announced") == str(BURST)
