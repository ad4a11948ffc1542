"""Pages of administrators and of the state in Hindi and Urdu: axe, nothing cut, and Tab reaches what a mouse does."""

import os
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, ViewportSize, expect

from kiosk.accounts.sessions import EVERY_FACILITY
from kiosk.archive import schema
from kiosk.console.language import languages
from kiosk.console.rooms import ROOMS
from queueing.announcement import Announcement
from queueing.audit import UNRECORDED
from queueing.opening_hours import DAY_MIN, Holiday
from tests.accessible import serious_problems
from tests.kiosk.archive.rows import insert, insert_day
from tests.kiosk.console.running_desk import Program, Served, watched_page
from tests.kiosk.console.signed_in import build_hospital, ready_login
from tests.kiosk.console.test_today_screen import a_day
from tests.kiosk.displays.test_every_language import not_reached
from tests.kiosk.displays.test_nothing_is_cut import OVERLAPPING
from tests.reading_order import backwards

pytestmark = [pytest.mark.anyio, pytest.mark.browser]
SIZES = {"desk": ViewportSize(width=1366, height=768), "phone": ViewportSize(width=390, height=844)}
OPEN_NOW = tuple(day * DAY_MIN + edge for day in range(7) for edge in (0, DAY_MIN))
CUT = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !parent.checkVisibility({ visibilityProperty: true })) continue;
    if (parent.closest(".off, .skip")) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const text = range.getBoundingClientRect();
    for (let box = parent; box; box = box.parentElement) {
      const { overflowX, overflowY } = getComputedStyle(box);
      if (/auto|scroll/.test(overflowX + overflowY)) break;
      if (overflowX === "visible" && box !== document.documentElement) continue;
      const edge = box.getBoundingClientRect();
      if (text.left < edge.left - 2 || text.right > edge.right + 2) {
        found.push(`${parent.className || parent.tagName}: ${walker.currentNode.textContent.trim()}`);
        break;
      }
    }
  }
  return found;
}"""
"""Texts that reach over the window's side, or over that of a box which hides the rest. Wide tables may scroll."""
NO_FOCUS = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
  .filter((one) => one.type !== "hidden" && one.tabIndex >= 0 && !one.disabled)
  .filter((one) => one.checkVisibility({ visibilityProperty: true }))
  .filter((one) => { one.focus(); return document.activeElement !== one; })
  .map((one) => one.outerHTML.slice(0, 120))"""
"""What a mouse may use and takes no focus."""


async def filled(program: Program, served: Served) -> None:
    """Something in every list of the pages."""
    registry, archive = program.services.registry, program.services.archive
    await registry.set_hours(served.hip, "medicine", OPEN_NOW)
    await registry.set_holidays(served.hip, [Holiday(25_000, "Eid")])
    await program.services.announcements.announce(
        served.hip, Announcement(id="a1", text="OPD 11:00", language="en", until_ms=2**42), act=UNRECORDED
    )
    await served.arrive("Zoona Begum")
    archive.prepare()
    snapshot = await served.desk.snapshot(served.hip)
    assert snapshot
    today = date.fromisoformat(snapshot.day)
    insert_day(archive, *a_day(served.hip, today, 0.3), *a_day(served.hip, today - timedelta(days=7), 0.2))
    row = {"hip_id": served.hip, "key": served.hip, "name": "District Hospital Baramulla", "district": "Baramulla"}
    insert(archive, schema.facilities, row | {"state": "J&K", "timezone": "", "first_day": today, "last_day": today})


@pytest.fixture
async def office(chromium: Chromium, program: Program, served: Served) -> AsyncIterator[Page]:
    """An administrator of the state who has chosen the hospital: every page is open."""
    await filled(program, served)
    staff, login = program.services.staff, _login(served)
    await ready_login(staff, login, EVERY_FACILITY, "admin", name="Omar Shah")
    member = await staff.member(login)
    assert member
    cookie, _ = await staff.sessions.open(login, member.generation, address="127.0.0.1", device="")
    session = await staff.sessions.read(cookie, used=True)
    assert session
    await staff.sessions.choose_facility(session, served.hip)
    async with watched_page(chromium) as page:
        await page.context.add_cookies([{"name": "kiosk", "value": cookie, "url": served.address}])
        yield page


def _login(served: Served) -> str:
    return f"state-{served.hip.lower()}"


async def test_every_page_in_urdu_is_whole_and_can_be_reached(office: Page, program: Program, served: Served) -> None:
    """``test_pages_accessible.py`` has axe look at the same pages in English."""
    wrong = await walked(office, program, served, "ur", closely=False)
    assert not wrong, "\n".join(wrong)


@pytest.mark.proof
@pytest.mark.parametrize("code", ["hi", "ur"])
async def test_every_page_is_accessible_and_whole(office: Page, program: Program, served: Served, code: str) -> None:
    wrong = await walked(office, program, served, code, closely=True)
    assert not wrong, "\n".join(wrong)


async def test_a_button_that_takes_no_focus_is_found(chromium: Chromium) -> None:
    page = await chromium.new_page()
    await page.set_content("<button>one</button><p inert><button>cut off</button></p>")
    assert await page.evaluate(NO_FOCUS) == ["<button>cut off</button>"]


async def walked(office: Page, program: Program, served: Served, code: str, *, closely: bool) -> list[str]:
    """What is wrong with the pages in this language; ``closely``: with axe, and every key press of somebody without a
    mouse.
    """
    new = f"{served.hip}9"
    await build_hospital(program.services, new, "Sub-District Hospital Sopore")
    await program.services.staff.choose_language(_login(served), code)
    paths = [
        *(leaf.path for room in ROOMS for leaf in room.leaves), "/console/admin/queues/medicine", "/console/posters",
        "/console/account", "/console/facility", f"/console/facility/copy?template={served.hip}&to={new}",
        "/console/review",
    ]  # fmt: skip
    wrong: list[str] = []
    for path in paths:
        await office.goto(served.address + path)
        assert office.url == served.address + path
        await expect(office.locator("html")).to_have_attribute("dir", languages()[code].direction)
        wrong += [f"{path}: {one}" for one in await looked_at(office, closely=closely)]
        reached = await not_reached(office) if closely else await office.evaluate(NO_FOCUS)
        wrong += [f"{path} by keyboard: {one}" for one in reached]
    return wrong


async def looked_at(page: Page, *, closely: bool) -> list[str]:
    """What is wrong with the page, at a desk and on a phone. ``KIOSK_PICTURES``: a folder for a picture of each."""
    for table in await page.locator(".figure-table").all():  # what is scrolled out of sight lies upon nothing
        await table.evaluate("(one) => one.style.setProperty('max-height', 'none')")
    found = [f"axe: {one}" for one in await serious_problems(page)] if closely else []
    for name, size in SIZES.items():
        await page.set_viewport_size(size)
        await page.evaluate("document.fonts.ready.then(() => true)")
        if await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append(f"{name}: wider than the window")
        upon = [one for one in await page.evaluate(OVERLAPPING) if not one.startswith("skip: ")]  # seen with the focus
        found += [f"{name}: {one}" for one in [*await page.evaluate(CUT), *upon, *await backwards(page)]]
        if folder := os.environ.get("KIOSK_PICTURES"):
            here = page.url.partition("/console")[2].partition("?")[0].strip("/").replace("/", "-") or "counters"
            code = await page.locator("html").get_attribute("lang")
            await page.screenshot(path=Path(folder) / f"{code}-{here}-{name}.png", full_page=True)
    await page.set_viewport_size(SIZES["desk"])
    return found
