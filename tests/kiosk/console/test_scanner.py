"""A desk scanner in a real Chromium: what it types is one text that moves nobody."""

import asyncio
import itertools
import json
import re
import time
from collections.abc import Coroutine
from importlib.resources import files
from typing import Any

import pytest
from playwright.async_api import CDPSession, Page, expect

from tests.kiosk.console.keyboards import (
    ALT_AND_CTRL,
    CTRL,
    LAYOUTS,
    alt_events,
    at_one_moment,
    events_on,
    key_events,
    scan,
)
from tests.kiosk.console.running_desk import Served, press, states_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture
async def page(page: Page) -> Page:
    """The desk, with a clock that tests can hold: the time between keys decides what is a scan."""
    await page.clock.install(time=time.time())
    return page


@pytest.mark.parametrize("opened_first", [True, False])
async def test_a_scanned_card_fills_the_walk_in_wherever_the_clerk_was(
    page: Page, served: Served, opened_first: bool
) -> None:
    await served.arrive("Not To Be Moved")
    card = '{"hidn":"91-0000-5555-2228","hid":"gnbhat@abdm","name":"Ghulam Nabi Bhat","gender":"M","dob":"6/6/1972"}'
    if opened_first:
        await page.keyboard.press("w")
        await expect(page.locator("#walk [name=name]")).to_be_focused()
    await scan(page, card)

    await expect(page.locator("#walk-claim")).to_be_visible()
    await expect(page.locator("#walk [name=name]")).to_have_value("Ghulam Nabi Bhat")
    await expect(page.locator("#walk [name=age]")).to_have_value("1972")
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-token")).to_have_text("M-002")
    await page.keyboard.press("Escape")
    await expect(page.locator("#list .four")).to_have_text(["", "··2228"])
    assert [ticket.state.name for ticket in await served.desk.tickets(served.hip)] == ["WAITING", "WAITING"]


async def test_a_scan_that_is_read_ends_the_warning_of_the_one_before(page: Page, served: Served) -> None:
    await scan(page, "UHID-SNX 2026/4471")
    await expect(page.locator("#toast")).to_be_visible()
    await scan(page, '{"hidn":"-","phr":"gnbhat@abdm","name":"Ghulam Nabi Bhat","gender":"M","dob":"1972"}')
    await expect(page.locator("#walk-claim")).to_be_visible()
    await expect(page.locator("#toast")).to_be_hidden()


AADHAAR = "This is an Aadhaar QR. It is not read here. Ask for the QR of the ABHA card or app."
WEB_ADDRESS = "This is the QR of a web address, not of a patient."
OTHER = "This is not an ABHA card or app QR, and not one of our slips."
NO_PATIENT = {
    '<?xml version="1.0" encoding="UTF-8"?> <PrintLetterBarcodeData uid="999900000000" name="Sample Person"/>': AADHAAR,
    '</?xml version="1.0" encoding="UTF-8"?> <PrintLetterBarcodeData uid="999900000000" yob="1985"/>': AADHAAR,
    "2374" * 55: AADHAAR,
    "UHID-SNX 2026/4471": OTHER,
    "https://example.org/xnnhfu": WEB_ADDRESS,
    "HTTPS://EXAMPLE.ORG/XNNHFU": WEB_ADDRESS,
    "8901234567894": OTHER,
}


async def test_a_scan_that_is_no_patient_moves_nobody_and_says_what_it_was(page: Page, served: Served) -> None:
    for name in ("First", "Second"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    scans = [*((text, "Enter") for text in NO_PATIENT), ("UHID-SNX 2026/4471", "Tab"), ("8901234567894", "")]
    for text, ending in scans:
        await page.locator("#list").focus()
        await page.evaluate("document.getElementById('said').textContent = ''")
        await scan(page, text, closing=ending)
        await expect(page.locator("#said"), f"{text} {ending}").to_have_text(NO_PATIENT[text])
        await expect(page.locator("dialog[open]")).to_have_count(0)
        assert await states_of(served) == ["CALLED", "WAITING"], (text, ending)


@pytest.mark.parametrize("ending", ["Enter", "Tab"])
async def test_a_closing_key_that_comes_late_belongs_to_the_scan(page: Page, served: Served, ending: str) -> None:
    await served.arrive("First")
    await expect(page.locator("#list [role=option]")).to_have_count(1)
    async with at_one_moment(page):
        await page.keyboard.type("8901234567894")
        await page.clock.run_for(120)
        await page.keyboard.press(ending)
    await expect(page.locator("#said")).to_have_text(OTHER)
    await expect(page.locator("#list")).to_be_focused()
    assert await states_of(served) == ["WAITING"]
    await asyncio.sleep(0.4)  # a person's own key, later, is a move again
    await press(page, "Enter", "M-001 called to M1.")


CARDS = json.loads(files("tests.kiosk.console").joinpath("abha_qr_texts.json").read_text(encoding="utf-8"))


@pytest.mark.proof
@pytest.mark.parametrize("kind", CARDS)
async def test_an_abha_qr_is_read_whatever_the_scanner_and_the_keyboard_made_of_it(
    page: Page, served: Served, kind: str
) -> None:
    await served.arrive("Not To Be Moved")
    await press(page, "n", "M-001 called to M1.")
    async with at_one_moment(page):
        await type_by_layout(page, CARDS[kind])
        await page.keyboard.press("Enter")
    await expect(page.locator("#walk-claim")).to_be_visible()
    await expect(page.locator("#walk [name=name]")).to_have_value(re.compile("^sample person$", re.IGNORECASE))
    await expect(page.locator("#walk [name=age]")).to_have_value("1985")
    await expect(page.locator("#walk [value=F]")).to_be_checked()
    assert await states_of(served) == ["CALLED"]


async def test_the_qr_of_our_own_slip_chooses_its_ticket_wherever_the_focus_is(page: Page, served: Served) -> None:
    await served.arrive("First")
    place = await served.arrive("Second")
    await expect(page.locator("#list [role=option]")).to_have_count(2)
    now_s = int(time.time())
    token = served.services.ticket_links.mint(served.hip, place.ticket, expires_s=now_s + 3_600, now_s=now_s)
    link = f"{served.address}/t/{token}"
    # The second is what a scanner writes while Caps Lock is on.
    for focus, written in itertools.product(("#list", "#search"), (link, link.swapcase())):
        await page.locator(focus).focus()
        async with at_one_moment(page):
            await page.keyboard.type(written)
            await page.keyboard.press("Enter")
        await expect(page.locator("#said")).to_have_text("M-002 is chosen in the list.")
        await expect(page.locator("[aria-selected=true] .token")).to_have_text("M-002")
        await expect(page.locator("#search")).to_have_value("")
        await page.keyboard.press("Escape")
    assert await states_of(served) == ["WAITING", "WAITING"]
    await served.desk.cancel(served.hip, place.ticket, by="other")
    await expect(page.locator("#list [role=option]")).to_have_count(1)
    await scan(page, f"{served.address}/t/{token}")

    await expect(page.locator(".section.cancelled [aria-selected=true] .token")).to_have_text("M-002")
    await press(page, "b", "M-002 is back, near the front.")


CARD = '{"hidn":"91-0000-5555-2228","phr":"gnbhat@abdm","name":"Ghulam Nabi Bhat","gender":"M","dob":"1972"}'
XML = '<?xml version="1.0" encoding="UTF-8"?> <PrintLetterBarcodeData uid="999900000000" name="Sample Person"/>'


@pytest.mark.proof
async def test_a_scan_is_read_by_the_place_of_its_keys_under_every_layout(page: Page, served: Served) -> None:
    await served.arrive("First")
    place = await served.arrive("Second")
    await press(page, "n", "M-001 called to M1.")
    now_s = int(time.time())
    token = served.services.ticket_links.mint(served.hip, place.ticket, expires_s=now_s + 3_600, now_s=now_s)
    for layout in LAYOUTS:
        for text, sentence in (
            (XML, AADHAAR), ("4471/UHID-SNX #$%^&*nn", OTHER), ("7" * 220, AADHAAR),
            ("7" * 3_000, AADHAAR),
            (f"{served.address}/t/{token}", "M-002 is chosen in the list."),
            ("https://example.org/xnnhfu", WEB_ADDRESS),
        ):  # fmt: skip
            await page.evaluate("document.getElementById('said').textContent = ''")
            await scan(page, text, layout=layout)
            await expect(page.locator("#said"), f"{layout}: {text}").to_have_text(sentence)
        await page.keyboard.press("Escape")
        await scan(page, CARD, layout=layout)
        await expect(page.locator("#walk [name=name]")).to_have_value("Ghulam Nabi Bhat")
        await page.locator("#walk-leave").click()
        await expect(page.locator("#walk")).to_be_hidden()
    assert await states_of(served) == ["CALLED", "WAITING"]


async def test_a_german_scanner_on_a_german_keyboard_writes_braces_with_altgr(page: Page, served: Served) -> None:
    await served.arrive("Not To Be Moved")
    session = await page.context.new_cdp_session(page)
    async with at_one_moment(page):
        for character in CARD:
            alone = ALT_AND_CTRL if character in "{}@" else 0
            await asyncio.gather(*key_events(session, character, "Digit7" if alone else "", alone))
        await page.keyboard.press("Enter")
    await expect(page.locator("#walk [name=name]")).to_have_value("Ghulam Nabi Bhat")
    assert await states_of(served) == ["WAITING"]


BARCODE = "4471nxhU"
"""Each of its letters is a move."""


async def test_what_scanners_add_before_within_and_after_a_code_moves_nobody(page: Page, served: Served) -> None:
    for name in ("First", "Second", "Third"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    session = await page.context.new_cdp_session(page)
    for added in (
        "]C1 text Enter", "^b text ^c", "^b text ^c Enter", "text ^] nn Enter", "Enter text Enter", "Tab text Tab",
        "text Enter Enter", "text ^m ^j", "4nx Enter", "text pause nx Enter", "text Tab Enter",
    ):  # fmt: skip
        await page.locator("#list").focus()
        await page.evaluate("document.getElementById('said').textContent = ''")
        async with at_one_moment(page):
            for burst in added.split(" pause "):
                await asyncio.gather(*(event for part in burst.split() for event in events_of(session, part)))
                await page.clock.run_for(500)  # by then a person's key has done its work
        await expect(page.locator("#said"), added).to_have_text(OTHER)
        await expect(page.locator("dialog[open]"), added).to_have_count(0)
        assert await states_of(served) == ["CALLED", "WAITING", "WAITING"], added


async def test_a_scan_moves_nobody_whatever_is_open_on_the_desk(page: Page, served: Served) -> None:
    for name in ("First", "Second"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    await expect(page.locator("#list [role=option]")).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[aria-selected=true] .token")).to_have_text("M-002")
    for key, dialog in (
        ("n", "#ask-came"),
        ("Delete", "#ask-sure"),
        ("v", "#view"),
        ("?", "#help"),
        ("t", "#ask-choice"),
    ):
        await page.keyboard.press(key)
        await expect(page.locator(dialog)).to_be_visible()
        await page.evaluate("document.getElementById('said').textContent = ''")
        await scan(page, "4471-fx1nX 12")

        await expect(page.locator("#said")).to_have_text(OTHER)
        await expect(page.locator(dialog)).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator(dialog)).to_be_hidden()
    for field, before, place in (("#search", "sec", "#said"), ("#walk [name=phone]", "98", "#walk-trouble")):
        if field != "#search":
            await page.keyboard.press("w")
        await page.locator(field).fill(before)
        await scan(page, XML)

        await expect(page.locator(place)).to_have_text(AADHAAR)
        await expect(page.locator(field)).to_have_value(before)
        await page.keyboard.press("Escape")
        await expect(page.locator("#list")).to_be_focused()
    assert await states_of(served) == ["CALLED", "WAITING"]


async def test_a_scan_in_two_bursts_is_one_and_of_two_in_a_row_the_last_is_shown(page: Page, served: Served) -> None:
    await served.arrive("Not To Be Moved")
    other = CARD.replace("Ghulam Nabi Bhat", "Zoona Begum").replace("gnbhat", "zoona").replace("2228", "2236")
    async with at_one_moment(page):
        await page.keyboard.type(CARD[:40])
        await page.clock.run_for(120)
        await page.keyboard.type(CARD[40:])
        await page.keyboard.press("Enter")
    await expect(page.locator("#walk [name=name]")).to_have_value("Ghulam Nabi Bhat")
    for text in (CARD, other):
        await scan(page, text)

    await expect(page.locator("#walk [name=name]")).to_have_value("Zoona Begum")
    await page.keyboard.press("Escape")
    assert await states_of(served) == ["WAITING"]


FOURTEEN_DIGITS = {
    "91750768217770": "Read from the ABHA QR: check it with the patient.",
    "91123456789012": "Fourteen digits were read. They may not be an ABHA number: compare them with the card.",
}


async def test_a_barcode_of_fourteen_digits_is_taken_for_an_abha_number_with_a_warning_when_it_does_not_fit(
    page: Page, served: Served
) -> None:
    await served.arrive("Not To Be Moved")
    for digits, sentence in FOURTEEN_DIGITS.items():
        await scan(page, digits)
        await expect(page.locator("#walk-claim")).to_have_text(re.compile(f"^{re.escape(sentence)}"))
        await page.keyboard.press("Escape")
        await expect(page.locator("#walk-claim")).to_be_hidden()
    assert await states_of(served) == ["WAITING"]


async def test_a_move_made_by_the_first_key_of_a_scan_that_halted_is_taken_back(page: Page, served: Served) -> None:
    for name in ("First", "Second"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    await press(page, "s", "M-001 is at the counter.")
    before = await states_of(served)
    for first in ("n", "f", "x", "h"):
        async with at_one_moment(page):
            await page.keyboard.press(first)
            await page.clock.run_for(120)
            await page.keyboard.type(f"4471-UHID-{first}")
            await page.keyboard.press("Enter")
        await expect(page.locator("#said"), first).to_have_text(OTHER)
        assert await states_of(served) == before, first
        await page.evaluate("document.getElementById('said').textContent = ''")


async def test_a_scan_begun_well_after_a_persons_key_leaves_the_move(page: Page, served: Served) -> None:
    await served.arrive("First")
    async with at_one_moment(page):
        await page.keyboard.press("n")
        await page.clock.run_for(400)
        await page.keyboard.type("4471-UHID")
        await page.keyboard.press("Enter")
    await expect(page.locator("#said")).to_have_text(OTHER)
    assert await states_of(served) == ["CALLED"]


async def test_a_scanner_that_writes_alt_and_numbers_is_read(page: Page, served: Served) -> None:
    await served.arrive("Not To Be Moved")
    session = await page.context.new_cdp_session(page)
    async with at_one_moment(page):
        for character in CARD:
            await asyncio.gather(*alt_events(session, character))
        await page.keyboard.press("Enter")
    await expect(page.locator("#walk [name=name]")).to_have_value("Ghulam Nabi Bhat")
    await expect(page.locator("#walk [name=age]")).to_have_value("1972")
    assert await states_of(served) == ["WAITING"]


async def test_each_of_the_last_moves_is_taken_back_one_by_one(page: Page, served: Served) -> None:
    for name in ("First", "Second"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    await press(page, "s", "M-001 is at the counter.")
    await press(page, "n", "M-002 called to M1.")
    assert await states_of(served) == ["CALLED"]
    for state in (["SERVING", "WAITING"], ["CALLED", "WAITING"], ["WAITING", "WAITING"]):
        await page.evaluate("document.getElementById('said').textContent = ''")
        await press(page, "u", re.compile("^Undone"))
        assert await states_of(served) == state
    await press(page, "u", "There is nothing to undo.")


def events_of(session: CDPSession, part: str) -> list[Coroutine[Any, Any, Any]]:
    """A closing key, a control character (STX is ^b, ETX ^c, GS ^]), or characters."""
    if part in ("Enter", "Tab"):
        return key_events(session, part, part)
    if part[0] == "^":
        return key_events(session, part[1], "", CTRL)
    text = BARCODE if part == "text" else part
    return [event for character in text for event in events_on(session, "US", character)]


async def type_by_layout(page: Page, text: str) -> None:
    """Press a key for every character, also for those that no US keyboard has."""
    session = await page.context.new_cdp_session(page)
    for character in text:
        await session.send("Input.dispatchKeyEvent", {"type": "keyDown", "key": character, "text": character})
        await session.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": character})
