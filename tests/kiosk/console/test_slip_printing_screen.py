"""The key L with a receipt printer, in a browser: it prints or says one sentence, and the browser still prints."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from queueing.audit import UNRECORDED
from queueing.slip_printers import SlipPrinter
from tests.codes import codes_in
from tests.kiosk.console.running_desk import Program, Served, choose_first, desk_is_ready, press, running_program
from tests.kiosk.posters.printer_stand_in import StandIn, printer
from tests.ports import free_port

pytestmark = pytest.mark.anyio
SENT = re.compile("^M-00. went to the printer Registration.$")


@pytest.fixture(scope="module")
async def program(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    """A web role that may reach printers of the hospital's network."""
    async with running_program(tmp_path_factory.mktemp("printing"), PRIVATE_TARGETS="true") as started:
        yield started


async def at_a_desk(page: Page, served: Served, one: StandIn) -> None:
    """A desk with two printers to choose from, and a patient. Printing by the browser is counted."""
    printers = (SlipPrinter("Registration", one.address, False), SlipPrinter("Pharmacy", f"127.0.0.1:{free_port()}"))
    await served.services.slip_printers.put(served.hip, printers, UNRECORDED)
    await served.arrive("Zoona Begum")
    await page.reload()
    await desk_is_ready(page)
    await page.evaluate("() => { window.printed = 0; window.print = () => { window.printed += 1; }; }")


async def choose(page: Page, name: str) -> None:
    """In the walk-in form, where the desk's printer, language and size are chosen once."""
    await page.keyboard.press("w")
    await page.locator("#walk [name=name]").fill("Ghulam Nabi")
    await page.keyboard.press("Enter")
    await page.locator("#slip-printer").select_option(label=name)
    await page.locator("#slip-language").select_option("ur")
    await page.locator("#slip-large").check()


async def say(page: Page, press_it: Callable[[], Awaitable[None]], text: str, sentence: re.Pattern[str]) -> None:
    """Press until this is said: a machine that is too busy to draw a slip in time says so, and is asked again."""
    for _ in range(10):
        async with page.expect_response("**/console/slip/print") as answered:
            await press_it()
        if "drawn" not in (await (await answered.value).json())["words"]:
            break
    await expect(page.locator(text)).to_have_text(sentence)


async def test_the_chosen_printer_prints_walk_ins_and_the_key_l_also_after_a_reload(
    page: Page, served: Served, tmp_path: Path
) -> None:
    with printer(tmp_path) as one:
        await at_a_desk(page, served, one)
        await choose(page, "Registration")
        await say(page, page.locator("#walk-print").click, "#walk-words", SENT)
        await page.reload()
        await desk_is_ready(page)
        await choose_first(page, "M-001")
        await say(page, lambda: page.keyboard.press("l"), "#said", SENT)
        slips = one.slips()
    assert [slip.width for slip in slips] == [384, 384]
    assert all(codes_in(slip.convert("L"))[0].text.startswith(served.address) for slip in slips)


async def test_a_printer_that_is_off_costs_one_sentence_and_the_desk_goes_on(
    page: Page, served: Served, tmp_path: Path
) -> None:
    with printer(tmp_path) as one:
        await at_a_desk(page, served, one)
        await choose(page, "Pharmacy")
        sentence = re.compile("^The printer Pharmacy does not answer.* ⇧L prints the slip on this computer.$")
        await say(page, page.locator("#walk-print").click, "#walk-words", sentence)
        await page.keyboard.press("Shift+L")
        await expect(page.locator("#slip .slip-token")).to_have_text("M-002", use_inner_text=False)
        await page.keyboard.press("Escape")
        await choose_first(page, "M-001")
        await say(page, lambda: page.keyboard.press("l"), "#said", sentence)
        await page.keyboard.press("Shift+L")
        await expect(page.locator("#slip .slip-token")).to_have_text("M-001", use_inner_text=False)
        await page.wait_for_function("() => window.printed === 2")
        await expect(page.locator("#slip")).to_have_class(re.compile("large"))
        assert one.received() == []


async def test_a_printer_that_waits_for_somebody_delays_no_move(page: Page, served: Served, tmp_path: Path) -> None:
    with printer(tmp_path, "full") as one:
        await at_a_desk(page, served, one)
        await choose(page, "Registration")
        async with page.expect_request("**/console/slip/print") as printing:
            await page.locator("#walk-print").click()
        await page.keyboard.press("Escape")
        await press(page, "n", re.compile("^M-001"))
        await expect(page.locator("#now-token")).to_have_text("M-001")
        answer = await (await printing.value).response()
        assert answer is not None
        assert (await answer.json())["printed"] is False
        await expect(page.locator("#now-token")).to_have_text("M-001")


async def test_a_desk_without_printers_is_as_before(page: Page) -> None:
    await expect(page.locator("#slip-printer")).to_have_count(0)
