"""The patient's own page, as the server draws it."""

import base64
import gzip
import html
import re
from hashlib import sha256
from io import BytesIO
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from kiosk.locales import BOOK, LANGUAGES
from kiosk.patient.person import Patient
from kiosk.phone.ticket import NEAR
from queueing.errors import StoreAway
from queueing.event_log import EventKind, EventLog
from queueing.models import Outcome, Place, State
from queueing.reasons import Reason
from tests.kiosk.hospital import HIP, MEDICINE, REGISTRATION, Hospital
from tests.kiosk.share_builders import scan_of
from tokens import qr

pytestmark = pytest.mark.anyio

WEIGHT_MAX = 60_000
"""Bytes without fonts, on its way through gzip: a second of 3G."""
FIRST_ANSWER_MAX = 14_000
"""Bytes that a new connection carries before the server waits for the phone (ten segments)."""
NAME, PHONE = "Zooni Dar", "9419012345"


def shown(page: str) -> str:
    """What a reader reads: tags gone, entities told."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


async def page_of(visitor: httpx.AsyncClient, hospital: Hospital, place: Place, lang: str = "en") -> str:
    answer = await visitor.get(hospital.ticket_link(place), params={"lang": lang})
    assert answer.status_code == 200
    return answer.text


async def bring_to(hospital: Hospital, place: Place, state: State) -> None:
    """Move a waiting ticket, the first of its queue, to this state as staff do."""
    desk, ticket = hospital.services.desk, place.ticket
    if state in {State.CALLED, State.SERVING, State.DONE, State.NO_SHOW, State.HELD}:
        await hospital.call("M1")
    if state is State.SERVING:
        await desk.start(HIP, ticket, by="asha")
    if state is State.DONE:
        await desk.finish(HIP, ticket, by="asha")
    if state is State.NO_SHOW:
        await desk.no_show(HIP, ticket, by="asha")
    if state is State.HELD:
        await desk.hold(HIP, ticket, by="asha")
    if state is State.CANCELLED:
        await desk.cancel(HIP, ticket, by="asha")


async def test_a_waiting_patient_sees_the_number_and_how_many_are_before(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    *_, last = await hospital.arrive(patients=4)
    await hospital.call("M1")
    page = await page_of(visitor, hospital, last)
    assert re.search(r'class="token"[^>]*>\s*M-004\s*<', page)
    assert re.search(r'id="ahead">\s*2\s*<', page)
    assert "Please wait" in page
    assert '<bdi dir="ltr">M-001</bdi> → <bdi dir="ltr">M1</bdi>' in page
    assert "Medicine &amp; Surgery" in page


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize(
    "state", [State.WAITING, State.CALLED, State.SERVING, State.HELD, State.NO_SHOW, State.DONE, State.CANCELLED]
)
async def test_each_state_says_what_to_do_in_each_language(
    visitor: httpx.AsyncClient, hospital: Hospital, state: State, code: str
) -> None:
    [place] = await hospital.arrive()
    await bring_to(hospital, place, state)
    page = shown(await page_of(visitor, hospital, place, code))
    assert BOOK[code].say(f"ticket.{state.name.lower()}", counter="M1") in page
    do = "near" if state is State.WAITING else state.name.lower()  # nobody is before this patient
    assert BOOK[code].say(f"ticket.{do}_do") in page


async def test_whoever_is_expected_reads_how_to_check_in(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    scan = scan_of(Patient(), "r", facility=HIP, context="no such text")
    place = await hospital.services.check_in.scanned(scan)
    assert place.state is State.EXPECTED
    assert "Check in when you arrive" in await page_of(visitor, hospital, place)


async def test_a_transferred_ticket_shows_its_new_queue(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    [place] = await hospital.arrive()
    await hospital.services.desk.transfer(HIP, place.ticket, to=REGISTRATION, by="asha")
    page = await page_of(visitor, hospital, place)
    assert re.search(r'id="queue"[^>]*>\s*Registration\s*<', page)
    assert "M-001" in page


async def test_no_page_and_no_answer_says_who_it_is(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    person = Patient(name=NAME, phone=PHONE, year_of_birth=1950, gender="F", abha_number="91234567890123")
    place = await hospital.services.check_in.walked_in(HIP, MEDICINE, person, Reason.NONE, by="asha")
    link = hospital.ticket_link(place)
    for path in (link, f"{link}/now", f"{link}/qr.svg"):
        answer = await visitor.get(path)
        assert answer.status_code == 200
        for secret in (NAME, "Zooni", PHONE, "1950", person.abha_number):
            assert secret not in answer.text


async def test_the_script_can_ask_how_the_ticket_stands(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    first, second = await hospital.arrive(patients=2)
    await hospital.call("M2")
    state = (await visitor.get(f"{hospital.ticket_link(first)}/now")).json()
    key = state.pop("key")
    assert state == {
        "token": "M-001",
        "queue": MEDICINE,
        "state": 3,
        "counter": "M2",
        "calls": 1,
        "ahead": 0,
        "served_by": "",
        "stops": [],
    }
    snapshot = await hospital.services.desk.snapshot(HIP)
    assert snapshot
    assert [call.key for queue in snapshot.queues for call in queue.now] == [key], "the page finds itself by key"
    assert (await visitor.get(f"{hospital.ticket_link(second)}/now")).json()["state"] == 2


async def test_the_slip_carries_the_link_as_a_picture(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    [place] = await hospital.arrive()
    link = hospital.ticket_link(place)
    answer = await visitor.get(f"{link}/qr.svg")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.content == qr.svg(f"{hospital.url}{link}")


async def test_a_link_that_is_over_is_not_called_forged_and_a_forged_one_shows_nothing(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    [place] = await hospital.arrive()
    over = hospital.ticket_link(place, life_s=3600, made_s_ago=7200)
    good = hospital.ticket_link(place)
    forged = good[:-3] + ("AAA" if good[-3:] != "AAA" else "BBB")
    for path, status, sentence in (
        (over, 410, "This link has ended"),
        (forged, 404, "This link is not right"),
        ("/t/nonsense", 404, "This link is not right"),
        ("/t/" + hospital.camera_link().removeprefix("/go/"), 404, "This link is not right"),
    ):
        answer = await visitor.get(path)
        assert answer.status_code == status
        assert sentence in answer.text
        assert "M-001" not in answer.text
        assert (await visitor.get(f"{path}/now")).status_code == 404
        assert (await visitor.get(f"{path}/qr.svg")).status_code == 404


async def test_a_ticket_that_was_erased_has_ended(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    place = Place(outcome=Outcome.NEW, ticket="1-99")
    assert (await visitor.get(hospital.ticket_link(place))).status_code == 410


async def test_a_page_leaks_its_address_to_nobody(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    [place] = await hospital.arrive()
    answer = await visitor.get(hospital.ticket_link(place))
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    links = re.findall(r'(?:href|src|action)="([^"]+)"', answer.text)
    assert links
    assert all(not urlsplit(html.unescape(link)).netloc for link in links)


async def test_a_store_that_is_away_shows_a_page_that_tries_again(
    visitor: httpx.AsyncClient, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    [place] = await hospital.arrive()

    async def away(*_: object) -> None:
        raise StoreAway("away")

    monkeypatch.setattr(hospital.services.desk, "ticket", away)
    answer = await visitor.get(hospital.ticket_link(place), params={"lang": "hi"})
    assert answer.status_code == 503
    assert BOOK["hi"].say("common.away") in answer.text
    assert '<meta http-equiv="refresh"' in answer.text
    assert int(answer.headers["retry-after"]) > 0


async def test_a_patient_gives_the_place_up_and_a_clerk_brings_it_back(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    first, mine = await hospital.arrive(patients=2)
    link = hospital.ticket_link(mine)
    assert f'action="{link}/cancel?lang=hi"' in (await visitor.get(link, params={"lang": "hi"})).text
    answer = await visitor.post(f"{link}/cancel", params={"lang": "hi"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{link}?lang=hi")
    desk = hospital.services.desk
    ticket = await desk.ticket(HIP, mine.ticket)
    assert ticket
    assert ticket.state is State.CANCELLED
    events = (await EventLog(hospital.services.store).read(HIP)).events
    assert (events[-1].kind, events[-1].by) == (EventKind.CANCELLED, ""), "no login: the patient did it"
    assert (await desk.bring_back(HIP, mine.ticket, by="asha")).outcome is Outcome.MOVED
    assert "Please wait" in (await visitor.get(link)).text
    assert (await desk.ticket(HIP, first.ticket)) is not None


async def test_who_was_called_cannot_give_the_place_up_by_phone_and_a_foreign_page_gives_up_nothing(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    called, waiting = await hospital.arrive(patients=2)
    await hospital.call("M1")
    assert (await visitor.post(f"{hospital.ticket_link(called)}/cancel")).status_code == 303
    foreign = {"sec-fetch-site": "cross-site"}
    assert (await visitor.post(f"{hospital.ticket_link(waiting)}/cancel", headers=foreign)).status_code == 403
    assert (await visitor.post("/t/nonsense/cancel")).status_code == 404
    states = [one.state for one in await hospital.services.desk.these(HIP, [called.ticket, waiting.ticket])]
    assert states == [State.CALLED, State.WAITING]


async def test_who_is_among_the_next_is_asked_to_stay_near(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    places = await hospital.arrive(patients=NEAR + 1)
    near = BOOK["en"].say("ticket.near_do")
    assert near not in shown(await page_of(visitor, hospital, places[-1]))
    assert near in shown(await page_of(visitor, hospital, places[-2]))


async def test_a_phone_can_install_the_page(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    [place] = await hospital.arrive()
    link = hospital.ticket_link(place)
    page = (await visitor.get(link, params={"lang": "ur"})).text
    [address] = re.findall(r'<link rel="manifest" href="([^"]+)"', page)
    answer = await visitor.get(html.unescape(address))
    assert answer.headers["content-type"].startswith("application/manifest+json")
    manifest = answer.json()
    assert (manifest["start_url"], manifest["scope"], manifest["dir"]) == (f"{link}?lang=ur", "/t/", "rtl")
    for icon in manifest["icons"]:
        picture = await visitor.get(icon["src"])
        assert picture.headers["content-type"] == "image/png"
        assert "x".join(map(str, Image.open(BytesIO(picture.content)).size)) == icon["sizes"]
    worker = await visitor.get("/t/worker.js")
    assert worker.headers["content-type"].startswith("text/javascript")
    assert (await visitor.get("/t/nonsense/app.webmanifest")).status_code == 404


async def test_the_number_is_seen_with_the_first_answer(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    """Its styles stand in the page, which comes packed: a style file would be a round trip more."""
    [place] = await hospital.arrive()
    link = hospital.ticket_link(place)
    answer = await visitor.get(link, headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.num_bytes_downloaded < FIRST_ANSWER_MAX
    assert 'rel="stylesheet"' not in answer.text
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(sha256(style[1].encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"style-src 'self' 'sha256-{digest}';" in policy, "the policy allows these styles and no others"
    assert "unsafe" not in policy
    fonts = set(re.findall(r"url\((/[^)]+woff2)\)", style[1]))
    assert fonts
    for font in fonts:
        assert (await visitor.get(font)).status_code == 200
    plain = await visitor.get(link, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert "<style>" in plain.text


async def test_the_page_with_its_scripts_and_styles_weighs_little(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    *_, place = await hospital.arrive(patients=200)
    await hospital.call("M1")
    for code in LANGUAGES:
        answer = await visitor.get(hospital.ticket_link(place), params={"lang": code})
        weight = len(gzip.compress(answer.content))
        for address in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text)):
            weight += int((await visitor.get(address, headers={"accept-encoding": "gzip"})).num_bytes_downloaded)
        assert weight < WEIGHT_MAX
