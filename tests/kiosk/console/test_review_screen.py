"""The state's review in Chromium: on a desk, on a phone, on one sheet of paper; plots, figures, and what axe says."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, expect

from kiosk.accounts.sessions import EVERY_FACILITY
from kiosk.archive import schema
from tests.accessible import serious_problems
from tests.kiosk.archive.rows import insert, insert_day
from tests.kiosk.console.figures_pages import visit
from tests.kiosk.console.running_desk import Program, Served, running_program
from tests.kiosk.console.signed_in import OWN_PASSWORD, PHONE, code_for, ready_login
from tests.kiosk.console.test_today_screen import BLUE, INK, WIDTHS, overflowing

pytestmark = pytest.mark.anyio
DISTRICTS = (
    "Anantnag", "Bandipora", "Baramulla", "Budgam", "Doda", "Ganderbal", "Jammu", "Kathua", "Kishtwar", "Kulgam",
    "Kupwara", "Poonch", "Pulwama", "Rajouri", "Ramban", "Reasi", "Samba", "Shopian", "Srinagar", "Udhampur",
)  # fmt: skip
"""J&K's: the page must hold them all."""
BARAMULLA = DISTRICTS.index("Baramulla")
MONTHS = 13


def a_state(today: date) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Facilities of every district, and tokens of a year in the larger ones."""
    facilities: list[dict[str, Any]] = []
    tickets: list[dict[str, Any]] = []
    for number, district in enumerate(DISTRICTS * 3):
        hip = f"IN09{number:08d}"
        is_live = number < len(DISTRICTS) * 2
        # Today in Baramulla: its file of the month has rows also on the first.
        last = today - timedelta(days=(number - BARAMULLA) % 11) if is_live else None
        kind = "Government Medical College" if number < len(DISTRICTS) else "Sub-District Hospital"
        facilities.append({
            "hip_id": hip, "key": f"s{number:011d}", "name": f"{kind} {district}", "district": district,
            "state": "Jammu and Kashmir", "timezone": "", "first_day": last, "last_day": last,
        })  # fmt: skip
        for month in range(MONTHS - 3 if number < 10 else 1 if is_live else 0):
            day = (last or today) if month == 0 else today - timedelta(days=30 * month)
            for one in range(6 + number % 3 if month == 0 else 20 - month):
                source = ("abha_app", "abha_app", "staff", "camera")[one % 4]
                tickets.append(visit(one, 9 + one % 5, 4 + one * 5, 3, service_day=day, hip_id=hip, source=source))
    return facilities, tickets


@pytest.fixture(scope="module")
async def program(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    """A program whose state has these facilities alone: the page shows all that its archive holds."""
    async with running_program(tmp_path_factory.mktemp("state")) as started:
        yield started


@pytest.fixture
async def review_page(chromium: Chromium, program: Program, served: Served) -> AsyncIterator[Page]:
    """The page, signed in as an administrator of the state; anything it complains about fails the test at its end."""
    program.services.archive.prepare()
    snapshot = await served.desk.snapshot(served.hip)
    assert snapshot
    with program.services.archive.reading() as connection:
        is_new = connection.execute(schema.facilities.select().where(schema.facilities.c.key == "s00000000000")).first()
    if is_new is None:
        facilities, tickets = a_state(date.fromisoformat(snapshot.day))
        insert(program.services.archive, schema.facilities, *facilities)
        insert_day(program.services.archive, *tickets)
        before = {"hip_id": "JK", "source": "dashboard", "imported_ms": 1}
        for month, tokens in ((12, 150), (11, 160), (10, 40)):
            day = date.fromisoformat(snapshot.day) - timedelta(days=30 * month)
            insert(program.services.archive, schema.imported_totals, before | {"day": day, "tokens": tokens})
        pillar = {"pillar": "facilities_on_hfr", "day": date(2025, 7, 14), "value": 3607, "target": 3607}
        insert(program.services.archive, schema.pillars, pillar | {"source": "press note", "imported_ms": 1})
    login = f"state-{served.hip.lower()}"
    await ready_login(program.services.staff, login, EVERY_FACILITY, "admin", name="Omar Shah")
    context = await chromium.new_context(viewport={"width": 1366, "height": 768})
    opened = await context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    await opened.goto(served.address + "/console/login")
    await opened.fill("[name=login]", login)
    await opened.fill("[name=password]", OWN_PASSWORD)
    await opened.keyboard.press("Enter")
    await opened.wait_for_url("**/console/code*")
    await opened.fill("[name=code]", code_for(PHONE))
    await opened.keyboard.press("Enter")
    await opened.wait_for_url("**/console/facility")
    await opened.goto(served.address + "/console/review")
    yield opened
    await context.close()
    assert wrong == []


@pytest.mark.parametrize("width", WIDTHS)
async def test_the_page_is_readable_at_this_width_and_axe_finds_nothing_serious(
    review_page: Page, width: str, tmp_path: Path
) -> None:
    await review_page.set_viewport_size({"width": WIDTHS[width][0], "height": WIDTHS[width][1]})
    await review_page.reload()
    for name in ("trend", "hours"):
        await expect(review_page.locator(f"#{name} canvas")).to_be_visible()
        assert BLUE in await review_page.locator(f"#{name} canvas").evaluate(INK), f"{name} is drawn"
    assert await overflowing(review_page) == []
    assert await serious_problems(review_page) == []
    await review_page.screenshot(path=tmp_path / f"review-{width}.png", full_page=True)


async def test_a_district_and_a_facility_are_a_click_away(review_page: Page) -> None:
    await review_page.get_by_role("link", name="Baramulla", exact=True).click()
    await expect(review_page.get_by_role("heading", level=1)).to_contain_text("Baramulla")
    await review_page.get_by_role("link", name="Government Medical College Baramulla").first.click()
    await expect(review_page.get_by_role("heading", level=1)).to_contain_text("Government Medical College Baramulla")
    async with review_page.expect_download() as started:
        await review_page.get_by_role("link", name="Tickets for the incentive, CSV").click()
    file = await (await started.value).path()
    lines = Path(file).read_bytes().decode("utf-8-sig").splitlines()
    assert lines[0] == "facility,service_day,ticket,token,request_id,arrived_at,gateway_accepted_at,counted"
    assert len(lines) > 1


async def test_paper_is_one_sheet_of_a4_with_pillars_trend_and_every_district(
    review_page: Page, tmp_path: Path
) -> None:
    await expect(review_page.locator("#trend canvas")).to_be_visible()
    await review_page.emulate_media(media="print")
    await review_page.set_viewport_size({"width": 703, "height": 1000})
    await expect(review_page.get_by_role("button", name="Show")).to_be_hidden()
    for name in ("pillars", "trend", "districts"):
        await expect(review_page.locator(f"#{name} table")).to_be_visible()
    await expect(review_page.locator("#districts tbody tr")).to_have_count(len(DISTRICTS))
    assert await overflowing(review_page) == []
    await review_page.screenshot(path=tmp_path / "review-paper.png", full_page=True)
    paper = await review_page.pdf(path=tmp_path / "review.pdf", prefer_css_page_size=True)
    assert paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") == 1
