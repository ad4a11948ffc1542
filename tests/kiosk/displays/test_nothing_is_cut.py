"""No text of board or counter screen is outside its box, on any size of screen, in any language, with long names."""

import asyncio
import os
import re
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from kiosk.locales import LANGUAGES
from queueing.audit import UNRECORDED
from queueing.models import Arrival, Assurance, Queue
from tests.kiosk.displays.test_in_browser import opened
from tests.kiosk.hospital import HIP, MEDICINE, Hospital

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SIZES = [(1280, 720), (1920, 1080), (3840, 2160), (1080, 1920)]
LONG_NAMES = ("Gynaecology and Obstetrics", "شعبۂ امراضِ نسواں و زچگی")
FROM_HOME = 5
OUTSIDE = """
  () => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const slack = 2;
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const parent = node.parentElement;
      if (!node.textContent.trim() || !parent.checkVisibility({ visibilityProperty: true })) continue;
      if (parent.closest(".spoken")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const text = range.getBoundingClientRect();
      const boxes = [document.documentElement.getBoundingClientRect()];
      for (let box = parent; box !== document.body; box = box.parentElement) {
        const style = getComputedStyle(box);
        const drawn = parseFloat(style.borderTopWidth) > 0 && style.borderTopStyle !== "none";
        if (style.overflowX !== "visible" || drawn) boxes.push(box.getBoundingClientRect());
      }
      for (const box of boxes) {
        const sideways = text.left < box.left - slack || text.right > box.right + slack;
        const height = text.bottom - text.top;
        const cut = Math.max(box.top - text.top, text.bottom - box.bottom);
        if (sideways || cut > height * CUT + slack) {
          found.push(`${parent.className || parent.id || parent.tagName}: ${node.textContent.trim()}`);
          break;
        }
      }
    }
    for (const picture of document.images) {
      const box = picture.getBoundingClientRect();
      const card = picture.closest("figure").getBoundingClientRect();
      const beside = box.left < card.left || box.right > card.right;
      const inside = !beside && box.top >= card.top && box.bottom <= card.bottom;
      if (!inside) found.push(`picture ${picture.id}`);
    }
    return found;
  }
""".replace("CUT", "0.15")
"""A line box is higher than its letters: 15 % of it may pass the border without anything being cut."""


async def fill(hospital: Hospital) -> None:
    """Queues with long names, calls at every counter, numbers from home."""
    registry = hospital.services.registry
    await registry.put_queue(HIP, Queue(id=MEDICINE, name=LONG_NAMES[0], prefix="M"), 3)
    await registry.put_queue(HIP, Queue(id="registration", name=LONG_NAMES[1], prefix="R"), 1)
    await hospital.arrive(patients=9)
    await hospital.arrive("registration", patients=3)
    for counter in ("M1", "M2", "M3", "R1"):
        await hospital.call(counter)
        await asyncio.sleep(0.01)  # calls of one millisecond have no order
    for number in range(FROM_HOME):
        home = Arrival(facility=HIP, queue=MEDICINE, assurance=Assurance.UNKNOWN, request=f"home-{number}", late=True)
        await hospital.services.desk.enqueue(home)
    back_ms = time.time_ns() // 1_000_000 + 600_000
    for counter in ("M1", "M2", "M3", "R1"):
        await hospital.services.desks.set_break(HIP, counter, back_ms, UNRECORDED)


async def outside(page: Page) -> list[str]:
    await page.wait_for_function("document.fonts.status === 'loaded'")
    found: list[str] = await page.evaluate(OUTSIDE)
    folder = os.environ.get("KIOSK_PICTURES")
    if folder:
        name = re.sub(r"\W+", "-", page.url.partition("//")[2].partition("/")[2])
        size = page.viewport_size or {"width": 0}
        await page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png")
    return found


@pytest.mark.parametrize("code", LANGUAGES)
async def test_no_text_is_outside_its_box(served: Hospital, kiosk_browser: Browser, code: str) -> None:
    await fill(served)
    for path in (f"/board/{HIP}", f"/kiosk/{HIP}/M1"):
        async with opened(kiosk_browser, f"{served.url}{path}?lang={code}") as page:
            await expect(page.locator("body")).to_have_attribute("data-link", "live")
            await expect(page.locator("#home .token")).to_have_count(4)
            await expect(page.locator("#breaks, #back")).to_be_visible()
            for width, height in SIZES:
                await page.set_viewport_size(ViewportSize(width=width, height=height))
                assert await outside(page) == [], f"{path} {code} {width}x{height}"


async def test_a_text_outside_its_box_is_found(served: Hospital, kiosk_browser: Browser) -> None:
    await fill(served)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=en") as page:
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        await page.evaluate("document.querySelector('.queue .count').style.marginRight = '-20vw'")
        assert await outside(page)


async def test_without_scripts_the_screens_show_true_numbers(served: Hospital, kiosk_browser: Browser) -> None:
    await fill(served)
    context = await kiosk_browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{served.url}/board/{HIP}?lang=en")
    await expect(page.locator("#hero .token")).to_have_text("R-001")
    await expect(page.locator(".nobody")).to_be_hidden()
    await expect(page.locator("#others .token")).to_have_text(["M-003", "M-002", "M-001"])
    await expect(page.locator(f"[data-queue={MEDICINE}] .waiting")).to_have_text("6")
    await expect(page.locator("#home .token")).to_have_text(["M-010", "M-011", "M-012", "M-013"])
    assert await page.locator("noscript meta[http-equiv=refresh]").count() == 1
    await page.goto(f"{served.url}/kiosk/{HIP}/M1?lang=en")
    await expect(page.locator("#waiting")).to_have_text("6")
    await expect(page.locator("#now .token")).to_have_text("M-001")
    await expect(page.locator("#home .token")).to_have_count(4)
    await context.close()


async def _broken(route: Route) -> None:
    await route.fulfill(body="const a = #;", content_type="text/javascript")


async def _missing(route: Route) -> None:
    await route.abort()


async def test_a_board_whose_script_fails_refreshes_itself(served: Hospital, kiosk_browser: Browser) -> None:
    await fill(served)
    for path, name in ((f"/board/{HIP}", "board.js"), (f"/kiosk/{HIP}/M1", "counter_screen.js")):
        for broken in (True, False):
            context = await kiosk_browser.new_context()
            page = await context.new_page()
            await page.route(f"**/{name}", _broken if broken else _missing)
            await page.goto(f"{served.url}{path}?lang=en")
            await expect(page.locator("head > meta[http-equiv=refresh]")).to_have_count(1)
            await expect(page.locator("#hero .token, #now .token").first).to_have_text(re.compile(r"[MR]-001"))
            await context.close()
        async with opened(kiosk_browser, f"{served.url}{path}?lang=en") as page:
            await expect(page.locator("body")).to_have_attribute("data-link", "live")
            assert await page.locator("head > meta[http-equiv=refresh]").count() == 0


async def test_a_counter_screen_sends_people_to_the_desk_when_the_server_is_gone(
    served: Hospital, kiosk_browser: Browser
) -> None:
    context = await kiosk_browser.new_context()
    page = await context.new_page()
    await page.clock.install()
    await page.goto(f"{served.url}/kiosk/{HIP}/M1?lang=en")
    await expect(page.locator("body")).to_have_attribute("data-link", "live")
    await page.route("**/live/**", lambda route: route.abort())
    await page.route("**/qr", lambda route: route.abort())
    await page.evaluate("dispatchEvent(new Event('online'))")  # the page opens its stream again
    await page.clock.run_for(20_000)
    await expect(page.locator("#old")).to_be_hidden()
    await page.clock.run_for(25_000)
    await expect(page.locator("body")).to_have_attribute("data-code", "away")
    await expect(page.locator("#old")).to_contain_text("ask at the desk")
    await expect(page.locator("#abdm")).to_be_visible()
    await page.unroute("**/live/**")
    await page.clock.run_for(60_000)
    await expect(page.locator("#old")).to_be_hidden()
    await context.close()
