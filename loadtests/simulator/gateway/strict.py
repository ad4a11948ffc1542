"""Checks what a HIP sends, strictly by every rule of the gateway's share protocol and of our own promises.

The functions are pure: they take headers, bodies, the share and the true time, and return the answer or raise.
"""

import re
from datetime import datetime

from msgspec import UNSET, Struct
from msgspec.json import Decoder

from loadtests.simulator.gateway.ledger import SHARE_LIVES_MS, Question, Share
from loadtests.simulator.gateway.schemas import LegacyOnShare, OnShare, OnStatus, Sorry

CLOCK_MAY_BE_OFF_MS = 60_000
"""How far TIMESTAMP may be from the true time: one minute."""
LONGEST_TOKEN = 8
LONGEST_WORDS = 250
LONGEST_EXPIRY_S = 86_400

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_CODE = re.compile(r"ABDM-\d{4}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,5}", re.ASCII)
_ON_SHARE = Decoder(OnShare)
_ON_STATUS = Decoder(OnStatus)
_LEGACY = Decoder(LegacyOnShare)


class CallRefused(Exception):
    """The call is refused with ``status``, ABDM ``code`` and a message. ``fault``: whether the protocol was broken."""

    def __init__(self, status: int, code: str, message: str, *, fault: bool = True) -> None:
        super().__init__(message)
        self.status, self.code, self.words, self.fault = status, code, message, fault


class Judged(Struct, frozen=True):
    """A correct on-share in short. ``body`` must be equal when it is sent again: everything except the expiry."""

    token: str
    error: str
    expiry: int
    body: bytes


def is_uuid(text: str) -> bool:
    """Whether this is a UUID in its usual form."""
    return _UUID.fullmatch(text) is not None


def check_timestamp(text: str, now_ms: int) -> None:
    """Raise unless TIMESTAMP has three decimals and ``Z``, and is right to a minute."""
    if not _TIME.fullmatch(text):
        raise CallRefused(400, "ABDM-1016", f"TIMESTAMP is not yyyy-mm-ddThh:mm:ss.sssZ: {text!r}")
    try:
        sent_at = datetime.fromisoformat(text)
    except ValueError:
        raise CallRefused(400, "ABDM-1016", f"TIMESTAMP is no moment: {text!r}") from None
    if abs(sent_at.timestamp() * 1000 - now_ms) > CLOCK_MAY_BE_OFF_MS:
        raise CallRefused(400, "ABDM-1016", f"TIMESTAMP is off by {sent_at.timestamp() * 1000 - now_ms:.0f} ms")


def check_headers(headers: dict[str, str], now_ms: int, cm_id: str) -> None:
    """Check the three headers of every call. A missing X-CM-ID gets an empty 401, as observed (protocol D2)."""
    if headers.get("x-cm-id") != cm_id:
        code = "ABDM-2403" if "x-cm-id" in headers else ""
        raise CallRefused(400 if code else 401, code, f"X-CM-ID is {headers.get('x-cm-id')!r}, not {cm_id!r}")
    if not is_uuid(headers.get("request-id", "")):
        raise CallRefused(400, "ABDM-1030", f"REQUEST-ID is no UUID: {headers.get('request-id')!r}")
    check_timestamp(headers.get("timestamp", ""), now_ms)


def check_json(headers: dict[str, str]) -> None:
    """Check the Content-Type. A wrong one gets a 415 inside a 400, as recorded (protocol D1)."""
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        message = f"415 UNSUPPORTED_MEDIA_TYPE: Content-Type is {headers.get('content-type')!r}"
        raise CallRefused(400, "ABDM-9999: ", message)


def read_on_share(body: bytes) -> OnShare:
    """Parse the body: exactly the allowed keys, and either an acknowledgement or an error."""
    try:
        reply = _ON_SHARE.decode(body)
    except ValueError as wrong:
        raise CallRefused(400, "ABDM-1006", f"on-share body: {wrong}") from None
    if (reply.acknowledgement is UNSET) == (reply.error is UNSET):
        raise CallRefused(400, "ABDM-1006", "on-share body: exactly one of acknowledgement and error")
    return reply


def read_on_status(body: bytes) -> OnStatus:
    """As ``read_on_share``, for the running token."""
    try:
        reply = _ON_STATUS.decode(body)
    except ValueError as wrong:
        raise CallRefused(400, "ABDM-1006", f"on-status body: {wrong}") from None
    if (reply.token is UNSET) == (reply.error is UNSET):
        raise CallRefused(400, "ABDM-1006", "on-status body: exactly one of token and error")
    return reply


def read_legacy(body: bytes, version: str) -> LegacyOnShare:
    """The body of v1.0 or v0.5."""
    try:
        reply = _LEGACY.decode(body)
    except ValueError as wrong:
        raise CallRefused(400, "ABDM-1006", f"{version} on-share body: {wrong}") from None
    if (reply.acknowledgement is UNSET) == (reply.error is UNSET):
        raise CallRefused(400, "ABDM-1006", f"{version} on-share body: exactly one of acknowledgement and error")
    if reply.acknowledgement is not UNSET and (reply.acknowledgement.token_number is UNSET) != (version == "v0.5"):
        raise CallRefused(400, "ABDM-1006", f"{version} on-share body: tokenNumber belongs to v1.0 and to it alone")
    return reply


def check_sorry(error: Sorry) -> None:
    """Check that an error has an ABDM code and a message of acceptable length."""
    if not _CODE.fullmatch(error.code):
        raise CallRefused(400, "ABDM-1006", f"error code is no ABDM code: {error.code!r}")
    if not 1 <= len(error.message) <= LONGEST_WORDS:
        raise CallRefused(400, "ABDM-1006", f"words of an error: {len(error.message)} characters")


def check_token(token: str) -> None:
    """Check that people can read the token on a screen."""
    if not 1 <= len(token) <= LONGEST_TOKEN:
        raise CallRefused(400, "ABDM-1006", f"tokenNumber: {len(token)} characters")


def _expiry(text: str) -> int:
    if not _DIGITS.fullmatch(text) or not 1 <= int(text) <= LONGEST_EXPIRY_S:
        raise CallRefused(400, "ABDM-1006", f"expiry is {text!r}, not 1 to {LONGEST_EXPIRY_S} in digits")
    return int(text)


def check_in_time(share: Share, now_ms: int) -> None:
    """After thirty seconds the phone has stopped waiting. A late answer breaks no rule: it is counted separately."""
    if not share.foreign and now_ms - share.shared_ms > SHARE_LIVES_MS:
        message = f"acknowledged {now_ms - share.shared_ms} ms after the share"
        raise CallRefused(408, "ABDM-1007", message, fault=False)


def judge(reply: OnShare, share: Share) -> Judged:
    """Check that this is the answer to this share."""
    if reply.error is not UNSET:
        check_sorry(reply.error)
        return Judged("", reply.error.code, 0, f"{reply.error.code}\0{reply.error.message}".encode())
    assert reply.acknowledgement is not UNSET  # noqa: S101  read_on_share proved it; narrows the type
    acknowledgement = reply.acknowledgement
    if acknowledgement.status != "SUCCESS":
        raise CallRefused(400, "ABDM-1006", f"status is {acknowledgement.status!r}, not 'SUCCESS'")
    if not share.foreign and acknowledgement.profile.context != share.context:
        raise CallRefused(400, "ABDM-1052", f"context is {acknowledgement.profile.context!r}, was {share.context!r}")
    if not share.foreign and acknowledgement.abha_address != share.abha_address:
        raise CallRefused(400, "ABDM-1052", "abhaAddress is another one than was shared")
    check_token(acknowledgement.profile.token_number)
    facts = (acknowledgement.abha_address, acknowledgement.profile.context, acknowledgement.profile.token_number)
    body = "\0".join(map(str, facts)).encode()
    return Judged(acknowledgement.profile.token_number, "", _expiry(acknowledgement.profile.expiry), body)


def judge_legacy(reply: LegacyOnShare, share: Share) -> Judged:
    """As ``judge``, for v1.0 and v0.5. They have no expiry, and v0.5 has no token."""
    if reply.error is not UNSET:
        if reply.error.code not in (1000, 10001) or not 1 <= len(reply.error.message) <= LONGEST_WORDS:
            raise CallRefused(400, "ABDM-1006", f"error {reply.error.code}, {len(reply.error.message)} characters")
        return Judged("", str(reply.error.code), 0, f"{reply.error.code}\0{reply.error.message}".encode())
    assert reply.acknowledgement is not UNSET  # noqa: S101  read_legacy proved it; narrows the type
    acknowledgement = reply.acknowledgement
    if acknowledgement.status != "SUCCESS":
        raise CallRefused(400, "ABDM-1006", f"status is {acknowledgement.status!r}, not 'SUCCESS'")
    if not share.foreign and acknowledgement.health_id != share.abha_address:
        raise CallRefused(400, "ABDM-1052", "healthId is another one than was shared")
    token = "-" if acknowledgement.token_number is UNSET else acknowledgement.token_number
    check_token(token)
    return Judged(token, "", 0, f"{acknowledgement.health_id}\0{token}".encode())


def judge_status(reply: OnStatus, question: Question) -> None:
    """Check that this is the answer to this question."""
    if reply.error is not UNSET:
        check_sorry(reply.error)
        return
    assert reply.token is not UNSET  # noqa: S101  read_on_status proved it; narrows the type
    if (reply.token.hip_id, reply.token.context) != (question.hip_id, question.context):
        raise CallRefused(400, "ABDM-1052", "hipId and context are not the ones asked for")
    if not 1 <= len(reply.token.running_token_number) <= LONGEST_TOKEN:
        raise CallRefused(400, "ABDM-1006", f"runningTokenNumber is {reply.token.running_token_number!r}")
    pace = reply.token.average_token_service_time_in_minutes
    if pace is not UNSET and not 0 <= pace <= 1440:
        raise CallRefused(400, "ABDM-1006", f"averageTokenServiceTimeInMinutes is {pace}")
