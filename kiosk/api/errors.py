"""What the API refuses, and how: one class for each refusal, one row for each class (``kiosk.web.problems``)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from kiosk.archive.database import ArchiveError
from kiosk.web.problems import PROBLEM_JSON, PROBLEMS, ErrorForm, Problem, Rows, document

PATHS: Final = ("/api/v1/",)


class ApiProblem(Exception):
    """Base of the refusals. The text says what happened; ``members`` stand beside it in the problem document."""

    def __init__(self, text: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(text)
        self.headers = headers or {}
        self.members = members


class NoKey(ApiProblem):
    """There is no API key in the request, or it is unknown or revoked."""

    def __init__(self) -> None:
        text = "Send a valid API key: Authorization: Bearer <key>."
        super().__init__(text, headers={"WWW-Authenticate": 'Bearer realm="kiosk"'})


class OtherFacility(ApiProblem):
    """The key is for another facility."""


class ScopeMissing(ApiProblem):
    """The key lacks a scope."""


class NotThere(ApiProblem):
    """There is no such thing in this facility."""


class StateConflict(ApiProblem):
    """The ticket's state does not admit this, or somebody else was first."""


class Refused(ApiProblem):
    """The queue takes nobody now."""


class OtherNumber(ApiProblem):
    """The person has another patient number in this facility; ``patient_id`` is it."""


class CursorGone(ApiProblem):
    """Events after this cursor were dropped; ``begin`` is where to go on."""


class WrongValue(ApiProblem):
    """A value of the body or of the query is not allowed; ``errors`` names each."""


class OtherBody(ApiProblem):
    """This Idempotency-Key came with another body before."""


class InProgress(ApiProblem):
    """The first request with this Idempotency-Key is not answered yet."""


class TooFast(ApiProblem):
    """The key is over its rate."""


class TooManyWaits(ApiProblem):
    """The key has as many waiting polls and streams as it may have."""


API_PROBLEMS: Final[Rows] = {
    **PROBLEMS,
    NoKey: Problem(401, "no-key", "An API key is needed.", own_words=True),
    OtherFacility: Problem(403, "other-facility", "The key is for another facility.", own_words=True),
    ScopeMissing: Problem(403, "scope-missing", "The key may not do this.", own_words=True),
    NotThere: Problem(404, "not-there", "There is no such thing in this facility.", own_words=True),
    StateConflict: Problem(409, "state-conflict", "The ticket's state does not admit this.", own_words=True),
    Refused: Problem(409, "refused", "The queue takes nobody now.", own_words=True),
    OtherNumber: Problem(409, "other-number", "The person has another patient number here.", own_words=True),
    CursorGone: Problem(410, "cursor-gone", "Events after this cursor were dropped.", own_words=True),
    WrongValue: Problem(422, "wrong-value", "A value is not allowed.", own_words=True),
    OtherBody: Problem(422, "other-body", "This Idempotency-Key came with another body before.", own_words=True),
    InProgress: Problem(409, "in-progress", "The first request with this Idempotency-Key runs.", 1, own_words=True),
    TooFast: Problem(429, "too-fast", "Too many requests with this key.", own_words=True),
    TooManyWaits: Problem(429, "too-many-waits", "Too many waiting requests with this key.", 5, own_words=True),
    ArchiveError: Problem(503, "archive-away", "What happened before cannot be read just now.", 5),
}


def _write(failure: BaseException, problem: Problem, support_id: str) -> bytes:
    members = failure.members if isinstance(failure, ApiProblem) else {}
    return msgspec.json.encode(document(problem, support_id) | members)


ERROR_FORM: Final = ErrorForm(PATHS, API_PROBLEMS, PROBLEM_JSON, _write)
