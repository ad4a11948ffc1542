"""The desk in the windows that hospitals have: nothing lies over what a clerk reads or presses."""

import pytest
from playwright.async_api import Page, expect

from queueing.lanes import Lane
from tests.kiosk.console.running_desk import Served, press

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
LANGUAGES = {"hi": "हिन्दी", "ur": "اردو"}
COVERED = """(boxes) => {
  const seen = boxes.map((one) => [one, document.querySelector(one).getBoundingClientRect()]);
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return seen.flatMap(([one, a], at) =>
    seen.slice(at + 1).filter(([, b]) => meet(a, b)).map(([other]) => `${one} and ${other} lie over each other`));
}"""
TOO_NARROW = """() => [...document.querySelectorAll(".keys button")].flatMap((button) => {
  const text = document.createRange();
  text.selectNodeContents(button);
  const [inner, outer] = [text.getBoundingClientRect(), button.getBoundingClientRect()];
  const rooms = [inner.left - outer.left, outer.right - inner.right];
  return Math.min(...rooms) >= 2 && outer.right <= innerWidth ? [] : [`${button.textContent}: ${rooms} px left`];
})"""


async def speak(page: Page, served: Served, code: str) -> None:
    if code != "en":
        await page.locator(".menu summary").click()
        await page.get_by_role("button", name=LANGUAGES[code]).click()
        await expect(page.locator("html")).to_have_attribute("lang", code)
    await page.goto(f"{served.address}/console/at/M1")
    await expect(page.locator("#link")).to_have_class("link")


@pytest.mark.parametrize("code", ["en", "hi", "ur"])
async def test_the_list_of_counters_lies_over_nothing_and_every_key_fits_its_button(
    page: Page, served: Served, code: str
) -> None:
    await speak(page, served, code)
    await served.arrive("First")
    await expect(page.locator("#list [role=option]")).to_have_count(1)
    await page.keyboard.press("a")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#chosen")).to_be_visible()
    await expect(page.locator("#counter-rows li")).not_to_have_count(0)
    wrong: list[str] = []
    for width, height in ((1366, 768), (1024, 768), (360, 740)):
        await page.set_viewport_size({"width": width, "height": height})
        found = await page.evaluate(COVERED, ["#now", "#list", "#chosen", "#counters", "header", ".foot"])
        wrong += [f"{width}: {one}" for one in found + await page.evaluate(TOO_NARROW)]
    assert not wrong, "\n".join(wrong)


async def test_on_a_phone_a_name_ends_before_the_age(page: Page, served: Served) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    place = await served.arrive("Haleema Begum Jan")
    await served.desk.set_lane(served.hip, place.ticket, Lane.SENIOR, by="asha")
    row = page.locator("#list [role=option]")
    await expect(row.locator(".lane")).to_have_text("60+")
    name, age = await row.locator(".who bdi").bounding_box(), await row.locator(".age").bounding_box()
    assert name
    assert age
    assert name["x"] + name["width"] <= age["x"]


async def test_what_copies_details_is_there_with_somebody_at_the_counter(page: Page, served: Served) -> None:
    await expect(page.locator("#copying")).to_be_hidden()
    await served.arrive("First")
    await press(page, "n", "M-001 called to M1.")
    await expect(page.locator("#copying")).to_be_visible()
