"""What the hospital's own system calls a patient: which texts are taken, and how they are sealed."""

import msgspec
import pytest

from kiosk.exchange.hospital_numbers import HospitalNumbers, fault_of


@pytest.mark.parametrize(
    "url",
    [
        "https://his.example/p/1", "http://10.20.1.5:8080/opd?uhid=7#visit", "https://his.example/%E0%A4%85",
        "https://[fd00::5]/p",
    ],
)  # fmt: skip
def test_addresses_that_a_browser_opens_as_a_page_are_taken(url: str) -> None:
    assert fault_of(HospitalNumbers(patient_id="UHID-1", url=url)) == ""


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "file:///etc/passwd", "//his.example/p",
        "/p/1", "https://", "https://user:pass@his.example/", "https://his.example\\@evil.example/", "https://x y/",
        "https://his.example/\n", "https://his.example/<b>", "https://[::1", "https://his.example:99999/",
        "https://हिस.example/",
    ],
)  # fmt: skip
def test_other_addresses_are_refused(url: str) -> None:
    assert fault_of(HospitalNumbers(patient_id="UHID-1", url=url)) == "url"


@pytest.mark.parametrize("number", ["UHID-1", "SKIMS/2026/000123", "२०२६-७", "B 17"])
def test_numbers_as_hospitals_write_them_are_taken(number: str) -> None:
    assert fault_of(HospitalNumbers(patient_id=number, visit_id=number)) == ""


@pytest.mark.parametrize("number", [" ", "UHID\n1", "UHID\u202e1", "UHID\x00", " UHID-1"])
def test_numbers_that_cannot_be_shown_as_they_are_are_refused(number: str) -> None:
    assert fault_of(HospitalNumbers(patient_id=number)) == "patient_id"
    assert fault_of(HospitalNumbers(patient_id="1", visit_id=number)) == "visit_id"


def test_lengths_are_bounded() -> None:
    too_long = b'{"patient_id":"%b"}' % (b"1" * 65), b'{"patient_id":"1","url":"%b"}' % (b"x" * 501)
    for body in (b'{"patient_id":""}', *too_long):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(body, type=HospitalNumbers)
