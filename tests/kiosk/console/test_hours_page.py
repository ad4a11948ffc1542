"""The page of opening hours: typed in lines, tried, saved, taken back, recorded; and holidays by date."""

import html
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kiosk.console.language import languages
from kiosk.exchange.hours_text import FAULTS
from kiosk.services.web import Services
from queueing.opening_hours import DAY_MIN
from tests.kiosk.console.signed_in import HIP, Browser, arrive, shown_text

pytestmark = pytest.mark.anyio
PAGE = "/console/admin/hours"
ZONE = ZoneInfo("Asia/Kolkata")
MORNINGS = tuple(day * DAY_MIN + edge for day in range(6) for edge in (540, 840))


async def hours_of(services: Services) -> tuple[int, ...] | None:
    return next(one.hours for one in await services.registry.queues(HIP) if one.id == "medicine")


def areas(page: str) -> list[str]:
    """What the text areas of the page hold."""
    return [html.unescape(text) for text in re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)]


async def test_hours_are_saved_shown_taken_back_and_recorded(admin: Browser, services: Services) -> None:
    page = (await admin.get(PAGE)).text
    assert areas(page) == ["", "", ""]
    assert "No hours: open at any hour." in page
    saved = await admin.send_form(f"{PAGE}/queue", queue="medicine", hours="Mon-Sat 9-14")
    assert await hours_of(services) == MORNINGS
    assert "Mon–Sat 09:00–14:00" in saved.text
    assert areas(saved.text) == ["", "Mon–Sat 09:00–14:00", "", ""], "the first one takes back"
    back = await admin.send_form(f"{PAGE}/queue", queue="medicine", hours=areas(saved.text)[0])
    assert "at any hour" in back.text
    assert await hours_of(services) is None
    acts = [(one.kind, one.by, one.why) for one in await services.audit.read(HIP)]
    assert acts.count(("admin_queue-hours", "imran", "medicine")) == 2


async def test_a_try_saves_nothing_and_counts_today(admin: Browser, services: Services) -> None:
    nobody = await admin.send_form(f"{PAGE}/try", queue="medicine", hours="Mon 9-14")
    assert "Nobody came" in nobody.text
    await arrive(services.check_in, "Zoona Begum")
    await arrive(services.check_in, "Ali Mohammad")
    zone = ZoneInfo(services.settings.timezone)
    elsewhen = (datetime.now(zone) + timedelta(days=3)).strftime("%a 9-14")
    tried = await admin.send_form(f"{PAGE}/try", queue="medicine", hours=elsewhen)
    assert "With these hours 2 of the 2 people of today in Medicine OPD would have been refused." in shown_text(tried)
    assert areas(tried.text)[0] == elsewhen
    whole = await admin.send_form(f"{PAGE}/try", queue="medicine", hours="daily 0:00-24:00")
    assert "With these hours 0 of the 2 people" in shown_text(whole)
    assert await hours_of(services) is None


async def test_a_line_that_cannot_be_read_is_named_and_nothing_is_lost(admin: Browser, services: Services) -> None:
    typed = "Mon 9-14\nFunday 9-14"
    answer = await admin.send_form(f"{PAGE}/queue", queue="medicine", hours=typed)
    assert answer.status_code == 422
    assert "Line 2, “Funday 9-14”" in html.unescape(answer.text)
    assert areas(answer.text)[0] == typed
    assert await hours_of(services) is None
    wrong = await admin.send_form(f"{PAGE}/holidays", holidays="Christmas")
    assert (wrong.status_code, areas(wrong.text)[-1]) == (422, "Christmas")
    assert (await admin.send_form(f"{PAGE}/queue", queue="nowhere", hours="Mon 9-14")).status_code == 404
    assert (await admin.send_form(f"{PAGE}/nothing")).status_code == 404


async def test_holidays_are_pasted_and_close_queues_with_hours(admin: Browser, services: Services) -> None:
    today = datetime.now(ZoneInfo(services.settings.timezone)).date()
    days = [today + timedelta(days=shift) for shift in (-1, 0, 1)]
    await admin.send_form(f"{PAGE}/queue", queue="medicine", hours="daily 0:00-24:00")
    saved = await admin.send_form(f"{PAGE}/holidays", holidays="\n".join(f"{day:%d-%m-%Y} Eid" for day in days))
    assert areas(saved.text)[-1] == "\n".join(f"{day} Eid" for day in days)
    assert "Today is a holiday: <bdi>Eid</bdi>" in saved.text
    assert "Closed now by its hours. Opens on " in saved.text
    hospital = await services.registry.hospital(HIP)
    assert hospital
    assert [one.name for one in hospital.holidays] == ["Eid"] * 3
    assert ("admin_holidays", "imran") in [(one.kind, one.by) for one in await services.audit.read(HIP)]
    snapshot = await services.desk.snapshot(HIP)
    assert snapshot
    assert [queue.open for queue in snapshot.queues] == [False, True]


async def test_the_page_and_its_refusals_are_in_the_administrators_language(admin: Browser, services: Services) -> None:
    await admin.send_form("/console/account/language", language="ur")
    urdu = languages()["ur"].texts
    page = html.unescape((await admin.get(PAGE)).text)
    assert '<html lang="ur" dir="rtl">' in page
    assert urdu["No hours: open at any hour."] in page
    wrong = shown_text(await admin.send_form(f"{PAGE}/queue", queue="medicine", hours="Mon 9-14\nFunday 9-14"))
    day = urdu[FAULTS["day"]].format(word="Funday")
    assert urdu[FAULTS["line"]].format(number=2, line="Funday 9-14", fault=day) in wrong
    saved = await admin.send_form(f"{PAGE}/holidays", holidays=f"{datetime.now(ZONE):%d-%m-%Y} Eid")
    assert urdu["Holidays saved."] in saved.text
    await admin.send_form(f"{PAGE}/queue", queue="medicine", hours="daily 0:00-24:00")
    closed = urdu["Closed now by its hours. {opens}."].partition("{")[0]
    assert closed in html.unescape((await admin.get(PAGE)).text)
    assert await hours_of(services) is not None
