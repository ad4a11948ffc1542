"""Screens and queues after ``kill -9`` of a web worker, of the store, and of all processes at once."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from kiosk.locales import ENGLISH
from loadtests.reconcile import audit
from loadtests.simulator.people.clerks import Clerk
from loadtests.simulator.people.invented import Patient
from tests.journeys.running_hospital import Deployment, Hospital, opened
from tests.journeys.screens import Board, Desk, Phone, is_drawn
from tests.kiosk.process_tree import alive, below, status, until

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.slow]
say = ENGLISH.say
BEFORE, OWING = 7, 5
HALL = ("open", "waiting", "expected", "issued", "now", "recent", "next")
"""What everybody in the hall goes by."""


@pytest.fixture(scope="module")
async def deployment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """A separate deployment, because these tests kill its processes."""
    async with opened(tmp_path_factory.mktemp("ruins")) as running:
        yield running


async def test_screens_survive_a_killed_web_worker(browser: Browser, hospital: Hospital) -> None:
    deployment = hospital.deployment
    board, desk, phone = await _hall_at_work(browser, hospital)
    worker = below(deployment.tree.pid_of("web"))[0]
    os.kill(worker, signal.SIGKILL)
    await asyncio.to_thread(until, lambda: not alive(worker) and status(f"{deployment.url}/healthz") == 200)

    await expect(desk.page.locator("#lost")).to_be_hidden()  # a desk without a network asks by itself and sends later
    await desk.next("M-002")
    await board.shows("M-002", "M1")
    await phone.shows("called", say("ticket.called", counter="M1"))
    await expect(board.page.locator("#old")).to_be_hidden()
    await _never_loaded_again(board.page, desk.page, phone.page)


async def test_screens_show_that_they_are_old_while_the_store_is_away_and_recover(
    browser: Browser, hospital: Hospital
) -> None:
    deployment = hospital.deployment
    board, desk, phone = await _hall_at_work(browser, hospital)
    store = int(json.loads((deployment.data / "lock").read_text())["server"])
    os.kill(store, signal.SIGSTOP)
    await expect(board.body).to_have_attribute("data-link", "stale")
    await expect(board.page.locator("#old")).to_be_visible()
    await expect(phone.page.locator("#old")).to_be_visible()
    await board.shows("M-001", "M1")
    newcomer = deployment.patient()
    arriving = asyncio.create_task(hospital.scan(newcomer, hospital.poster("M1")))
    await _until_turned_away(deployment, newcomer)

    os.kill(store, signal.SIGKILL)
    for page in (board, phone):
        await expect(page.body).to_have_attribute("data-link", "live")
        await expect(page.page.locator("#old")).to_be_hidden()
    assert (await arriving).token == "M-003"
    assert (await hospital.scan(deployment.patient(), hospital.poster("M1"))).token == "M-004"
    await desk.next("M-002")
    await board.shows("M-002", "M1")
    await phone.shows("called")
    await _never_loaded_again(board.page, desk.page, phone.page)


@pytest.mark.proof
async def test_screens_show_that_the_service_is_away_and_recover_when_it_is_back(
    browser: Browser, hospital: Hospital
) -> None:
    deployment = hospital.deployment
    board, desk, phone = await _hall_at_work(browser, hospital)
    deployment.kill_everything()
    await expect(board.body).to_have_attribute("data-link", "lost")
    assert await is_drawn(board.page.locator("#old .icon"))
    await expect(phone.page.locator("#old")).to_be_visible()
    await expect(desk.page.locator("#lost")).to_be_visible()
    await board.shows("M-001", "M1")

    await deployment.start()
    await expect(desk.page.locator("#lost")).to_be_hidden()
    await expect(board.body).to_have_attribute("data-link", "live")
    await desk.next("M-002")
    await board.shows("M-002", "M1")
    await phone.shows("called", say("ticket.called", counter="M1"))
    await _never_loaded_again(board.page, desk.page, phone.page)


async def test_kill_9_of_everything_loses_no_number_no_place_and_no_reply(hospital: Hospital) -> None:
    deployment = hospital.deployment
    login = await hospital.staff("asha")
    async with Clerk.signed_in(deployment.url, login.login, login.password) as clerk:
        await asyncio.gather(*(hospital.scan(deployment.patient(), hospital.poster("M1")) for _ in range(BEFORE)))
        await _morning(clerk)
        await deployment.simulator.order(endpoints={"on_share": {"reset_rate": 1.0}})
        reply_wanted = [
            asyncio.create_task(hospital.scan(deployment.patient(), hospital.poster("M1"))) for _ in range(OWING)
        ]
        await _until_taken(deployment, hospital, OWING)
        hall, desk = hospital.queue(), await clerk.desk("M1")
        deployment.kill_everything()

        await deployment.start()
        after = hospital.queue()
        assert {name: after[name] for name in HALL} == {name: hall[name] for name in HALL}
        assert _rows(await clerk.desk("M1")) == _rows(desk)
        assert {row[1] for row in _rows(desk)} == {"called", "waiting", "held", "no_show"}
        await deployment.simulator.clear()
        received = await asyncio.gather(*reply_wanted)
        assert sorted(one.token for one in received) == [_token(BEFORE + number) for number in range(1, OWING + 1)]
        await _everything_was_acknowledged_once(deployment)
        moved = await clerk.move("next", "M1", seen=desk["current"]["id"])
        assert (moved["outcome"], moved["ticket"]["token"]) == ("MOVED", hall["next"][0])
        newcomer = await hospital.scan(deployment.patient(), hospital.poster("M1"))
        assert newcomer.token == _token(BEFORE + OWING + 1)
    assert deployment.readable_marks() == set()


async def _morning(clerk: Clerk) -> None:
    """One patient finished, one missed the call, one on hold, one at the counter; the others wait."""
    here = ""
    for move in ("", "no-show", "hold", ""):
        here = (await clerk.move("next", "M1", seen=here))["ticket"]["id"]
        if move:
            await clerk.move(move, "M1", ticket=here)
            here = ""


def _rows(desk: dict[str, Any]) -> list[tuple[str, ...]]:
    """The rows of the desk, from the top."""
    return [(row["token"], row["state"], row["name"], row["counter"]) for row in desk["tickets"]]


def _token(number: int) -> str:
    return f"M-{number:03d}"


async def _hall_at_work(browser: Browser, hospital: Hospital) -> tuple[Board, Desk, Phone]:
    """M-001 is at the counter; M-002 waits and looks at the ticket's page."""
    board = await Board.opened(browser, hospital)
    desk = await Desk.opened(browser, hospital, await hospital.staff("asha"))
    for _ in range(2):
        await hospital.scan(hospital.deployment.patient(), hospital.poster("M1"))
    await desk.next("M-001")
    phone = await Phone.opened(browser, await desk.slip_link("M-002"))
    await desk.page.keyboard.press("Escape")
    await phone.shows("waiting")
    await expect(phone.body).to_have_attribute("data-link", "live")
    for page in (board.page, desk.page, phone.page):
        await page.evaluate("document.body.dataset.loaded = 'once'")
    return board, desk, phone


async def _never_loaded_again(*pages: Page) -> None:
    """Check that no screen was reloaded: they recovered by themselves."""
    for page in pages:
        assert await page.evaluate("document.body.dataset.loaded") == "once"


async def _until_turned_away(deployment: Deployment, patient: Patient) -> None:
    """Wait until a share was refused with 503, so that the gateway delivers it again."""
    async with asyncio.timeout(20):
        while True:
            rows = [row for row in await deployment.simulator.shares() if row["abha_address"] == patient.abha_address]
            if any(delivery["status"] == 503 for row in rows for delivery in row["deliveries"]):
                return
            await asyncio.sleep(0.1)


async def _until_taken(deployment: Deployment, hospital: Hospital, count: int) -> None:
    """Wait until this many shares of the hospital were answered with 202 and not yet acknowledged."""
    async with asyncio.timeout(20):
        while True:
            rows = [row for row in await deployment.simulator.shares() if row["hip_id"] == hospital.hip]
            reply_wanted = [row for row in rows if not row["settled_ms"] and _taken(row)]
            if len(reply_wanted) == count and all(row["answers"] for row in reply_wanted):
                return
            await asyncio.sleep(0.1)


def _taken(row: dict[str, Any]) -> bool:
    return any(delivery["status"] == 202 for delivery in row["deliveries"])


async def _everything_was_acknowledged_once(deployment: Deployment) -> None:
    """Check it in the gateway's ledger."""
    rows = await deployment.simulator.shares()
    assert audit(rows).good
    assert {row["clean"] for row in rows if _taken(row)} == {1}
    summary = await deployment.simulator.summary()
    assert (summary["protocol_faults"], summary["late"], summary["unknown"], summary["repeats"]) == (0, 0, 0, 0)
