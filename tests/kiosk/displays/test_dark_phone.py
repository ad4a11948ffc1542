"""Pages of patients in a phone's dark scheme and with more contrast, in a real Chromium, as axe sees them."""

from typing import Literal

import pytest
from playwright.async_api import Browser, Page, expect

from tests.accessible import serious_problems
from tests.kiosk.displays.pages import PHONE
from tests.kiosk.displays.test_contrast import contrast
from tests.kiosk.hospital import HIP, Hospital

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

OVER = ("cancelled", "done")
GROUND = "getComputedStyle(document.documentElement).backgroundColor"
TEXT = "getComputedStyle(document.documentElement).color"
LARGEST = """() => {
  const texts = [...document.querySelectorAll("main *")].filter((one) => one.checkVisibility() &&
    [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  const size = (one) => parseFloat(getComputedStyle(one).fontSize);
  return texts.sort((one, other) => size(other) - size(one))[0].className;
}"""


async def tickets(served: Hospital) -> dict[str, str]:
    """A page of each look: what the page says → its address."""
    desk = served.services.desk
    called, held, missed, cancelled, done, at_counter, waiting = await served.arrive(patients=7)
    await served.call("M1")
    for place, counter in ((done, "M2"), (at_counter, "M3")):
        await desk.call_this(HIP, counter, place.ticket, by="asha")
        await desk.start(HIP, place.ticket, by="asha")
    await desk.finish(HIP, done.ticket, by="asha")
    await desk.hold(HIP, held.ticket, by="asha")
    await desk.cancel(HIP, cancelled.ticket, by="asha")
    await desk.call_this(HIP, "M2", missed.ticket, by="asha")
    await desk.no_show(HIP, missed.ticket, by="asha")
    places = {
        "called": called, "held": held, "no_show": missed, "cancelled": cancelled, "done": done,
        "serving": at_counter, "waiting": waiting,
    }  # fmt: skip
    return {state: f"{served.url}{served.ticket_link(place)}?lang=en" for state, place in places.items()}


def hexed(colour: str) -> str:
    """``rgb(8, 27, 34)`` as ``#081b22``."""
    return "#" + "".join(f"{int(part):02x}" for part in colour[4:-1].split(","))


async def can_be_read(page: Page, *, dark: bool, at_least: float) -> None:
    ground, text = hexed(await page.evaluate(GROUND)), hexed(await page.evaluate(TEXT))
    assert contrast(ground, "#000000" if dark else "#ffffff") < 2, "the page follows the phone"
    assert contrast(text, ground) > at_least
    assert await serious_problems(page) == []


@pytest.mark.parametrize(
    ("scheme", "more", "at_least"),
    [
        ("dark", "no-preference", 12),
        ("light", "more", 20.9),
        pytest.param("dark", "more", 20.9, marks=pytest.mark.proof),
    ],
)
async def test_a_phone_that_asks_for_it_gets_dark_pages_and_more_contrast(
    served: Hospital,
    plain_browser: Browser,
    scheme: Literal["dark", "light"],
    more: Literal["more", "no-preference"],
    at_least: float,
) -> None:
    context = await plain_browser.new_context(viewport=PHONE, color_scheme=scheme, contrast=more)
    page = await context.new_page()
    pages = await tickets(served)
    for state in pages if more == "no-preference" else ("waiting", "called", "done"):
        await page.goto(pages[state])
        await expect(page.locator("body")).to_have_attribute("data-state", state)
        await expect(page.locator("body")).to_have_attribute("data-link", "over" if state in OVER else "live")
        await can_be_read(page, dark=scheme == "dark", at_least=at_least)
        assert "token" in await page.evaluate(LARGEST), "nothing is larger than the number"
    await page.goto(f"{served.url}/?facility={HIP}&lang=en")
    await can_be_read(page, dark=scheme == "dark", at_least=at_least)
    await page.goto(f"{served.url}/find/{HIP}?lang=en")
    await page.locator("button[type=submit]").click()
    await expect(page.locator("#trouble")).to_be_visible()
    await can_be_read(page, dark=scheme == "dark", at_least=at_least)
    await page.goto(f"{served.url}{served.camera_link()}?lang=en")
    await page.locator("label", has_text="Woman").click()
    await page.locator("button[type=submit]").click()
    await expect(page.locator(".fault").first).to_be_visible()
    await can_be_read(page, dark=scheme == "dark", at_least=at_least)
    await page.goto(f"{served.url}/t/nothing?lang=en")
    await can_be_read(page, dark=scheme == "dark", at_least=at_least)
    await context.close()
