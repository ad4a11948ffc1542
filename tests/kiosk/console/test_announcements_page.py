"""The page of announcements: what a clerk may write, and what only an administrator changes."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from kiosk.services.web import Services
from queueing.announcement import Announcement, BoardHours
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, Browser

pytestmark = pytest.mark.anyio
PAGE = "/console/announcements"
SENTENCE = {"text": "The doctor is delayed", "language": "en", "queue": "medicine"}


def in_minutes(services: Services, minutes: int) -> str:
    zone = ZoneInfo(services.settings.timezone)
    return (datetime.now(zone) + timedelta(minutes=minutes)).strftime("%H:%M")


async def standing(services: Services, hip: str = HIP) -> tuple[Announcement, ...]:
    snapshot = await services.desk.snapshot(hip)
    assert snapshot is not None
    return snapshot.announcements


async def test_a_clerk_announces_and_takes_it_back(clerk: Browser, services: Services) -> None:
    done = await clerk.send_form(f"{PAGE}/announce", until=in_minutes(services, 30), **SENTENCE)
    assert done.headers["location"] == f"{PAGE}?done=announce"
    [one] = await standing(services)
    assert (one.text, one.language, one.queue) == ("The doctor is delayed", "en", "medicine")
    assert timedelta(minutes=28) < timedelta(milliseconds=one.until_ms - one.at_ms) <= timedelta(minutes=30)
    assert await standing(services, OTHER_HIP) == ()
    page = (await clerk.get(PAGE)).text
    assert "The doctor is delayed" in page
    assert "Hours of the boards" not in page
    assert (await clerk.send_form(f"{PAGE}/end", id="unknown")).status_code == 404
    assert (await clerk.send_form(f"{PAGE}/end", id=one.id)).headers["location"] == f"{PAGE}?done=end"
    assert await standing(services) == ()
    acts = [(entry.kind, entry.why) for entry in await services.audit.read(HIP) if entry.kind.startswith("announce")]
    assert acts == [("announcement_ended", "medicine"), ("announced", "medicine")], "no text of a person's"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"text": "  "}, "Write a sentence"),
        ({"text": "x" * 121}, "Write a sentence"),
        ({"queue": "dental"}, "Choose a queue"),
        ({"language": "xx"}, "Choose the language"),
        ({"until": "soon"}, "Write the time"),
    ],
)
async def test_what_does_not_fit_is_said_and_stays_in_the_form(
    clerk: Browser, services: Services, wrong: dict[str, str], sentence: str
) -> None:
    form = {**SENTENCE, "until": in_minutes(services, 30), **wrong}
    answer = await clerk.send_form(f"{PAGE}/announce", **form)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert await standing(services) == ()


async def test_a_time_that_has_passed_is_not_taken_for_tomorrow(clerk: Browser, services: Services) -> None:
    answer = await clerk.send_form(f"{PAGE}/announce", until=in_minutes(services, -5), **SENTENCE)
    assert (answer.status_code, "That time has passed" in answer.text) == (422, True)


async def test_an_administrator_sets_the_hours_of_the_boards(
    admin: Browser, clerk: Browser, services: Services
) -> None:
    hours = {"quiet_from": "13:00", "quiet_to": "14:00", "night_from": "20:00", "night_to": "06:00"}
    assert (await clerk.send_form(f"{PAGE}/hours", **hours)).status_code == 403
    assert (await admin.send_form(f"{PAGE}/hours", **hours)).headers["location"] == f"{PAGE}?done=hours"
    snapshot = await services.desk.snapshot(HIP)
    assert snapshot is not None
    assert snapshot.hours == BoardHours(**hours, moves=False)
    assert 'value="13:00"' in (await admin.get(PAGE)).text
    assert (await admin.send_form(f"{PAGE}/hours", quiet_from="noon")).status_code == 422
    assert [entry.by for entry in await services.audit.read(HIP) if entry.kind == "admin_board-hours"] == ["imran"]
