"""The clerk's pages in Hindi and Urdu: axe, nothing outside its box, and the keyboard reaches what a mouse does."""

import pytest
from playwright.async_api import Page, expect

from tests.accessible import serious_problems
from tests.kiosk.console.running_desk import Served
from tests.kiosk.displays.test_every_language import not_reached
from tests.kiosk.displays.test_nothing_is_cut import OVERLAPPING, outside

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
KEY_OVER_PLACEHOLDER = """() => {
  const [field, key] = ["#search", ".search kbd"].map((each) => document.querySelector(each).getBoundingClientRect());
  const left = document.dir === "rtl" || getComputedStyle(document.body).direction === "rtl";
  const gap = left ? key.left - field.left : field.right - key.right;
  return gap >= 0 && gap < key.width ? [] : [`the key of the search lies ${gap} px from the end of its field`];
}"""
"""The placeholder begins at the field's inline start, so the key belongs to its end."""
COPY_OUT_OF_SIGHT = """() => {
  const details = document.getElementById("details");
  for (let i = 0; i < 12; i++) details.insertAdjacentHTML("beforeend", "<dt class=more>x</dt><dd class=more>x</dd>");
  const [room, button] = [".now-details", "#copy"].map((each) => document.querySelector(each).getBoundingClientRect());
  details.querySelectorAll(".more").forEach((each) => each.remove());
  return button.height > 0 && button.bottom <= room.bottom + 1 ? [] : ["Copy all is out of sight"];
}"""
"""With more details than their room takes."""
LANGUAGES = {"hi": "हिन्दी", "ur": "اردو"}


@pytest.mark.parametrize("code", ["ur", pytest.param("hi", marks=pytest.mark.proof)])
async def test_the_desk_is_accessible_and_whole(page: Page, served: Served, code: str) -> None:
    await page.locator(".menu summary").click()
    await page.get_by_role("button", name=LANGUAGES[code]).click()
    await expect(page.locator("html")).to_have_attribute("lang", code)
    await page.goto(f"{served.address}/console/at/M1")
    for name in ("غلام محمد بٹ", "सुनीता शर्मा", "Gurpreet Kaur"):
        await served.arrive(name)
    await expect(page.locator("#list [role=option]")).to_have_count(3)
    await page.keyboard.press("n")
    await expect(page.locator("#now")).to_contain_text("M-001")
    await page.evaluate("document.getElementById('toast').hidden = true")  # it lies over the foot for some seconds
    wrong = [f"desk: {one}" for one in await looked_at(page)]
    wrong += await page.evaluate(KEY_OVER_PLACEHOLDER) + await page.evaluate(COPY_OUT_OF_SIGHT)
    for key, dialog in (("?", "#help"), ("w", "#walk")):
        await page.keyboard.press(key)
        await expect(page.locator(dialog)).to_be_visible()
        wrong += [f"{dialog}: {one}" for one in [*await serious_problems(page), *await outside(page)]]
        await page.keyboard.press("Escape")
        await expect(page.locator(dialog)).to_be_hidden()
    for path in ("/console/counters", "/console/password"):
        await page.goto(served.address + path)
        wrong += [f"{path}: {one}" for one in [*await looked_at(page), *await not_reached(page)]]
    assert not wrong, "\n".join(wrong)


async def looked_at(page: Page) -> list[str]:
    return [*await serious_problems(page), *await outside(page), *await page.evaluate(OVERLAPPING)]
