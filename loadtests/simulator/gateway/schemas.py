"""The messages of the protocol, spelled exactly. Every unknown key is a fault of the sender (protocol A5,
B2, B9, C).
"""

from typing import Any

from msgspec import UNSET, Struct, UnsetType, json

ON_SHARE = "/api/hiecm/patient-share/v3/on-share"
ON_STATUS = "/api/hiecm/patient-share/v3/running-token/on-status"
LEGACY_ON_SHARE = {
    "/gateway/v1.0/patients/profile/on-share": "v1.0",
    "/gateway/v0.5/patients/profile/on-share": "v0.5",
}
HIP_SHARE = {
    "v3": "/api/v3/hip/patient/share",
    "v1.0": "/v1.0/patients/profile/share",
    "v0.5": "/v0.5/patients/profile/share",
}
HIP_STATUS = "/api/v3/hip/patient/running-token/status"
APP_ON_SHARE = "/api/v3/hiu/patient/on-share"
APP_ON_STATUS = "/api/v3/hiu/patient/running-token/on-status"


class Exact(Struct, frozen=True, forbid_unknown_fields=True):
    """A message that may have only these keys."""


class Respond(Exact, frozen=True, rename="camel"):
    """The id of the request that this answers."""

    request_id: str


class TokenProfile(Exact, frozen=True, rename="camel"):
    """The place that was given. ``expiry`` is in seconds, as a string of digits."""

    context: str
    token_number: str
    expiry: str


class Acknowledgement(Exact, frozen=True, rename="camel"):
    """A place was given."""

    status: str
    abha_address: str
    profile: TokenProfile


class Sorry(Exact, frozen=True):
    """No place was given. The message is for the patient."""

    code: str
    message: str


class OnShare(Exact, frozen=True):
    """The HIP's answer to a share: either an acknowledgement or an error, and the id of the request."""

    response: Respond
    acknowledgement: Acknowledgement | UnsetType = UNSET
    error: Sorry | UnsetType = UNSET


class Running(Exact, frozen=True, rename="camel"):
    """The token now being served."""

    hip_id: str
    context: str
    running_token_number: str
    average_token_service_time_in_minutes: int | UnsetType = UNSET


class OnStatus(Exact, frozen=True):
    """The HIP's answer to a question for the running token."""

    response: Respond
    token: Running | UnsetType = UNSET
    error: Sorry | UnsetType = UNSET


class LegacyAcknowledgement(Exact, frozen=True, rename="camel"):
    """The acknowledgement of v1.0 and v0.5. v0.5 has no token number."""

    status: str
    health_id: str
    token_number: str | UnsetType = UNSET


class LegacySorry(Exact, frozen=True):
    """``code`` is 1000 or 10001."""

    code: int
    message: str


class LegacyOnShare(Exact, frozen=True, rename="camel"):
    """The answer of v1.0 and v0.5: ids and time are in the body, and the reply is called ``resp``."""

    request_id: str
    timestamp: str
    resp: Respond
    acknowledgement: LegacyAcknowledgement | UnsetType = UNSET
    error: LegacySorry | UnsetType = UNSET


class SharedPatient(Struct, frozen=True, rename="camel"):
    """The values of a patient that the gateway needs. All others are passed on unchanged."""

    abha_address: str
    name: str
    gender: str


class SharedProfile(Struct, frozen=True):
    """The object around the patient."""

    patient: SharedPatient


class ShareMeta(Struct, frozen=True, rename="camel"):
    """The facility and the counter."""

    hip_id: str
    context: str = ""


class ShareRequest(Struct, frozen=True, rename="camel"):
    """A share as a PHR app sends it."""

    intent: str
    meta_data: ShareMeta
    profile: SharedProfile


class StatusRequest(Struct, frozen=True, rename="camel"):
    """A question for the running token."""

    hip_id: str
    context: str


class SessionRequest(Struct, frozen=True, rename="camel"):
    """Credentials of a bridge or an app."""

    client_id: str
    client_secret: str
    grant_type: str


class BridgeUrl(Struct, frozen=True):
    """The address to which a bridge wants its callbacks."""

    url: str


def envelope(code: str, message: str, **beside: Any) -> bytes:
    """An error as the documents describe it. ``beside``: keys that a callback adds."""
    return json.encode({"error": {"code": code, "message": message}, **beside})


def manager_error() -> bytes:
    """The body of the API manager's 401."""
    message = "Invalid Credentials"
    return json.encode(
        {
            "code": "900901",
            "message": message,
            "description": f"{message}. Make sure you have provided the correct security credentials",
        }
    )


def error_shapes(code: str, message: str) -> tuple[bytes, ...]:
    """The same error in every shape the real gateway was seen to use (protocol J)."""
    return (
        envelope(code, message),
        envelope(f"{code}: ", message),
        json.encode([{"code": f"{code}: ", "message": message}]),
        json.encode({"code": code, "message": message}),
        json.encode({"message": message, "timestamp": "2026-09-16T10:12:48.483"}),
        json.encode({"code": "900900", "message": "Unclassified Authentication Failure", "description": message}),
        b"",
    )


def legacy_share(body: bytes, version: str, request_id: str, timestamp: str) -> bytes:
    """A v3 share in the form of v1.0 or v0.5 (protocol B7)."""
    document: dict[str, Any] = json.decode(body)
    patient, meta = document["profile"]["patient"], document["metaData"]
    old: dict[str, Any] = {
        "requestId": request_id,
        "timestamp": timestamp,
        "profile": {
            "hipCode": meta.get("context", ""),
            "patient": {
                "healthId": patient["abhaAddress"],
                "healthIdNumber": patient.get("abhaNumber") or "",
                "name": patient["name"],
                "gender": patient["gender"],
                "yearOfBirth": int(patient.get("yearOfBirth") or 0),
                "dayOfBirth": int(patient.get("dayOfBirth") or 0),
                "monthOfBirth": int(patient.get("monthOfBirth") or 0),
                "address": patient.get("address") or {},
                "identifiers": [{"type": "MOBILE", "value": patient.get("phoneNumber") or ""}],
            },
        },
    }
    if version == "v1.0":
        place = {name: str(meta.get(name) or "") for name in ("latitude", "longitude")}
        old |= {"intent": {"type": "profile-share"}, "location": place}
    return json.encode(old)
