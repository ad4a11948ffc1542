"""One table: class of error → status, kind and sentence.

Addresses answer with RFC 9457 problem documents. A room whose callers expect another form of error gives its path and
its form to ``handlers``. The sentences are ours alone: no decoder's, no store's and no sender's. An error without a row
is answered by the last resort: 500, a fixed sentence, and an id that also stands in the log.
"""

import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, NotFoundException
from litestar.types import Send

from kiosk.security.failures import place_of
from kiosk.web.request_body import (
    BadBody,
    Encoded,
    NotAForm,
    NotJson,
    OtherCharset,
    SenderGone,
    SlowBody,
    TooLarge,
)
from kiosk.web.templating import messages_for, sorry
from queueing.errors import QueueingError, StoreBusy
from tokens.errors import TokenError

TYPE_PREFIX: Final = "urn:kiosk:problem:"
PROBLEM_JSON: Final = "application/problem+json"
_SHOWN_HEADERS: Final = frozenset({"allow", "www-authenticate", "retry-after", "ratelimit", "ratelimit-policy"})

_log = logging.getLogger(__name__)
_JSON: Final = msgspec.json.Encoder()


class Problem(NamedTuple):
    """How one class of error is answered."""

    status: int
    kind: str
    """Stable; the end of the problem's ``type``."""
    title: str
    """The same for every problem of this kind."""
    retry_after_s: int = 0
    own_words: bool = False
    """Whether the exception's text is ours and may be shown."""
    expected: bool = True
    """Whether this is part of an ordinary day; if not, it is logged with an id."""
    detail: str = ""


LAST_RESORT: Final = Problem(500, "internal", "Something went wrong here.", expected=False)

Rows = Mapping[type[BaseException], Problem]

PROBLEMS: Final[Rows] = {
    BadBody: Problem(400, "bad-body", "The body could not be read.", own_words=True),
    TooLarge: Problem(413, "too-large", "The body is too large.", own_words=True),
    SlowBody: Problem(408, "slow-body", "The body did not arrive in time.", own_words=True),
    Encoded: Problem(415, "encoded", "The body is compressed.", own_words=True),
    NotJson: Problem(415, "not-json", "The body must be JSON.", own_words=True),
    NotAForm: Problem(415, "not-a-form", "The body must be a form.", own_words=True),
    OtherCharset: Problem(415, "other-charset", "The body must be UTF-8.", own_words=True),
    SenderGone: Problem(400, "sender-gone", "The body ended early."),
    StoreBusy: Problem(503, "busy", "Too many requests are being answered just now.", 1),
    QueueingError: Problem(503, "store-away", "The queue cannot be reached just now.", 1),
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


def problem_of(failure: BaseException, rows: Rows = PROBLEMS) -> Problem:
    """The row for this failure: its own class, or the nearest above it that has one."""
    for kind in type(failure).__mro__:
        if (problem := rows.get(kind)) is not None:
            return problem._replace(detail=str(failure) if problem.own_words else problem.title)
    if isinstance(failure, HTTPException):
        status = failure.status_code
        title = _TITLES.get(status, "The request was refused." if status < 500 else LAST_RESORT.title)
        return Problem(status, f"http-{status}", title, expected=status < 500, detail=title)
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


def answer(
    request: "Request[Any, Any, Any]", failure: Exception, forms: "tuple[ErrorForm, ...]" = ()
) -> "Response[bytes]":
    """Answer every failure that is not shown as a page. ``forms``: which paths have another form of error."""
    path = request.scope["path"]
    form = next((form for form in forms if path.startswith(form.paths)), DOCUMENTS)
    problem = problem_of(failure, form.rows)
    support_id = _logged(failure, problem)
    headers = dict(_safe_headers(failure))
    if problem.retry_after_s and "Retry-After" not in headers:
        headers["Retry-After"] = str(problem.retry_after_s)
    body = form.write(failure, problem, support_id)
    return Response(body, status_code=problem.status, media_type=form.media_type, headers=headers)


def _logged(failure: BaseException, problem: Problem) -> str:
    """The id under which an unexpected failure stands in the log; empty for an expected one."""
    if problem.expected:
        return ""
    support_id = uuid.uuid4().hex[:12]
    _log.error("a request failed, id %s: %s", support_id, place_of(failure))
    return support_id


class ErrorForm(NamedTuple):
    """How one group of paths answers errors."""

    paths: tuple[str, ...]
    """Beginnings of paths."""
    rows: Rows
    media_type: str
    write: Callable[[BaseException, Problem, str], bytes]
    """The body, from the failure, its row and the id for support (empty when nothing was logged)."""


DOCUMENTS: Final = ErrorForm(
    ("/",), PROBLEMS, PROBLEM_JSON, lambda _, problem, support_id: _JSON.encode(document(problem, support_id))
)


def _safe_headers(failure: Exception) -> list[tuple[str, str]]:
    """Those of a failure's headers that an answer needs."""
    headers: Mapping[str, str] = getattr(failure, "headers", None) or {}
    return [(name, value) for name, value in headers.items() if name.lower() in _SHOWN_HEADERS]


async def answer_raw(failure: Exception, send: Send) -> None:
    """Answer a request that reached no route, or whose failure no handler took."""
    problem = problem_of(failure)
    support_id = _logged(failure, problem)
    body = _JSON.encode(document(problem, support_id))
    headers = [(b"content-type", PROBLEM_JSON.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def handlers(*forms: ErrorForm) -> dict[type[Exception] | int, Any]:
    """For ``Litestar(exception_handlers=…)``."""

    def answer_failure(request: "Request[Any, Any, Any]", failure: Exception) -> "Response[bytes] | Response[str]":
        if isinstance(failure, NotFoundException) and _shows_pages(request) and not _has_own_form(request, forms):
            messages = messages_for(request, request.query_params.get("lang", ""))
            return sorry(messages, 404, "home.gone", "home.gone_do")
        return answer(request, failure, forms)

    return {Exception: answer_failure, HTTPException: answer_failure}


def _shows_pages(request: "Request[Any, Any, Any]") -> bool:
    """Whether a browser opens this address as a page. Programs and scripts do not name HTML."""
    return "text/html" in request.headers.get("accept", "")


def _has_own_form(request: "Request[Any, Any, Any]", forms: tuple[ErrorForm, ...]) -> bool:
    return any(request.scope["path"].startswith(form.paths) for form in forms)
