"""Invented patients, mornings and QR codes have the right form, and are the same for the same seed."""

import re
from base64 import b64decode

import pytest
from msgspec import json

from loadtests.simulator.people.invented import SENIOR, invent, luhn_digit
from loadtests.simulator.people.morning import MINUTE, arrivals, scaled
from loadtests.simulator.people.phones import Counter, NotACounterQr, read_qr

CROWD = [invent(3, index) for index in range(4000)]


def test_a_seed_gives_the_same_people_and_another_one_others() -> None:
    assert [invent(3, index) for index in range(50)] == CROWD[:50]
    assert not {invent(4, index).abha_address for index in range(50)} & {patient.abha_address for patient in CROWD}


def test_no_two_people_share_an_address_or_a_number() -> None:
    numbers = [patient.abha_number for patient in CROWD if patient.abha_number]
    assert len({patient.abha_address for patient in CROWD}) == len(CROWD)
    assert len(set(numbers)) == len(numbers)


def test_numbers_and_addresses_have_the_form_of_genuine_ones() -> None:
    for patient in CROWD:
        assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.\-!]+[a-zA-Z0-9]@sbx", patient.abha_address)
        number = patient.abha_number
        assert not number or (len(number) == 14 and luhn_digit(number[:-1]) == number[-1])


def test_luhn_agrees_with_a_published_number() -> None:
    assert luhn_digit("9175076821777") == "0"  # 91-7507-6821-7770, the documents' own example


def test_the_patients_are_mixed_as_in_a_real_hall() -> None:
    part = len(CROWD) / 100
    assert 15 * part < sum(2026 - patient.year >= SENIOR for patient in CROWD) < 25 * part
    assert 10 * part < sum(not patient.abha_number for patient in CROWD) < 18 * part
    assert 1 * part < sum(bool(patient.photo) for patient in CROWD) < 3 * part
    assert 2 * part < sum(not patient.name.isascii() for patient in CROWD) < 6 * part
    assert all(patient.year >= 1900 for patient in CROWD)


def test_nobody_is_born_after_today_on_any_day_of_the_year() -> None:
    youngest = max((patient.year, patient.month, patient.day) for patient in CROWD)
    assert (2025, 1, 1) <= youngest < (2026, 1, 1)


def test_every_form_of_a_position_is_sent() -> None:
    seen = set()
    for patient in CROWD[:200]:
        meta = json.decode(json.encode(patient.share("HIP", "M1", at=(34.08, 74.79))))["metaData"]
        seen.add(type(meta.get("latitude", "absent")) if "latitude" in meta else None)
    assert seen == {float, str, type(None), None}


def test_a_photo_is_a_picture() -> None:
    patient = next(patient for patient in CROWD if patient.photo)
    sent = b64decode(patient.profile()["patient"]["kycPhoto"])
    assert sent.startswith(b"\x89PNG")
    assert sent.endswith(b"IEND\xaeB`\x82")


def test_a_morning_has_its_shape_and_its_step() -> None:
    arrival_times = arrivals(1, 20_000)
    assert arrival_times == sorted(arrival_times) == arrivals(1, 20_000)
    assert arrivals(2, 100) != arrivals(1, 100)

    def pace(begins: float, ends: float) -> float:
        return sum(begins * MINUTE <= moment < ends * MINUTE for moment in arrival_times) / (ends - begins)

    plateau = pace(515, 660)
    assert arrival_times[0] >= 390 * MINUTE
    assert 7 * plateau < pace(510, 515) < 11 * plateau
    assert pace(390, 450) < plateau / 5
    assert pace(780, 840) == 0


def test_time_runs_faster_from_the_first_arrival() -> None:
    assert scaled([100.0, 160.0, 400.0], 60) == [0.0, 1.0, 5.0]


@pytest.mark.parametrize(
    ("text", "counter"),
    [
        ("https://phrsbx.abdm.gov.in/share-profile?hip-id=IN0110000123&counter-id=M1", Counter("IN0110000123", "M1")),
        (" https://phr.abdm.gov.in/share-profile?counter-id=M1&x=1&hip-id=A%20B ", Counter("A B", "M1")),
        ("https://phrsbx.abdm.gov.in/share-profile?hip-id=H", Counter("H", "")),
    ],
)
def test_an_app_reads_a_facility_qr(text: str, counter: Counter) -> None:
    assert read_qr(text) == counter


@pytest.mark.parametrize(
    "text",
    [
        "https://hospital.example.org/share-profile?hip-id=H&counter-id=M1",
        "http://phrsbx.abdm.gov.in/share-profile?hip-id=H&counter-id=M1",
        "https://phrsbx.abdm.gov.in/share-profile?counter-id=M1",
        "https://phrsbx.abdm.gov.in/elsewhere?hip-id=H",
        "upi://pay?pa=x",
        "",
    ],
)
def test_an_app_refuses_any_other_qr(text: str) -> None:
    with pytest.raises(NotACounterQr):
        read_qr(text)
