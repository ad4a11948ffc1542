"""The hospital's day: the store's part now, the archive's part by hour, queue and day; and what is said in trouble."""

import re
from datetime import date, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest

from kiosk.archive.database import Database
from kiosk.console import figure_messages
from kiosk.console.language import languages
from kiosk.services.web import Services
from queueing.models import Queue
from tests.kiosk.archive.rows import insert_day, share
from tests.kiosk.console.figures_pages import DAY, KOLKATA, QUERY, app, overseer, table, visit
from tests.kiosk.console.signed_in import (
    HIP,
    OTHER_HIP,
    Browser,
    arrive,
)

pytestmark = pytest.mark.anyio
__all__ = ["app", "overseer"]
WEEK_BEFORE = date(2026, 9, 14)


def shown(answer: httpx.Response, name: str) -> list[list[str]]:
    """The rows of one table as the page shows them."""
    section = answer.text.partition(f'id="{name}"')[2].partition("</section>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", section, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in row] for row in cells]


def tiles(answer: httpx.Response) -> dict[str, str]:
    return dict(re.findall(r"<dt>(.*?)</dt><dd><b>(.*?)</b>", answer.text))


async def test_now_comes_from_the_store_and_the_rest_of_today_from_the_archive(
    admin: Browser, services: Services, database: Database
) -> None:
    places = [await arrive(services.check_in, f"Patient {number}") for number in range(6)]
    await services.desk.call_this(HIP, "M1", places[0].ticket, by="asha")
    await services.desk.no_show(HIP, places[0].ticket, by="asha")
    await services.desk.call_this(HIP, "M2", places[1].ticket, by="asha")
    await services.desk.start(HIP, places[1].ticket, by="asha")
    await services.desk.hold(HIP, places[2].ticket, by="asha")
    await services.registry.open_counter(HIP, "M3", False)
    snapshot = await services.desk.snapshot(HIP)
    assert snapshot
    today = date.fromisoformat(snapshot.day)
    insert_day(
        database, *(visit(number, 9, 5, 4, service_day=today) for number in range(11)),
        share(0, service_day=today), share(1, service_day=today), share(2, service_day=today, refusal="far"),
        visit(99, 9, 5, 4, service_day=today, hip_id=OTHER_HIP),
    )  # fmt: skip
    answer = await admin.get("/console/today")
    assert answer.status_code == 200
    names = figure_messages.TILES
    assert tiles(answer) == {
        names["waiting"]: "3", names["at_counter"]: "1", names["expected"]: "0", names["served"]: "11",
        names["no_show"]: "1", names["refused"]: "3", names["counters"]: "3", names["parked"]: "0",
    }  # fmt: skip
    assert "1 more on hold" in answer.text
    assert "2 of them while the queue was closed" in answer.text
    assert figure_messages.HINTS["refusals"] in unescape(answer.text)
    assert "of 4" in answer.text


async def test_refusals_for_another_reason_say_nothing_of_closed_queues(
    admin: Browser, services: Services, database: Database
) -> None:
    snapshot = await services.desk.snapshot(HIP)
    assert snapshot
    insert_day(database, share(1, service_day=date.fromisoformat(snapshot.day), refusal="far"))
    answer = await admin.get("/console/today")
    assert tiles(answer)[figure_messages.TILES["refused"]] == "1"
    assert "while the queue was closed" not in answer.text
    assert figure_messages.HINTS["refusals"] not in unescape(answer.text)


@pytest.mark.parametrize(
    ("far", "refused", "near", "sentence"),
    [
        (19, 0, 0, ""),
        (20, 0, 3, ""),
        (12, 9, 2, "far away today: 21 of 23"),
        (0, 21, 2, "refused today as far away: 21 of 23"),
        (30, 0, 1, "far away today: 30 of 31"),
    ],
)
async def test_an_administrator_is_told_when_nearly_every_phone_is_far_away(
    admin: Browser, services: Services, database: Database, far: int, refused: int, near: int, sentence: str
) -> None:
    snapshot = await services.desk.snapshot(HIP)
    assert snapshot
    day = {"service_day": date.fromisoformat(snapshot.day)}
    places = ["far"] * far + ["near"] * near + ["unknown"] * 5
    insert_day(
        database, *(visit(number, 9, 5, 4, nearness=place, **day) for number, place in enumerate(places)),
        *(share(number, refusal="far", **day) for number in range(refused)),
    )  # fmt: skip
    answer = await admin.get("/console/today")
    text = unescape(answer.text)
    assert ("compare them with a map" in text) is bool(sentence)
    assert sentence in text
    assert ("/console/admin/rooms/facility" in text.partition("days-title")[0].partition("right-now")[2]) is bool(
        sentence
    )


async def test_a_wrong_clock_is_told_to_administrators(admin: Browser, services: Services) -> None:
    assert figure_messages.CLOCK_WRONG not in unescape((await admin.get("/console/today")).text)
    services.connection.clock_is_wrong = True
    assert figure_messages.CLOCK_WRONG in unescape((await admin.get("/console/today")).text)


async def test_every_table_has_the_sums_of_its_tickets(admin: Browser, database: Database) -> None:
    insert_day(
        database,
        *(visit(number, 9, 4, 4, assurance="screen") for number in range(8)),
        *(visit(number, 9, 40, 9, counter="M2", source="camera", assurance="camera") for number in range(8, 10)),
        *(visit(number, 11, 12, 2, queue="registration", counter="R1", source="staff", assurance="staff", ack="")
          for number in range(10, 14)),
        visit(14, 12, 0, 0, state="no_show", nearness="far", ended_ms=0, ack="parked"),
        visit(15, 12, 0, 0, state="waiting", called_first_ms=0, called_last_ms=0),
        share(1, refusal="far"), share(2, refusal="far"), share(3, refusal="closed_queue"),
        *(share(number, by_hours=True) for number in range(5, 8)),
        share(4, kind="repeated", refusal="", queue="medicine"),
        *(visit(number, 9, 4, 4, service_day=WEEK_BEFORE) for number in range(8)),
        visit(1, 9, 4, 4, service_day=DAY - timedelta(days=1)), visit(1, 9, 4, 4, hip_id=OTHER_HIP),
    )  # fmt: skip
    assert (await table(admin, "arrivals"))[1:] == [
        ["09:00", "10", "8"], ["10:00", "0", "0"], ["11:00", "4", "0"], ["12:00", "2", "0"],
    ]  # fmt: skip
    header, *waits = await table(admin, "waits")
    assert header == ["hour", "wait_half_min", "wait_nine_of_ten_min", "wait_half_min_earlier"]
    assert [row[0] for row in waits] == ["09:00", "10:00", "11:00", "12:00"]
    assert 2 < float(waits[0][1]) <= 5, "eight of ten waited four minutes"
    assert 30 < float(waits[0][2]) <= 45, "two of ten waited forty"
    assert waits[1][1:] == ["", "", ""], "nobody came at ten: not known, and not nought"
    assert (await table(admin, "service"))[1][3] == "5.0", "eight visits of four minutes and two of nine"
    assert (await table(admin, "sources"))[1:] == [
        ["09:00", "8", "2", "0", "0"], ["10:00", "0", "0", "0", "0"], ["11:00", "0", "0", "4", "0"],
        ["12:00", "2", "0", "0", "0"],
    ]  # fmt: skip
    queues = {row[0]: row[1:] for row in (await table(admin, "queues"))[1:]}
    assert queues["Medicine OPD"][:6] == ["12", "8", "11", "10", "1", "0"]
    assert queues["Registration"][:6] == ["4", "0", "4", "4", "0", "0"]
    assert queues[figure_messages.NO_QUEUE][:6] == ["0", "0", "0", "0", "0", "6"]
    origins = {row[0]: row[1] for row in (await table(admin, "origins"))[1:]}
    assert origins == {
        "Code of a screen": "8", "Code of a screen, too old": "0", "Printed poster": "2", "Form without an app": "2",
        "Walk-in at the desk": "4", "Code without a counter": "0", figure_messages.FAR: "1",
    }  # fmt: skip
    assert [row[1] for row in (await table(admin, "answers"))[1:]] == ["18", "1", "1", "0"]
    assert (await table(admin, "refusals"))[1:] == [
        [figure_messages.CLOSED_BY_HOURS, "3"], ["The phone was far from the hospital", "2"],
        ["The queue is closed", "1"],
    ]  # fmt: skip
    counters = {row[0]: row[1:] for row in (await table(admin, "counters"))[1:]}
    assert counters["09:00"] == ["2", "2"], "two called somebody; one would be busy without end"


async def test_the_page_shows_the_same_figures_as_its_files(admin: Browser, database: Database) -> None:
    insert_day(
        database, *(visit(number, 9, 4, 4) for number in range(5)),
        *(visit(number, 9, 4, 4, service_day=WEEK_BEFORE) for number in range(4)),
    )  # fmt: skip
    answer = await admin.get("/console/today", params=QUERY)
    for name in ("arrivals", "waits", "counters", "service", "sources", "queues", "origins", "answers"):
        files = await table(admin, name)
        page = shown(answer, name)[1 : len(files)]
        assert [[cell.replace("–", "") for cell in row] for row in page] == files[1:], name
    assert shown(answer, "arrivals")[-1] == ["All", "5", "4"]
    assert "5 arrivals, 25 % more than a week before (4)." in answer.text
    assert "Half were called within" in answer.text


async def test_the_day_is_read_in_urdu_and_its_files_stay_as_programs_know_them(
    admin: Browser, database: Database
) -> None:
    insert_day(database, *(visit(number, 9, 4, 4) for number in range(5)))
    english = {name: await table(admin, name) for name in ("sources", "origins", "refusals", "priority")}
    await admin.send_form("/console/account/language", language="ur")
    urdu = languages()["ur"].texts
    answer = await admin.get("/console/today", params=QUERY)
    assert '<html lang="ur" dir="rtl">' in answer.text
    assert shown(answer, "origins")[1][0] == urdu["Code of a screen"]
    first = urdu["{tokens} arrivals; {earlier} nothing was counted here yet."]
    assert first.format(tokens=5, earlier=urdu["a week before"]) in answer.text
    assert (
        urdu["This is not a day. Choose a day, or write it as year-month-day: 2026-09-21."]
        in (await admin.get("/console/today", params={"from": "Monday"})).text
    )
    assert {name: await table(admin, name) for name in english} == english


async def test_a_range_adds_its_days_and_is_compared_with_the_same_weekdays(admin: Browser, database: Database) -> None:
    days = [DAY + timedelta(days=number) for number in range(7)]
    insert_day(
        database, *(visit(number, 9, 4, 4, service_day=day) for number in range(2) for day in days),
        *(visit(number, 9, 4, 4, service_day=day - timedelta(days=7)) for number in range(3) for day in days[:2]),
    )  # fmt: skip
    query = {"from": days[0].isoformat(), "to": days[-1].isoformat()}
    rows = await table(admin, "days", **query)
    assert rows[1:4] == [
        ["2026-09-21", "2", "3", rows[1][3], rows[1][4]], ["2026-09-22", "2", "3", rows[2][3], rows[2][4]],
        ["2026-09-23", "2", "0", rows[3][3], rows[3][4]],
    ]  # fmt: skip
    assert len(rows) == 8
    assert (await table(admin, "arrivals", **query))[1] == ["09:00", "14", "6"]
    assert (await table(admin, "counters", **query))[1][:2] == ["09:00", "1.0"], "one counter on each of seven days"
    answer = await admin.get("/console/today", params=query)
    assert "14 arrivals, 133 % more than the week before (6)." in answer.text


async def test_days_before_the_first_number_are_not_known_and_no_noughts(admin: Browser, database: Database) -> None:
    insert_day(database, *(visit(number, 9, 4, 4) for number in range(3)))
    for name, known in (("arrivals", ["09:00", "3", ""]), ("queues", ["Medicine OPD", "3", ""])):
        assert (await table(admin, name))[1][:3] == known
    answer = await admin.get("/console/today", params=QUERY)
    assert "3 arrivals; a week before nothing was counted here yet." in answer.text
    assert shown(answer, "arrivals")[1:] == [["09:00", "3", "–"], ["All", "3", "–"]]
    later = DAY + timedelta(days=7)
    answer = await admin.get("/console/today", params={"from": later.isoformat(), "to": later.isoformat()})
    assert "0 arrivals, 100 % fewer than a week before (3)." in answer.text


async def test_a_comparison_with_days_of_which_some_were_not_counted_says_so(
    admin: Browser, database: Database
) -> None:
    days = [DAY + timedelta(days=number) for number in range(7)]
    earlier = [visit(1, 9, 4, 4, service_day=day - timedelta(days=7)) for day in days[5:]]
    insert_day(database, *(visit(1, 9, 4, 4, service_day=day) for day in days), *earlier)
    query = {"from": days[0].isoformat(), "to": days[-1].isoformat()}
    answer = await admin.get("/console/today", params=query)
    assert "7 arrivals; the week before there were 2, counted from 19-09-2026 on." in answer.text
    rows = await table(admin, "days", **query)
    assert [row[2] for row in rows[1:]] == ["", "", "", "", "", "1", "1"]


async def test_a_long_range_is_listed_by_weeks_and_loses_no_day(admin: Browser, database: Database) -> None:
    days = [DAY - timedelta(days=number) for number in (0, 1, 6, 7, 49)]
    before = [visit(9, 9, 4, 4, service_day=day - timedelta(days=56)) for day in days[:2]]
    insert_day(database, *(visit(1, 9, 4, 4, service_day=day) for day in days), *before)
    rows = await table(admin, "days", **{"from": days[-1].isoformat(), "to": days[0].isoformat()})
    assert rows[0][:3] == ["week", "arrivals", "arrivals_earlier"]
    assert [row[:3] for row in rows[1:]] == [
        ["2026-08-03", "1", ""], ["2026-08-10", "0", ""], ["2026-08-17", "0", ""], ["2026-08-24", "0", ""],
        ["2026-08-31", "0", ""], ["2026-09-07", "0", ""], ["2026-09-14", "3", "1"], ["2026-09-21", "1", "1"],
    ]  # fmt: skip


async def test_counters_of_more_than_a_week_are_not_counted_and_the_page_says_so(
    admin: Browser, database: Database
) -> None:
    insert_day(database, *(visit(number, 9, 4, 4) for number in range(5)))
    query = {"from": "2026-09-15", "to": "2026-09-22"}
    assert (await table(admin, "counters", **query))[1] == ["09:00", "", "1"]
    assert figure_messages.HINTS["counters_long"] in (await admin.get("/console/today", params=query)).text


async def test_the_advice_rests_on_the_same_weekdays_and_measured_visits(
    admin: Browser, services: Services, database: Database
) -> None:
    snapshot = await services.desk.snapshot(HIP)
    assert snapshot
    today = date.fromisoformat(snapshot.day)
    hour = datetime.fromtimestamp(snapshot.at_ms / 1000, KOLKATA).hour
    before = [
        visit(number, hour, 4, 10, service_day=today - timedelta(weeks=week), hip_id=HIP)
        for number in range(24) for week in (1, 2)
    ]  # fmt: skip
    insert_day(database, *before)
    for number in range(2):
        await arrive(services.check_in, f"Patient {number}")
    text = unescape((await admin.get("/console/today")).text)
    weekday = f"{today:%A}"
    assert f"24 people usually arrive on a {weekday} in this hour, a visit takes 10.0 minutes and 2 wait now" in text
    assert "Open 5 counters now; 4 counters now open." in text


async def test_without_a_measured_visit_the_advice_is_not_known(admin: Browser, services: Services) -> None:
    assert figure_messages.ADVICE["none"] in unescape((await admin.get("/console/today")).text)
    await arrive(services.check_in, "Zoona Begum")
    assert figure_messages.ADVICE["unknown"] in unescape((await admin.get("/console/today")).text)


async def test_one_visit_that_was_finished_by_mistake_does_not_say_that_no_counter_is_needed(
    admin: Browser, services: Services, database: Database
) -> None:
    snapshot = await services.desk.snapshot(HIP)
    assert snapshot
    insert_day(database, visit(1, 9, 4, 0, service_day=date.fromisoformat(snapshot.day), hip_id=HIP))
    await arrive(services.check_in, "Zoona Begum")
    assert figure_messages.ADVICE["unknown"] in unescape((await admin.get("/console/today")).text)


async def test_while_the_database_is_away_the_stores_part_stands(
    admin: Browser, services: Services, database: Database
) -> None:
    place = await arrive(services.check_in, "Zoona Begum")
    await arrive(services.check_in, "Nazir Ahmad")
    await services.desk.cancel(HIP, place.ticket, by="asha")
    if database.url.get_backend_name() == "sqlite":
        Path(database.url.database or "").unlink()
    else:
        with database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE alembic_version")
    answer = await admin.get("/console/today")
    assert answer.status_code == 200
    assert answer.text.count(figure_messages.ARCHIVE_AWAY) == 1
    names = figure_messages.TILES
    assert (tiles(answer)[names["waiting"]], tiles(answer)[names["ended"]]) == ("1", "1")
    assert tiles(answer)[names["refused"]] == "–"
    assert figure_messages.ADVICE["away"] in answer.text
    file = await admin.get("/console/today/csv/arrivals", params=QUERY)
    assert (file.status_code, figure_messages.ARCHIVE_AWAY in file.text) == (503, True)


@pytest.mark.parametrize(
    ("query", "code"),
    [({"from": "2026-09-22", "to": "2026-09-21"}, "wrong_way"), ({"from": "2020-01-01", "to": "2026-09-21"}, "long"),
     ({"from": "<b>"}, "unreadable"), ({"from": "2026-09-21", "to": "2999-01-01"}, "long"),
     ({"to": "2999-01-01"}, "future")],
)  # fmt: skip
async def test_days_that_cannot_be_shown_are_said_on_the_page(admin: Browser, query: dict[str, str], code: str) -> None:
    for path in ("/console/today", "/console/today/csv/arrivals"):
        answer = await admin.get(path, params=query)
        assert answer.status_code == 422
        assert figure_messages.PERIOD_TROUBLE[code] in unescape(answer.text)
        assert "<b>" not in answer.text.partition("<main")[0]


async def test_a_facility_that_is_unknown_or_of_others_is_said_on_the_page(admin: Browser, overseer: Browser) -> None:
    for page, hip in ((admin, OTHER_HIP), (admin, "IN0000000000"), (overseer, "IN0000000000")):
        answer = await page.get("/console/today", params={"hip": hip})
        assert answer.status_code == 404
        assert figure_messages.UNKNOWN_FACILITY.format(hip=hip) in unescape(answer.text)
        assert (await page.get("/console/today/csv/arrivals", params={"hip": hip, **QUERY})).status_code == 404
    answer = await overseer.get("/console/today", params={"hip": OTHER_HIP})
    assert (answer.status_code, "Sub-District Hospital Sopore" in answer.text) == (200, True)
    assert (await overseer.get("/console/today")).headers["location"] == "/console/facility"


async def test_a_download_is_recorded_and_its_name_says_its_days(
    admin: Browser, services: Services, database: Database
) -> None:
    insert_day(database, visit(1, 9, 4, 4))
    answer = await admin.get("/console/today/csv/queues", params=QUERY)
    assert 'filename="queues-2026-09-21-2026-09-21.csv"' in answer.headers["content-disposition"]
    newest = (await services.audit.read(HIP))[0]
    assert (newest.kind, newest.by, newest.why) == ("figures_exported", "imran", "queues")
    assert (await admin.get("/console/today/csv/nothing", params=QUERY)).status_code == 404


async def test_a_queue_named_like_a_formula_is_no_formula_in_its_file(
    admin: Browser, services: Services, database: Database
) -> None:
    await services.registry.put_queue(HIP, Queue(id="medicine", name="=HYPERLINK(1)", prefix="M"))
    insert_day(database, visit(1, 9, 4, 4))
    assert (await table(admin, "queues"))[1][0] == "'=HYPERLINK(1)"
