"""Moves while the network is gone: they wait in sight, go in order when it is back, and the clerk learns which lost."""

import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.accessible import serious_problems
from tests.kiosk.console.running_desk import Served, choose_first, press, states_of
from tests.kiosk.console.test_colleagues_screen import picture

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def lose_network(page: Page) -> None:
    await page.context.set_offline(True)
    await expect(page.locator("#lost")).to_be_visible()


async def called_to_m1(page: Page, served: Served, patients: int) -> list[str]:
    """The first patient is at M1, the network is gone. Returns the ticket ids."""
    tickets = [(await served.arrive(f"Patient {number}")).ticket for number in range(1, patients + 1)]
    await expect(page.locator("#list [role=option]")).to_have_count(patients)
    await press(page, "n", "M-001 called to M1.")
    await press(page, "s", "M-001 is at the counter.")
    await lose_network(page)
    return tickets


async def test_moves_wait_in_sight_and_go_in_order_when_the_network_is_back(page: Page, served: Served) -> None:
    await called_to_m1(page, served, 3)
    await press(page, "f", "Finish M-001: waits for the network (1). U takes it back.")
    await expect(page.locator("#now-token")).to_have_text("Nobody at this counter")
    await choose_first(page, "M-002")
    await page.keyboard.press("p")
    await expect(page.locator("#choice-title")).to_have_text("Why does M-002 go sooner?")
    await press(page, "7", "Priority M-002: waits for the network (2). U takes it back.")
    mark = page.locator("#list [role=option]", has_text="M-002").locator(".lane")
    await expect(mark).to_have_text("BACK")
    await press(page, "u", "Taken back: Priority M-002.")
    await expect(mark).to_have_text("")
    await choose_first(page, "M-002")
    await press(page, "Shift+N", "Call M-002: waits for the network (2). U takes it back.")
    await expect(page.locator("#now-token")).to_have_text("M-002")
    await press(page, "h", "Hold M-002: waits for the network (3). U takes it back.")
    await press(page, "u", "Taken back: Hold M-002.")
    await press(page, "r", "This needs the network.")
    await press(page, "n", "M-002 was called here. Did the patient come?")
    await press(page, "f", "Next: waits for the network (3). U takes it back.")
    await press(page, "n", "Next waits for the network. Whom it calls is not known yet.")
    await expect(page.locator("#pending-list li")).to_have_text(["Finish M-001", "Call M-002", "Next"])
    await picture(page, "pending")
    assert await serious_problems(page) == []
    assert await states_of(served) == ["SERVING", "WAITING", "WAITING"]
    await page.context.set_offline(False)
    await expect(page.locator("#now-token")).to_have_text("M-003")
    await expect(page.locator("#pending")).to_be_hidden()
    assert await states_of(served) == ["CALLED"]
    ended = [ticket.token for ticket in await served.desk.ended(served.hip)]
    assert ended == ["M-002", "M-001"]


async def test_a_move_that_lost_says_who_won_and_takes_what_follows_with_it(page: Page, served: Served) -> None:
    tickets = await called_to_m1(page, served, 3)
    await press(page, "f", re.compile("^Finish M-001"))
    await choose_first(page, "M-002")
    await press(page, "Shift+N", re.compile("^Call M-002"))
    await press(page, "s", re.compile("^Start M-002"))
    await served.desk.call_this(served.hip, "M2", tickets[1], by="bilal")
    await page.context.set_offline(False)
    await expect(page.locator("#pending-title")).to_have_text("The network is back. Made: 1. Not made: 2.")
    await expect(page.locator("#pending-list li")).to_have_text(
        [
            "Call M-002: Counter M2 took M-002 first.",
            "Start M-002: not sent, because “Call M-002” was not made.",
        ]
    )
    await picture(page, "pending-lost")
    assert await serious_problems(page) == []
    assert await states_of(served) == ["CALLED", "WAITING"]
    await page.locator("#pending-close").click()
    await expect(page.locator("#pending")).to_be_hidden()
    await expect(page.locator("#list")).to_be_focused()


async def test_a_move_whose_answer_was_lost_is_sent_again_and_made_once(page: Page, served: Served) -> None:
    for name in ("First", "Second"):
        await served.arrive(name)
    await expect(page.locator("#list [role=option]")).to_have_count(2)
    lost: list[str] = []

    async def lose_the_answer(route: Route) -> None:
        if lost:
            await route.continue_()
        else:
            lost.append(route.request.url)
            await route.fetch()
            await route.abort()

    await page.route("**/console/desk/next", lose_the_answer)
    await page.keyboard.press("n")
    await expect(page.locator("#now-token")).to_have_text("M-001")
    await expect(page.locator("#pending")).to_be_hidden()
    assert await states_of(served) == ["CALLED", "WAITING"]
    assert len(lost) == 1


async def test_leaving_the_page_with_moves_waiting_asks_first(page: Page, served: Served) -> None:
    await called_to_m1(page, served, 1)
    await press(page, "f", re.compile("^Finish M-001"))
    stays = await page.evaluate("""() => {
        const leaving = new Event("beforeunload", { cancelable: true });
        window.dispatchEvent(leaving);
        return leaving.defaultPrevented;
    }""")
    assert stays
    await press(page, "u", "Taken back: Finish M-001.")
    goes = await page.evaluate("""() => {
        const leaving = new Event("beforeunload", { cancelable: true });
        window.dispatchEvent(leaving);
        return !leaving.defaultPrevented;
    }""")
    assert goes
