"""Translates messages of the gateway: every form of a share becomes one ``Scan``.

- A scan holds what a place depends on, and the values of the profile. The profile is parsed only when staff look at it
  (``read_patient``).
- Nothing here raises. A part of the profile that cannot be read counts as absent, so no patient loses a place because
  of an odd field. A reason against a place becomes a ``Refusal``, which the phone shows.
- Values that the answer repeats (counter text, ABHA address, request id) are kept in the note exactly as they came. A
  share with a value that is too long is refused; values are never cut.
- Values that people see are converted to their display form.
"""

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from kiosk.abdm.note import Form, Note, read_note, write_note
from kiosk.abdm.schemas import (
    LegacyPatient,
    LegacyProfile,
    LegacyShare,
    Location,
    MetaData,
    PatientShare,
    Profile,
    RunningTokenStatus,
    Share,
)
from kiosk.abdm.timestamps import is_current
from kiosk.patient.birth import Birth, birth_date, birth_of_parts
from kiosk.patient.identifiers import abha_address, abha_number, address_part, gender, phone_number, pincode
from kiosk.patient.names import NAME_MAX
from kiosk.patient.person import Patient, Person, Scan, StatusQuery
from queueing.display_text import display_text, marked_text
from queueing.models import Refusal

Aliases = Mapping[str, str]
"""Other ids of facilities, and the HIP ids they stand for. An answer carries the id that came in."""
NO_ALIASES: Final[Aliases] = MappingProxyType({})
HIP_ID_MAX: Final = 250
CONTEXT_MAX: Final = 250
"""The gateway's limit for counter texts. A longer text names no counter, but is still echoed."""
ECHO_MAX: Final = 4096
"""Most characters of a value that the answer repeats. The gateway's limit is 250; a longer value is refused."""

_INTENTS: Final = frozenset({"profileshare", "shareprofile"})
_NO_META: Final = MetaData()
_NO_PROFILE: Final = Profile()
_NO_LOCATION: Final = Location()


class RequestHeaders(Struct, frozen=True, gc=False):
    """The headers of a request. A legacy message has these values in its body instead."""

    request_id: str
    hip_id: str
    timestamp: str
    late: bool = False
    """Whether this is a late delivery that the caller's token allows: then TIMESTAMP may be old."""


_PACK_PROFILE: Final = msgspec.json.Encoder()  # the values came from JSON, so JSON can hold them again
_READ_PROFILE: Final = msgspec.json.Decoder(list[Any])


class StatedScan(Struct, frozen=True, kw_only=True, gc=False):
    """What a message of any form states about a scan, before it is compared with the headers."""

    form: Form
    hip_id: str
    """The facility's id in the body; empty when the body names none."""
    context: str
    abha_address: str
    person: Person | None
    profile: bytes
    """The profile's values as they came, packed; empty without a profile."""
    position: tuple[float, float] | None
    refusal: Refusal | None
    """Why this message gives no place, whatever its headers say."""


def to_scan(
    share: Share, headers: RequestHeaders, *, body: bytes, now_s: float, cm_id: str, aliases: Aliases = NO_ALIASES
) -> Scan:
    """A v3 share, or the 2023 draft when the profile stands flat."""
    draft = _is_draft(share)
    shared = _shared(share, draft=draft)
    meta = share.meta_data or _NO_META
    context = share.intent.get("context", meta.context) if draft and isinstance(share.intent, dict) else meta.context
    address = shared.abha_address if shared else None
    refusal = None
    if not (draft or _is_profile_share(share.intent)):
        refusal = Refusal.INTENT
    elif not ((draft or share.meta_data) and _can_echo(meta.hip_id) and _can_echo(context) and _can_echo(address)):
        refusal = Refusal.MALFORMED
    stated = StatedScan(
        form="draft" if draft else "v3",
        hip_id=text(meta.hip_id),
        context=text(context),
        abha_address=text(address),
        person=None if shared is None else _person(shared),
        profile=_profile_values(shared) if shared else b"",
        position=_position(meta.lat, meta.long) if draft else _position(meta.latitude, meta.longitude),
        refusal=refusal,
    )
    return _checked_scan(stated, headers, body, now_s, cm_id, aliases)


def _can_echo(value: Any) -> bool:
    """Whether the answer can repeat a value: short text, a number, or an absent value."""
    if isinstance(value, str):
        return len(value) <= ECHO_MAX
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def read_patient(note: bytes, profile: bytes) -> Patient:
    """The whole profile of a scan, for people; ``note`` and ``profile`` are the scan's. Empty when there was none, or
    when another release wrote it in a way that this one cannot read; the number can still be called.
    """
    try:
        legacy = read_note(note).form in ("v1", "v05")
        values = _READ_PROFILE.decode(profile)
    except msgspec.MsgspecError:
        return Patient()
    if legacy:
        return _legacy_patient(LegacyPatient(*values[: len(LegacyPatient.__struct_fields__)]))
    shared = PatientShare(*values[: len(PatientShare.__struct_fields__)])
    return _whole(_person(shared), shared, phone=text(shared.phone_number) or text(shared.mobile))


def _profile_values(shared: PatientShare | LegacyPatient) -> bytes:
    """All profile values unchanged, in field order. About half the size of the message; photos are never included."""
    return _PACK_PROFILE.encode(msgspec.structs.astuple(shared))


def _is_draft(share: Share) -> bool:
    return share.profile is None and bool(share.abha_address or share.abha_number or isinstance(share.intent, dict))


def _shared(share: Share, *, draft: bool) -> PatientShare | None:
    """Who is shared: under ``profile.patient``, or flat in the 2023 draft."""
    if not draft:
        return (share.profile or _NO_PROFILE).patient
    return PatientShare(
        abha_number=share.abha_number,
        abha_address=share.abha_address,
        name=share.name,
        gender=share.gender,
        year_of_birth=share.year_of_birth,
        address={"line": share.address, "district": share.district, "state": share.state},
    )


def legacy_scan(
    share: LegacyShare,
    headers: RequestHeaders,
    form: Literal["v1", "v05"],
    *,
    body: bytes,
    now_s: float,
    cm_id: str,
    aliases: Aliases = NO_ALIASES,
) -> Scan:
    """A v1.0 or v0.5 share: ids and time in the body, the counter text in ``hipCode``."""
    shared = _legacy_shared(share)
    location = share.location or _NO_LOCATION
    context = _legacy_profile(share).hip_code
    address = shared.health_id if shared else None
    refusal = None
    if not _is_legacy_profile_share(share.intent):
        refusal = Refusal.INTENT
    elif not (_can_echo(context) and _can_echo(address)):
        refusal = Refusal.MALFORMED
    stated = StatedScan(
        form=form,
        hip_id="",
        context=text(context),
        abha_address=text(address),
        person=None if shared is None else _legacy_person(shared),
        profile=_profile_values(shared) if shared else b"",
        position=_position(location.latitude, location.longitude),
        refusal=refusal,
    )
    own_headers = RequestHeaders(
        request_id=text(share.request_id) or headers.request_id,
        hip_id=headers.hip_id,
        timestamp=text(share.timestamp) or headers.timestamp,
    )
    return _checked_scan(stated, own_headers, body, now_s, cm_id, aliases)


def _legacy_profile(share: LegacyShare) -> LegacyProfile:
    return share.profile or share.patient or LegacyProfile()


def _legacy_shared(share: LegacyShare) -> LegacyPatient | None:
    profile = _legacy_profile(share)
    return profile.patient or profile.user_demographics


def to_query(
    question: RunningTokenStatus,
    headers: RequestHeaders,
    *,
    body: bytes,
    now_s: float,
    aliases: Aliases = NO_ALIASES,
) -> StatusQuery:
    """A running-token question."""
    named, context = text(question.hip_id), text(question.context)
    refusal = None
    if not is_current(headers.timestamp, now_s):
        refusal = Refusal.CLOCK
    elif _two_facilities(named, headers.hip_id, aliases):
        refusal = Refusal.FACILITY_MISMATCH
    elif not (_can_echo(question.hip_id) and _can_echo(question.context)) or len(named) > HIP_ID_MAX:
        refusal = Refusal.MALFORMED
    facility = (named or headers.hip_id)[:HIP_ID_MAX]
    note = Note("status", facility, context[:ECHO_MAX], "", headers.request_id)
    return StatusQuery(
        facility=aliases.get(facility, facility),
        context=context[:CONTEXT_MAX],
        request_id=same_request(headers.request_id),
        body=body,
        note=write_note(note),
        refusal=refusal,
    )


def _two_facilities(hip_id: str, header: str, aliases: Aliases) -> bool:
    """Whether body and header name two different facilities. Two ids of one facility count as the same."""
    if not hip_id or not header or hip_id == header:
        return False
    return aliases.get(hip_id, hip_id) != aliases.get(header, header)


def _checked_scan(
    stated: StatedScan, headers: RequestHeaders, body: bytes, now_s: float, cm_id: str, aliases: Aliases
) -> Scan:
    """The scan of a message, after it is compared with its headers. A value that is too long to repeat is refused here;
    the answer is then an error that repeats only the request id.
    """
    hip_id, person, address = stated.hip_id, stated.person, stated.abha_address
    refusal: Refusal | None = None
    if not (headers.late or is_current(headers.timestamp, now_s)):
        refusal = Refusal.CLOCK
    elif _two_facilities(hip_id, headers.hip_id, aliases):
        refusal = Refusal.FACILITY_MISMATCH
    elif stated.refusal is not None:
        refusal = stated.refusal
    elif len(hip_id) > HIP_ID_MAX:
        refusal = Refusal.MALFORMED
    elif person is None or not (person.abha_number or display_text(address)):
        refusal = Refusal.PROFILE
    if not address and person is not None and person.abha_number:
        address = f"{person.abha_number}@{cm_id}"  # the default address of every number
    facility = (hip_id or headers.hip_id)[:HIP_ID_MAX]
    note = Note(stated.form, facility, stated.context[:ECHO_MAX], address[:ECHO_MAX], headers.request_id)
    return Scan(
        facility=aliases.get(facility, facility),
        context=stated.context[:CONTEXT_MAX],
        request_id=same_request(headers.request_id),
        person=person,
        position=stated.position,
        body=body,
        note=write_note(note),
        profile=stated.profile,
        refusal=refusal,
        late=headers.late,
    )


def same_request(request_id: str) -> str:
    """The id as a key. The same UUID in capitals, in braces or as a URN is the same request."""
    return request_id.strip().lower().removeprefix("urn:uuid:").strip("{}")


def _is_profile_share(intent: Any) -> bool:
    """Whether a v3 share asks for a number. In v3 ``intent`` is required and is text."""
    if intent == "PROFILE_SHARE":
        return True
    return isinstance(intent, str) and re.sub(r"[^a-z]", "", intent[:40].lower()) in _INTENTS


def _is_legacy_profile_share(intent: Any) -> bool:
    """Whether a legacy share asks for a number. v0.5 has no intent; in v1.0 it is an object with a type."""
    if isinstance(intent, dict):
        intent = intent.get("type")
    return intent is None or intent == "" or _is_profile_share(intent)


def text(value: Any) -> str:
    """Text as it came; a number in digits; anything else is absent."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _person(shared: PatientShare) -> Person:
    return _known_by(text(shared.abha_number), text(shared.abha_address), _born(shared))


def _known_by(number: str, address: str, born: Birth) -> Person:
    return Person(
        abha_number=abha_number(number),
        abha_address=abha_address(address),
        year_of_birth=born.year,
        month_of_birth=born.month,
        day_of_birth=born.day,
    )


def _born(shared: PatientShare | LegacyPatient) -> Birth:
    """Day, month and year, each on its own or all in ``dob``."""
    born = birth_of_parts(text(shared.day_of_birth), text(shared.month_of_birth), text(shared.year_of_birth))
    if born.year is None and isinstance(shared, PatientShare) and shared.dob is not None:
        return birth_date(text(shared.dob))
    return born


def _legacy_person(shared: LegacyPatient) -> Person:
    kinds = _identifiers(shared.identifiers)
    number = text(shared.health_id_number) or kinds.get("NDHM_HEALTH_NUMBER", "")
    return _known_by(number, text(shared.health_id) or kinds.get("HEALTH_ID", ""), _born(shared))


def _legacy_patient(shared: LegacyPatient) -> Patient:
    kinds = _identifiers(shared.identifiers)
    record = kinds.get("MR", "")
    phone = kinds.get("MOBILE", "") or (record if record.startswith("+") else "")  # v0.5 writes phones as MR too
    return _whole(_legacy_person(shared), shared, phone=phone)


def _identifiers(listed: Any) -> dict[str, str]:
    if not isinstance(listed, list):
        return {}
    pairs = [each for each in listed[:20] if isinstance(each, dict)]
    return {text(each.get("type")): text(each.get("value")) for each in pairs}


def _whole(person: Person, shared: PatientShare | LegacyPatient, *, phone: str) -> Patient:
    """The person with all values that only people read."""
    parts = shared.address if isinstance(shared.address, dict) else {"line": shared.address}
    return Patient(
        **msgspec.structs.asdict(person),
        name=marked_text(text(shared.name), NAME_MAX),
        gender=gender(text(shared.gender)),
        phone=phone_number(phone),
        line=address_part(text(parts.get("line"))),
        district=address_part(text(parts.get("district"))),
        state=address_part(text(parts.get("state"))),
        pincode=pincode(text(parts.get("pincode")) or text(parts.get("pinCode"))),
    )


def _position(latitude: Any, longitude: Any) -> tuple[float, float] | None:
    """Both coordinates or neither. A phone without a position sends 0 and 0."""
    if latitude is None or longitude is None:
        return None
    north, east = _degrees(latitude, 90.0), _degrees(longitude, 180.0)
    if north is None or east is None or (north == 0.0 and east == 0.0):
        return None
    return north, east


def _degrees(value: Any, bound: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        degrees = float(value[:40] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return degrees if math.isfinite(degrees) and abs(degrees) <= bound else None
