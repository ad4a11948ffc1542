"""A move draws no row that did not change, because a slow PC waits for each; the chosen row is whole in sight, and a
long name is somewhere.
"""

import pytest
from playwright.async_api import Locator, Page, expect

from queueing.models import Counter, Queue
from tests.kiosk.console.running_desk import Served, press

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


WATCH_ORDER = """
  () => {
    window.order = [];
    const { send, open } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.open = function (method, address) {
      this.asks = method;
      open.call(this, method, address);
    };
    XMLHttpRequest.prototype.send = function (body) {
      window.order.push(this.asks);
      send.call(this, body);
    };
    new MutationObserver(() => {
      window.order.push("said");
      requestAnimationFrame(() => window.order.push("drawn"));
    }).observe(document.getElementById("said"), { childList: true });
    const watch = (id, name, attributeFilter) =>
      new MutationObserver(() => window.order.push(name)).observe(document.getElementById(id), {
        subtree: true, attributeFilter,
      });
    watch("desk", "busy", ["aria-busy"]);
    watch("now", "pressable", ["disabled"]);
    watch("now", "heard", ["data-heard"]);
  }
"""
STYLED_BY = """
  (word) => [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])
    .map((rule) => rule.cssText).filter((text) => text.includes(word))
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
    await page.evaluate("document.fonts.ready.then(() => true)")  # until then another font takes more room
    for count in await counts.all():
        assert await count.evaluate(
            "(b) => { const at = b.getBoundingClientRect();"
            " return document.elementFromPoint((at.left + at.right) / 2, (at.top + at.bottom) / 2) === b; }"
        )
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.evaluate("document.documentElement.dir = 'rtl'")  # as for a clerk who reads Urdu
    names = page.locator("#queues .chip")
    assert [await one.evaluate("one => getComputedStyle(one).direction") for one in await names.all()] == ["ltr"] * 2


async def test_what_became_of_a_move_is_drawn_before_the_desk_is_asked_for(page: Page) -> None:
    nobody: dict[str, object] = {"outcome": "EMPTY", "words": "Nobody waits.", "ticket": None, "details": []}
    await page.route("**/console/desk/next", lambda route: route.fulfill(json=nobody))  # so that no hint of it comes
    await page.evaluate(WATCH_ORDER)
    async with page.expect_request("**/console/desk?*"):
        await page.keyboard.press("n")
    order = await page.evaluate("window.order")
    assert [one for one in order if one in ("POST", "said", "drawn", "GET")] == ["POST", "said", "drawn", "GET"]


async def test_an_answer_is_drawn_in_few_changes_and_what_can_be_pressed_follows(page: Page, served: Served) -> None:
    await served.arrive("First")
    await expect(page.locator("#list [role=option]")).to_have_count(1)
    await page.evaluate(WATCH_ORDER)
    await page.keyboard.press("n")
    await expect(page.locator("#now [data-do=start]")).to_be_enabled()
    order = await page.evaluate("window.order")
    assert order.index("drawn") < order.index("pressable")
    answered = order[order.index("POST") : order.index("drawn")]
    assert answered.count("heard") == 1, "the mark of the key is taken away once, and not set again for the moment"


async def test_no_style_looks_at_whether_a_move_is_asked_for(page: Page) -> None:
    """It would draw a frame while the answer is on its way, and the frame with the answer would wait for its turn."""
    assert await page.evaluate(STYLED_BY, ".row-option")
    assert await page.evaluate(STYLED_BY, "aria-busy") == []


async def test_a_long_name_ends_where_its_room_ends(page: Page, served: Served) -> None:
    for name in ("Zoona Begum", "Zoona Begum Zoona Begum Zoona Begum Zoona Begum Zoona"):
        await served.arrive(name)
    names = page.locator("#list [role=option] .who bdi")
    await expect(names).to_have_count(2)
    short, long = names.first, names.last
    for window in (1366, 1217, 1024, 961, 480):
        await page.set_viewport_size({"width": window, "height": 768})
        assert await _right(long) <= await _right(long.locator("xpath=..")), window
        assert await _right(short) <= await _right(short.locator("xpath=..")), window
    assert await long.evaluate("(name) => getComputedStyle(name).textOverflow") == "ellipsis"
    assert await long.evaluate("(name) => name.scrollWidth > name.clientWidth")


async def _right(part: Locator) -> float:
    box = await part.bounding_box()
    assert box is not None
    return box["x"] + box["width"]


async def test_a_long_name_is_cut_in_the_list_alone(page: Page, served: Served) -> None:
    name = "Mohammad Abdul Rashid Bhat S/o Ghulam Mohammad Bhat R/o Village Wagoora"
    await served.arrive(name)
    in_list = page.locator("#list .who")
    await expect(in_list).to_have_text(name)
    assert await in_list.locator("bdi").evaluate("bdi => bdi.scrollWidth > bdi.clientWidth")
    await expect(in_list).to_have_attribute("title", name)
    await press(page, "n", "M-001 called to M1.")
    await expect(page.locator("#details dd").first).to_have_text(name)
    for whole in (page.locator("#now-name"), page.locator("#details dd").first):
        await expect(whole).to_have_text(name)
        assert await whole.evaluate("box => box.scrollWidth <= box.clientWidth")
