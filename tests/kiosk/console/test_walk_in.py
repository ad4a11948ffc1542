"""A number for somebody without a phone, and the QR of an ABHA card at the desk."""

import base64
import json
import re
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import zxingcpp

from kiosk.console import patient_qr
from kiosk.console.walk_in import WalkIn, patient_of
from kiosk.patient.person import Patient
from kiosk.services.web import Services
from queueing.lanes import Lane
from queueing.reasons import Reason
from tests.kiosk.console.signed_in import HIP, Browser, arrive

pytestmark = pytest.mark.anyio
TODAY = date(2026, 11, 28)
SAMPLES = Path(__file__).parents[2] / "samples"


async def test_a_name_and_enter_give_a_number_in_the_same_line(clerk: Browser, services: Services) -> None:
    await arrive(services.check_in, "By Phone")
    slip = (await clerk.ask("/console/walk-in", queue="medicine", name="Zoona Begum")).json()
    assert (slip["outcome"], slip["token"], slip["ahead"]) == ("NEW", "M-002", 1)
    assert (slip["queue"], slip["facility"]) == ("Medicine OPD", "District Hospital Baramulla")
    row = (await clerk.desk())["tickets"][1]
    assert (row["name"], row["tags"]) == ("Zoona Begum", ["walk-in"])


async def test_the_slip_leads_to_the_ticket_and_names_nobody(clerk: Browser, services: Services) -> None:
    slip = (await clerk.ask("/console/walk-in", queue="medicine", name="Zoona Begum", phone="9000000009")).json()
    assert "Zoona" not in json.dumps(slip)
    assert "9000000009" not in json.dumps(slip)
    link = slip["link"].removeprefix(services.settings.public_url + "/t/")
    claim = services.ticket_links.read(link, now_s=int(time.time()))
    ticket = await services.desk.ticket(HIP, claim.ticket)
    assert claim.hip_id == HIP
    assert ticket is not None
    assert ticket.token == slip["token"]


async def test_the_picture_on_the_slip_says_the_link(clerk: Browser) -> None:
    slip = (await clerk.ask("/console/walk-in", queue="medicine", name="Zoona Begum")).json()
    kind, _, picture = slip["qr"].partition(";base64,")
    svg = base64.b64decode(picture).decode()
    assert kind == "data:image/svg+xml"
    assert decoded(svg) == slip["link"]


def decoded(svg: str) -> str:
    """Read a QR back from its drawing: dark modules are horizontal strokes."""
    side = int(re.search(r'viewBox="0 0 (\d+)', svg).group(1))  # type: ignore[union-attr]  # always there
    scale = 4
    pixels = bytearray(b"\xff" * (side * scale) ** 2)
    path = re.findall(r'd="([^"]*)"', svg)[-1]
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmh])\s*([-\d. ,]+)", path):
        values = [float(one) for one in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        else:
            for row in range(int(y) * scale, (int(y) + 1) * scale):
                at = row * side * scale + int(x) * scale
                pixels[at : at + int(values[0]) * scale] = bytes(int(values[0]) * scale)
            x += values[0]
    image = memoryview(pixels).cast("B", (side * scale, side * scale))
    found = zxingcpp.read_barcode(image)
    return found.text if found else ""


async def test_a_slip_can_be_printed_again(clerk: Browser, services: Services) -> None:
    place = await arrive(services.check_in, "By Phone")
    slip = (await clerk.ask("/console/slip", ticket=place.ticket)).json()
    assert (slip["token"], slip["ahead"]) == ("M-001", 0)


async def test_the_same_form_sent_twice_gives_one_number(clerk: Browser) -> None:
    form = {"queue": "medicine", "name": "Zoona Begum", "request": "4c1d"}
    answers = [(await clerk.ask("/console/walk-in", **form)).json() for _ in range(2)]
    assert [one["token"] for one in answers] == ["M-001", "M-001"]
    assert [one["outcome"] for one in answers] == ["NEW", "SAME_REQUEST"]


async def test_an_old_person_is_placed_as_a_senior_without_asking(clerk: Browser, services: Services) -> None:
    await clerk.ask("/console/walk-in", queue="medicine", name="Young", age="30")
    slip = (await clerk.ask("/console/walk-in", queue="medicine", name="Old", age="71")).json()
    assert (slip["ahead"], slip["lane"]) == (0, "Senior, 60 or older")
    tickets = await services.desk.tickets(HIP)
    assert [one.lane for one in tickets] == [Lane.SENIOR, Lane.ORDINARY]
    assert [one.reason for one in tickets] == [Reason.NONE, Reason.NONE]


async def test_a_clerk_gives_the_reason_why_somebody_goes_sooner(clerk: Browser, services: Services) -> None:
    await clerk.ask("/console/walk-in", queue="medicine", name="Young", age="30")
    slip = (await clerk.ask("/console/walk-in", queue="medicine", name="Small", age="2", reason="child")).json()
    assert (slip["ahead"], slip["lane"]) == (0, "Small child")
    tickets = await services.desk.tickets(HIP)
    assert [(one.lane, one.reason) for one in tickets] == [
        (Lane.PRIORITY, Reason.CHILD), (Lane.ORDINARY, Reason.NONE),
    ]  # fmt: skip
    assert (await clerk.ask("/console/walk-in", queue="medicine", name="X", reason="royal")).status_code == 404


async def test_a_closed_queue_refuses_in_words(clerk: Browser, services: Services) -> None:
    await services.registry.open_queue(HIP, "medicine", False)
    slip = (await clerk.ask("/console/walk-in", queue="medicine", name="Too Late")).json()
    assert (slip["outcome"], slip["words"], slip["token"]) == ("REFUSED", "No number: the queue is closed.", "")


async def test_after_hours_the_clerk_decides(clerk: Browser, services: Services) -> None:
    weekday = (datetime.now(ZoneInfo(services.settings.timezone)) + timedelta(days=3)).weekday()
    await services.registry.set_hours(HIP, "medicine", (weekday * 1440 + 540, weekday * 1440 + 840))
    form = {"queue": "medicine", "name": "Zoona Begum", "request": "r-hours"}
    slip = (await clerk.ask("/console/walk-in", **form)).json()
    assert (slip["outcome"], slip["token"], slip["by_hours"]) == ("REFUSED", "", True)
    assert slip["opens"].startswith("Opens on ")
    answers = [(await clerk.ask("/console/walk-in", any_hour=True, **form)).json() for _ in range(2)]
    assert [one["token"] for one in answers] == ["M-001", "M-001"]
    await services.registry.open_queue(HIP, "medicine", False)
    closed = (await clerk.ask("/console/walk-in", queue="medicine", name="Ali", any_hour=True)).json()
    assert (closed["outcome"], closed["by_hours"]) == ("REFUSED", False)


async def test_a_form_without_a_name_gives_no_number(clerk: Browser) -> None:
    assert (await clerk.ask("/console/walk-in", queue="medicine", name="   ")).status_code == 422
    assert (await clerk.desk())["tickets"] == []


@pytest.mark.parametrize(
    ("field", "written", "title"),
    [
        ("name", "https://example.org/t/abc", "This is not a name."),
        ("name", "x" * 129, "The name is too long."),
        ("age", "old", "The age cannot be read."),
        ("age", "121", "The age cannot be read."),
        ("age", "-3", "The age cannot be read."),
        ("phone", "12345", "The mobile number cannot be read."),
    ],
)
async def test_a_field_that_cannot_be_read_is_named_to_the_clerk(
    clerk: Browser, field: str, written: str, title: str
) -> None:
    answer = await clerk.ask("/console/walk-in", **{"queue": "medicine", "name": "Zoona", field: written})
    assert (answer.status_code, answer.json()["title"]) == (422, title)
    assert (await clerk.desk())["tickets"] == []


def test_the_text_of_a_card_is_read_through_caps_lock_a_symbology_mark_and_as_a_number_alone() -> None:
    card = {"hidn": "91-0001-0000-0055", "hid": "sample.one@sbx", "name": "SAMPLE PERSON", "gender": "F"}
    text = json.dumps(card)
    expected = patient_qr.read(text, suffix="sbx")
    assert patient_qr.read(text.swapcase(), suffix="sbx") == expected
    assert patient_qr.read("]Q1" + text, suffix="sbx") == expected
    assert patient_qr.read("91000100000055\r", suffix="sbx") == Patient(
        abha_number="91000100000055", abha_address="91000100000055@sbx"
    )


async def test_a_patient_who_shared_by_phone_and_shows_the_card_has_one_number(
    clerk: Browser, services: Services
) -> None:
    await arrive(
        services.check_in, Patient(name="Asha Devi", abha_number="91000044441111", abha_address="asha.devi@sbx")
    )
    card = (SAMPLES / "abha-app-qr.json").read_text()
    claim = (await clerk.ask("/console/walk-in/read", text=card)).json()
    slip = (await clerk.ask("/console/walk-in", queue="medicine", name=claim["name"], claim=claim)).json()
    assert (slip["outcome"], slip["token"]) == ("SAME_PERSON", "M-001")


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ("abha-app-qr.json", ("Asha Devi", "F", (14, 3, 1988), "91000044441111", "asha.devi@sbx", "", "")),
        ("abha-app-qr-without-number.json", ("Asha Devi", "F", (14, 3, 1988), "", "asha.devi@sbx", "", "")),
        (
            "abha-card-qr.json",
            ("Ghulam Nabi Bhat", "M", (6, 6, 1972), "91000055552228", "gnbhat@abdm", "9000000002", "Srinagar"),
        ),
        (
            "abha-card-qr-dist-name-with-space.json",
            ("Ramesh Koul", "M", (2, 11, 1961), "91000066663337", "r.koul@abdm", "9000000003", "Jammu"),
        ),
    ],
)
@pytest.mark.parametrize("damage", ["none", "bom", "crlf", "latin bom", "quotes", "uk keyboard", "one line"])
def test_a_card_is_read_through_what_scanners_do_to_it(sample: str, expected: tuple[object, ...], damage: str) -> None:
    text = (SAMPLES / sample).read_text()
    damaged = {
        "none": text,
        "bom": "\ufeff" + text,
        "crlf": text.replace("\n", "\r\n") + "\r",
        "latin bom": "ï»¿" + text,
        "quotes": re.sub(r'"([^"]*)"', "“\\1”", text),
        "uk keyboard": text.translate(str.maketrans('"@', '@"')),
        "one line": " ".join(text.split()) + "\n",
    }[damage]
    read = patient_qr.read(damaged, suffix="sbx")
    born = (read.day_of_birth, read.month_of_birth, read.year_of_birth)
    assert (read.name, read.gender, born, read.abha_number, read.abha_address, read.phone, read.district) == expected


@pytest.mark.parametrize(
    ("fields", "number", "address"),
    [
        ({"hidn": "91-0000-5555-2228", "hid": ""}, "91000055552228", "91000055552228@sbx"),
        ({"hidn": 91000055552228, "hid": "-"}, "91000055552228", "91000055552228@sbx"),
        ({"hidn": "1234", "phr": "a@sbx"}, "", "a@sbx"),
    ],
)
def test_a_card_without_an_address_has_the_one_of_its_number(
    fields: dict[str, object], number: str, address: str
) -> None:
    read = patient_qr.read(json.dumps({"name": "A", **fields}), suffix="sbx")
    assert (read.abha_number, read.abha_address) == (number, address)


@pytest.mark.parametrize(
    ("dob", "born"),
    [
        ("1961", (None, None, 1961)), ("XX-XX-1961", (None, None, 1961)), ("00/00/1961", (None, None, 1961)),
        ("1961-11-02", (2, 11, 1961)), ("2.11.1961", (2, 11, 1961)), ("31-13-1961", (None, None, 1961)),
        ("-", (None, None, None)), ("٢/١١/١٩٦١", (2, 11, 1961)), ("99999999999999", (None, None, None)),
    ],
)  # fmt: skip
def test_a_date_of_birth_is_read_as_far_as_it_is_known(dob: str, born: tuple[int | None, ...]) -> None:
    read = patient_qr.read(json.dumps({"name": "A", "dob": dob}), suffix="sbx")
    assert (read.day_of_birth, read.month_of_birth, read.year_of_birth) == born


async def test_a_text_that_is_no_patient_qr_is_refused(clerk: Browser) -> None:
    broken = [
        "",
        "hello",
        "{}",
        "[]",
        '{"name":',
        '{"a":1}',
        "{" * 5000,
        '{"name":{"x":1}}',
        "x" * 9000,
        '{"name": NaN}',
    ]
    for text in broken:
        answer = await clerk.ask("/console/walk-in/read", text=text)
        assert (answer.status_code, answer.json()["title"]) == (422, "The text is no ABHA QR."), text[:20]


def test_the_form_wins_over_the_claim_and_an_age_becomes_a_year() -> None:
    claim = Patient(name="Old Name", year_of_birth=1961, month_of_birth=11, day_of_birth=2, abha_number="not a number")
    same = patient_of(WalkIn(queue="m", name=" New Name ", age="1961", gender="F", claim=claim), TODAY)
    other = patient_of(WalkIn(queue="m", name="N", age="70", gender="?", phone="+91 90000-00009", claim=claim), TODAY)
    assert (same.name, same.gender, same.month_of_birth, same.abha_number) == ("New Name", "F", 11, "")
    assert (other.year_of_birth, other.month_of_birth, other.gender, other.phone) == (1956, None, "", "9000000009")
