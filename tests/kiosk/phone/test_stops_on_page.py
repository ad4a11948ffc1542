"""The stops of a ticket that was sent from queue to queue, as the server draws them on its page."""

import html
import re
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import pytest

from kiosk.locales import BOOK, LANGUAGES
from kiosk.patient.person import Patient
from queueing.models import Place, Queue
from queueing.reasons import Reason
from tests.kiosk.hospital import HIP, MEDICINE, REGISTRATION, Hospital

pytestmark = pytest.mark.anyio

LABORATORY = Queue(id="laboratory", name="Laboratory", prefix="L", names={"ur": "لیبارٹری"})
NAME, PHONE = "Zooni Dar", "9419012345"


async def sent_on(hospital: Hospital, place: Place) -> None:
    """Seen at the registration, sent on by medicine, and now in the laboratory."""
    desk = hospital.services.desk
    await hospital.services.registry.put_queue(HIP, LABORATORY, 1)
    await desk.call_this(HIP, "R1", place.ticket, by="asha")
    await desk.transfer(HIP, place.ticket, to=MEDICINE, by="asha")
    await desk.transfer(HIP, place.ticket, to=LABORATORY.id, by="asha")


async def page_of(visitor: httpx.AsyncClient, hospital: Hospital, place: Place, lang: str = "en") -> str:
    answer = await visitor.get(hospital.ticket_link(place), params={"lang": lang})
    assert answer.status_code == 200
    return answer.text


def lines(page: str) -> list[str]:
    """The list as a reader reads it, a line for each stop."""
    [items] = re.findall(r'<ol id="stop-list".*?</ol>', page, re.DOTALL)
    bare = [re.sub(r"<[^>]+>", " ", item) for item in re.findall(r"<li.*?</li>", items, re.DOTALL)]
    return [html.unescape(re.sub(r"\s+", " ", item)).strip() for item in bare]


async def hours(hospital: Hospital, place: Place) -> list[str]:
    ticket = await hospital.services.desk.ticket(HIP, place.ticket)
    assert ticket
    zone = ZoneInfo("Asia/Kolkata")
    return [datetime.fromtimestamp(stop.ended_ms / 1000, zone).strftime("%H:%M") for stop in ticket.stops]


async def test_the_page_lists_the_earlier_stops_and_the_present_one(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    [place] = await hospital.arrive(REGISTRATION)
    await sent_on(hospital, place)
    page = await page_of(visitor, hospital, place)
    first, second = await hours(hospital, place)
    assert lines(page) == [
        f"Registration Done at {first}",
        f"Medicine & Surgery Sent on at {second}",
        "Laboratory Now here. People before you: 0",
    ]
    assert page.count('aria-current="step"') == 1
    assert re.search(r'<section class="stops" id="stops" aria-labelledby="stops-title"\s*>', page)


@pytest.mark.parametrize("code", LANGUAGES)
async def test_the_stops_are_read_in_each_language(visitor: httpx.AsyncClient, hospital: Hospital, code: str) -> None:
    [place] = await hospital.arrive(REGISTRATION)
    await sent_on(hospital, place)
    page = await page_of(visitor, hospital, place, code)
    first, second = await hours(hospital, place)
    say = BOOK[code].say
    done, left, now = lines(page)
    assert done == f"Registration {say('ticket.stop_done', time=first)}"
    assert left == f"Medicine & Surgery {say('ticket.stop_left', time=second)}"
    assert now == f"{LABORATORY.name_in(code)} {say('ticket.stop_now', ahead=0)}"
    assert say("ticket.stops") in page
    assert (f'lang="{code}">لیبارٹری' in page) == (code == "ur"), "a name of the language is marked as such"


async def test_a_ticket_that_was_never_sent_on_shows_no_list(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    [place] = await hospital.arrive()
    page = await page_of(visitor, hospital, place)
    assert re.search(r'id="stops"[^>]* hidden', page)
    assert lines(page) == []
    assert (await visitor.get(f"{hospital.ticket_link(place)}/now")).json()["stops"] == []


async def test_a_finished_visit_says_so_and_nothing_is_the_present_stop(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    [place] = await hospital.arrive(REGISTRATION)
    await sent_on(hospital, place)
    await hospital.services.desk.cancel(HIP, place.ticket, by="asha")
    page = await page_of(visitor, hospital, place)
    assert lines(page)[-1] == "Laboratory This number was cancelled"
    assert 'aria-current="step"' not in page


async def test_the_stops_hold_queues_and_times_and_nothing_of_the_person(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    person = Patient(name=NAME, phone=PHONE, year_of_birth=1950, gender="F", abha_number="91234567890123")
    place = await hospital.services.check_in.walked_in(HIP, REGISTRATION, person, Reason.NONE, by="asha")
    await sent_on(hospital, place)
    link = hospital.ticket_link(place)
    state = (await visitor.get(f"{link}/now")).json()
    assert [set(stop) for stop in state["stops"]] == [{"queue", "ended_ms", "came"}] * 2
    assert [(stop["queue"], stop["came"]) for stop in state["stops"]] == [(REGISTRATION, True), (MEDICINE, False)]
    for path in (link, f"{link}/now"):
        answer = await visitor.get(path)
        for secret in (NAME, "Zooni", PHONE, "1950", person.abha_number, "asha"):
            assert secret not in answer.text
