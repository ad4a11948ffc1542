"""The page of opening hours: a form of a week, tried, saved, taken back, recorded; and holidays by date."""

import html
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kiosk.console import hours_messages
from kiosk.console.language import languages
from kiosk.exchange.hours_text import FAULTS, read_hours, write_holidays
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


def week(*days: int, ranges: str = "09:00-14:00") -> dict[str, str]:
    """The fields of these days, each with the same ranges."""
    return {
        f"d{day}{edge}{number}": time
        for day in days
        for number, one in enumerate(ranges.split())
        for edge, time in zip(("from", "to"), one.split("-"), strict=True)
    }


def fields(page: str) -> dict[str, str]:
    """Times that stand in the first queue's form, and the days that are ticked as closed."""
    form = page.partition('hours/queue" autocomplete')[2].partition("</form>")[0]
    inputs = [dict(re.findall(r'(name|value)="([^"]*)"', tag)) for tag in re.findall(r'<input[^>]*"time"[^>]*>', form)]
    ticks = re.findall(r'name="(d\dclosed)"[^>]*checked', form)
    return {one["name"]: one["value"] for one in inputs if one["value"]} | dict.fromkeys(ticks, "1")


async def test_hours_are_saved_shown_taken_back_and_recorded(admin: Browser, services: Services) -> None:
    page = (await admin.get(PAGE)).text
    assert fields(page) == {}
    assert "No hours: open at any hour." in page
    saved = await admin.send_form(f"{PAGE}/queue", queue="medicine", **week(*range(6)))
    assert await hours_of(services) == MORNINGS
    assert 'Monday–Saturday <bdi dir="ltr">09:00–14:00</bdi>' in saved.text
    assert fields(saved.text) == week(*range(6)) | {"d6closed": "1"}
    back = await admin.send_form(f"{PAGE}/queue", queue="medicine", hours=areas(saved.text)[0])
    assert "at any hour" in back.text
    assert await hours_of(services) is None
    acts = [(one.kind, one.by, one.why) for one in await services.audit.read(HIP)]
    assert acts.count(("admin_queue-hours", "imran", "medicine")) == 2


async def test_a_break_a_night_and_a_whole_day_are_stored_as_the_lines_of_the_command_are(
    admin: Browser, services: Services
) -> None:
    typed = week(0, 1, ranges="09:00-13:00 14:00-17:00") | week(2, ranges="20:00-02:00") | week(5, ranges="00:00-00:00")
    saved = await admin.send_form(f"{PAGE}/queue", queue="medicine", **typed)
    assert await hours_of(services) == read_hours("Mon-Tue 9-13, 14-17\nWed 20:00-2:00\nSat 0:00-24:00")
    assert fields(saved.text) == typed | {"d3closed": "1", "d4closed": "1", "d6closed": "1"}


async def test_hours_of_the_command_line_come_back_from_the_form_unchanged(admin: Browser, services: Services) -> None:
    spans = read_hours("Mon 8-9, 10-11, 12-13, 14-15\nThu-Fri 9:30-13:00\nSun 22-6")
    await services.registry.set_hours(HIP, "medicine", spans)
    form = fields((await admin.get(PAGE)).text)
    await admin.send_form(f"{PAGE}/queue", queue="medicine", shut="1,2,5", **form)
    assert await hours_of(services) == spans


async def test_monday_is_copied_to_the_working_days_and_nothing_is_saved(admin: Browser, services: Services) -> None:
    monday = week(0, ranges="09:00-13:00 14:00-17:00")
    copied = await admin.send_form(f"{PAGE}/copy", queue="medicine", **monday, **week(6, ranges="10:00-12:00"))
    expected = week(*range(6), ranges="09:00-13:00 14:00-17:00") | week(6, ranges="10:00-12:00")
    assert fields(copied.text) == expected
    assert "Nothing is saved yet." in copied.text
    assert await hours_of(services) is None


async def test_a_tick_closes_a_day_and_times_open_one_that_was_closed(admin: Browser, services: Services) -> None:
    ticked = {"d5closed": "1", "d6closed": "1"}
    await admin.send_form(f"{PAGE}/queue", queue="medicine", shut="6,", **week(*range(7)), **ticked)
    assert await hours_of(services) == read_hours("Mon-Fri 9-14\nSun 9-14")


async def test_a_try_saves_nothing_and_counts_today(admin: Browser, services: Services) -> None:
    nobody = await admin.send_form(f"{PAGE}/try", queue="medicine", **week(0))
    assert "Nobody came" in nobody.text
    await arrive(services.check_in, "Zoona Begum")
    await arrive(services.check_in, "Ali Mohammad")
    zone = ZoneInfo(services.settings.timezone)
    elsewhen = week((datetime.now(zone) + timedelta(days=3)).weekday())
    tried = await admin.send_form(f"{PAGE}/try", queue="medicine", **elsewhen)
    assert "With these hours 2 of the 2 people of today in Medicine OPD would have been refused." in shown_text(tried)
    assert elsewhen.items() <= fields(tried.text).items()
    whole = await admin.send_form(f"{PAGE}/try", queue="medicine", **week(*range(7), ranges="00:00-00:00"))
    assert "With these hours 0 of the 2 people" in shown_text(whole)
    assert await hours_of(services) is None


@pytest.mark.parametrize(
    ("typed", "sentence", "at"),
    [
        ({"d1from0": "09:00"}, "Tuesday: write an opening and a closing, such as 9:00-14:00.", "d1from0"),
        (week(2, ranges="09:00-09:00"), "Wednesday: a time range ends where it begins", "d2from0"),
        (week(3, ranges="09:00-13:00 12:00-15:00"), "Thursday: two time ranges overlap.", "d3from0"),
        (week(6, ranges="20:00-10:00") | week(0), "Sunday: two time ranges overlap.", "d6from0"),
        ({}, "Write the hours of at least one day.", "d0from0"),
    ],
    ids=["half", "empty range", "overlap", "overlap at the week's end", "nothing"],
)
async def test_a_day_that_is_wrong_is_named_and_nothing_is_lost(
    admin: Browser, services: Services, typed: dict[str, str], sentence: str, at: str
) -> None:
    answer = await admin.send_form(f"{PAGE}/queue", queue="medicine", **week(4), **typed) if typed else (
        await admin.send_form(f"{PAGE}/queue", queue="medicine")
    )  # fmt: skip
    assert answer.status_code == 422
    assert sentence in shown_text(answer)
    assert typed.items() <= fields(answer.text).items()
    assert re.findall(r'name="(\w+)"[^>]*aria-invalid', answer.text) == [at]
    assert await hours_of(services) is None


async def test_what_does_not_exist_is_refused(admin: Browser) -> None:
    wrong = await admin.send_form(f"{PAGE}/holidays", holidays="Christmas")
    assert (wrong.status_code, areas(wrong.text)[-1]) == (422, "Christmas")
    assert (await admin.send_form(f"{PAGE}/queue", queue="nowhere", **week(0))).status_code == 404
    assert (await admin.send_form(f"{PAGE}/nothing")).status_code == 404
    assert (await admin.send_form(f"{PAGE}/no-holiday", date="2026-12-25")).status_code == 404


async def test_a_holiday_is_added_and_removed_by_itself(admin: Browser, services: Services) -> None:
    async def stored() -> list[str]:
        hospital = await services.registry.hospital(HIP)
        assert hospital
        return write_holidays(hospital.holidays).splitlines()

    await admin.send_form(f"{PAGE}/holiday", date="2026-12-25", name="Christmas")
    added = await admin.send_form(f"{PAGE}/holiday", date="2026-10-02", name="गांधी जयंती")
    assert await stored() == ["2026-10-02 गांधी जयंती", "2026-12-25 Christmas"]
    assert "Friday, 25 December 2026" in shown_text(added)
    refused = await admin.send_form(f"{PAGE}/holiday", date="", name="Shivratri")
    assert (refused.status_code, "Shivratri" in refused.text) == (422, True)
    removed = await admin.send_form(f"{PAGE}/no-holiday", date="2026-12-25")
    assert await stored() == ["2026-10-02 गांधी जयंती"]
    await admin.send_form(f"{PAGE}/holidays", holidays=areas(removed.text)[0])  # the button that takes it back
    assert len(await stored()) == 2


async def test_holidays_are_pasted_and_close_queues_with_hours(admin: Browser, services: Services) -> None:
    today = datetime.now(ZoneInfo(services.settings.timezone)).date()
    days = [today + timedelta(days=shift) for shift in (-1, 0, 1)]
    await admin.send_form(f"{PAGE}/queue", queue="medicine", **week(*range(7), ranges="00:00-00:00"))
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
    wrong = shown_text(await admin.send_form(f"{PAGE}/queue", queue="medicine", d0from0="09:00"))
    assert urdu[hours_messages.WRONG_DAY].format(day="پیر", fault=urdu[FAULTS["range"]]) in wrong
    saved = await admin.send_form(f"{PAGE}/holidays", holidays=f"{datetime.now(ZONE):%d-%m-%Y} Eid")
    assert urdu["Holidays saved."] in saved.text
    await admin.send_form(f"{PAGE}/queue", queue="medicine", **week(*range(7), ranges="00:00-00:00"))
    closed = urdu["Closed now by its hours. {opens}."].partition("{")[0]
    assert closed in html.unescape((await admin.get(PAGE)).text)
    assert await hours_of(services) is not None
