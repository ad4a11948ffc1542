"""No text of board or counter screen is outside its box, on any size of screen, in any language, with long names."""

import os
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from kiosk.locales import BOOK, LANGUAGES
from queueing.announcement import Announcement
from queueing.audit import UNRECORDED
from queueing.models import Arrival, Assurance, Queue
from tests.kiosk.displays.pages import each_language, opened
from tests.kiosk.hospital import HIP, MEDICINE, Hospital
from tests.reading_order import backwards

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SIZES = [(1280, 720), (1920, 1080), (3840, 2160), (1080, 1920)]
LONG_NAMES = ("Gynaecology and Obstetrics", "شعبۂ امراضِ نسواں و زچگی")
LONG_FACILITY = "Government Medical College and Associated Super Speciality Hospital, Baramulla"
LONG_DEVANAGARI = "राजकीय चिकित्सा महाविद्यालय एवं सम्बद्ध सुपर स्पेशियलिटी अस्पताल, बारामूला"
LONG_NASTALIQ = "گورنمنٹ میڈیکل کالج و ایسوسی ایٹڈ سپر اسپیشلٹی ہسپتال، بارہمولہ"
FACILITY_NAMES = {
    "hi": LONG_DEVANAGARI, "doi": LONG_DEVANAGARI, "ur": LONG_NASTALIQ, "ks": LONG_NASTALIQ,
    "pa": "ਸਰਕਾਰੀ ਮੈਡੀਕਲ ਕਾਲਜ ਅਤੇ ਸੰਬੰਧਿਤ ਸੁਪਰ ਸਪੈਸ਼ਲਿਟੀ ਹਸਪਤਾਲ, ਬਾਰਾਮੂਲਾ",
}  # fmt: skip
EVERY_SIZE = [*SIZES, (1366, 768), (2560, 1440), (720, 1280), (2160, 3840)]
SENTENCE = "ڈاکٹر صاحب گیارہ بجے تک تاخیر سے آئیں گے۔ The doctor is delayed until 11:00, please wait"
FROM_HOME = 5
LEAST_OF_HEIGHT = 0.03
"""Of the screen's shorter side: a number of a call in a place of its own, as large as the sentences around it."""
OUTSIDE = """
  () => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const slack = 2;
    // A number that wraps into a line below its list's only line is not seen at all.
    const isHidden = (parent, text) => {
      const list = parent.closest(".next, .last ol");
      return list && (text.top + text.bottom) / 2 >= list.getBoundingClientRect().bottom - slack;
    };
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const parent = node.parentElement;
      if (!node.textContent.trim() || !parent.checkVisibility({ visibilityProperty: true })) continue;
      if (parent.closest(".spoken, .off")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const text = range.getBoundingClientRect();
      if (isHidden(parent, text)) continue;
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
    for (const picture of document.querySelectorAll("figure img")) {
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
OVERLAPPING = """
  () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const lines = [];
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const parent = node.parentElement;
      if (!node.textContent.trim() || !parent.checkVisibility({ visibilityProperty: true })) continue;
      if (parent.closest(".spoken, .again, .off")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const name = `${parent.className || parent.id || parent.tagName}: ${node.textContent.trim()}`;
      for (const box of range.getClientRects()) lines.push({ parent, name, box, spare: box.height * 0.22 });
    }
    const found = [];
    for (const [at, one] of lines.entries()) {
      for (const other of lines.slice(at + 1)) {
        if (one.parent === other.parent) continue;
        const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const down =
          Math.min(one.box.bottom - one.spare, other.box.bottom - other.spare) -
          Math.max(one.box.top + one.spare, other.box.top + other.spare);
        if (across > 2 && down > 2) found.push(`${one.name} / ${other.name}`);
      }
    }
    return found;
  }
"""
"""Lines of different elements of which the letters lie upon each other. A line box is higher than its letters."""


BOXES_UPON_EACH_OTHER = """
  () => {
    const boxes = ["header", ".steps", ".code.abdm", ".code.camera", ".state", ".calls", ".queues", "footer"]
      .map((name) => [name, document.querySelector(name)?.getBoundingClientRect()]).filter(([, box]) => box);
    const beside = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1;
    const under = (a, b) => a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
    const pairs = boxes.flatMap((one, at) => boxes.slice(at + 1).map((two) => [one, two]));
    const upon = pairs.filter(([[, a], [, b]]) => !beside(a, b) && !under(a, b));
    return upon.map(([[one], [two]]) => `${one} ${two}`);
  }
"""
"""Boxes of one row or column of the layout that lie upon each other."""
SCROLLED = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"


async def name_facility(hospital: Hospital) -> None:
    """The longest name of a hospital there is, in every language."""
    registry = hospital.services.registry
    facility = await registry.facility(HIP)
    assert facility is not None
    await registry.put_facility(replace(facility, name=LONG_FACILITY, names=FACILITY_NAMES))


async def fill(hospital: Hospital) -> None:
    """A hospital and queues with long names, and hours, calls at every counter, numbers from home."""
    registry = hospital.services.registry
    await name_facility(hospital)
    always = tuple(day * 1440 + edge for day in range(7) for edge in (0, 720, 720, 1440))
    await registry.put_queue(HIP, Queue(id=MEDICINE, name=LONG_NAMES[0], prefix="M", hours=always), 3)
    await registry.put_queue(HIP, Queue(id="registration", name=LONG_NAMES[1], prefix="R"), 1)
    await hospital.arrive(patients=9)
    await hospital.arrive("registration", patients=3)
    for counter in ("M1", "M2", "M3", "R1"):
        await hospital.call(counter)
    for number in range(FROM_HOME):
        home = Arrival(facility=HIP, queue=MEDICINE, assurance=Assurance.UNKNOWN, request=f"home-{number}", late=True)
        await hospital.services.desk.enqueue(home)
    back_ms = time.time_ns() // 1_000_000 + 600_000
    for counter in ("M1", "M2", "M3", "R1"):
        await hospital.services.desks.set_break(HIP, counter, back_ms, UNRECORDED)


async def outside(page: Page) -> list[str]:
    await page.wait_for_function("() => document.fonts.status === 'loaded'")
    found: list[str] = await page.evaluate(OUTSIDE)
    folder = os.environ.get("KIOSK_PICTURES")
    if folder:
        name = re.sub(r"\W+", "-", page.url.partition("//")[2].partition("/")[2])
        size = page.viewport_size or {"width": 0}
        await page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png")
    return found


@each_language
async def test_hall_screens_fit_their_screen_and_no_text_is_outside_its_box(
    served: Hospital, kiosk_browser: Browser, code: str
) -> None:
    await fill(served)
    for path in (f"/board/{HIP}", f"/kiosk/{HIP}/M1"):
        async with opened(kiosk_browser, f"{served.url}{path}?lang={code}") as page:
            await expect(page.locator("body")).to_have_attribute("data-link", "live")
            await expect(page.locator("html")).to_have_attribute("dir", BOOK[code].direction)
            await expect(page.locator("#home .token")).to_have_count(4)
            await expect(page.locator("#breaks, #back")).to_be_visible()
            if path.startswith("/board"):  # all calls stand above: a title without a list says nothing
                await expect(page.locator("#last li")).to_have_count(0)
                await expect(page.locator("#last-title")).to_be_hidden()
            for width, height in SIZES:
                await page.set_viewport_size(ViewportSize(width=width, height=height))
                assert await outside(page) == [], f"{path} {code} {width}x{height}"
                assert await page.evaluate(SCROLLED) == [width, height], f"{path} {code} {width}x{height}"
                assert await page.evaluate(BOXES_UPON_EACH_OTHER) == [], f"{path} {code} {width}x{height}"
            assert await backwards(page) == [], f"{path} {code}"


async def fill_twelve_queues(hospital: Hospital) -> None:
    """Twelve queues, twenty counters that have called, and an announcement of two lines."""
    await fill(hospital)
    names = (*LONG_NAMES, "Orthopaedics and Traumatology OPD, second floor")
    for number, prefix in enumerate("ABCDEFGHIJ"):
        queue = Queue(id=f"q{prefix.lower()}", name=names[number % 3], prefix=prefix)
        await hospital.services.registry.put_queue(HIP, queue, 2)
        await hospital.arrive(queue.id, patients=4)
        for counter in (1, 2):
            await hospital.call(f"{prefix}{counter}")
    now_ms = time.time_ns() // 1_000_000
    one = Announcement(id="delayed", text=SENTENCE, language="ur", at_ms=now_ms - 600_000, until_ms=now_ms + 3_600_000)
    await hospital.services.announcements.announce(HIP, one, act=UNRECORDED)


async def fill_one_queue(hospital: Hospital) -> None:
    """One queue with a long name, which is all that the board shows."""
    await name_facility(hospital)
    await hospital.services.registry.put_queue(HIP, Queue(id=MEDICINE, name=LONG_NAMES[0], prefix="M"), 3)
    await hospital.arrive(patients=15)
    await hospital.call("M1")


async def walk(hospital: Hospital, browser: Browser, sizes: list[tuple[int, int]], codes: Sequence[str]) -> list[str]:
    """What is cut or lies upon something else, on the board and on a counter's screen."""
    wrong = []
    for path in (f"/board/{HIP}", f"/kiosk/{HIP}/M1"):
        for code in codes:
            async with opened(browser, f"{hospital.url}{path}?lang={code}") as page:
                await expect(page.locator("body")).to_have_attribute("data-link", "live")
                for width, height in sizes:
                    await page.set_viewport_size(ViewportSize(width=width, height=height))
                    found = await outside(page) + await page.evaluate(OVERLAPPING)
                    wrong += [f"{path} {code} {width}x{height} {line}" for line in found]
    return wrong


async def test_twelve_queues_and_an_announcement_fit(served: Hospital, kiosk_browser: Browser) -> None:
    await fill_twelve_queues(served)
    assert await walk(served, kiosk_browser, [(1280, 720), (1080, 1920)], ("en", "ur")) == []


async def test_every_number_of_twenty_counters_is_seen_at_once_and_large_enough(
    served: Hospital, kiosk_browser: Browser
) -> None:
    await fill_twelve_queues(served)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=ur") as page:
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        for width, height in SIZES:
            await page.set_viewport_size(ViewportSize(width=width, height=height))
            numbers = page.locator("#others li:not([data-token='']) .token")
            await expect(numbers).to_have_count(24)
            for number in await numbers.all():
                await expect(number).to_be_in_viewport(ratio=1)
            sizes_px = await numbers.evaluate_all("all => all.map((one) => parseFloat(getComputedStyle(one).fontSize))")
            assert min(sizes_px) >= LEAST_OF_HEIGHT * min(width, height), f"{width}x{height}"


@pytest.mark.proof
@pytest.mark.parametrize("fill_hall", [fill_one_queue, fill, fill_twelve_queues])
async def test_every_size_and_language_fits(
    served: Hospital, kiosk_browser: Browser, fill_hall: Callable[[Hospital], Awaitable[None]]
) -> None:
    await fill_hall(served)
    assert await walk(served, kiosk_browser, EVERY_SIZE, LANGUAGES) == []


async def test_a_line_upon_another_one_is_found(served: Hospital, kiosk_browser: Browser) -> None:
    await fill(served)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=en") as page:
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        assert await page.evaluate(OVERLAPPING) == []
        await page.evaluate("document.querySelector('.queue .head').style.marginBottom = '-4vh'")
        assert await page.evaluate(OVERLAPPING)
        assert await page.evaluate(BOXES_UPON_EACH_OTHER) == []
        await page.evaluate("document.querySelector('.queues').style.marginTop = '-40vh'")
        assert await page.evaluate(BOXES_UPON_EACH_OTHER)


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
    await expect(page.locator(".signs")).to_be_hidden()  # nothing connects, and nothing will sound
    await expect(page.locator("#clock")).to_have_text(re.compile(r"\d\d:\d\d"))
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
