"""Makes the body of a reply from a pending reply, in the form that the message had.

The same pending reply gives the same bytes in every process and on every attempt, so the gateway never gets two
different replies. A legacy reply carries a time in its body: the time when the pending reply was written. If that is so
long ago that the gateway would refuse it, the time is now.
"""

import uuid
from typing import Final

import msgspec

from kiosk.abdm.client import ON_SHARE, ON_SHARE_V05, ON_SHARE_V1, ON_STATUS, timestamp
from kiosk.abdm.note import Note
from kiosk.abdm.refusals import text_of
from kiosk.abdm.schemas import (
    Acknowledgement,
    DraftAcknowledgement,
    DraftOnShare,
    Error,
    Failure,
    LegacyAcknowledgement,
    LegacyOnShare,
    OnShare,
    OnStatus,
    Reply,
    RunningToken,
    TokenProfile,
)
from queueing.pending_reply import PendingReply

LEGACY_FAILURE: Final = 1000
"""The only code of v1.0 and v0.5 for a failure at the HIP."""
EXPIRY_MIN_S, EXPIRY_MAX_S = 1, 86_400
LEGACY_FRESH_S: Final = 45
"""The gateway refuses a legacy answer whose time is off by more than a minute."""

_PATHS: Final = {"v3": ON_SHARE, "draft": ON_SHARE, "v1": ON_SHARE_V1, "v05": ON_SHARE_V05, "status": ON_STATUS}
_JSON: Final = msgspec.json.Encoder()
_OURS: Final = uuid.UUID("6c9a3f0e-5d0b-4b7c-9a55-1f6f0f6f9d11")
"""Namespace of the ids in legacy bodies. An id is derived from the request, so each attempt has the same id."""


def path_of(note: Note) -> str:
    """The gateway's path for the answer. Answers to the draft go to the path of v3: the draft never had its own."""
    return _PATHS[note.form]


def body_of(pending: PendingReply, note: Note, now_s: float, *, expiry_as_number: bool = False) -> bytes:
    """The answer's bytes. ``expiry_as_number`` is for a gateway that requires a number, as its schema says."""
    if note.form == "status":
        return _JSON.encode(_on_status(pending, note))
    if note.form in ("v1", "v05"):
        return _JSON.encode(_legacy(pending, note, now_s))
    if pending.refusal is not None:
        return _JSON.encode(_failure(pending, note))
    expiry = max(EXPIRY_MIN_S, min(EXPIRY_MAX_S, pending.expires_in_s))
    if note.form == "draft":
        return _JSON.encode(_draft(pending, note, expiry))
    token = TokenProfile(note.context, pending.token, expiry if expiry_as_number else str(expiry))
    return _JSON.encode(OnShare(Acknowledgement("SUCCESS", note.abha_address, token), Reply(note.request_id)))


def _failure(pending: PendingReply, note: Note) -> Failure:
    code, text = text_of(pending)
    return Failure(Error(code, text), Reply(note.request_id))


def _draft(pending: PendingReply, note: Note, expiry: int) -> DraftOnShare:
    done = DraftAcknowledgement(note.abha_address, "success", note.context, pending.token, expiry)
    return DraftOnShare(done, Reply(note.request_id))


def _on_status(pending: PendingReply, note: Note) -> OnStatus | Failure:
    if pending.refusal is not None:
        return _failure(pending, note)
    token = RunningToken(note.hip_id, note.context, pending.running or "0", pending.pace_min)
    return OnStatus(token, Reply(note.request_id))


def _legacy(pending: PendingReply, note: Note, now_s: float) -> LegacyOnShare:
    age_s = pending.created_ms / 1000
    answer = LegacyOnShare(
        request_id=str(uuid.uuid5(_OURS, pending.request)),
        timestamp=timestamp(age_s if abs(now_s - age_s) < LEGACY_FRESH_S else now_s),
        resp=Reply(note.request_id),
    )
    if pending.refusal is not None:
        answer.error = Error(LEGACY_FAILURE, text_of(pending).text)
    elif note.form == "v1":
        answer.acknowledgement = LegacyAcknowledgement("SUCCESS", note.abha_address, pending.token)
    else:
        answer.acknowledgement = LegacyAcknowledgement("SUCCESS", note.abha_address)
    return answer
