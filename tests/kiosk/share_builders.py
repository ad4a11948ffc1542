"""Messages as an ABHA app sends them, made from what we would read in them."""

import json
from typing import Any

from kiosk.abdm.inbound import RequestHeaders, to_scan
from kiosk.abdm.note import Note, write_note
from kiosk.abdm.schemas import read_share
from kiosk.patient.person import Patient, Scan
from queueing.models import Refusal


def share_body(patient: Patient, **beside: Any) -> bytes:
    """A v3 share of this person."""
    profile_or_body = {
        "abhaNumber": patient.abha_number or None,
        "abhaAddress": patient.abha_address or None,
        "name": patient.name,
        "gender": patient.gender,
        "dayOfBirth": patient.day_of_birth,
        "monthOfBirth": patient.month_of_birth,
        "yearOfBirth": patient.year_of_birth,
        "phoneNumber": patient.phone,
        "address": {
            "line": patient.line,
            "district": patient.district,
            "state": patient.state,
            "pincode": patient.pincode,
        },
    }
    return json.dumps({"intent": "PROFILE_SHARE", "profile": {"patient": profile_or_body}} | beside).encode()


def scan_of(
    patient: Patient,
    request_id: str,
    *,
    facility: str,
    context: str = "M1",
    position: tuple[float, float] | None = None,
    refusal: Refusal | None = None,
    body: bytes = b"",
) -> Scan:
    """The scan that the callback makes of such a share."""
    profile_or_body = body or share_body(patient, requestId=request_id)
    headers = RequestHeaders(request_id, facility, "")
    return Scan(
        facility=facility,
        context=context,
        request_id=request_id,
        person=patient,
        position=position,
        body=profile_or_body,
        note=write_note(Note("v3", facility, context, patient.abha_address, request_id)),
        profile=to_scan(read_share(profile_or_body), headers, body=profile_or_body, now_s=0.0, cm_id="sbx").profile,
        refusal=refusal,
    )
