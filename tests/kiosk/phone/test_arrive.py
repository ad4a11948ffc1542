"""Check-in at the counter's screen by number and four digits: only there, only the own number, bounded."""

import time
import uuid

import httpx
import pytest

from queueing.models import Place, State
from queueing.place_search import WRONG_PER_NUMBER
from queueing.reasons import Reason
from tests.kiosk.hospital import HIP, MEDICINE, Hospital
from tests.kiosk.phone.test_find import ZOONI
from tests.kiosk.share_builders import scan_of

pytestmark = pytest.mark.anyio

ARRIVED = f"/find/{HIP}/arrived"
OLD_POSTER = "a-text-of-another-system"


async def from_home(hospital: Hospital) -> Place:
    """A number that counts from check-in."""
    scan = scan_of(ZOONI, str(uuid.uuid4()), facility=HIP, context=OLD_POSTER)
    place = await hospital.services.check_in.scanned(scan)
    assert await state_of(hospital, place) is State.EXPECTED
    return place


async def state_of(hospital: Hospital, place: Place) -> State:
    ticket = await hospital.services.desk.ticket(HIP, place.ticket)
    assert ticket
    return ticket.state


def code_of(hospital: Hospital, hip: str = HIP, ago_s: int = 0) -> str:
    return hospital.services.counter_codes.mint(hip, "M1", int(time.time()) - ago_s)


async def touch(visitor: httpx.AsyncClient, code: str, number: str = "M-001", digits: str = "1961") -> httpx.Response:
    return await visitor.post(ARRIVED, data={"code": code, "number": number, "digits": digits})


@pytest.mark.parametrize("digits", ["1961", "7770", "१९६१"], ids=["year", "end of the ABHA number", "Hindi digits"])
async def test_the_holder_of_a_number_from_home_checks_in_at_the_screen(
    visitor: httpx.AsyncClient, hospital: Hospital, digits: str
) -> None:
    place = await from_home(hospital)
    answer = await touch(visitor, code_of(hospital), place.token, digits)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"outcome": "checked_in", "token": place.token, "ahead": 0}
    assert await state_of(hospital, place) is State.WAITING
    again = await touch(visitor, code_of(hospital), place.token, digits)
    assert again.json()["outcome"] == "here"


async def test_a_browser_elsewhere_checks_nobody_in(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    place = await from_home(hospital)
    for code in ("", "M1", code_of(hospital, "IN0110000999"), code_of(hospital, ago_s=900), "A" * 20):
        assert (await touch(visitor, code)).status_code == 403
    assert (await visitor.post("/find/IN999/arrived", data={"code": "x"})).status_code == 404
    foreign = await visitor.post(ARRIVED, data={"code": code_of(hospital)}, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    assert await state_of(hospital, place) is State.EXPECTED


async def test_wrong_digits_check_nobody_in_and_guessing_ends(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    place = await from_home(hospital)
    for digits in ("19", "year", *(str(year) for year in range(1970, 1970 + WRONG_PER_NUMBER))):
        assert (await touch(visitor, code_of(hospital), digits=digits)).json()["outcome"] == "not_found"
    assert (await touch(visitor, code_of(hospital))).json()["outcome"] == "too_many"
    assert await state_of(hospital, place) is State.EXPECTED


async def test_who_was_finished_is_sent_to_the_desk(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    place = await hospital.services.check_in.walked_in(HIP, MEDICINE, ZOONI, Reason.NONE, by="asha")
    await hospital.services.desk.cancel(HIP, place.ticket, by="asha")
    assert (await touch(visitor, code_of(hospital), place.token)).json()["outcome"] == "ask_desk"
