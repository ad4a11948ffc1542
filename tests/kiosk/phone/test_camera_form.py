"""A number for a phone without an ABHA app."""

import asyncio
import datetime
import re
import time
import uuid
from datetime import date
from zoneinfo import ZoneInfo

import httpx
import pytest

from kiosk.locales import BOOK
from kiosk.patient.birth import birth_of_age
from kiosk.patient.consent import CONSENT_VERSION
from kiosk.phone.form import Form, form_of, read
from queueing.errors import InDoubt
from queueing.lanes import Lane
from queueing.models import Assurance, State
from tests.kiosk.hospital import HIP, MEDICINE, Hospital

pytestmark = pytest.mark.anyio

TODAY = date(2026, 11, 28)
FORM = "application/x-www-form-urlencoded"
OWN = {"sec-fetch-site": "same-origin"}


def filled(**changed: str) -> dict[str, str]:
    fields = {"request_id": str(uuid.uuid4()), "name": "Zooni Dar", "age": "45", "gender": "F", "consent": "yes"}
    return fields | {"phone": ""} | changed


async def send(visitor: httpx.AsyncClient, link: str, lang: str = "en", **changed: str) -> httpx.Response:
    return await visitor.post(link, params={"lang": lang}, data=filled(**changed), headers=OWN)


async def test_the_form_names_the_queue_and_asks_in_the_patients_language(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    answer = await visitor.get(hospital.camera_link(), headers={"accept-language": "ks,en;q=0.5"})
    assert answer.status_code == 200
    assert '<html lang="ks" dir="rtl"' in answer.text
    assert BOOK["ks"].say("form.send") in answer.text
    assert "Medicine &amp; Surgery" in answer.text


async def test_a_filled_form_becomes_a_ticket_that_its_own_page_shows(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    answer = await send(visitor, hospital.camera_link(), lang="ur", phone="+91 94190-12345")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/t/")
    page = await visitor.get(answer.headers["location"])
    assert "M-001" in page.text
    assert '<html lang="ur" dir="rtl"' in page.text
    [ticket] = await hospital.services.desk.tickets(HIP)
    assert (ticket.state, ticket.assurance, ticket.lane) == (State.WAITING, Assurance.CAMERA, Lane.ORDINARY)
    sealed = await hospital.services.desk.envelope(HIP, ticket.id)
    assert sealed is not None
    patient = hospital.services.check_in.patient(HIP, ticket, sealed)
    assert (patient.name, patient.gender, patient.phone) == ("Zooni Dar", "F", "9419012345")
    consent = hospital.services.check_in.open_envelope(HIP, ticket, sealed).consent
    assert consent is not None
    assert (consent.version, consent.language) == (CONSENT_VERSION, "ur")
    assert 0 <= time.time() - consent.at_s < 60


async def test_pressing_twice_gives_one_number(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    link, form = hospital.camera_link(), filled()
    answers = await asyncio.gather(*(visitor.post(link, data=form, headers=OWN) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {303}
    tickets = {
        hospital.services.ticket_links.read(a.headers["location"][3:].partition("?")[0], now_s=int(time.time())).ticket
        for a in answers
    }
    assert len(tickets) == 1
    assert len(await hospital.services.desk.tickets(HIP)) == 1


async def test_each_opened_form_is_a_request_of_its_own(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    link = hospital.camera_link()
    pages = [(await visitor.get(link)).text for _ in range(2)]
    ids = [re.search(r'name="request_id" value="([^"]+)"', page) for page in pages]
    assert len({found[1] for found in ids if found}) == 2


async def test_somebody_of_sixty_goes_sooner_without_asking(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    await send(visitor, hospital.camera_link(), age="72")
    await send(visitor, hospital.camera_link(), age="1948")
    assert [ticket.lane for ticket in await hospital.services.desk.tickets(HIP)] == [Lane.SENIOR, Lane.SENIOR]


async def test_faults_are_named_at_their_field_and_nothing_written_is_lost(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    wrong = {"name": 'Zooni "<b>', "age": "ten", "gender": "X", "phone": "12345", "consent": "", "request_id": "r"}
    answer = await send(visitor, hospital.camera_link(), lang="hi", **wrong)
    assert answer.status_code == 422
    for fault in ("name_odd", "age_odd", "gender_missing", "phone_odd", "consent_missing"):
        assert BOOK["hi"].say(f"form.{fault}") in answer.text
    assert answer.text.count('aria-invalid="true"') == 7  # name, age, three genders, phone, consent
    assert answer.text.count("data-first-fault") == 1
    assert 'value="Zooni &#34;&lt;b&gt;"' in answer.text
    assert 'value="ten"' in answer.text
    assert 'value="12345"' in answer.text
    assert await hospital.services.desk.tickets(HIP) == []


async def test_a_corrected_form_is_still_the_same_request(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    form = filled(age="")
    answer = await visitor.post(hospital.camera_link(), data=form, headers=OWN)
    assert f'name="request_id" value="{form["request_id"]}"' in answer.text


async def test_a_store_in_doubt_keeps_the_form_and_its_request(
    visitor: httpx.AsyncClient, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def in_doubt(*_: object) -> None:
        raise InDoubt("sent, unanswered")

    monkeypatch.setattr(hospital.services.desk, "enqueue", in_doubt)
    form = filled()
    answer = await visitor.post(hospital.camera_link(), data=form, headers=OWN)
    assert answer.status_code == 503
    assert BOOK["en"].say("form.busy") in answer.text
    assert form["request_id"] in answer.text
    assert 'value="Zooni Dar"' in answer.text


async def test_a_closed_queue_says_so(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    await hospital.services.registry.open_queue(HIP, MEDICINE, False)
    answer = await send(visitor, hospital.camera_link())
    assert answer.status_code == 409
    form = await visitor.get(hospital.camera_link())
    assert form.status_code == 200
    for page in (answer.text, form.text):
        assert BOOK["en"].say("form.closed") in page
        assert "<form" not in page, "nobody fills it in for nothing"
        assert f'href="/find/{HIP}?lang=en"' in page, "who has a number still finds the place"


async def test_outside_its_hours_a_queue_says_when_it_opens(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    day = datetime.datetime.now(ZoneInfo("Asia/Kolkata")) + datetime.timedelta(days=3)
    link, opens = hospital.camera_link(), day.weekday() * 1440 + 540
    await hospital.services.registry.set_hours(HIP, MEDICINE, (opens, opens + 300))
    messages = BOOK["ur"]
    sentence = messages.say("common.opens_on", date=messages.day(day.date().isoformat()), time="09:00")
    form = await visitor.get(link, params={"lang": "ur"})
    assert form.status_code == 200
    assert messages.say("form.after_hours", opens=sentence) in form.text
    assert "<form" not in form.text
    answer = await send(visitor, link, "ur")
    assert answer.status_code == 409
    assert sentence in answer.text
    home = await visitor.get("/", params={"facility": HIP, "lang": "ur"})
    assert sentence in home.text


async def test_a_ticket_page_says_the_hours_of_today(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    always = tuple(day * 1440 + edge for day in range(7) for edge in (0, 1440))
    await hospital.services.registry.set_hours(HIP, MEDICINE, always)
    [place] = await hospital.arrive()
    page = await visitor.get(hospital.ticket_link(place), params={"lang": "en"})
    assert "Open today: 00:00–24:00" in page.text


async def test_a_link_that_is_over_forged_or_of_another_kind_opens_no_form(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    [place] = await hospital.arrive()
    good = hospital.camera_link()
    for path, status, sentence in (
        (hospital.camera_link(life_s=900, made_s_ago=1800), 410, "form.expired"),
        (good[:-3] + ("AAA" if good[-3:] != "AAA" else "BBB"), 404, "form.forged"),
        ("/go/" + hospital.ticket_link(place).removeprefix("/t/"), 404, "form.forged"),
        (hospital.camera_link("no-such-queue"), 410, "form.expired"),
    ):
        for answer in (await visitor.get(path), await send(visitor, path)):
            assert answer.status_code == status
            assert 'href="/?lang=en"' in answer.text, "who has a number is led to the page that finds it"
            assert BOOK["en"].say(sentence) in answer.text
    assert len(await hospital.services.desk.tickets(HIP)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
async def test_a_form_sent_by_another_site_is_refused(
    visitor: httpx.AsyncClient, hospital: Hospital, headers: dict[str, str]
) -> None:
    answer = await visitor.post(hospital.camera_link(), data=filled(), headers=headers)
    assert answer.status_code == 403
    assert await hospital.services.desk.tickets(HIP) == []


async def test_an_old_browser_that_says_only_our_origin_is_served(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    answer = await visitor.post(hospital.camera_link(), data=filled(), headers={"origin": hospital.url})
    assert answer.status_code == 303


async def test_the_back_button_may_bring_back_what_was_written(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    assert (await visitor.get(hospital.camera_link())).headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"a=1&" * 2_000, b"name=%FF%FE", b"name=" + b"x" * 7_000, b"{}", b"=&=&="]
)
async def test_a_body_that_is_no_form_is_an_empty_form(
    visitor: httpx.AsyncClient, hospital: Hospital, body: bytes
) -> None:
    headers = OWN | {"content-type": FORM}
    answer = await visitor.post(hospital.camera_link(), content=body, headers=headers)
    assert answer.status_code == 422
    assert await hospital.services.desk.tickets(HIP) == []


async def test_a_body_beyond_all_forms_is_refused(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    answer = await visitor.post(hospital.camera_link(), content=b"x" * 9_000, headers=OWN | {"content-type": FORM})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("written", "year"),
    [
        ("45", 1981),
        ("0", 2026),
        ("120", 1906),
        ("1980", 1980),
        ("۴۵", 1981),
        ("४५", 1981),
        (" 45 ", 1981),
        ("1900", 1900),
        ("4.5", 2022),
        ("8m", 2026),
    ],
)
def test_an_age_or_a_year_in_any_digits_is_read(written: str, year: int) -> None:
    patient, faults = read(Form(name="Zooni", age=written, gender="F", consent=True), TODAY)
    assert (patient.year_of_birth, faults) == (year, {})


@pytest.mark.parametrize("written", ["121", "1899", "2027", "-4", "１２３４５", "²", "4 5", "x", "9" * 200])
def test_an_age_nobody_has_is_a_fault(written: str) -> None:
    _, faults = read(Form(name="Zooni", age=written, gender="F", consent=True), TODAY)
    assert faults == {"age": "age_odd"}


@pytest.mark.parametrize(
    ("written", "digits"),
    [("9419012345", "9419012345"), ("+91 94190 12345", "9419012345"), ("09419012345", "9419012345"),
     ("۹۴۱۹۰۱۲۳۴۵", "9419012345"), ("(94190)-12345", "9419012345"), ("", ""), ("  ", "")],
)  # fmt: skip
def test_a_mobile_number_is_read_however_it_is_written(written: str, digits: str) -> None:
    patient, faults = read(Form(name="Zooni", age="4", gender="F", phone=written, consent=True), TODAY)
    assert (patient.phone, faults) == (digits, {})


@pytest.mark.parametrize("name", ["زونی ڈار", "ज़ूनी दर", "Zooni d'Ar-Bhat", "Md. Yousuf", "कु. अंʼजली"])
def test_a_name_in_any_script_is_a_name(name: str) -> None:
    patient, faults = read(Form(name=name, age="4", gender="M", consent=True), TODAY)
    assert faults == {}
    assert patient.name


@pytest.mark.parametrize(
    ("name", "fault"),
    [("", "name_missing"), ("   ", "name_missing"), ("\u202e\u200b", "name_missing"), ("x" * 129, "name_long"),
     ("12345", "name_odd"), ("<script>", "name_odd"), ("'--", "name_odd"), ("a@b", "name_odd")],
)  # fmt: skip
def test_what_is_no_name_is_a_fault(name: str, fault: str) -> None:
    _, faults = read(Form(name=name, age="4", gender="M", consent=True), TODAY)
    assert faults == {"name": fault}


def test_a_request_id_of_another_form_is_replaced() -> None:
    form = form_of({"request_id": "'; DROP"})
    assert str(uuid.UUID(form.request_id)) == form.request_id
    known = str(uuid.uuid4())
    assert form_of({"request_id": known}).request_id == known


@pytest.mark.parametrize("code", sorted(BOOK))
def test_the_hints_name_what_the_field_reads_and_no_rule_that_does_not_hold(code: str) -> None:
    """Months and days are read, so a mother is told; a name may hold more than letters, so nobody is told "only"."""
    messages, today = BOOK[code], datetime.date(2026, 11, 28)
    babies = {"en": ("8m", "6d"), "hi": ("8 महीने", "6 दिन"), "ur": ("8 مہینے", "6 دن"), "ks": ("8 رؠتھ", "6 دۄہ"),
              "doi": ("8 म्हीने", "6 दिन"), "pa": ("8 ਮਹੀਨੇ", "6 ਦਿਨ")}  # fmt: skip
    for example in ("45", "1980", *babies[code]):
        assert birth_of_age(example, today).year is not None, example
        assert example in messages.say("form.age_help")
        assert example in messages.say("form.age_odd")
    assert [birth_of_age(baby, today).year for baby in babies[code]] == [2026, 2026]
    only = {"en": "only", "hi": "केवल", "ur": "صرف", "ks": "صِرف", "doi": "सिर्फ", "pa": "ਸਿਰਫ਼"}
    assert only[code] not in messages.say("form.name_odd")


async def test_the_keyboard_of_a_phone_can_write_what_the_hint_says(
    visitor: httpx.AsyncClient, hospital: Hospital
) -> None:
    page = (await visitor.get(hospital.camera_link())).text
    (field,) = re.findall(r'<input [^>]*id="age"[^>]*>', page)
    assert "numeric" not in field, "a pad of digits has no m and no d"
