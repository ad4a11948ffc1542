"""The hospital's day in Chromium: on a desk, on a phone and on paper; plots, figures, and what axe says."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page, expect

from tests.accessible import serious_problems
from tests.kiosk.archive.rows import insert_day, share
from tests.kiosk.console.figures_pages import visit
from tests.kiosk.console.running_desk import Program, Served
from tests.kiosk.console.signed_in import OWN_PASSWORD, ready_login

pytestmark = pytest.mark.anyio
PLOTTED = ("arrivals", "waits", "counters", "sources", "service", "queues", "origins", "priority")
ARRIVALS = {8: 14, 9: 31, 10: 38, 11: 27, 12: 15, 13: 9, 14: 4}
WIDTHS = {"desk": (1366, 768), "phone": (390, 844)}
INK = """canvas => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 250) seen.add(data.slice(at, at + 3).join());
  return [...seen];
}"""
NAMES = """() => Object.values(Chart.instances).filter(chart => chart.options.indexAxis === "y").flatMap(chart => {
  chart.ctx.font = `${Chart.defaults.font.size}px ${Chart.defaults.font.family}`;
  return chart.scales.y.ticks.map(({ label }) => [label, chart.ctx.measureText(label).width < chart.scales.y.width]);
})"""
"""Each name beside a bar, and whether its axis has room for it."""
BLUE, VERMILION = "0,114,178", "213,94,0"


def a_day(hip: str, day: date, factor: float = 1) -> list[dict[str, Any]]:
    """Patients of two queues; the rush is at ten."""
    made: list[dict[str, Any]] = []
    for hour, count in ARRIVALS.items():
        for number in range(int(count * factor)):
            is_walk_in = number % 4 == 3
            kind: dict[str, Any] = {
                "queue": "registration" if is_walk_in else "medicine",
                "counter": "R1" if is_walk_in else f"M{number % 3 + 1}",
                "source": "staff" if is_walk_in else "camera" if number % 9 == 0 else "abha_app",
                "assurance": "staff"
                if is_walk_in
                else "camera"
                if number % 9 == 0
                else ("screen", "poster")[number % 2],
                "nearness": "far" if number % 13 == 5 else "near",
            }
            if is_walk_in:
                reason = ("child", "staff", "doctor", "other")[number % 16 // 4]
                kind |= {"lane": "priority", "reason": reason}
            wait = 3 + hour % 5 * 7 + number % 11
            visit_of = visit(len(made), hour, wait, 2 + number % 7, service_day=day, hip_id=hip, **kind)
            made.append(visit_of)
    return made


@pytest.fixture
async def archived(program: Program, served: Served) -> Served:
    """A hospital with a day of patients today and a week ago, and some who stand in the hall now."""
    program.services.archive.prepare()
    snapshot = await served.desk.snapshot(served.hip)
    assert snapshot
    today = date.fromisoformat(snapshot.day)
    week_before = a_day(served.hip, today - timedelta(days=7), 0.8)
    insert_day(
        program.services.archive, *a_day(served.hip, today), *week_before,
        *(share(number, hip_id=served.hip, service_day=today) for number in range(3)),
    )  # fmt: skip
    for number in range(9):
        await served.arrive(f"Patient {number}")
    await served.desk.call_next(served.hip, "M1", by="asha")
    await ready_login(program.services.staff, f"admin-{served.hip.lower()}", served.hip, "admin", name="Imran Dar")
    return served


@pytest.fixture
async def desk_page(chromium: Chromium, archived: Served) -> AsyncIterator[Page]:
    """The page, signed in as the administrator; anything a page complains about fails the test at its end."""
    context = await chromium.new_context(viewport={"width": 1366, "height": 768})
    opened = await context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    await opened.goto(archived.address + "/console/login")
    await opened.fill("[name=login]", f"admin-{archived.hip.lower()}")
    await opened.fill("[name=password]", OWN_PASSWORD)
    await opened.keyboard.press("Enter")
    await expect(opened.get_by_role("heading", name="Where do you sit?")).to_be_visible()
    await opened.goto(archived.address + "/console/today")
    yield opened
    await context.close()
    assert wrong == []


async def overflowing(page: Page) -> list[str]:
    """What reaches beyond the page's width."""
    script = """() => [...document.querySelectorAll("main *")]
      .filter(one => one.closest(".figure-table") === null)
      .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
      .map(one => one.outerHTML.slice(0, 90))"""
    found: list[str] = await page.evaluate(script)
    return found


@pytest.mark.parametrize("width", WIDTHS)
async def test_the_page_is_readable_at_this_width_and_axe_finds_nothing_serious(
    desk_page: Page, width: str, tmp_path: Path
) -> None:
    await desk_page.set_viewport_size({"width": WIDTHS[width][0], "height": WIDTHS[width][1]})
    await desk_page.reload()
    for name in PLOTTED:
        await expect(desk_page.locator(f"#{name} canvas")).to_be_visible()
        assert BLUE in await desk_page.locator(f"#{name} canvas").evaluate(INK), f"{name} is drawn"
    assert VERMILION in await desk_page.locator("#sources canvas").evaluate(INK)
    assert await overflowing(desk_page) == []
    assert await serious_problems(desk_page) == []
    await desk_page.screenshot(path=tmp_path / f"today-{width}.png", full_page=True)


async def test_a_long_name_beside_a_bar_is_cut_at_its_end(archived: Served, program: Program, desk_page: Page) -> None:
    long = "Obstetrics, Gynaecology and Family Planning including Antenatal Clinic"
    for queue in await program.services.registry.queues(archived.hip):
        await program.services.registry.put_queue(archived.hip, structs.replace(queue, name=f"{queue.name} {long}"))
    await desk_page.set_viewport_size({"width": 390, "height": 844})
    await desk_page.reload()
    await expect(desk_page.locator("#queues canvas")).to_be_visible()
    labels = await desk_page.evaluate(NAMES)
    assert [shown for shown, fits in labels if not fits] == []
    assert any(shown.endswith("…") for shown, _ in labels)


async def test_a_superintendent_reads_the_day_without_scrolling(desk_page: Page) -> None:
    await expect(desk_page.get_by_text("Waiting")).to_be_in_viewport()
    await expect(desk_page.locator(".advice")).to_be_in_viewport()
    await expect(desk_page.locator("#arrivals canvas")).to_be_in_viewport()
    await expect(desk_page.locator("#arrivals p").first).to_contain_text("138")


async def test_days_are_chosen_and_the_address_keeps_them(desk_page: Page) -> None:
    await desk_page.get_by_role("link", name="Last 28 days").click()
    await expect(desk_page.locator("#days canvas")).to_be_visible()
    await expect(desk_page.get_by_role("link", name="Last 28 days")).to_have_attribute("aria-current", "page")
    assert await serious_problems(desk_page) == []
    day = await desk_page.locator("[name=to]").input_value()
    await desk_page.fill("[name=from]", day)
    await desk_page.get_by_role("button", name="Show").click()
    await expect(desk_page.locator("#days")).to_have_count(0)
    assert f"from={day}" in desk_page.url


async def test_a_table_downloads_as_a_file(desk_page: Page) -> None:
    async with desk_page.expect_download() as started:
        await desk_page.get_by_role("link", name="CSV Queues").click()
    file = await (await started.value).path()
    text = Path(file).read_bytes().decode("utf-8-sig")
    assert text.startswith("queue,arrivals,arrivals_earlier,called,served")
    assert "Medicine OPD," in text


async def test_without_scripts_every_figure_stands_in_its_table(chromium: Chromium, desk_page: Page) -> None:
    cookies = await desk_page.context.cookies()
    context = await chromium.new_context(java_script_enabled=False)
    await context.add_cookies([{"name": one["name"], "value": one["value"], "url": desk_page.url} for one in cookies])
    plain = await context.new_page()
    await plain.goto(desk_page.url)
    await expect(plain.locator("#arrivals tbody tr").nth(2)).to_have_text("10:003830")
    await expect(plain.locator("#arrivals .plot")).to_be_hidden()
    await context.close()


async def test_paper_has_plots_and_whole_tables_and_no_buttons(desk_page: Page, tmp_path: Path) -> None:
    await expect(desk_page.locator("#arrivals canvas")).to_be_visible()
    await desk_page.emulate_media(media="print")
    await desk_page.set_viewport_size({"width": 703, "height": 1000})
    await expect(desk_page.get_by_role("button", name="Show")).to_be_hidden()
    await expect(desk_page.locator("#arrivals .csv")).to_be_hidden()
    await expect(desk_page.locator("nav.rooms")).to_be_hidden()
    cut = "one => one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1"
    tables = await desk_page.locator(".figure-table").all()
    assert [await table.evaluate(cut) for table in tables] == [False] * len(tables)
    paper = await desk_page.pdf(path=tmp_path / "today.pdf", prefer_css_page_size=True)
    assert 1 <= paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") <= 6
