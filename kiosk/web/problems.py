"""One table: class of error → status, code, words for people.

JSON addresses answer with RFC 9457 problem documents, the gateway's addresses with its envelope. The words are ours
alone: no decoder's, no store's and no sender's. What no row names is answered by the last resort: 500, a fixed
sentence, and an id that also stands in the log.
"""

import logging
import traceback
import uuid
from typing import Any, Final, NamedTuple

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from kiosk.abdm.errors import CallerOutside, KeysUnknown, NoRequestId, NotTheGateway, WrongMethod
from kiosk.web.request_body import BadBody, NotJson, SenderGone, SlowBody, TooLarge
from queueing.errors import QueueingError, StoreBusy
from tokens.errors import TokenError

TYPE_PREFIX: Final = "urn:kiosk:problem:"
PROBLEM_JSON: Final = "application/problem+json"
GATEWAY_PATHS: Final = ("/api/v3/hip/", "/v1.0/patients/", "/v0.5/patients/", "/v3/hip/", "/patient-share/")
FRAMES_MAX: Final = 6
_SHOWN_HEADERS: Final = frozenset({"allow", "www-authenticate", "retry-after"})

_log = logging.getLogger(__name__)
_JSON: Final = msgspec.json.Encoder()


class Problem(NamedTuple):
    """How one class of error is answered."""

    status: int
    kind: str
    """Stable; the end of the problem's ``type``."""
    title: str
    """The same for every problem of this kind."""
    abdm_code: str = "ABDM-9999"
    retry_after_s: int = 0
    own_words: bool = False
    """Whether the exception's text is ours and may be shown."""
    expected: bool = True
    """Whether this is part of an ordinary day; if not, it is logged with an id."""
    detail: str = ""


LAST_RESORT: Final = Problem(500, "internal", "Something went wrong here.", "ABDM-9999", expected=False)

PROBLEMS: Final[dict[type[BaseException], Problem]] = {
    NotTheGateway: Problem(401, "not-the-gateway", "The caller is not known.", "ABDM-2500"),
    CallerOutside: Problem(403, "caller-outside", "Calls from this address are not taken.", "ABDM-2500"),
    KeysUnknown: Problem(503, "keys-unknown", "The gateway's keys are not known yet.", "ABDM-1024", 5),
    WrongMethod: Problem(405, "wrong-method", "Only POST is answered here.", "ABDM-1031"),
    NoRequestId: Problem(400, "no-request-id", "The REQUEST-ID is missing or unusable.", "ABDM-1030", own_words=True),
    BadBody: Problem(400, "bad-body", "The body could not be read.", "ABDM-1006", own_words=True),
    TooLarge: Problem(413, "too-large", "The body is too large.", "ABDM-1006", own_words=True),
    SlowBody: Problem(408, "slow-body", "The body did not arrive in time.", "ABDM-1007", own_words=True),
    NotJson: Problem(415, "not-json", "The body must be JSON.", "ABDM-1006", own_words=True),
    SenderGone: Problem(400, "sender-gone", "The body ended early.", "ABDM-1006"),
    StoreBusy: Problem(503, "busy", "Too many requests are being answered just now.", "ABDM-1024", 1),
    QueueingError: Problem(503, "store-away", "The queue cannot be reached just now.", "ABDM-1024", 1),
    TokenError: Problem(404, "bad-link", "This link or code is not valid, or no longer."),
}

_TITLES: Final = {
    400: "The request could not be read.",
    401: "Please log in.",
    403: "This is not allowed.",
    404: "There is nothing here.",
    405: "This method is not answered here.",
    406: "This form of answer is not offered.",
    408: "The request did not arrive in time.",
    409: "Somebody else was faster.",
    410: "This is no longer here.",
    413: "The request is too large.",
    415: "The body has the wrong kind.",
    421: "This service does not answer to this name.",
    422: "A value is not allowed.",
    429: "Too many requests. Please wait a little.",
    503: "The service is busy.",
}
"""For the framework's own refusals: its words may repeat the request."""


def problem_of(failure: BaseException) -> Problem:
    """The row for this failure: its own class, or the nearest above it that has one."""
    for kind in type(failure).__mro__:
        if (problem := PROBLEMS.get(kind)) is not None:
            return problem._replace(detail=str(failure) if problem.own_words else problem.title)
    if isinstance(failure, HTTPException):
        status = failure.status_code
        title = _TITLES.get(status, "The request was refused." if status < 500 else LAST_RESORT.title)
        code = "ABDM-1006" if status < 500 else "ABDM-9999"
        return Problem(status, f"http-{status}", title, code, expected=status < 500, detail=title)
    return LAST_RESORT._replace(detail=LAST_RESORT.title)


def document(problem: Problem, support_id: str = "") -> dict[str, Any]:
    """The members of a problem document (RFC 9457)."""
    members: dict[str, Any] = {
        "type": TYPE_PREFIX + problem.kind,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    return members | {"id": support_id} if support_id else members


def gateway_error(status: int, code: str, words: str) -> bytes:
    """The gateway's own form of an error. ``status`` is the answer's, for a code that is not said otherwise."""
    return _JSON.encode({"error": {"code": code or f"ABDM-{status}", "message": words[:250]}})


def where(failure: BaseException) -> str:
    """What failed and where, without a word of data: class, file and line of the innermost frames."""
    frames = traceback.extract_tb(failure.__traceback__)[-FRAMES_MAX:]
    places = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(failure).__name__} at {places or 'nowhere'}"


def answer(request: "Request[Any, Any, Any]", failure: Exception) -> "Response[bytes]":
    """Litestar's exception handler for everything that is not a page."""
    problem = problem_of(failure)
    support_id = ""
    if not problem.expected:
        support_id = uuid.uuid4().hex[:12]
        _log.error("a request failed, id %s: %s", support_id, where(failure))
    headers = dict(_safe_headers(failure))
    if problem.retry_after_s:
        headers["Retry-After"] = str(problem.retry_after_s)
    if request.scope["path"].startswith(GATEWAY_PATHS):
        body, media = gateway_error(problem.status, problem.abdm_code, problem.detail), "application/json"
    else:
        body, media = _JSON.encode(document(problem, support_id)), PROBLEM_JSON
    return Response(body, status_code=problem.status, media_type=media, headers=headers)


def _safe_headers(failure: Exception) -> list[tuple[str, str]]:
    """Those of the framework's headers that an answer needs."""
    if not isinstance(failure, HTTPException) or not failure.headers:
        return []
    return [(name, value) for name, value in failure.headers.items() if name.lower() in _SHOWN_HEADERS]


async def refuse(refused: HTTPException, send: Any) -> None:
    """Answer a request that reaches no route."""
    body = _JSON.encode(document(problem_of(refused)))
    headers = [(b"content-type", PROBLEM_JSON.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": refused.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


HANDLERS: Final[dict[type[Exception] | int, Any]] = {Exception: answer, HTTPException: answer}
"""For ``Litestar(exception_handlers=…)``."""
