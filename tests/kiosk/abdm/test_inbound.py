"""Tolerant reading: an odd field never loses a patient's place, and no input raises an unexpected error."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.abdm import schemas
from kiosk.abdm.client import timestamp
from kiosk.abdm.inbound import (
    CONTEXT_MAX,
    ECHO_MAX,
    RequestHeaders,
    legacy_scan,
    read_patient,
    same_request,
    to_query,
    to_scan,
)
from kiosk.abdm.note import read_note
from kiosk.abdm.refusals import REFUSALS
from kiosk.abdm.timestamps import is_current
from kiosk.patient.names import NAME_MAX
from kiosk.patient.person import Patient, Scan
from kiosk.web.request_body import BadBody
from queueing.models import Refusal

NOW = 1_789_553_568.0
HEADERS = RequestHeaders("r-1", "H1", timestamp(NOW))


def share(**changed: Any) -> dict[str, Any]:
    plain = {
        "intent": "PROFILE_SHARE",
        "metaData": {"hipId": "H1", "context": "M1"},
        "profile": {"patient": {"abhaAddress": "a.b@sbx", "name": "A B", "gender": "F", "yearOfBirth": "1990"}},
    }
    return {name: value for name, value in (plain | changed).items() if value is not ...}


def read(message: Any, headers: RequestHeaders = HEADERS, now_s: float = NOW) -> Scan:
    body = json.dumps(message).encode()
    return to_scan(schemas.read_share(body), headers, body=body, now_s=now_s, cm_id="sbx")


def patient_in(scan: Scan) -> Patient:
    return read_patient(scan.note, scan.profile)


def person(**fields: Any) -> Patient:
    return patient_in(read(share(profile={"patient": {"abhaAddress": "a.b@sbx"} | fields})))


ODD: list[Any] = [7, 1.5, True, [], {}, [[1]], {"x": 1}, "", "\u0000", "x" * 5000, -1, 10**18, None, "💥"]


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize(
    "field", ["name", "gender", "dayOfBirth", "yearOfBirth", "dob", "address", "phoneNumber", "mobile"]
)
def test_an_odd_field_counts_as_absent_or_is_read_and_nobody_is_refused(field: str, odd: Any) -> None:
    scan = read(share(profile={"patient": {"abhaAddress": "a.b@sbx", field: odd}}))
    assert scan.refusal is None
    assert scan.person is not None
    assert scan.person.abha_address == "a.b@sbx"
    assert len(patient_in(scan).name) <= NAME_MAX


@pytest.mark.parametrize("odd", [7, "x", [], True, None, ["a"], ...], ids=repr)
def test_a_missing_group_or_one_of_a_wrong_type_is_refused_with_a_message(odd: Any) -> None:
    scan = read(share(metaData=odd))
    assert scan.refusal is Refusal.MALFORMED
    assert scan.facility == "H1", "the header names it, so the answer finds its facility"
    assert REFUSALS[Refusal.MALFORMED].code == "ABDM-1050"
    assert read(share(profile=odd)).refusal is Refusal.PROFILE


@pytest.mark.parametrize("odd", [7, "x", [], True, None, ["a"]], ids=repr)
def test_a_patient_of_a_wrong_type_is_refused_with_a_message(odd: Any) -> None:
    assert read(share(profile={"patient": odd})).refusal is Refusal.PROFILE


@pytest.mark.parametrize("odd", [[], {}, ["M1"], True, {"x": 1}], ids=repr)
def test_a_value_that_is_echoed_is_text_or_a_number(odd: Any) -> None:
    assert read(share(metaData={"hipId": "H1", "context": odd})).refusal is Refusal.MALFORMED
    assert read(share(metaData={"hipId": odd, "context": "M1"})).refusal is Refusal.MALFORMED
    shared = {"abhaAddress": odd, "abhaNumber": "91-7507-6821-7770"}
    assert read(share(profile={"patient": shared})).refusal is Refusal.MALFORMED


def test_a_value_that_is_echoed_is_whole_or_refused() -> None:
    fits, too_long = "x" * ECHO_MAX, "x" * (ECHO_MAX + 1)
    scan = read(share(metaData={"hipId": "H1", "context": fits}))
    assert (scan.refusal, read_note(scan.note).context) == (None, fits)
    assert read(share(metaData={"hipId": "H1", "context": too_long})).refusal is Refusal.MALFORMED
    assert read(share(profile={"patient": {"abhaAddress": too_long}})).refusal is Refusal.MALFORMED
    long_id = RequestHeaders("r-1", "", timestamp(NOW))
    assert read(share(metaData={"hipId": "H" * 251, "context": "M1"}), long_id).refusal is Refusal.MALFORMED
    legacy = {"timestamp": timestamp(NOW), "profile": {"hipCode": too_long, "patient": {"healthId": "a.b@sbx"}}}
    body = json.dumps(legacy).encode()
    scan = legacy_scan(schemas.read_legacy(body), HEADERS, "v1", body=body, now_s=NOW, cm_id="sbx")
    assert scan.refusal is Refusal.MALFORMED


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"7", b"null", b"{", b"", b'{"intent":"' + b"\xff" + b'"}'])
def test_a_body_that_is_not_a_json_object_is_bad(body: bytes) -> None:
    for reader in (schemas.read_share, schemas.read_legacy, schemas.read_status):
        with pytest.raises(BadBody):
            reader(body)


def test_unknown_keys_are_ignored() -> None:
    assert read(share(extra={"deep": [1]}, kycPhoto="x" * 1000)).refusal is None


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("91-7507-6821-7770", "91750768217770"),
        ("1111-1111-1111-11", "11111111111111"),
        (91750768217770, "91750768217770"),
        (9.175076821777e13, "91750768217770"),
        ("917507682177", ""),
        ("", ""),
        (None, ""),
        (True, ""),
        (["91750768217770"], ""),
    ],
)
def test_an_abha_number_is_fourteen_digits_or_absent(written: Any, digits: str) -> None:
    assert person(abhaNumber=written).abha_number == digits


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("9876543210", "9876543210"),
        ("+91-9876543210", "9876543210"),
        ("+91 98765 43210", "9876543210"),
        ("09876543210", "9876543210"),
        (9876543210, "9876543210"),
        ("12345", ""),
        ("x" * 100, ""),
        ("1" * 30, ""),
    ],
)
def test_a_phone_is_digits_without_the_countrys_own(written: Any, digits: str) -> None:
    assert person(phoneNumber=written).phone == digits


@pytest.mark.parametrize(
    ("fields", "birth"),
    [
        ({"yearOfBirth": 1961, "monthOfBirth": 11, "dayOfBirth": 2}, (2, 11, 1961)),
        ({"yearOfBirth": "1961", "monthOfBirth": "01", "dayOfBirth": "09"}, (9, 1, 1961)),
        ({"yearOfBirth": 1961, "monthOfBirth": 0, "dayOfBirth": 0}, (None, None, 1961)),
        ({"yearOfBirth": "0", "monthOfBirth": "13", "dayOfBirth": "32"}, (None, None, None)),
        ({"dob": "15/1/1990"}, (15, 1, 1990)),
        ({"dob": "1990-01-15T00:00:00Z"}, (15, 1, 1990)),
        ({"dob": "1990"}, (None, None, 1990)),
        ({"yearOfBirth": "١٩٩٠"}, (None, None, 1990)),
    ],
)
def test_birth_is_read_in_every_spelling(fields: dict[str, Any], birth: tuple[Any, ...]) -> None:
    found = person(**fields)
    assert (found.day_of_birth, found.month_of_birth, found.year_of_birth) == birth


@pytest.mark.parametrize(
    ("latitude", "longitude", "place"),
    [
        (34.0837, 74.7973, (34.0837, 74.7973)),
        ("34.0837", "74.7973", (34.0837, 74.7973)),
        (0, 0, None),
        (34.1, None, None),
        ("north", "east", None),
        (91, 10, None),
        ("nan", "inf", None),
        (True, True, None),
    ],
)
def test_a_position_is_two_plausible_numbers_or_absent(
    latitude: Any, longitude: Any, place: tuple[float, float] | None
) -> None:
    scan = read(share(metaData={"hipId": "H1", "latitude": latitude, "longitude": longitude}))
    assert scan.position == place


@pytest.mark.parametrize("intent", ["PROFILE_SHARE", "profile-share", "Profile Share"])
def test_asking_for_a_number_is_understood(intent: Any) -> None:
    assert read(share(intent=intent)).refusal is None


@pytest.mark.parametrize(
    "intent",
    ["RECORD_SHARE", "PAYMENT_SHARE", "Payment", 7, True, ["PROFILE_SHARE"], {"type": "profile-share"}, "", None, ...],
)
def test_any_other_intent_is_refused_with_a_message(intent: Any) -> None:
    assert read(share(intent=intent)).refusal is Refusal.INTENT


def test_two_facilities_in_one_message_are_refused() -> None:
    scan = read(share(), RequestHeaders("r-1", "H2", timestamp(NOW)))
    assert scan.refusal is Refusal.FACILITY_MISMATCH
    assert scan.facility == "H1"


def test_two_ids_of_one_facility_are_one_facility_and_the_answer_goes_out_under_the_id_that_came() -> None:
    aliases = {"H1_1": "H1", "H9": "H8"}
    body = json.dumps(share(metaData={"hipId": "H1_1", "context": "M1"})).encode()
    for header in ("H1_1", "H1", ""):
        headers = RequestHeaders("r-1", header, timestamp(NOW))
        scan = to_scan(schemas.read_share(body), headers, body=body, now_s=NOW, cm_id="sbx", aliases=aliases)
        assert (scan.refusal, scan.facility) == (None, "H1")
        assert read_note(scan.note).hip_id == "H1_1"
    headers = RequestHeaders("r-1", "H9", timestamp(NOW))
    scan = to_scan(schemas.read_share(body), headers, body=body, now_s=NOW, cm_id="sbx", aliases=aliases)
    assert scan.refusal is Refusal.FACILITY_MISMATCH


def test_a_profile_needs_an_address_or_a_number() -> None:
    assert read(share(profile={"patient": {"name": "A"}})).refusal is Refusal.PROFILE
    assert read(share(profile={"patient": {"abhaNumber": "123"}})).refusal is Refusal.PROFILE
    scan = read(share(profile={"patient": {"abhaNumber": "91-7507-6821-7770"}}))
    assert scan.refusal is None
    assert read_note(scan.note).abha_address == "91750768217770@sbx", "the default address of a number"


@pytest.mark.parametrize("context", ["", " M1 ", "m1", "ओपीडी 1", "x" * 3000, 'a"b\\c', "\u202ebad"])
def test_the_counter_text_is_echoed_as_it_came(context: str) -> None:
    scan = read(share(metaData={"hipId": "H1", "context": context}))
    assert read_note(scan.note).context == context
    assert scan.context == context[:CONTEXT_MAX]


def test_the_address_is_echoed_as_it_came() -> None:
    assert read_note(read(share(profile={"patient": {"abhaAddress": "A.B@SBX"}})).note).abha_address == "A.B@SBX"


@pytest.mark.parametrize(
    "spelling",
    [
        "{F29F0E59-8388-4698-9FE6-05DB67AEAC46}",
        "urn:uuid:f29f0e59-8388-4698-9fe6-05db67aeac46",
        " F29f0E59-8388-4698-9fe6-05db67aeac46 ",
    ],
)
def test_one_request_id_has_one_key_however_it_is_written(spelling: str) -> None:
    assert same_request(spelling) == "f29f0e59-8388-4698-9fe6-05db67aeac46"


@pytest.mark.parametrize("off_s", [-599, 0, 599])
def test_a_message_within_ten_minutes_is_current(off_s: int) -> None:
    assert is_current(timestamp(NOW + off_s), NOW)


@pytest.mark.parametrize(
    "written",
    [
        timestamp(NOW - 602),
        timestamp(NOW + 602),
        "",
        "yesterday",
        "2026-13-45T99:99:99Z",
        "9" * 400,
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        str(int(NOW)),
    ],
)
def test_any_other_time_is_not(written: str) -> None:
    assert not is_current(written, NOW)
    assert read(share(), RequestHeaders("r-1", "H1", written)).refusal is Refusal.CLOCK


def test_times_without_a_zone_or_with_microseconds_are_read() -> None:
    moment = datetime.fromtimestamp(NOW, UTC)
    assert is_current(moment.strftime("%Y-%m-%dT%H:%M:%S.123456"), NOW)
    assert is_current(moment.strftime("%Y-%m-%dT%H:%M:%S.123456+00:00"), NOW)
    assert is_current(datetime.fromtimestamp(NOW + 19_800, UTC).strftime("%Y-%m-%dT%H:%M:%S"), NOW), "India's time"


scraps = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)
names = st.sampled_from(
    [
        "intent",
        "metaData",
        "profile",
        "patient",
        "hipId",
        "context",
        "abhaNumber",
        "abhaAddress",
        "address",
        "identifiers",
        "hipCode",
        "healthId",
        "latitude",
        "userDemographics",
        "location",
        "requestId",
        "timestamp",
        "dob",
        "name",
        "type",
    ]
)
messages = st.recursive(scraps, lambda inner: st.dictionaries(names, inner, max_size=6), max_leaves=12)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(names, messages, max_size=8))
def test_no_message_makes_the_reading_fail(message: dict[str, Any]) -> None:
    try:
        body = json.dumps(message).encode()
        shared, old, question = schemas.read_share(body), schemas.read_legacy(body), schemas.read_status(body)
    except (BadBody, UnicodeEncodeError):
        return  # a number out of range
    for scan in (
        to_scan(shared, HEADERS, body=body, now_s=NOW, cm_id="sbx"),
        legacy_scan(old, HEADERS, "v1", body=body, now_s=NOW, cm_id="sbx"),
    ):
        assert scan.refusal is not None or (scan.person and (scan.person.abha_address or scan.person.abha_number))
        patient_in(scan)
    read_note(to_query(question, HEADERS, body=body, now_s=NOW).note)
