"""How the hanging screens look on an engine without grid, gap, min() and max(): plainer, and with every number."""

import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from kiosk.web.static_files import FOLDER
from tests.kiosk.displays.test_nothing_is_cut import fill, fill_twelve_queues, outside
from tests.kiosk.hospital import HIP, Hospital

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.proof]

NEWER = re.compile(r"[^{};]*(?:display: grid|grid-|(?<![\w-])gap|min\(|max\(|inset|dvh|place-)[^{};]*;")
"""Declarations that an engine of 2016 drops."""
LEAST_PX = 28
"""Of the heading, a very long name; 16 where the sizes of the screen were dropped with min() and max()."""
SIDEWAYS = """
  () => [...document.querySelectorAll("strong, h1, h2, h3, p, li, span, dd, dt, img, button")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".spoken"))
    .filter((one) => { const box = one.getBoundingClientRect(); return box.left < -1 || box.right > innerWidth + 1; })
    .map((one) => one.outerHTML.slice(0, 120))
"""


def as_an_old_engine(css: str) -> str:
    """The style sheet as such an engine reads it: what it does not know is gone, and its own blocks apply."""
    return re.sub(r"@supports not \([^{]*\{", "@media all {", NEWER.sub("", css))


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920)], ids=["wide", "upright"])
async def test_an_engine_without_grid_loses_nothing(
    served: Hospital, kiosk_browser: Browser, size: tuple[int, int]
) -> None:
    await fill(served)
    width, height = size

    for path, shown in ((f"/board/{HIP}", ("#hero .token", "#others", ".queue")), (f"/kiosk/{HIP}/M1", ("#abdm",))):
        context = await kiosk_browser.new_context(viewport=ViewportSize(width=width, height=height))
        page = await context.new_page()
        await page.route("**/*.css", _as_an_old_engine_reads_it)
        await page.goto(f"{served.url}{path}?lang=en")
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        assert await page.evaluate("getComputedStyle(document.querySelector('main')).display") != "grid"
        size_px = await page.evaluate("parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)")
        assert size_px >= LEAST_PX
        for name in (*shown, "#home"):
            await expect(page.locator(name).first).to_be_visible()
        assert await page.evaluate(SIDEWAYS) == []
        await _photographed(page, f"old-{path.split('/')[1]}-{width}")
        await context.close()


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920)], ids=["wide", "upright"])
async def test_an_engine_without_grid_has_a_place_for_each_of_many_counters(
    served: Hospital, kiosk_browser: Browser, size: tuple[int, int]
) -> None:
    await fill_twelve_queues(served)
    width, height = size
    context = await kiosk_browser.new_context(viewport=ViewportSize(width=width, height=height))
    page = await context.new_page()
    await page.route("**/*.css", _as_an_old_engine_reads_it)
    await page.goto(f"{served.url}/board/{HIP}?lang=en")
    await expect(page.locator("body")).to_have_attribute("data-link", "live")
    places = [await place.bounding_box() for place in await page.locator("#others li").all()]
    assert len({(place["x"], place["y"]) for place in places if place}) == 25
    assert len({place["x"] for place in places if place}) >= 3, "several stand beside each other"
    assert await page.evaluate(SIDEWAYS) == []
    assert [line for line in await outside(page) if line.startswith(("token", "counter"))] == []
    await _photographed(page, f"old-counters-{width}")
    await context.close()


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920)], ids=["wide", "upright"])
async def test_an_engine_without_grid_shows_the_code_of_a_new_screen(
    served: Hospital, kiosk_browser: Browser, size: tuple[int, int]
) -> None:
    width, height = size
    context = await kiosk_browser.new_context(viewport=ViewportSize(width=width, height=height))
    page = await context.new_page()
    await page.route("**/*.css", _as_an_old_engine_reads_it)
    await page.goto(f"{served.url}/screen?lang=ur")
    await expect(page.locator("#code")).to_be_visible()
    for name, least in (("#code", 100), ("h1", LEAST_PX), (".how", 24)):
        size_px = await page.evaluate(
            "name => parseFloat(getComputedStyle(document.querySelector(name)).fontSize)", name
        )
        assert size_px >= least, name
    assert await page.evaluate(SIDEWAYS) == []
    await _photographed(page, f"old-screen-{width}")
    await context.close()


async def _as_an_old_engine_reads_it(route: Route) -> None:
    path = FOLDER / "css" / route.request.url.rpartition("/")[2]
    await route.fulfill(body=as_an_old_engine(path.read_text("utf-8")), content_type="text/css")


async def _photographed(page: Page, name: str) -> None:
    folder = os.environ.get("KIOSK_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
