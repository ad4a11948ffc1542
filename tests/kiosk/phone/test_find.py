"""Find my place again: number and four digits open the ticket page, and nothing else is learnt from it."""

import re
import uuid

import httpx
import pytest

from kiosk.locales import BOOK, LANGUAGES
from kiosk.observability import metrics
from kiosk.patient.person import Patient
from queueing.errors import StoreAway
from queueing.models import Place
from queueing.place_search import WRONG_PER_NUMBER
from queueing.reasons import Reason
from tests.kiosk.hospital import HIP, MEDICINE, Hospital
from tests.kiosk.share_builders import scan_of
from tokens import qr

pytestmark = pytest.mark.anyio

FIND = f"/find/{HIP}"
ZOONI = Patient(name="Zooni Dar", year_of_birth=1961, abha_number="91750768217770", abha_address="zooni@sbx")


async def share(hospital: Hospital, person: Patient = ZOONI) -> Place:
    return await hospital.services.check_in.scanned(scan_of(person, str(uuid.uuid4()), facility=HIP))


async def walk_in(hospital: Hospital, person: Patient) -> Place:
    return await hospital.services.check_in.walked_in(HIP, MEDICINE, person, Reason.NONE, by="asha")


async def look(visitor: httpx.AsyncClient, number: str, digits: str, lang: str = "en") -> httpx.Response:
    return await visitor.post(FIND, params={"lang": lang}, data={"number": number, "digits": digits})


def alike(page: str) -> str:
    """The page without what the visitor typed."""
    return re.sub(r'value="[^"]*"', "", page)


@pytest.mark.parametrize("code", LANGUAGES)
async def test_the_form_asks_in_each_language_and_names_nobody(
    visitor: httpx.AsyncClient, hospital: Hospital, code: str
) -> None:
    await share(hospital)
    page = await visitor.get(FIND, params={"lang": code})
    assert page.status_code == 200
    assert BOOK[code].say("find.title") in page.text
    assert BOOK[code].say("common.ask_desk") not in page.text, "nothing went wrong yet"
    assert "Zooni" not in page.text


@pytest.mark.parametrize(("number", "digits"), [("", "1961"), ("M-001", "19"), ("M-001", "1962")])
async def test_after_a_mistake_the_page_sends_to_the_desk_once(
    visitor: httpx.AsyncClient, hospital: Hospital, number: str, digits: str
) -> None:
    await share(hospital)
    answer = await look(visitor, number, digits)
    assert answer.status_code in (404, 422)
    assert answer.text.count("ask at the desk") == 1


@pytest.mark.parametrize(
    ("number", "digits"),
    [("M-001", "1961"), ("m 1", "7770"), (" m001 ", " १९६१ "), ("M–۰۰۱", "۱۹۶۱")],
    ids=["year", "end of the ABHA number", "Hindi digits", "Urdu digits"],
)
async def test_who_shared_by_an_app_gets_to_the_ticket_page(
    visitor: httpx.AsyncClient, hospital: Hospital, number: str, digits: str
) -> None:
    place = await share(hospital)
    answer = await look(visitor, number, digits, "ur")
    assert answer.status_code == 303
    assert answer.headers["cache-control"] == "no-store"
    ticket = await visitor.get(answer.headers["location"])
    assert place.token in ticket.text
    assert '<html lang="ur"' in ticket.text


async def test_wrong_number_wrong_year_and_lost_details_get_one_answer(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    first = await walk_in(hospital, ZOONI)
    no_year = await walk_in(hospital, Patient(name="Ali", phone="9419012345"))
    erased = await walk_in(hospital, Patient(name="Bano", year_of_birth=1970, abha_address="bano@sbx"))
    await hospital.services.person_records.erase(HIP, token=erased.ticket, by="imran")
    answers = [
        await look(visitor, first.token, "1962"),
        await look(visitor, "M-777", "1961"),
        await look(visitor, no_year.token, "0000"),
        await look(visitor, erased.token, "1970"),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({alike(answer.text) for answer in answers}) == 1
    assert BOOK["en"].say("find.not_found") in answers[0].text
    assert "ask at the desk" in answers[0].text


async def test_the_same_work_is_done_with_and_without_a_ticket(
    visitor: httpx.AsyncClient, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    await walk_in(hospital, ZOONI)
    opened: list[str] = []
    seal = hospital.services.seal
    open_really = seal.open

    def count(purpose: str, facility: str, binding: str, sealed: bytes) -> bytes:
        opened.append(binding)
        return open_really(purpose, facility, binding, sealed)

    monkeypatch.setattr(seal, "open", count)
    for number, digits in (("M-001", "1962"), ("M-001", "1961"), ("M-777", "1961")):
        before = len(opened)
        await look(visitor, number, digits)
        assert len(opened) == before + 1


async def test_guessing_ends_after_a_few_tries_and_says_so_in_each_language(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    await walk_in(hospital, ZOONI)
    searched = metrics.PLACE_SEARCHES.labels("too_many")._value.get()
    for year in range(1950, 1950 + WRONG_PER_NUMBER):
        assert (await look(visitor, "M-001", str(year))).status_code == 404
    for code in LANGUAGES:
        refused = await look(visitor, "M-001", "1961", code)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        assert BOOK[code].say("find.too_many") in refused.text
    assert metrics.PLACE_SEARCHES.labels("too_many")._value.get() == searched + len(LANGUAGES)


@pytest.mark.parametrize(
    ("number", "digits", "key"),
    [("", "1961", "number_odd"), ("42", "1961", "number_odd"), ("M-001", "196", "fix"), ("M-001", "year", "fix")],
)
async def test_what_cannot_be_read_is_said_and_stays_in_the_form(
    visitor: httpx.AsyncClient, hospital: Hospital, number: str, digits: str, key: str
) -> None:
    answer = await look(visitor, number, digits)
    assert answer.status_code == 422
    assert BOOK["en"].say(f"find.{key}") in answer.text
    assert f'value="{number}"' in answer.text
    assert f'value="{digits}"' in answer.text


async def test_a_foreign_page_an_unknown_hospital_and_a_store_that_is_away(
    visitor: httpx.AsyncClient, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = await visitor.post(FIND, data={"number": "M-001"}, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    for answer in (await visitor.get("/find/IN999"), await visitor.post("/find/IN999", data={"number": "M-1"})):
        assert answer.status_code == 404
    assert (await visitor.get("/find/IN999/qr.svg")).status_code == 404

    async def away(*_: object) -> None:
        raise StoreAway("away")

    monkeypatch.setattr(hospital.services.place_search, "candidates", away)
    answer = await look(visitor, "M-001", "1961")
    assert answer.status_code == 503
    assert BOOK["en"].say("find.away") in answer.text


async def test_board_kiosk_screen_and_first_page_lead_there(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    picture = await visitor.get(f"{FIND}/qr.svg")
    assert picture.content == qr.svg(f"{hospital.url}{FIND}")
    for path in (f"/board/{HIP}", f"/kiosk/{HIP}/M1"):
        assert f'src="{FIND}/qr.svg"' in (await visitor.get(path)).text
    assert f'href="{FIND}?lang=en"' in (await visitor.get("/", params={"facility": HIP})).text
