"""The state's review: figures are the archive's sums and the imported files, and what is not known is said to be so."""

import csv
import re
from datetime import date, timedelta
from html import unescape
from io import StringIO
from pathlib import Path

import httpx
import pytest

from kiosk.archive import incentive, schema
from kiosk.archive.database import Database
from kiosk.archive.pillars import PillarLine, import_pillars
from kiosk.console import figure_messages, review, review_messages
from kiosk.console.language import languages
from kiosk.services.web import Services
from tests.kiosk.archive.rows import insert, insert_day, share
from tests.kiosk.console.figures_pages import app, overseer, visit
from tests.kiosk.console.signed_in import (
    HIP,
    OTHER_HIP,
    Browser,
)

pytestmark = pytest.mark.anyio
__all__ = ["app", "overseer"]
TODAY = date(2026, 9, 21)
MONTH = {"month": "2026-09"}
FAR_HIP = "IN0110000777"
NEVER_HIP = "IN0110000888"
NAMES = {
    HIP: ("District Hospital Baramulla", "Baramulla", TODAY),
    OTHER_HIP: ("Sub-District Hospital Sopore", "Baramulla", TODAY - timedelta(days=6)),
    FAR_HIP: ("District Hospital Leh <b>", "Leh", TODAY - timedelta(days=7)),
    NEVER_HIP: ("Health Centre Drass", "Kargil", None),
}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(review.Reviews, "today", lambda _: TODAY)


@pytest.fixture
def months(database: Database) -> None:
    """Four facilities; tokens of August and September in two of them, and totals of the time before."""
    for number, (hip, (name, district, last)) in enumerate(NAMES.items()):
        row = {"hip_id": hip, "key": f"k{number:011d}", "name": name, "district": district, "state": "J&K"}
        insert(
            database,
            schema.facilities,
            row | {"timezone": "", "first_day": last and date(2026, 8, 10), "last_day": last},
        )
    august = {"service_day": date(2026, 8, 10)}
    person = {"person": b"p" * 16}
    insert_day(
        database,
        *(visit(number, 9, 4, 4, first_state=number != 3) for number in range(6)),
        *(visit(number, 10, 25, 4, source="staff", assurance="staff", ack="", lane="priority", reason="doctor")
          for number in range(6, 9)),
        visit(9, 10, 25, 4, source="camera", assurance="camera", ack=""),
        visit(10, 9, 4, 4, **person),
        visit(11, 11, 4, 4, first_day=False, first_month=False, first_state=False, **person),
        *(visit(number, 9, 4, 4, hip_id=OTHER_HIP, service_day=date(2026, 9, 15)) for number in range(4)),
        visit(5, 9, 4, 4, hip_id=OTHER_HIP, service_day=date(2026, 9, 15), ack="parked"),
        *(visit(number, 9, 4, 4, lane="senior", **august) for number in range(2)),
        share(1), share(2, service_day=date(2026, 8, 10)),
    )  # fmt: skip
    total = {"hip_id": "JK", "day": date(2025, 7, 14), "source": "dashboard", "tokens": 7_116_000, "imported_ms": 1}
    insert(database, schema.imported_totals, total, total | {"hip_id": HIP, "day": date(2026, 8, 1), "tokens": 50})
    with database.reading() as connection:
        counts = incentive.changed_counts(connection, TODAY, 1, date(2026, 1, 1))
    with database.writing() as connection:
        incentive.save_counts(connection, counts)


def tiles(answer: httpx.Response) -> dict[str, str]:
    return dict(re.findall(r"<dt>(.*?)</dt><dd><b>(.*?)</b>", answer.text))


def text_of(answer: httpx.Response) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", answer.text))


async def table(page: Browser, name: str, **query: str) -> list[dict[str, str]]:
    """One table as its CSV."""
    answer = await page.get(f"/console/review/csv/{name}", params=MONTH | query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8"), answer.text
    return list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.mark.usefixtures("months")
async def test_the_big_numbers_are_the_sums_of_all_facilities(overseer: Browser) -> None:
    answer = await overseer.get("/console/review")
    assert answer.status_code == 200
    assert tiles(answer) == {
        "Tokens so far": "71,16,069", "Today": "12", "In September 2026": "17", "Institutions live today": "1",
        "By Scan and Share": "76.5 %", "People": "15", "Walk-ins": "3", "Phones without the app": "1",
        "Wait: half within (min)": "4.0", "Answer to the phone: half within (s)": "0.7", "For the incentive": "11",
        "Records linked per token": "–",
    }  # fmt: skip
    text = text_of(answer)
    assert "19 counted here and 71,16,050 imported" in text
    assert "13 of 17 registrations here" in text
    assert "of 4; 1 silent for seven days, 1 never" in text
    assert "1 repeats on a day not counted" in text
    assert "not known: no hospital system reports it" in text


@pytest.mark.usefixtures("months")
@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("+91 hospital", "'+91 hospital"), ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "'\t=1"), ("\r=1", "'\r=1"),
        ("ज़िला अस्पताल", "ज़िला अस्पताल"), ("ضلع ہسپتال", "ضلع ہسپتال"),
    ],
)  # fmt: skip
async def test_a_facilitys_name_is_no_formula_in_a_file_and_keeps_its_script(
    overseer: Browser, database: Database, name: str, cell: str
) -> None:
    with database.writing() as connection:
        connection.execute(schema.facilities.update().where(schema.facilities.c.hip_id == HIP).values(name=name))
    answer = await overseer.get("/console/review/csv/facilities", params=MONTH)
    assert answer.content.startswith(b"\xef\xbb\xbf"), "Excel reads the code page of the machine without the mark"
    names = {
        row["hip_id"]: row["facility"]
        for row in csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline=""))
    }
    assert names[HIP] == cell


@pytest.mark.usefixtures("months")
async def test_facilities_where_nearly_every_phone_is_far_are_listed_with_district_and_facility(
    overseer: Browser, database: Database
) -> None:
    assert 'id="far"' not in (await overseer.get("/console/review")).text
    yesterday = TODAY - timedelta(days=1)
    insert_day(
        database,
        *(visit(number, 9, 4, 4, hip_id=FAR_HIP, nearness="far", service_day=yesterday) for number in range(15)),
        *(share(number, hip_id=FAR_HIP, refusal="far", service_day=yesterday) for number in range(10)),
        visit(20, 9, 4, 4, hip_id=FAR_HIP, nearness="near", service_day=yesterday),
        *(visit(100 + number, 9, 4, 4, hip_id=OTHER_HIP, nearness="far") for number in range(30)),
        *(visit(200 + number, 9, 4, 4, hip_id=OTHER_HIP, nearness="near") for number in range(30)),
        *(visit(300 + number, 9, 4, 4, nearness="far", service_day=TODAY - timedelta(days=2)) for number in range(30)),
    )
    for query in ({}, {"district": "Leh"}, {"hip": FAR_HIP}):
        answer = await overseer.get("/console/review", params=query)
        assert 'id="far"' in answer.text, query
        (row,) = await table(overseer, "far", **query)
        assert (row["hip_id"], row["far"], row["far_refused"], row["near"]) == (FAR_HIP, "25", "10", "1")
    assert 'id="far"' not in (await overseer.get("/console/review", params={"district": "Baramulla"})).text


@pytest.mark.usefixtures("months")
async def test_every_table_has_the_sums_of_its_tickets(overseer: Browser) -> None:
    rows = {row["month"]: row for row in await table(overseer, "trend")}
    assert list(rows)[-2:] == ["Aug 2026", "Sep 2026"]
    assert next(iter(rows)) == "Aug 2026", "older imports are not in these months"
    assert (rows["Aug 2026"]["tokens"], rows["Aug 2026"]["tokens_imported"]) == ("2", "50")
    assert (rows["Sep 2026"]["tokens"], rows["Sep 2026"]["source_staff"]) == ("17", "3")
    assert (rows["Sep 2026"]["people_state"], rows["Sep 2026"]["by_app_percent"]) == ("15", "76.5")

    by_district = {row["district"]: row for row in await table(overseer, "districts")}
    baramulla = by_district["Baramulla"]
    assert list(by_district) == ["Baramulla", "Kargil", "Leh"]
    assert (baramulla["tokens"], baramulla["people_month"]) == ("17", "16")
    assert [baramulla[f"live_{word}"] for word in ("today", "week", "silent", "never")] == ["1", "1", "0", "0"]
    assert (by_district["Leh"]["live_silent"], by_district["Leh"]["tokens"]) == ("1", "0")
    assert (by_district["Kargil"]["live_never"], by_district["Kargil"]["wait_half_min"]) == ("1", "")

    by_hour = {row["hour"]: row for row in await table(overseer, "hours")}
    assert {hour: row["tokens"] for hour, row in by_hour.items()} == {"09:00": "12", "10:00": "4", "11:00": "1"}
    assert (by_hour["10:00"]["source_camera"], by_hour["10:00"]["wait_half_min"]) == ("1", "25.0")

    by_reason = {row["reason"]: row for row in await table(overseer, "priority")}
    doctor, no_reason = by_reason["Sent back by the doctor"], by_reason[figure_messages.NO_REASON]
    assert [doctor[name] for name in ("tickets", "of_all_percent", "usual_month")] == ["3", "17.6", "0.0"]
    assert [no_reason[name] for name in ("tickets", "of_all_percent", "usual_month")] == ["0", "0.0", "2.0"]

    first, second, *others = await table(overseer, "facilities")
    assert (first["hip_id"], first["tokens"], first["accepted_by_gateway"], first["counted_for_incentive"]) == (
        HIP, "12", "8", "7",
    )  # fmt: skip
    assert (second["hip_id"], second["counted_for_incentive"]) == (OTHER_HIP, "4")
    assert [(row["hip_id"], row["tokens"]) for row in others] == [(FAR_HIP, "0"), (NEVER_HIP, "0")]


@pytest.mark.usefixtures("months")
async def test_institutions_are_named_by_how_lately_they_gave_a_number(overseer: Browser) -> None:
    live = {row["hip_id"]: row["live"] for row in await table(overseer, "institutions")}
    sentences = review_messages.LIVE
    assert live == {
        HIP: sentences["today"], OTHER_HIP: sentences["week"], FAR_HIP: sentences["silent"],
        NEVER_HIP: sentences["never"],
    }  # fmt: skip
    page = await overseer.get("/console/review")
    assert "District Hospital Leh &lt;b&gt;" in page.text
    assert "Silent for seven days: <b>1</b>" in page.text


@pytest.mark.usefixtures("months")
async def test_a_district_and_a_facility_have_their_own_figures(overseer: Browser) -> None:
    district = await overseer.get("/console/review", params=MONTH | {"district": "Baramulla"})
    assert tiles(district)["Tokens so far"] == "69"
    assert tiles(district)["In September 2026"] == "17"
    assert (tiles(district)["People"], tiles(district)["For the incentive"]) == ("16", "11")
    assert "each once in the month and facility" in district.text
    assert [row["tokens"] for row in await table(overseer, "hours", district="Baramulla")] == ["12", "4", "1"]
    facility = await overseer.get("/console/review", params=MONTH | {"hip": OTHER_HIP})
    assert (tiles(facility)["Tokens so far"], tiles(facility)["Today"]) == ("5", "0")
    assert tiles(facility)["For the incentive"] == "4"
    assert [row["tokens"] for row in await table(overseer, "hours", hip=OTHER_HIP)] == ["5"]
    leh = await overseer.get("/console/review", params=MONTH | {"district": "Leh"})
    assert (tiles(leh)["Tokens so far"], tiles(leh)["By Scan and Share"]) == ("0", "–")
    earlier = await overseer.get("/console/review", params={"month": "2026-08"})
    assert tiles(earlier)["In August 2026"] == "2"


@pytest.mark.usefixtures("months")
async def test_what_counts_for_the_incentive_is_traced_to_ticket_request_and_answer(
    overseer: Browser, services: Services
) -> None:
    answer = await overseer.get("/console/review/lines", params=MONTH | {"hip": HIP})
    lines = list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(lines) == 8
    assert [line["counted"] for line in lines] == ["1"] * 7 + ["0"], "the second ticket of a person on a day"
    first = lines[0]
    assert (first["ticket"], first["token"], first["request_id"]) == ("20717-0", "M-000", "request-0")
    assert first["arrived_at"] == "2026-09-21T09:00:00.000+05:30"
    assert first["gateway_accepted_at"] == "2026-09-21T09:00:00.800+05:30"
    (entry, *_) = await services.audit.read(HIP)
    assert (entry.kind, entry.by, entry.why) == ("tickets_exported", "omar", "2026-09")


async def test_a_pillar_shows_value_target_date_and_source_or_that_it_is_not_known(
    overseer: Browser, database: Database
) -> None:
    lines = [
        PillarLine(pillar="facilities_on_hfr", day=date(2025, 7, 14), value=3607, target=None, source="Press note"),
        PillarLine(pillar="facilities_on_hfr", day=date(2025, 1, 1), value=3000, target=4000, source="HFR"),
        PillarLine(pillar="professionals_verified", day=date(2026, 9, 22), value=9, target=None, source="tomorrow"),
        PillarLine(pillar="tokens", day=date(2026, 4, 1), value=None, target=1_00_00_000, source="Mission plan"),
    ]
    with database.writing() as connection:
        import_pillars(connection, lines, 1)
    rows = {row["pillar"]: row for row in await table(overseer, "pillars")}
    hfr = rows["Facilities on HFR"]
    assert (hfr["value"], hfr["target"], hfr["reached_percent"]) == ("3607", "4000", "90.2")
    assert (hfr["date"], hfr["source"], hfr["target_source"]) == ("2025-07-14", "Press note", "HFR")
    unknown = rows["Professionals verified"]
    assert (unknown["value"], unknown["date"], unknown["source"]) == ("", "", "not known")
    assert (rows["Scan and Share tokens"]["value"], rows["Scan and Share tokens"]["target"]) == ("0", "10000000")
    assert rows["Records linked"]["source"] == "not known"


async def test_a_page_without_figures_says_so(overseer: Browser) -> None:
    answer = await overseer.get("/console/review")
    assert answer.status_code == 200
    assert [tiles(answer)[name] for name in ("Tokens so far", "By Scan and Share", "For the incentive")] == [
        "0",
        "–",
        "–",
    ]


async def test_tokens_of_a_facility_that_the_registry_does_not_name_stand_without_a_district(
    overseer: Browser, database: Database
) -> None:
    insert_day(database, visit(1, 9, 4, 4, hip_id="IN0199"))
    assert (await overseer.get("/console/review")).status_code == 200
    (row,) = await table(overseer, "districts")
    assert (row["district"], row["tokens"], row["live_today"]) == ("No district", "1", "0")


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ({"month": "September"}, 422, review_messages.MONTH_TROUBLE["unreadable"]),
        ({"month": "2026-13"}, 422, review_messages.MONTH_TROUBLE["unreadable"]),
        ({"month": "2026-10"}, 422, review_messages.MONTH_TROUBLE["future"]),
        ({"month": "1999-10"}, 422, review_messages.MONTH_TROUBLE["old"]),
        ({"hip": "IN0"}, 404, "knows no facility with the HIP id “IN0”"),
        ({"district": "<i>"}, 404, "knows no facility in “&lt;i&gt;”"),
    ],
)
async def test_what_cannot_be_shown_is_said_on_the_page(
    overseer: Browser, query: dict[str, str], status: int, sentence: str
) -> None:
    answer = await overseer.get("/console/review", params=query)
    assert answer.status_code == status
    assert sentence in answer.text
    assert (await overseer.get("/console/review/csv/trend", params=query)).status_code == status


async def test_while_the_archive_is_away_the_page_answers_with_one_line(
    overseer: Browser, services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    away = Database(f"sqlite:///{tmp_path}/nowhere/archive.db")
    monkeypatch.setattr(services.archive, "reading", away.reading)
    answer = await overseer.get("/console/review")
    assert answer.status_code == 200
    assert review_messages.ARCHIVE_AWAY in answer.text
    assert "<dt>" not in answer.text
    assert (await overseer.get("/console/review/csv/trend")).status_code == 503


@pytest.mark.usefixtures("months")
async def test_the_state_reads_it_in_hindi_and_its_files_stay_as_programs_know_them(overseer: Browser) -> None:
    await overseer.send_form("/console/account/language", language="hi")
    hindi = languages()["hi"].texts
    page = await overseer.get("/console/review")
    assert '<html lang="hi" dir="ltr">' in page.text
    assert tiles(page)[hindi["In {month}"].format(month="सितंबर 2026")] == "17"
    assert hindi["Silent for seven days"] in page.text
    unknown = await overseer.get("/console/review", params={"district": "Sheep"})
    assert hindi[review_messages.UNKNOWN_DISTRICT].format(district="Sheep") in unknown.text
    for name, sentence in (("priority", "Sent back by the doctor"), ("institutions", review_messages.LIVE["silent"])):
        assert sentence in (await overseer.get(f"/console/review/csv/{name}")).text, name


async def test_unknown_tables_and_lines_of_no_facility_are_nothing(overseer: Browser) -> None:
    assert (await overseer.get("/console/review/csv/patients")).status_code == 404
    assert (await overseer.get("/console/review/lines")).status_code == 404


async def test_it_is_for_administrators_of_the_state_alone(admin: Browser, clerk: Browser) -> None:
    for one in (admin, clerk):
        assert (await one.get("/console/review")).status_code == 403
    assert "administrators of the state" in (await admin.get("/console/review")).text
