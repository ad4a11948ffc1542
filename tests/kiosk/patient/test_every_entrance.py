"""One table of inputs and right values: the module and every entrance read a patient alike."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from kiosk.abdm import schemas
from kiosk.abdm.client import timestamp
from kiosk.abdm.inbound import RequestHeaders, legacy_scan, read_patient, to_scan
from kiosk.console import patient_qr
from kiosk.console.walk_in import NotUnderstood, WalkIn, patient_of
from kiosk.patient.birth import Birth, birth_date, birth_of_age
from kiosk.patient.identifiers import abha_address, abha_number, gender, phone_number
from kiosk.patient.names import person_name
from kiosk.patient.person import Patient
from kiosk.phone.form import Form, read

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC).timestamp()
TODAY = date(2026, 11, 28)
HEADERS = RequestHeaders("r-1", "H1", timestamp(NOW))

PHONES = [
    ("9876543210", "9876543210"),
    ("+91-9876543210", "9876543210"),
    ("+91 98765 43210", "9876543210"),
    ("0091 9876543210", "9876543210"),
    ("09876543210", "9876543210"),
    ("919876543210", "9876543210"),
    ("(94190)-12345", "9419012345"),
    ("0194-2451234", "1942451234"),
    ("\u202a+91 98765 43210\u202c", "9876543210"),
    ("tel:+919876543210", "9876543210"),
    ("9876543210.0", "9876543210"),
    ("9876543210 / 9876543211", "9876543210"),
    ("+44 20 7946 0958", "442079460958"),
    ("+44 (0)20 7946 0958", "442079460958"),
    ("00442079460958", "442079460958"),
    ("+977 1 4123456", "97714123456"),
    ("९८७६५४३२१०", "9876543210"),
    ("۹۸۷۶۵۴۳۲۱۰", "9876543210"),
    ("٩٨٧٦٥٤٣٢١٠", "9876543210"),
    ("９８７６５４３２１０", "9876543210"),
    ("987654XXXX", ""),
    ("987654xxxx", ""),
    ("******0001", ""),
    ("98765*3210", ""),
    ("12345", ""),
    ("98765432101", ""),
    ("+91 98765", ""),
    ("91987654321", ""),
    ("1" * 30, ""),
    ("none", ""),
    ("", ""),
]
NUMBERS = [
    ("91-7507-6821-7770", "91750768217770"),
    ("91 7507 6821 7770", "91750768217770"),
    ("91750768217770", "91750768217770"),
    ("९१-७५०७-६८२१-७७७०", "91750768217770"),
    ("۹۱۷۵۰۷۶۸۲۱۷۷۷۰", "91750768217770"),
    ("91-XXXX-XXXX-7770", ""),
    ("91-7507-6821-777", ""),
    ("91-7507-6821-77701", ""),
    ("x91750768217770", ""),
    ("", ""),
]
ADDRESSES = [
    ("asha.devi@sbx", "asha.devi@sbx"),
    (" Asha.Devi@SBX ", "Asha.Devi@SBX"),
    ("asha\u202edevi@sbx", "ashadevi@sbx"),
    ("foxx@sbx", "foxx@sbx"),
    ("FOXXY@sbx", "FOXXY@sbx"),
    ("9100XX@sbx", ""),
    ("as**@sbx", ""),
    ("", ""),
]
DATES = [
    ("15.1.1990", (15, 1, 1990)),
    ("15-1-1990", (15, 1, 1990)),
    ("15/01/1990", (15, 1, 1990)),
    ("15 1 1990", (15, 1, 1990)),
    ("15-Jan-1990", (15, 1, 1990)),
    ("1990-01-15", (15, 1, 1990)),
    ("1990-01-15T00:00:00.000+05:30", (15, 1, 1990)),
    ("1990/1/15", (15, 1, 1990)),
    ("١٥/١/١٩٩٠", (15, 1, 1990)),
    ("१५-०१-१९९०", (15, 1, 1990)),
    ("1990", (None, None, 1990)),
    ("1905", (None, None, 1905)),
    ("1/1990", (None, 1, 1990)),
    ("00/00/1990", (None, None, 1990)),
    ("XX-XX-1990", (None, None, 1990)),
    ("**-**-1990", (None, None, 1990)),
    ("1*-1*-1990", (None, None, 1990)),
    ("15-1*-1990", (None, None, 1990)),
    ("2*-01-19**", (None, 1, None)),
    ("XXXX", (None, None, None)),
    ("19**", (None, None, None)),
    ("31-02-1990", (None, 2, 1990)),
    ("31-13-1990", (None, None, 1990)),
    ("15-01-90", (None, None, None)),
    ("1899", (None, None, None)),
    ("99999999", (None, None, None)),
    ("-", (None, None, None)),
    ("", (None, None, None)),
]
AGES = [
    ("67", 1959),
    ("67y", 1959),
    ("67 yrs", 1959),
    ("67 Years", 1959),
    ("६७", 1959),
    ("۶۷", 1959),
    ("٦٧", 1959),
    ("६७ वर्ष", 1959),
    ("۶۷ سال", 1959),
    ("0", 2026),
    ("8m", 2026),
    ("8 mo", 2026),
    ("8 months", 2026),
    ("11m", 2025),
    ("6d", 2026),
    ("6 days", 2026),
    ("3w", 2026),
    ("1.5", 2025),
    ("1,5", 2025),
    ("1y 6m", 2025),
    ("2 years and 3 months", 2024),
    ("1957", 1957),
    ("1905", 1905),
    ("१९५७", 1957),
    ("120", 1906),
    ("15/1/1957", 1957),
]
NO_AGES = ["121", "-4", "4 5", "8q", "m", "8mm", "19**", "6*", "1899", "2027", "15/1/2030", "9" * 60, "²"]
NAMES = [
    ("Asha Devi", "Asha Devi"),
    ("B/O Sample Devi", "B/O Sample Devi"),
    ("S/o Sample Lal", "S/o Sample Lal"),
    ("Sample W/O Sample", "Sample W/O Sample"),
    ("Twin 2 of Sample", "Twin 2 of Sample"),
    ("Asha\u00a0Devi", "Asha Devi"),
    ("بارہ\u200cمولہ", "بارہ\u200cمولہ"),
    ("श्री\u200dराम", "श्री\u200dराम"),
    ("Asha \ud83d", "Asha"),
    ("Asha\u202eiveD", "AshaiveD"),
    ("A\x1b[31msha", ""),
    ("Asha\u3164", "Asha"),
]


def share(**fields: Any) -> Patient:
    patient = {"abhaAddress": "a.b@sbx", "name": "Asha"} | fields
    message = {"intent": "PROFILE_SHARE", "metaData": {"hipId": "H1"}, "profile": {"patient": patient}}
    body = json.dumps(message).encode()
    scan = to_scan(schemas.read_share(body), HEADERS, body=body, now_s=NOW, cm_id="sbx")
    assert scan.refusal is None
    return read_patient(scan.note, scan.profile)


def legacy_share(number: str = "", address: str = "a.b@sbx", phone: str = "", name: str = "Asha") -> Patient:
    identifiers = [{"type": "MOBILE", "value": phone}]
    patient = {"healthId": address, "healthIdNumber": number, "name": name, "identifiers": identifiers}
    message = {"profile": {"hipCode": "M1", "patient": patient}}
    body = json.dumps(message).encode()
    scan = legacy_scan(schemas.read_legacy(body), HEADERS, "v1", body=body, now_s=NOW, cm_id="sbx")
    return read_patient(scan.note, scan.profile)


def card(**fields: str) -> Patient:
    return patient_qr.read(json.dumps({"name": "Asha"} | fields), suffix="sbx")


def walk_in(name: str = "Asha", age: str = "", phone: str = "", claim: Patient | None = None) -> Patient:
    return patient_of(WalkIn(queue="m", name=name, age=age, phone=phone, claim=claim), TODAY)


def no_app_form(name: str = "Asha", age: str = "40", phone: str = "") -> tuple[Patient, dict[str, str]]:
    return read(Form(name=name, age=age, phone=phone, gender="F", consent=True), TODAY)


def refused(name: str = "Asha", age: str = "", phone: str = "") -> str:
    try:
        walk_in(name, age, phone)
    except NotUnderstood as why:
        return str(why)
    return ""


@pytest.mark.parametrize(("written", "number"), PHONES)
def test_a_phone_number_is_one_at_every_entrance(written: str, number: str) -> None:
    assert phone_number(written) == number
    assert share(phoneNumber=written).phone == number
    assert share(mobile=written).phone == number
    assert legacy_share(phone=written).phone == number
    assert card(mobile=written).phone == number
    patient, faults = no_app_form(phone=written)
    assert patient.phone == number
    fault = "phone_odd" if written and not number else ""
    assert faults == ({"phone": fault} if fault else {})
    assert refused(phone=written) == fault
    assert fault or walk_in(phone=written).phone == number


@pytest.mark.parametrize(("written", "number"), NUMBERS)
def test_an_abha_number_is_one_at_every_entrance(written: str, number: str) -> None:
    assert abha_number(written) == number
    assert share(abhaNumber=written).abha_number == number
    assert legacy_share(number=written).abha_number == number
    assert card(hidn=written).abha_number == number
    assert walk_in(claim=Patient(abha_number=written)).abha_number == number


@pytest.mark.parametrize(("written", "address"), ADDRESSES)
def test_an_abha_address_is_one_at_every_entrance(written: str, address: str) -> None:
    assert abha_address(written) == address
    assert share(abhaAddress=written, abhaNumber="91750768217770").abha_address == address
    assert legacy_share(address=written, number="91750768217770").abha_address == address
    assert card(phr=written).abha_address == address
    assert walk_in(claim=Patient(abha_address=written)).abha_address == address


@pytest.mark.parametrize(("written", "birth"), DATES)
def test_a_date_of_birth_is_one_at_every_entrance(written: str, birth: tuple[int | None, ...]) -> None:
    assert birth_date(written) == Birth(*birth)
    for patient in (share(dob=written), card(dob=written)):
        assert (patient.day_of_birth, patient.month_of_birth, patient.year_of_birth) == birth


@pytest.mark.parametrize(("written", "year"), AGES)
def test_an_age_is_one_in_every_form(written: str, year: int) -> None:
    assert birth_of_age(written, TODAY).year == year
    patient, faults = no_app_form(age=written)
    assert (patient.year_of_birth, faults) == (year, {})
    assert walk_in(age=written).year_of_birth == year


@pytest.mark.parametrize("written", NO_AGES)
def test_what_is_no_age_is_said_in_every_form(written: str) -> None:
    assert birth_of_age(written, TODAY) == Birth()
    assert no_app_form(age=written)[1] == {"age": "age_odd"}
    assert refused(age=written) == "age_odd"


@pytest.mark.parametrize(("written", "name"), NAMES)
def test_a_name_is_one_at_every_entrance(written: str, name: str) -> None:
    for patient in (share(name=written), legacy_share(name=written), card(name=written)):
        assert patient.name == (name or "A[31msha")
    patient, faults = no_app_form(name=written)
    assert faults == ({} if name else {"name": "name_odd"})
    assert refused(name=written) == ("" if name else "name_odd")
    assert not name or (patient.name == name and walk_in(name=written).name == name)
    assert not name or person_name(written) == name


@pytest.mark.parametrize(
    ("written", "code"), [("F", "F"), ("male", "M"), ("Female", "F"), ("t", "T"), ("XX", ""), ("*", ""), ("", "")]
)
def test_a_gender_is_one_at_every_entrance(written: str, code: str) -> None:
    assert gender(written) == code
    assert share(gender=written).gender == code
    assert card(gender=written).gender == code


def test_masked_parts_of_a_birth_are_unknown() -> None:
    masked = share(dayOfBirth="2*", monthOfBirth="1*", yearOfBirth="19**")
    assert (masked.day_of_birth, masked.month_of_birth, masked.year_of_birth) == (None, None, None)
    assert share(yearOfBirth="XXXX", monthOfBirth="XX", dayOfBirth="XX").year_of_birth is None


def test_a_masked_address_alone_gives_a_place_and_makes_nobody_the_same_person() -> None:
    patient = share(abhaAddress="9100XX@sbx")
    assert (patient.abha_address, patient.abha_number, patient.name) == ("", "", "Asha")


def test_half_of_an_emoji_in_a_name_costs_no_more_than_itself() -> None:
    patient_of = rb'{"abhaAddress":"a.b@sbx","name":"Sample \ud83d","phoneNumber":"9000000001"}'
    around = rb'{"intent":"PROFILE_SHARE","metaData":{"hipId":"HIP","context":"M1"},"profile":{"patient":%s}}'
    body = (around % patient_of).replace(b"HIP", HEADERS.hip_id.encode())
    scan = to_scan(schemas.read_share(body), HEADERS, body=body, now_s=NOW, cm_id="sbx")
    patient = read_patient(scan.note, scan.profile)
    assert (scan.refusal, patient.name, patient.phone) == (None, "Sample", "9000000001")
