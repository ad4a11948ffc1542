"""The first page, and the page at an address that does not exist."""

import html
import re

import httpx
import pytest

from kiosk.displays.home import SEARCHED
from kiosk.locales import BOOK, LANGUAGES
from queueing.models import Facility
from tests.kiosk.hospital import HIP, MEDICINE, Hospital

pytestmark = pytest.mark.anyio

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ESCAPED_NAME = "District Hospital &lt;Baramulla&gt;"


@pytest.mark.parametrize("code", LANGUAGES)
async def test_the_first_page_says_what_this_is_and_where_staff_sign_in(
    hospital: Hospital, visitor: httpx.AsyncClient, code: str
) -> None:
    answer = await visitor.get("/", params={"lang": code})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert BOOK[code].say("home.sign_in") in answer.text
    assert 'href="/console/login"' in answer.text
    assert HIP not in answer.text


async def test_the_button_beside_a_lost_page_finds_the_hospital_not_a_board(
    hospital: Hospital, visitor: httpx.AsyncClient
) -> None:
    first = (await visitor.get("/")).text
    assert "lost its page? Write the hospital's name." in html.unescape(first)
    assert re.findall(r"<button[^>]*>([^<]*)</button>", first) == ["Find the hospital"]
    found = (await visitor.get("/", params={"facility": HIP})).text
    assert found.index(f'href="/find/{HIP}') < found.index(f'href="/board/{HIP}')


@pytest.mark.parametrize("text", [HIP, "baramulla", "  DISTRICT   hospital "])
async def test_a_facility_is_found_by_id_and_by_a_part_of_its_name(
    hospital: Hospital, visitor: httpx.AsyncClient, text: str
) -> None:
    answer = await visitor.get("/", params={"facility": text})
    assert f'href="/board/{HIP}"' in answer.text
    assert f'href="/board/{HIP}?queues={MEDICINE}"' in answer.text
    assert ESCAPED_NAME in answer.text
    board = await visitor.get(f"/board/{HIP}", params={"queues": MEDICINE})
    assert board.status_code == 200


async def test_an_unknown_name_finds_nothing_and_is_shown_escaped(
    hospital: Hospital, visitor: httpx.AsyncClient
) -> None:
    answer = await visitor.get("/", params={"facility": "<b>nowhere"})
    assert answer.status_code == 200
    assert BOOK["en"].say("home.none") in answer.text
    assert "<b>nowhere" not in answer.text
    assert "/board/" not in answer.text


async def test_an_answer_is_bounded_and_a_long_text_is_no_error(hospital: Hospital, visitor: httpx.AsyncClient) -> None:
    for number in range(SEARCHED + 5):
        await hospital.services.registry.put_facility(Facility(hip_id=f"ZZ{number:04}", name=f"Clinic {number}"))
    answer = await visitor.get("/", params={"facility": "clinic"})
    assert answer.text.count('href="/board/') == 20
    assert BOOK["en"].say("home.more") in answer.text
    last = await visitor.get("/", params={"facility": f"ZZ{SEARCHED + 4:04}"})
    assert f'href="/board/ZZ{SEARCHED + 4:04}"' in last.text
    assert (await visitor.get("/", params={"facility": "x" * 4_000})).status_code == 200


async def test_an_unknown_address_is_a_page_in_a_browser_and_a_problem_document_for_a_program(
    hospital: Hospital, visitor: httpx.AsyncClient
) -> None:
    shown = await visitor.get("/nowhere?lang=hi", headers=BROWSER)
    assert (shown.status_code, shown.headers["content-type"].partition(";")[0]) == (404, "text/html")
    assert BOOK["hi"].say("home.gone") in shown.text
    for accept in ("application/json", "*/*"):
        answer = await visitor.get("/nowhere", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    gateway = await visitor.get("/api/v3/hip/nowhere", headers=BROWSER)
    assert gateway.status_code == 404
