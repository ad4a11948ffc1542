"""What can happen to a number before it is finished: transfer, no-show, return, scan from far away, closed counter."""

import asyncio

import pytest
from playwright.async_api import Browser, expect

from kiosk.locales import ENGLISH
from tests.journeys.running_hospital import DELHI, PHARMACY, SRINAGAR, Hospital
from tests.journeys.screens import Board, Desk, Phone, administration

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
say = ENGLISH.say


async def test_a_patient_sent_to_another_queue_keeps_the_number_and_is_called_there(
    browser: Browser, hospital: Hospital
) -> None:
    board = await Board.opened(browser, hospital)
    doctor, pharmacist = await asyncio.gather(hospital.staff("doctor"), hospital.staff("chemist"))
    medicine = await Desk.opened(browser, hospital, doctor, "M1")
    pharmacy = await Desk.opened(browser, hospital, pharmacist, "P1")
    await hospital.scan(hospital.deployment.patient(), hospital.poster("M1"))
    await medicine.next("M-001")
    await board.shows("M-001", "M1")
    phone = await Phone.opened(browser, await _link_of_current(medicine))
    await phone.shows("called", say("ticket.called", counter="M1"))

    await medicine.page.keyboard.press("t")
    await medicine.press("1")
    await expect(medicine.message).to_have_text("M-001 sent to Pharmacy.")
    await phone.shows("waiting")
    await expect(phone.page.locator("#queue")).to_have_text("Pharmacy")
    await expect(pharmacy.row("M-001")).to_be_visible()
    await pharmacy.next("M-001")
    await board.shows("M-001", "P1")
    await phone.shows("called", say("ticket.called", counter="P1"))
    await pharmacy.press("f")
    await phone.shows("done")
    assert hospital.queue(PHARMACY)["issued"] == 0
    assert [call["token"] for call in hospital.queue(PHARMACY)["recent"]] == ["M-001"]


async def test_a_patient_who_missed_the_call_comes_back_near_the_front(browser: Browser, hospital: Hospital) -> None:
    desk = await Desk.opened(browser, hospital, await hospital.staff("asha"))
    for _ in range(5):
        await hospital.scan(hospital.deployment.patient(), hospital.poster("M1"))
    await desk.next("M-001")
    await expect(desk.rows).to_have_count(4)
    phone = await Phone.opened(browser, await _link_of_current(desk))
    await desk.press("x")
    await expect(desk.message).to_have_text("M-001 did not come.")
    await phone.shows("no_show", say("ticket.no_show"))
    await desk.next("M-002")

    await desk.select("M-001")
    await desk.press("b")
    await phone.shows("waiting")
    await expect(desk.page.locator(".section.no_show")).to_be_hidden()
    waiting = ["M-003", "M-004", "M-001", "M-005"]
    await expect(desk.page.locator(".section.waiting .token")).to_have_text(waiting)
    assert hospital.queue()["next"] == waiting


@pytest.mark.proof  # the desk's own test of undo, and the board's of a call that is taken back, run each time
async def test_a_wrong_key_press_is_undone(browser: Browser, hospital: Hospital) -> None:
    board = await Board.opened(browser, hospital)
    desk = await Desk.opened(browser, hospital, await hospital.staff("asha"))
    for _ in range(2):
        await hospital.scan(hospital.deployment.patient(), hospital.poster("M1"))
    await desk.next("M-001")
    await board.shows("M-001", "M1")
    await desk.press("x")
    await desk.press("u")
    await expect(desk.now).to_have_text("M-001")
    await desk.press("u")
    await expect(desk.now).to_have_text("Nobody at this counter")
    await expect(desk.rows).to_have_count(2)
    assert await desk.listed("waiting") == ["M-001", "M-002"]
    await expect(board.now.locator(".token")).to_be_empty()


@pytest.mark.proof  # tests/queueing/test_moves.py lets fifty clerks press next at once each time
async def test_two_desks_that_press_next_together_call_two_people(browser: Browser, hospital: Hospital) -> None:
    first, second = await asyncio.gather(hospital.staff("asha"), hospital.staff("imran"))
    left = await Desk.opened(browser, hospital, first, "M1")
    right = await Desk.opened(browser, hospital, second, "M2")
    for _ in range(2):
        await hospital.scan(hospital.deployment.patient(), hospital.poster("M1"))
    await asyncio.gather(left.press("n"), right.press("n"))
    await expect(left.state).to_have_text("Called")
    await expect(right.state).to_have_text("Called")
    here = {await left.now.text_content(), await right.now.text_content()}
    assert here == {"M-001", "M-002"}


async def test_numbers_taken_from_afar_or_from_an_unknown_text_count_from_check_in(
    browser: Browser, hospital: Hospital
) -> None:
    desk = await Desk.opened(browser, hospital, await hospital.staff("asha"))
    doubtful = {
        "M-001": ("M1", DELHI, "far away"),
        "M-002": ("OLDPOSTER7", SRINAGAR, "no counter"),
        "M-003": ("", None, "no counter"),
    }
    for token, (text, at, mark) in doubtful.items():
        received = await hospital.scan(hospital.deployment.patient(), hospital.poster(text), at=at)
        assert received.token == token
        await expect(desk.row(token)).to_contain_text(mark)
    await hospital.scan(hospital.deployment.patient(), hospital.poster("M1"), at=SRINAGAR)
    await expect(desk.row("M-004")).to_contain_text("near")
    assert await desk.listed("expected") == list(doubtful)
    assert await desk.listed("waiting") == ["M-004"]
    phone = await Phone.opened(browser, await desk.slip_link("M-001"))
    await phone.shows("expected", say("ticket.expected"))

    await desk.press("c")
    await phone.shows("waiting")
    await expect(desk.message).to_have_text("M-001 is here; the place counts from now.")
    await desk.select("M-003")
    await desk.press("c")
    await expect(desk.message).to_have_text("M-003 is here; the place counts from now.")
    await expect(desk.page.locator(".section.waiting .token")).to_have_text(["M-004", "M-001", "M-003"])
    assert await desk.listed("expected") == ["M-002"]
    await desk.next("M-004")
    await desk.next("M-001")


async def test_a_closed_counter_tells_the_phone_what_to_do_and_gives_no_number(
    browser: Browser, hospital: Hospital
) -> None:
    page = await administration(browser, hospital, await hospital.staff("imran", "admin"))
    await page.get_by_role("link", name="Queues and counters").first.click()
    counter = page.locator("#counter tr", has_text="M1")
    await counter.get_by_role("button", name="close").click()
    await expect(counter.locator(".tag")).to_have_text("closed")
    refused = await hospital.scan(hospital.deployment.patient(), hospital.poster("M1"))
    assert not refused.token
    assert refused.words == "This counter is closed now. Please scan the code at another counter, or ask the staff."
    screen = await browser.new_page()
    await screen.goto(f"{hospital.deployment.url}/kiosk/{hospital.hip}/M1?lang=en")
    await expect(screen.locator("#closed")).to_be_visible()
    await expect(screen.locator("#abdm")).to_be_hidden()

    await counter.get_by_role("button", name="open").click()
    await expect(screen.locator("#closed")).to_be_hidden()
    assert (await hospital.scan(hospital.deployment.patient(), hospital.poster("M1"))).token == "M-001"


async def _link_of_current(desk: Desk) -> str:
    """Print a slip for the patient at the counter."""
    await desk.page.keyboard.press("l")
    return await desk.read_paper()
