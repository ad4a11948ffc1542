"""Numbers and counters of many letters are whole on the board: ENT-005 to ENT12, not only M-003 to M1."""

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, ViewportSize, expect

from queueing.models import Counter, Queue
from tests.kiosk.displays.pages import opened
from tests.kiosk.displays.test_nothing_is_cut import outside
from tests.kiosk.hospital import HIP, Hospital

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SIZES = [(1280, 720), (1920, 1080), (1080, 1920), (360, 3000)]
CALLS = {"N": "N12", "ME": "ME1", "WW": "WW12", "ENT": "ENT1", "MMM": "MMM1", "OPD": "OLD-BLOCK-ROOM17"}
"""Prefix of a queue → the counter that calls."""


@pytest.mark.parametrize("who", ["", "Dr. Asha Kumari, Medicine"])
@pytest.mark.parametrize("prefix", CALLS)
async def test_a_call_of_many_letters_is_whole_on_every_board(
    served: Hospital, kiosk_browser: Browser, prefix: str, who: str
) -> None:
    registry = served.services.registry
    await registry.put_queue(HIP, Queue(id="long", name="Long OPD", prefix=prefix))
    names = [CALLS[prefix], *(f"{CALLS[prefix][:-1]}{number}" for number in range(3, 7))]
    for name in names:
        await registry.put_counter(HIP, Counter(name=name, queues=("long",), served_by=who))
    await served.arrive("long", patients=9)
    for name in reversed(names):
        await served.call(name)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=en") as page:
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        await expect(page.locator("#hero .counter")).to_have_text(CALLS[prefix])
        await expect(page.locator("#others .token")).to_have_count(4)
        for width, height in SIZES:
            await page.set_viewport_size(ViewportSize(width=width, height=height))
            assert await outside(page) == [], f"{width}x{height}"


async def test_a_board_without_scripts_draws_a_long_call_as_the_script_does(
    served: Hospital, kiosk_browser: Browser
) -> None:
    registry = served.services.registry
    medicine = await registry.queues(HIP)
    await registry.put_queue(HIP, replace(medicine[0], id="ent", prefix="ENT", names={}), 2)
    await served.arrive("ent", patients=2)
    await served.call("ENT1")
    await served.call("ENT2")
    for scripts in (False, True):
        context = await kiosk_browser.new_context(java_script_enabled=scripts)
        page = await context.new_page()
        await page.goto(f"{served.url}/board/{HIP}?lang=en")
        await expect(page.locator("#hero")).to_have_attribute("data-long", "11")
        await expect(page.locator("#others li")).to_have_attribute("data-long", "11")
        await context.close()
