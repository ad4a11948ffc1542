"""Long numbers and counters are whole on every screen: ENT-005 to ENT12, not only M-003 to M1."""

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
async def test_a_long_call_is_whole_on_every_board(
    served: Hospital, kiosk_browser: Browser, prefix: str, who: str
) -> None:
    registry = served.services.registry
    await registry.put_queue(HIP, Queue(id="long", name="Long OPD", prefix=prefix))
    names = [CALLS[prefix], *(f"{CALLS[prefix][:-1]}{number}" for number in range(3, 7))]
    for name in names:
        await registry.put_counter(HIP, Counter(name=name, queues=("long",), served_by=who))
    first, *_ = await served.arrive("long", patients=9)
    for name in reversed(names):
        await served.call(name)
    await _expect_whole_on_counter_screen(served, kiosk_browser, names)
    await _expect_one_line_on_phone(served, kiosk_browser, served.ticket_link(first))
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=en&queues=long") as page:
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        await expect(page.locator("#hero .counter")).to_have_text(CALLS[prefix])
        await expect(page.locator("#others .token")).to_have_count(4)
        for width, height in SIZES:
            await page.set_viewport_size(ViewportSize(width=width, height=height))
            assert await outside(page) == [], f"{width}x{height}"


async def _expect_whole_on_counter_screen(served: Hospital, browser: Browser, names: list[str]) -> None:
    for name, call in ((names[0], names[0]), ("LAST", names[0])):
        await served.services.registry.put_counter(HIP, Counter(name="LAST", queues=("long",)))
        async with opened(browser, f"{served.url}/kiosk/{HIP}/{name}?lang=en") as page:
            await expect(page.locator("body")).to_have_attribute("data-link", "live")
            await expect(page.locator("#now .elsewhere")).to_have_text([] if name == call else [call])
            for width, height in SIZES[:3]:
                await page.set_viewport_size(ViewportSize(width=width, height=height))
                assert await outside(page) == [], f"{name} {width}x{height}"


async def _expect_one_line_on_phone(served: Hospital, browser: Browser, link: str) -> None:
    async with opened(browser, f"{served.url}{link}?lang=en") as page:
        for width in (320, 360):
            await page.set_viewport_size(ViewportSize(width=width, height=640))
            token = page.locator(".slip .token")
            lines, room = await token.evaluate(
                "(token) => { const range = document.createRange(); range.selectNodeContents(token);"
                " return [range.getClientRects().length, token.clientWidth - range.getBoundingClientRect().width]; }"
            )
            assert lines == 1
            assert room >= 0, width


async def test_a_closed_counter_names_the_open_ones_and_invites_nobody(
    served: Hospital, kiosk_browser: Browser
) -> None:
    registry = served.services.registry
    async with opened(kiosk_browser, f"{served.url}/kiosk/{HIP}/M1?lang=en") as page:
        invitation = page.get_by_role("heading", name="Take your number here")
        await expect(invitation).to_be_visible()
        await registry.open_counter(HIP, "M1", False)
        await registry.open_counter(HIP, "M3", False)
        await expect(page.locator("#closed h2")).to_be_visible()
        await expect(page.locator("#elsewhere-counters .counter")).to_have_text(["M2", "ROOM17"])
        await expect(invitation).to_be_hidden()
        await expect(page.locator(".no-phone")).to_be_hidden()
        for width, height in SIZES[:3]:
            await page.set_viewport_size(ViewportSize(width=width, height=height))
            assert await outside(page) == [], f"{width}x{height}"
        await registry.open_queue(HIP, "medicine", False)
        await expect(page.locator("#elsewhere")).to_be_hidden()
        await registry.open_queue(HIP, "medicine", True)
        await registry.open_counter(HIP, "M1", True)
        await expect(invitation).to_be_visible()


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
