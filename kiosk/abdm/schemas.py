"""The messages of the gateway and to it, with the gateway's own field names.

Incoming messages are read tolerantly, because real senders differ from the specification. A field of an unexpected type
counts as absent. A share without a usable profile becomes a refusal that the phone shows. Only a body that is not a
JSON object is a bad body. Outgoing messages are strict: the recommended spelling, and no key that the protocol does not
have.

``gc=False``, here and on the other values of a scan: they hold no cycle, and the collector's bookkeeping is felt on
each scan.

Sources: NHA's patient-share OpenAPI of 2026-09 (v3), the NDHM HIP OpenAPI (v1.0, v0.5), the 2023 draft of v3.
"""

from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from kiosk.web.request_body import BadBody, decode_strictly, parse

Loose = Any
"""Text, a number, null or something unexpected. Only ``kiosk.abdm.inbound`` reads such values."""


class MetaData(Struct, rename="camel", gc=False):
    hip_id: Loose = None
    context: Loose = None
    latitude: Loose = None
    longitude: Loose = None
    lat: Loose = None
    long: Loose = None
    """``lat`` and ``long`` come from the 2023 draft."""


class PatientShare(Struct, rename="camel", gc=False):
    """v3, with the older M1 spelling beside it (``dob``, ``mobile``). A ``kycPhoto`` is never kept. New fields go last:
    envelopes keep the values in this order.
    """

    abha_number: Loose = None
    abha_address: Loose = None
    name: Loose = None
    gender: Loose = None
    day_of_birth: Loose = None
    month_of_birth: Loose = None
    year_of_birth: Loose = None
    dob: Loose = None
    address: Loose = None
    """``{line, district, state, pincode | pinCode}``, or one line of text."""
    phone_number: Loose = None
    mobile: Loose = None


class Profile(Struct, gc=False):
    patient: PatientShare | None = None


class Share(Struct, rename="camel", gc=False):
    """``POST /api/v3/hip/patient/share``. The 2023 draft writes the profile flat, and its intent is an object."""

    intent: Loose = None
    meta_data: MetaData | None = None
    profile: Profile | None = None
    abha_number: Loose = None
    abha_address: Loose = None
    name: Loose = None
    gender: Loose = None
    year_of_birth: Loose = None
    address: Loose = None
    district: Loose = None
    state: Loose = None


class LegacyPatient(Struct, rename="camel"):
    """v1.0 and v0.5. New fields go last, as above."""

    health_id: Loose = None
    health_id_number: Loose = None
    name: Loose = None
    gender: Loose = None
    day_of_birth: Loose = None
    month_of_birth: Loose = None
    year_of_birth: Loose = None
    address: Loose = None
    identifiers: Loose = None
    """``[{type: MR | MOBILE | ..., value}]``: the phone number is in this list."""


class LegacyProfile(Struct, rename="camel"):
    hip_code: Loose = None
    """The counter text."""
    patient: LegacyPatient | None = None
    user_demographics: LegacyPatient | None = None
    """A generated client of 2021 writes ``patient.hipCode`` and ``patient.userDemographics``, with no wrapper."""


class Location(Struct):
    latitude: Loose = None
    longitude: Loose = None


class LegacyShare(Struct, rename="camel"):
    """``POST /v1.0/patients/profile/share``, and v0.5, which has neither intent nor location."""

    request_id: Loose = None
    timestamp: Loose = None
    intent: Loose = None
    location: Location | None = None
    profile: LegacyProfile | None = None
    patient: LegacyProfile | None = None


class RunningTokenStatus(Struct, rename="camel"):
    """``POST /api/v3/hip/patient/running-token/status``."""

    hip_id: Loose = None
    context: Loose = None


class Reply(Struct, rename="camel"):
    request_id: str


class TokenProfile(Struct, rename="camel"):
    context: str
    token_number: str | int | None
    expiry: str | int | UnsetType | None = UNSET
    """Seconds, as digits in a string; a setting makes it a number."""


class Acknowledgement(Struct, rename="camel"):
    status: str
    abha_address: str
    profile: TokenProfile


class OnShare(Struct):
    acknowledgement: Acknowledgement
    response: Reply | UnsetType = UNSET


class DraftAcknowledgement(Struct, rename="camel"):
    abha_address: str
    status: str
    context: str
    token_number: str
    expiry: int


class DraftOnShare(Struct):
    """The superseded draft of 2023: token fields directly under ``acknowledgement``."""

    acknowledgement: DraftAcknowledgement
    response: Reply


class Error(Struct):
    code: str | int
    message: str


class Failure(Struct):
    """``error`` alone, without an acknowledgement: on-share and on-status alike."""

    error: Error
    response: Reply


class LegacyAcknowledgement(Struct, rename="camel"):
    status: str
    health_id: str
    token_number: str | UnsetType = UNSET
    """v0.5 has none."""


class LegacyOnShare(Struct, rename="camel", kw_only=True):
    """v1.0 and v0.5: ids and time stand in the body, and the reply is spelled ``resp``."""

    request_id: str
    timestamp: str
    acknowledgement: LegacyAcknowledgement | UnsetType = UNSET
    error: Error | UnsetType = UNSET
    """Here the code of an error is an integer: 1000."""
    resp: Reply


class RunningToken(Struct, rename="camel"):
    hip_id: str
    context: str
    running_token_number: str
    average_token_service_time_in_minutes: int


class OnStatus(Struct):
    token: RunningToken
    response: Reply


class SessionRequest(Struct, rename="camel"):
    client_id: str
    client_secret: str
    grant_type: str = "client_credentials"


class Session(Struct, rename="camel"):
    access_token: str
    expires_in: int | float | str = 1200
    """Seconds. NHA has changed this value before, so it is always read."""


class Bridge(Struct):
    """Our bridge as it is registered at the gateway."""

    url: str = ""
    active: bool = True
    blocklisted: bool = False


class BridgeService(Struct):
    """One service of the bridge; its id is what shares are routed by."""

    id: str
    types: list[str] = []
    active: bool = True


class BridgeServices(Struct):
    """``GET /api/hiecm/gateway/v3/bridge-services``."""

    bridge: Bridge
    services: list[BridgeService] = []


Message = TypeVar("Message", Share, LegacyShare, RunningTokenStatus)

_SHARE: Final = msgspec.json.Decoder(Share)
_LEGACY: Final = msgspec.json.Decoder(LegacyShare)
_STATUS: Final = msgspec.json.Decoder(RunningTokenStatus)
_PLAIN: Final = msgspec.json.Decoder()
_OBJECTS: Final[dict[str, Any]] = {
    "metaData": {},
    "location": {},
    "profile": {"patient": {}, "userDemographics": {}},
    "patient": {"patient": {}, "userDemographics": {}},
}
"""Members that must be objects. A value of another type counts as absent."""


def read_share(body: bytes) -> Share:
    """A v3 share or the 2023 draft. Raises ``BadBody``."""
    return parse(body, _SHARE, _decode_tolerantly)


def read_legacy(body: bytes) -> LegacyShare:
    """A v1.0 or v0.5 share. Raises ``BadBody``."""
    return parse(body, _LEGACY, _decode_tolerantly)


def read_status(body: bytes) -> RunningTokenStatus:
    """A running-token question. Raises ``BadBody``."""
    return parse(body, _STATUS, _decode_tolerantly)


def _decode_tolerantly(body: bytes, decoder: "msgspec.json.Decoder[Message]") -> Message:
    """The message, without members that have an unexpected type."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        plain = decode_strictly(body, _PLAIN)
    try:
        return msgspec.convert(_pruned(plain, _OBJECTS), decoder.type)
    except msgspec.ValidationError:
        raise BadBody("the body is no JSON object, or holds a number out of range") from None


def _pruned(plain: Any, shape: dict[str, Any]) -> Any:
    """The message without members that should be objects and are not, so no patient loses a place by one odd field."""
    if isinstance(plain, dict):
        return {
            key: _pruned(value, shape[key]) if key in shape else value
            for key, value in plain.items()
            if key not in shape or isinstance(value, dict)
        }
    return plain
