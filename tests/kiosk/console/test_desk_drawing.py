"""A move draws no row that did not change, because a slow PC waits for each; the chosen row is whole in sight."""

import pytest
from playwright.async_api import Page, expect

from queueing.models import Counter, Queue
from tests.kiosk.console.running_desk import Served

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

MORE_THAN_THE_WINDOW = 60
WATCH_LIST = """
  () => {
    window.touched = [];
    const row = (node) => (node.nodeType === 1 ? node : node.parentElement).closest("[role=option]")?.textContent ?? "";
    new MutationObserver((changes) => {
      for (const { type, target, addedNodes } of changes)
        window.touched.push(...(type === "childList" && !row(target) ? [...addedNodes].map(row) : [row(target)]));
    }).observe(document.getElementById("list"), { subtree: true, childList: true, characterData: true });
  }
"""


async def test_a_move_draws_no_row_of_anybody_else(page: Page, served: Served) -> None:
    for number in range(5):
        await served.arrive(f"Patient {number}")
    rows = page.locator("#list [role=option]")
    await expect(rows).to_have_count(5)
    await page.evaluate(WATCH_LIST)
    await page.keyboard.press("n")
    await expect(page.locator("#said")).to_have_text("M-001 called to M1.")
    await expect(rows).to_have_count(4)
    await served.arrive("Last")  # so that the whole desk has been fetched again
    await expect(rows).to_have_count(5)
    touched = [text for text in await page.evaluate("window.touched") if "Patient" in text]
    assert touched == []


async def test_the_last_row_is_whole_in_sight_when_it_is_chosen(page: Page, served: Served) -> None:
    for number in range(MORE_THAN_THE_WINDOW):
        await served.arrive(f"Patient {number}")
    rows = page.locator("#list [role=option]")
    await expect(rows).to_have_count(MORE_THAN_THE_WINDOW)
    await page.keyboard.press("End")
    await expect(rows.last).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [1366, 1024, 360])
async def test_a_long_name_of_a_queue_takes_no_count_from_sight_and_no_room_from_the_page(
    page: Page, served: Served, width: int
) -> None:
    registry, long = (
        served.services.registry,
        "Gynaecology and Obstetrics including antenatal clinic and family planning",
    )
    await registry.put_queue(served.hip, Queue(id="gyn", name=long, prefix="G"))
    await registry.put_counter(served.hip, Counter(name="M1", queues=("medicine", "gyn")))
    await page.set_viewport_size({"width": width, "height": 768})
    await page.reload()
    counts = page.locator("#queues .chip b")
    await expect(counts).to_have_count(2)
    for count in await counts.all():
        assert await count.evaluate(
            "(b) => { const at = b.getBoundingClientRect();"
            " return document.elementFromPoint((at.left + at.right) / 2, (at.top + at.bottom) / 2) === b; }"
        )
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
