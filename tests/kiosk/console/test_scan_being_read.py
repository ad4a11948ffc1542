"""While the server says what a scan is, no key moves anybody. What a scanner types is nobody's name."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, Route, expect

from tests.kiosk.console.keyboards import at_one_moment, scan
from tests.kiosk.console.running_desk import Served, press, states_of
from tests.kiosk.console.test_scanner import CARD, OTHER
from tests.kiosk.console.test_slow_scanner import counting_moves

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
BARCODE = "UHID-SNX 2026/4471"
READING = "Reading the scan…"
DROPPED = "A scan was being read: the key did nothing."
LOST = "No answer: the scan was not read. Scan again."
NO_NAME = "This is a barcode, not a name."
PAUSE_S = 0.4
"""A person's next key comes later than the closing key of a scanner that pauses before it."""


@pytest.fixture
async def page(page: Page) -> Page:
    """The desk, with a clock that tests can hold."""
    await page.clock.install(time=time.time())
    return page


@asynccontextmanager
async def held_answer(page: Page, *, lost: bool = False) -> AsyncIterator[asyncio.Event]:
    """The server's answer to a scan is on its way until the event is set; ``lost``: then it never comes."""
    arrives = asyncio.Event()

    async def answer(route: Route) -> None:
        await arrives.wait()
        await (route.abort() if lost else route.continue_())

    await page.route("**/console/scan", answer)
    yield arrives
    arrives.set()


async def serve_first(page: Page, served: Served) -> None:
    for name in ("First", "Second"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    await press(page, "s", "M-001 is at the counter.")


async def scan_and_pause(page: Page, text: str, closing: str = "Enter") -> None:
    await scan(page, text, closing=closing)
    await expect(page.locator("#reading")).to_have_text(READING)
    await asyncio.sleep(PAUSE_S)


async def press_dropped(page: Page, key: str) -> None:
    """Press a key that is answered with the hint, and wait until the desk shows the scan alone again."""
    await page.keyboard.press(key)
    await expect(page.locator("#reading"), key).to_have_text(DROPPED)
    await page.clock.fast_forward(5_000)
    await expect(page.locator("#reading"), key).to_have_text(READING)


async def test_no_key_moves_anybody_while_a_scan_is_being_read(page: Page, served: Served) -> None:
    await serve_first(page, served)
    async with held_answer(page) as arrives, counting_moves(page) as moves:
        await scan_and_pause(page, BARCODE)
        for key in ("Enter", "n", "Space", "f", "h", "x", "u", "t", "w", "Shift+N", "Delete", "Tab"):
            await press_dropped(page, key)
        arrives.set()
        await expect(page.locator("#said")).to_have_text(OTHER)
        await expect(page.locator("#reading")).to_be_hidden()
        await expect(page.locator("#list")).to_be_focused()
        await expect(page.locator("dialog[open]")).to_have_count(0)
        assert moves == []
    assert await states_of(served) == ["SERVING", "WAITING"]
    await press(page, "Enter", "M-002 called to M1.")


async def test_enter_before_the_walk_in_opens_is_neither_next_nor_a_number(page: Page, served: Served) -> None:
    await serve_first(page, served)
    async with held_answer(page) as arrives, counting_moves(page) as moves:
        await scan_and_pause(page, CARD, closing="")
        await page.keyboard.press("Enter")
        await expect(page.locator("#reading")).to_have_text(DROPPED)
        arrives.set()
        await expect(page.locator("#walk [name=name]")).to_have_value("Ghulam Nabi Bhat")
        assert moves == []
    assert await states_of(served) == ["SERVING", "WAITING"]
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-token")).to_have_text("M-003")


async def test_a_question_that_is_open_is_not_answered_by_a_key_while_a_scan_is_being_read(
    page: Page, served: Served
) -> None:
    for name in ("First", "Second"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    async with held_answer(page) as arrives, counting_moves(page) as moves:
        await page.keyboard.press("n")
        await expect(page.locator("#came-yes")).to_be_focused()
        moves.clear()
        await scan_and_pause(page, BARCODE)
        for key in ("Enter", "Space", "f", "x"):
            await press_dropped(page, key)
        await expect(page.locator("#ask-came")).to_be_visible()
        arrives.set()
        await expect(page.locator("#said")).to_have_text(OTHER)
        await expect(page.locator("#ask-came")).to_be_visible()
        assert moves == []
    assert await states_of(served) == ["CALLED", "WAITING"]


async def test_a_form_is_not_sent_by_enter_while_a_scan_is_being_read(page: Page, served: Served) -> None:
    await page.keyboard.press("w")
    await page.locator("#walk [name=name]").fill("Zoona Begum")
    async with held_answer(page) as arrives:
        await scan_and_pause(page, CARD)
        await press_dropped(page, "Enter")
        assert await states_of(served) == []
        arrives.set()
        await expect(page.locator("#walk [name=name]")).to_have_value("Ghulam Nabi Bhat")
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-token")).to_have_text("M-001")
    await page.keyboard.press("Escape")
    await expect(page.locator("#list [role=option]")).to_contain_text(["Ghulam Nabi Bhat"])
    assert await states_of(served) == ["WAITING"]


async def test_a_key_counts_as_of_its_press_when_the_answer_comes_within_the_wait_for_a_scanner(
    page: Page, served: Served
) -> None:
    await serve_first(page, served)
    async with held_answer(page) as arrives, counting_moves(page) as moves:
        await scan_and_pause(page, BARCODE)
        async with at_one_moment(page):
            await page.keyboard.press("f")
            await page.clock.run_for(20)
            arrives.set()
            await expect(page.locator("#said")).to_have_text(OTHER)
        await expect(page.locator("#reading")).to_have_text(DROPPED)
        assert moves == []
    assert await states_of(served) == ["SERVING", "WAITING"]


async def test_a_lost_answer_says_so_and_keys_count_again(page: Page, served: Served) -> None:
    await serve_first(page, served)
    async with held_answer(page, lost=True) as arrives:
        await scan_and_pause(page, BARCODE)
        arrives.set()
        await expect(page.locator("#said")).to_have_text(LOST)
        await expect(page.locator("#reading")).to_be_hidden()
    await press(page, "Enter", "M-002 called to M1.")


async def test_a_lost_answer_is_said_in_the_form_that_is_open(page: Page, served: Served) -> None:
    await page.keyboard.press("w")
    await expect(page.locator("#walk [name=name]")).to_be_focused()
    async with held_answer(page, lost=True) as arrives:
        await scan_and_pause(page, CARD)
        arrives.set()
        await expect(page.locator("#walk-trouble")).to_have_text(LOST)


async def test_a_click_moves_while_a_scan_is_being_read(page: Page, served: Served) -> None:
    await serve_first(page, served)
    async with held_answer(page):
        await scan_and_pause(page, BARCODE)
        await page.locator("#now [data-do=next]").click()
        await expect(page.locator("#said")).to_have_text("M-002 called to M1.")
    await expect(page.locator("#said")).to_have_text(OTHER)


@pytest.mark.parametrize("before", ["", "Zoona"])
@pytest.mark.parametrize(("text", "closing"), [(BARCODE, "Enter"), (BARCODE, "Tab"), (BARCODE, ""), ("447", "Enter")])
async def test_a_barcode_is_nobodys_name(page: Page, served: Served, text: str, closing: str, before: str) -> None:
    await page.keyboard.press("w")
    name = page.locator("#walk [name=name]")
    await name.fill(before)
    await scan(page, text, closing=closing)
    await expect(page.locator("#walk-trouble")).to_have_text(NO_NAME)
    await expect(name).to_have_value(before)
    await expect(name).to_be_focused()
    chosen = await name.evaluate("(field) => field.value.slice(field.selectionStart, field.selectionEnd)")
    assert chosen == before
    assert await states_of(served) == []
    await page.clock.fast_forward(1_000)  # a closing key that comes sooner belongs to the scan
    await page.keyboard.type("Ghulam Nabi")
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-token")).to_have_text("M-001")


async def test_an_abha_number_with_dashes_scanned_as_a_name_is_read(page: Page, served: Served) -> None:
    await page.keyboard.press("w")
    await expect(page.locator("#walk [name=name]")).to_be_focused()
    await scan(page, "91-7507-6821-7770")
    await expect(page.locator("#walk-claim")).to_have_text(re.compile("^Read from the ABHA QR"))
    await expect(page.locator("#walk [name=name]")).to_have_value("")
    assert await states_of(served) == []


async def test_a_name_with_a_date_typed_by_hand_is_a_name(page: Page, served: Served) -> None:
    await page.keyboard.press("w")
    await expect(page.locator("#walk [name=name]")).to_be_focused()
    async with at_one_moment(page):
        for character in "Unknown 01-12-2026":
            await page.keyboard.press(character)
            await page.clock.run_for(60)
        await page.keyboard.press("Enter")
    await expect(page.locator("#walk-token")).to_have_text("M-001")
    await page.keyboard.press("Escape")
    await expect(page.locator("#list [role=option]")).to_contain_text("Unknown 01-12-2026")
