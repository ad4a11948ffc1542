"""Colleagues in a real Chromium: two people at one counter, a break by two keys, and all counters in a column."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from queueing.facility_view import Snapshot
from tests.accessible import serious_problems
from tests.kiosk.console.running_desk import Served, press

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def picture(page: Page, name: str) -> None:
    """For eyes, at both sizes of desk that hospitals have, when ``KIOSK_PICTURES`` names a folder."""
    folder = os.environ.get("KIOSK_PICTURES")
    for width in (1024, 1366) if folder else ():
        await page.set_viewport_size({"width": width, "height": 768})
        await page.screenshot(path=Path(str(folder)) / f"{name}-{width}.png")


async def snapshot(served: Served) -> Snapshot:
    found = await served.desk.snapshot(served.hip)
    assert found
    return found


async def test_colleagues_see_each_other_and_a_break_by_keys_alone(page: Page, served: Served) -> None:
    await served.arrive("First")
    await served.arrive("Second")
    await served.desk.call_next(served.hip, "M2", by="bilal")
    await served.services.desks.sit(served.hip, "another session", "M1", login="bilal", name="Bilal Mir")
    await expect(page.locator("#beside")).to_have_text("Bilal Mir sits here too.")
    await page.keyboard.press("a")
    await expect(page.locator("#counter-rows li")).to_have_count(4)
    await expect(page.locator("#counter-rows .mine .clerk")).to_have_text("Asha Koul, Bilal Mir")
    await expect(page.locator("#counter-rows li", has_text="M2")).to_contain_text("M-001")
    await page.keyboard.press("o")
    await expect(page.locator("#break-list button").first).to_be_focused()
    await picture(page, "break")
    await page.keyboard.press("2")
    await expect(page.locator("#away")).to_be_visible()
    assert [away.counter for away in (await snapshot(served)).breaks] == ["M1"]
    await expect(page.locator("#counter-rows .mine .tag")).to_contain_text("back ")
    await picture(page, "colleagues")
    assert await serious_problems(page) == []
    await press(page, "o", "The break of counter M1 is over.")
    await page.keyboard.press("o")
    await page.keyboard.press("1")
    await expect(page.locator("#away")).to_be_visible()
    await press(page, "n", "M-002 called to M1.")
    await expect(page.locator("#away")).to_be_hidden()
    assert (await snapshot(served)).breaks == ()
    await page.keyboard.press("a")
    await expect(page.locator("#counters")).to_be_hidden()


async def test_a_note_and_a_hand_over_by_two_keys(page: Page, served: Served) -> None:
    await served.arrive("First")
    await expect(page.locator("#list [role=option]")).to_have_count(1)
    await press(page, "n", "M-001 called to M1.")
    await page.keyboard.press("m")
    await expect(page.locator("#note-text")).to_be_focused()
    assert await serious_problems(page) == []
    await page.keyboard.type("Files at window 2")
    await page.keyboard.press("Enter")
    await expect(page.locator("#now-note")).to_have_text("Files at window 2")
    await picture(page, "note")
    await press(page, "h", "M-001 on hold; the place is kept.")
    await expect(page.locator("#list .tag.note")).to_have_text("note")
    await page.keyboard.press("g")
    await expect(page.locator("#ask-hand-over .main")).to_be_focused()
    assert await serious_problems(page) == []
    await picture(page, "hand-over")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Counter M1 was handed over.")).to_be_visible()
