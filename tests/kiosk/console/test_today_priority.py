"""Priority on the page of the hospital's day: lanes and reasons that are used more than usual."""

from datetime import date, timedelta

import pytest

from kiosk.archive.database import Database
from kiosk.console import figure_messages
from kiosk.services.web import Services
from tests.kiosk.archive.rows import insert_day
from tests.kiosk.console.figures_pages import app, table, visit
from tests.kiosk.console.signed_in import HIP, Browser

pytestmark = pytest.mark.anyio
__all__ = ["app"]


async def test_a_lane_that_is_used_more_than_usual_stands_out(
    admin: Browser, services: Services, database: Database
) -> None:
    snapshot = await services.desk.snapshot(HIP)
    assert snapshot
    today = date.fromisoformat(snapshot.day)
    week_before, before_that = today - timedelta(weeks=1), today - timedelta(weeks=2)
    insert_day(
        database, *(visit(number, 9, 5, 4, service_day=today, lane="emergency") for number in range(9)),
        *(visit(number, 9, 5, 4, service_day=today, lane="senior") for number in range(9, 15)),
        *(visit(number, 9, 5, 4, service_day=today) for number in range(15, 40)),
        *(visit(number, 9, 5, 4, service_day=week_before, lane="emergency") for number in range(3)),
        *(visit(number, 9, 5, 4, service_day=week_before, lane="senior") for number in range(3, 9)),
        *(visit(number, 9, 5, 4, service_day=before_that, lane="senior") for number in range(5)),
    )  # fmt: skip
    answer = await admin.get("/console/today")
    assert "Emergency: 9 today. A whole day of this weekday usually has 1.5." in answer.text
    assert "Senior, 60 or older:" not in answer.text
    assert "Ordinary:" not in answer.text


async def test_priority_is_counted_by_reason_beside_what_is_usual(
    admin: Browser, services: Services, database: Database
) -> None:
    snapshot = await services.desk.snapshot(HIP)
    assert snapshot
    today = date.fromisoformat(snapshot.day)
    before = today - timedelta(weeks=1)
    staff, child = {"lane": "priority", "reason": "staff"}, {"lane": "priority", "reason": "child"}
    insert_day(
        database, *(visit(number, 9, 5, 4, service_day=today, **staff) for number in range(6)),
        *(visit(number, 9, 5, 4, service_day=today, **child) for number in range(6, 12)),
        visit(12, 9, 5, 4, service_day=today, lane="pregnant", reason="pregnant"),
        visit(13, 9, 5, 4, service_day=today, lane="senior"), visit(14, 9, 5, 4, service_day=today),
        *(visit(number, 9, 5, 4, service_day=before, **staff) for number in range(2)),
        *(visit(number, 9, 5, 4, service_day=before, **child) for number in range(2, 7)),
    )  # fmt: skip
    answer = await admin.get("/console/today")
    assert "Hospital staff: 6 today. A whole day of this weekday usually has 2.0." in answer.text
    assert "Small child: 6 today" not in answer.text
    day = today.isoformat()
    found = {row[0]: row[1:] for row in (await table(admin, "priority", **{"from": day, "to": day}))[1:]}
    assert (found["Hospital staff"], found["Small child"]) == (["6", "2"], ["6", "5"])
    assert (found["Pregnant"], found[figure_messages.NO_REASON]) == (["1", "0"], ["1", "0"])
