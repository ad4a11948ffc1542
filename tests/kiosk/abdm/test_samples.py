"""Every sample of an incoming message is accepted, and every sample of an outgoing one can be produced."""

import json
import time
from typing import Any

import msgspec
import pytest

from kiosk.abdm import schemas
from kiosk.abdm.client import timestamp
from kiosk.abdm.errors import read_error
from kiosk.abdm.inbound import RequestHeaders, legacy_scan, read_patient, to_query, to_scan
from kiosk.abdm.jwks import read_key_set
from kiosk.abdm.note import Note, read_note
from kiosk.abdm.outbound import body_of, path_of
from kiosk.patient.person import Patient, Scan
from queueing.models import Outcome, Refusal, ReplyKind
from queueing.pending_reply import PendingReply
from tests.kiosk.abdm.fake_gateway import SAMPLES, sample

NOW = 1_789_553_568.0
SAID = RequestHeaders("F29F0E59-8388-4698-9FE6-05DB67AEAC46", "", timestamp(NOW))
SHARES = [
    "v3-hip-patient-share",
    "v3-hip-patient-share-abha-as-number-null-address",
    "v3-hip-patient-share-abha-undashed-latlong-null",
    "v3-hip-patient-share-address-only-observed",
    "v3-hip-patient-share-birth-parts-int",
    "v3-hip-patient-share-m1-variant-dob-mobile-kycphoto",
    "v3-hip-patient-share-missing-phone-year-only",
    "v3-draft2023-hip-profile-share",
    "v3-phr-share-request",
    "v3-phr-share-request-minimal-metadata",
]


def scan_of(name: str) -> Scan:
    body = sample(name)
    return to_scan(schemas.read_share(body), SAID, body=body, now_s=NOW, cm_id="sbx")


def patient_of(name: str) -> Patient:
    return patient_in(scan_of(name))


def patient_in(scan: Scan) -> Patient:
    return read_patient(scan.note, scan.profile)


def pending(**changed: Any) -> PendingReply:
    plain: dict[str, Any] = {
        "id": "d 1-0",
        "kind": ReplyKind.ON_SHARE,
        "facility_key": "f",
        "request": "ab" * 16,
        "envelope": b"",
        "outcome": Outcome.NEW,
        "refusal": None,
        "token": "3",
        "expires_in_s": 180,
        "created_ms": int(time.time() * 1000),
    }
    return PendingReply(**(plain | changed))


@pytest.mark.parametrize("name", SHARES)
def test_every_share_is_taken_without_a_refusal(name: str) -> None:
    scan = scan_of(name)
    assert scan.refusal is None
    assert scan.request_id == "f29f0e59-8388-4698-9fe6-05db67aeac46"
    assert scan.person is not None
    assert scan.person.abha_address
    assert patient_in(scan).name
    note = read_note(scan.note)
    assert note.context == scan.context
    assert note.abha_address == scan.person.abha_address
    assert note.request_id == SAID.request_id, "echoed as it came"


def test_every_sample_of_a_share_is_in_the_list_above() -> None:
    named = {path.stem for path in SAMPLES.glob("v3-*share*.json") if "-on-share" not in path.stem}
    assert named - {name for name in named if name.endswith("-headers")} == set(SHARES)


def test_the_documented_share_is_read_field_by_field() -> None:
    scan = scan_of("v3-hip-patient-share")
    assert (scan.facility, scan.context) == ("HIP_1", "6")
    assert scan.position == (20.5937, 78.9629)
    assert patient_in(scan) == Patient(
        name="Abdul Kalam",
        gender="M",
        year_of_birth=1990,
        month_of_birth=8,
        day_of_birth=1,
        abha_number="91750768217770",
        abha_address="abc@sbx",
        phone="9876543210",
        line="Address line 1",
        district="Coimbatore",
        state="Tamil Nadu",
        pincode="641050",
    )


def test_an_abha_number_written_as_a_number_is_fourteen_digits() -> None:
    assert patient_of("v3-hip-patient-share-abha-as-number-null-address").abha_number == "91178386101251"


def test_nulls_are_absent_and_coordinates_may_be_text() -> None:
    patient = patient_of("v3-hip-patient-share-missing-phone-year-only")
    assert (patient.phone, patient.line, patient.month_of_birth) == ("", "", None)
    assert patient.year_of_birth == 1949
    assert scan_of("v3-hip-patient-share-abha-undashed-latlong-null").position is None
    position = scan_of("v3-hip-patient-share-address-only-observed").position
    assert position is not None
    assert position[1] == 77.71


def test_the_older_shape_with_dob_mobile_and_pin_code_is_read() -> None:
    patient = patient_of("v3-hip-patient-share-m1-variant-dob-mobile-kycphoto")
    assert (patient.day_of_birth, patient.month_of_birth, patient.year_of_birth) == (15, 1, 1990)
    assert (patient.phone, patient.pincode) == ("9876543210", "400001")


def test_the_draft_of_2023_is_read_and_answered_in_its_own_form() -> None:
    scan = scan_of("v3-draft2023-hip-profile-share")
    note = read_note(scan.note)
    assert (note.form, note.context) == ("draft", "123")
    assert scan.position == (20.5937, 78.9629)
    assert (patient_in(scan).district, patient_in(scan).line) == ("Ramanathapuram", "Ramanathapuram, Tamil Nadu")


@pytest.mark.parametrize(
    ("name", "form", "phone", "context"),
    [
        ("v1-profile-share", "v1", "9800083232", "12345"),
        ("v05-profile-share", "v05", "9800083232", "12345 (CounterId)"),
    ],
)
def test_legacy_shares_carry_their_ids_in_the_body(name: str, form: Any, phone: str, context: str) -> None:
    body = sample(name)
    sent = 1_652_192_352.993
    scan = legacy_scan(
        schemas.read_legacy(body), RequestHeaders("", "HIP_1", ""), form, body=body, now_s=sent, cm_id="sbx"
    )
    assert scan.refusal is None
    assert (scan.facility, scan.context) == ("HIP_1", context)
    assert scan.request_id == "499a5a4a-7dda-4f20-9b67-e24589627061"
    patient = patient_in(scan)
    assert patient.phone == phone
    assert (patient.year_of_birth, patient.day_of_birth) == (2000, 27)
    assert len(patient.abha_number) == 14
    assert read_note(scan.note).form == form


def test_the_generated_client_of_2021_is_read() -> None:
    body = json.dumps(
        {
            "requestId": "r-1",
            "timestamp": timestamp(NOW),
            "patient": {"hipCode": "7", "userDemographics": {"healthId": "a.b@sbx", "name": "A B", "gender": "F"}},
        }
    ).encode()
    scan = legacy_scan(schemas.read_legacy(body), RequestHeaders("", "H", ""), "v05", body=body, now_s=NOW, cm_id="sbx")
    assert scan.refusal is None
    assert scan.context == "7"
    assert patient_in(scan).abha_address == "a.b@sbx"


def test_a_running_token_question_is_read() -> None:
    body = sample("v3-running-token-status-callback")
    query = to_query(schemas.read_status(body), SAID, body=body, now_s=NOW)
    assert (query.facility, query.context, query.refusal) == ("IN0110000123", "1", None)
    assert read_note(query.note).form == "status"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("v3-on-share-success", schemas.OnShare),
        ("v3-on-share-success-expiry-number", schemas.OnShare),
        ("v3-on-share-success-observed-remaining-seconds", schemas.OnShare),
        ("v3-on-share-success-care-integers", schemas.OnShare),
        ("v3-on-share-success-lowercase-status", schemas.OnShare),
        ("v3-on-share-success-no-expiry-no-response", schemas.OnShare),
        ("v3-on-share-failed-status-nulls", schemas.OnShare),
        ("v3-on-share-failure", schemas.Failure),
        ("v3-on-share-failure-wrapper-code-1000", schemas.Failure),
        ("v3-draft2023-on-share", schemas.DraftOnShare),
        ("v1-profile-on-share-success", schemas.LegacyOnShare),
        ("v1-profile-on-share-failure", schemas.LegacyOnShare),
        ("v05-profile-on-share-success", schemas.LegacyOnShare),
        ("v3-running-token-on-status-success", schemas.OnStatus),
        ("v3-running-token-on-status-error", schemas.Failure),
        ("sessions-request", schemas.SessionRequest),
    ],
)
def test_every_documented_answer_can_be_written_with_our_schemas(name: str, kind: Any) -> None:
    body = json.loads(sample(name))
    assert json.loads(msgspec.json.encode(msgspec.json.decode(sample(name), type=kind))) == body


def v3_note(**changed: str) -> Note:
    named = {
        "form": "v3",
        "hip_id": "H",
        "context": "43",
        "abha_address": "abc@abdm",
        "request_id": "f29f0e59-8388-4698-9fe6-05db67aeac46",
    }
    return Note(**(named | changed))  # type: ignore[arg-type]  # the form is one of the five


def test_a_number_is_acknowledged_as_the_protocol_page_does() -> None:
    note = v3_note(context="OPD1", abha_address="asha.devi@sbx")
    body = body_of(pending(token="1", expires_in_s=1800), note, NOW)
    assert json.loads(body) == json.loads(sample("v3-on-share-success"))
    body = body_of(pending(token="1", expires_in_s=1799), note, NOW)
    assert json.loads(body) == json.loads(sample("v3-on-share-success-observed-remaining-seconds"))


def test_the_validity_can_be_written_as_a_number() -> None:
    body = body_of(pending(), v3_note(), NOW, expiry_as_number=True)
    assert json.loads(body) == json.loads(sample("v3-on-share-success-expiry-number"))


@pytest.mark.parametrize(("validity_s", "expiry"), [(-5, "1"), (0, "1"), (86_401, "86400"), (10**9, "86400")])
def test_the_validity_stays_within_a_day(validity_s: int, expiry: str) -> None:
    body = json.loads(body_of(pending(expires_in_s=validity_s), v3_note(), NOW))
    assert body["acknowledgement"]["profile"]["expiry"] == expiry


def test_the_draft_has_its_own_acknowledgement() -> None:
    note = v3_note(form="draft", abha_address="abc@abdm", request_id="6f0b4665-a915-4c92-aa36-65afb4a2cd71")
    assert json.loads(body_of(pending(), note, NOW)) == json.loads(sample("v3-draft2023-on-share"))


def test_legacy_answers_have_the_legacy_form() -> None:
    note = v3_note(form="v1", abha_address="janedoe@sbx", request_id="499a5a4a-7dda-4f20-9b67-e24589627061")
    body = json.loads(body_of(pending(token="0001"), note, time.time()))
    shape = json.loads(sample("v1-profile-on-share-success"))
    assert body["acknowledgement"] == shape["acknowledgement"]
    assert body["resp"] == shape["resp"]
    assert body.keys() == shape.keys()
    assert (
        abs(time.time() - time.mktime(time.strptime(body["timestamp"][:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone) < 60
    )
    failed = json.loads(body_of(pending(refusal=Refusal.CLOSED_COUNTER), note, time.time()))
    assert failed.keys() == json.loads(sample("v1-profile-on-share-failure")).keys()
    assert failed["error"]["code"] == 1000
    old = json.loads(body_of(pending(), v3_note(form="v05", abha_address="test@sbx"), time.time()))
    assert old["acknowledgement"] == json.loads(sample("v05-profile-on-share-success"))["acknowledgement"]


def test_a_legacy_answer_has_the_same_bytes_on_each_attempt_and_a_true_time_when_it_is_late() -> None:
    reply = pending()
    note = v3_note(form="v1")
    assert body_of(reply, note, reply.created_ms / 1000 + 1) == body_of(reply, note, reply.created_ms / 1000 + 25)
    late = reply.created_ms / 1000 + 3600
    assert json.loads(body_of(reply, note, late))["timestamp"] == timestamp(late)


def test_the_running_token_is_sent_as_in_the_protocol() -> None:
    note = v3_note(form="status", hip_id="IN0110000123", context="1", request_id="2b1f6c52-7a3e-4a2b-9c55-8a0d2b7f9f10")
    reply = pending(kind=ReplyKind.ON_STATUS, running="3", pace_min=5)
    assert json.loads(body_of(reply, note, NOW)) == json.loads(sample("v3-running-token-on-status-success"))
    nobody = json.loads(body_of(pending(kind=ReplyKind.ON_STATUS), note, NOW))
    assert nobody["token"]["runningTokenNumber"] == "0"
    failed = json.loads(body_of(pending(kind=ReplyKind.ON_STATUS, refusal=Refusal.UNKNOWN_COUNTER), note, NOW))
    assert failed.keys() == json.loads(sample("v3-running-token-on-status-error")).keys()


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_has_a_text_that_fits_and_a_code(refusal: Refusal) -> None:
    body = json.loads(body_of(pending(refusal=refusal), v3_note(), NOW))
    assert body.keys() == json.loads(sample("v3-on-share-failure")).keys()
    assert body["response"] == {"requestId": "f29f0e59-8388-4698-9fe6-05db67aeac46"}
    assert body["error"]["code"].startswith("ABDM-")
    assert 20 <= len(body["error"]["message"]) <= 250


def test_refusals_with_a_code_of_their_own_use_it() -> None:
    codes = {
        each: json.loads(body_of(pending(refusal=each), v3_note(), NOW))["error"]["code"]
        for each in (Refusal.INTENT, Refusal.UNKNOWN_FACILITY, Refusal.BUSY, Refusal.CLOSED_COUNTER)
    }
    assert list(codes.values()) == ["ABDM-1149", "ABDM-1035", "ABDM-1024", "ABDM-9999"]


def test_answers_go_where_their_form_belongs() -> None:
    paths = [path_of(v3_note(form=form)) for form in ("v3", "draft", "v1", "v05", "status")]
    assert paths == [
        "/api/hiecm/patient-share/v3/on-share",
        "/api/hiecm/patient-share/v3/on-share",
        "/gateway/v1.0/patients/profile/on-share",
        "/gateway/v0.5/patients/profile/on-share",
        "/api/hiecm/patient-share/v3/running-token/on-status",
    ]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("error-envelope-documented", "ABDM-1006", "Bad Request, invalid request Body"),
        ("error-envelope-trailing-separator", "ABDM-9999", "Dependent service unavailable"),
        ("error-array", "ABDM-9999", "Invalid Login Hint"),
        ("error-flat", "ABDM-9999", "User not found"),
        ("error-message-timestamp", "", "Invalid X-token"),
        ("error-field-keyed", "", "Invalid LoginId"),
        ("error-api-manager-900901", "900901", "Invalid Credentials"),
        ("error-api-manager-404", "404", "Runtime Error"),
        ("error-404-domain-code", "ABDM-1016", "Invalid Timestamp"),
    ],
)
def test_every_error_shape_is_understood(name: str, code: str, message: str) -> None:
    assert read_error(sample(name)) == (code, message)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"<html>", b"{", b'"no"', b"7", b"[" * 9000, b'{"error":[]}', b"\xff"]
)
def test_an_error_of_an_unknown_form_has_no_code(body: bytes) -> None:
    code, message = read_error(body)
    assert code == ""
    assert message in {"", "no"}


def test_the_recorded_key_set_is_read_with_each_key_pinned_to_its_algorithm() -> None:
    keys = read_key_set(sample("jwks-v3-certs-sandbox"))
    assert sorted(key.algorithm_name for key in keys.values()) == ["RS256", "RS512"]
    assert "AlRb5WCm8Tm9EJ_IfO9z06j9oCv51pKKFknGb_TBvK0" in keys
