"""The main journey: from the QR on the screen to the number on the board, and the same patient twice."""

import pytest
from playwright.async_api import Browser, expect

from kiosk.locales import ENGLISH
from tests.journeys.running_hospital import Hospital
from tests.journeys.screens import Board, Desk, Phone, look_at_kiosk

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
say = ENGLISH.say


async def test_a_scan_becomes_a_number_that_is_called_seen_heard_and_finished(
    browser: Browser, hospital: Hospital
) -> None:
    patient = hospital.deployment.patient(name="Rukhsana Akhtar")
    board = await Board.opened(browser, hospital)
    desk = await Desk.opened(browser, hospital, await hospital.staff("asha"))
    screen = await look_at_kiosk(browser, hospital)

    received = await hospital.scan(patient, screen.abdm)
    assert received.token == "M-001"
    assert 0 < received.expires_s <= 1800

    row = desk.row("M-001")
    await expect(row).to_contain_text("Rukhsana Akhtar")
    phone = await Phone.opened(browser, await desk.slip_link("M-001"))
    await expect(phone.token).to_have_text("M-001")
    await phone.shows("waiting", say("ticket.waiting"))

    await board.has_chimed(0)
    await desk.next("M-001")
    await expect(desk.page.locator("#now-name")).to_have_text("Rukhsana Akhtar")
    await board.shows("M-001", "M1")
    await board.has_chimed(1)
    await phone.shows("called", say("ticket.called", counter="M1"))

    await desk.press("s")
    await phone.shows("serving", say("ticket.serving", counter="M1"))
    await desk.press("f")
    await phone.shows("done", say("ticket.done"))
    await expect(desk.now).to_have_text("Nobody at this counter")
    await expect(board.now.locator(".token")).to_be_empty()
    await expect(board.page.locator("#last")).to_contain_text("M-001")
    await board.has_chimed(1)


@pytest.mark.proof  # tests/kiosk/displays/test_in_browser.py hears a call and its recall each time
async def test_a_recall_is_heard_again(browser: Browser, hospital: Hospital) -> None:
    board = await Board.opened(browser, hospital)
    desk = await Desk.opened(browser, hospital, await hospital.staff("asha"))
    await hospital.scan(hospital.deployment.patient(), hospital.poster("M1"))
    await desk.next("M-001")
    await board.has_chimed(1)
    await desk.press("r")
    await board.has_chimed(2)
    await board.shows("M-001", "M1")


async def test_a_patient_who_scans_again_keeps_number_place_and_remaining_validity(
    browser: Browser, hospital: Hospital
) -> None:
    desk = await Desk.opened(browser, hospital, await hospital.staff("asha"))
    patient, other = hospital.deployment.patient(), hospital.deployment.patient()
    first = await hospital.scan(patient, (await look_at_kiosk(browser, hospital)).abdm)
    await hospital.scan(other, hospital.poster("M1"))
    again = await hospital.scan(patient, hospital.poster("M2"))

    assert first.request_id != again.request_id
    assert again.token == first.token == "M-001"
    assert 0 < again.expires_s <= first.expires_s
    await expect(desk.rows).to_have_count(2)
    assert await desk.listed("waiting") == ["M-001", "M-002"]
    assert (await hospital.scan(hospital.deployment.patient(), hospital.poster("M1"))).token == "M-003"
    history = await hospital.deployment.phones.history(patient)
    assert {card["tokenNumber"] for card in history} == {"M-001"}
