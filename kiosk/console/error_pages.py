"""Error answers of the console: a page for a browser, a problem document for a script."""

from typing import Any, Final
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE
from msgspec import json

from kiosk.accounts.passwords import HashingBusy
from kiosk.console import guards, messages, templating
from kiosk.console.language import tr
from kiosk.console.login import login_page
from kiosk.console.patient_qr import NotAPatientQr
from kiosk.console.walk_in import NotUnderstood
from kiosk.console.way_back import page_before
from kiosk.web import request_body
from kiosk.web.problems import PROBLEM_JSON, Problem, document, problem_of
from kiosk.web.security_headers import PAGE
from queueing.errors import QueueingError
from queueing.screens import as_code

ConsoleRequest = Request[Any, Any, Any]
LOGIN_PATH: Final = "/console/login"
BUSY_S: Final = 5
"""Twenty passwords are checked in one to two seconds."""


def _document(status: int, code: str) -> Response[bytes]:
    problem = Problem(
        status, f"console-{code.replace('_', '-')}", tr(messages.TITLES.get(code, messages.TITLE_OTHERWISE))
    )
    body = json.encode(document(problem._replace(detail=tr(messages.TROUBLE[code]))))
    return Response(body, status_code=status, media_type=PROBLEM_JSON, headers=PAGE)


def _answer(request: ConsoleRequest, status: int, code: str, elsewhere: str = "") -> Response[Any]:
    accepted = request.headers.get("accept", "")
    # A GET without an Accept header gets a page. Our scripts always send Accept: application/json.
    wants_page = "text/html" in accepted or (request.method == "GET" and "json" not in accepted)
    if not wants_page:
        return _document(status, code)
    if elsewhere:
        return templating.go(elsewhere)
    return templating.page("trouble.html", session=None, status=status, text=tr(messages.TROUBLE[code]))


def _refused(request: ConsoleRequest, why: guards.Refused) -> Response[Any]:
    if isinstance(why, guards.NotSignedIn):
        return _answer(request, 401, "signed_out", _sign_in_address(request))
    if isinstance(why, guards.PasswordDue):
        return _answer(request, 403, "password_due", "/console/password")
    if isinstance(why, guards.CodeMissing):
        return _answer(request, 403, "code_missing", "/console/code")
    if isinstance(why, guards.PhoneDue):
        return _answer(request, 403, "phone_due", "/console/account/phone")
    if isinstance(why, guards.NoFacilityYet):
        return _answer(request, 409, "no_facility", "/console/facility")
    if isinstance(why, guards.NotOfTheState):
        return _answer(request, 403, "not_state")
    return _answer(request, 403, "not_admin" if isinstance(why, guards.NotAdministrator) else "foreign")


def _sign_in_address(request: ConsoleRequest) -> str:
    """The sign-in. It remembers the letters of a new screen's QR, or the page that somebody was on."""
    code = as_code(request.query_params.get("code", ""))
    sent = request.headers.get("referer", "")
    back = page_before(request.method, request.url.path, request.url.query, sent)
    known = {"screen": code} if code else {"back": back} if back else {}
    return f"{LOGIN_PATH}?{urlencode(known)}" if known else LOGIN_PATH


def _away(request: ConsoleRequest, _: QueueingError) -> Response[Any]:
    return _answer(request, 503, "away")


def _busy(request: ConsoleRequest, _: HashingBusy) -> Response[Any]:
    """Too many passwords wait to be checked. Whoever is signed in and sets one stays signed in."""
    if request.url.path.endswith(LOGIN_PATH):
        answer: Response[Any] = login_page(status=503, trouble=tr(messages.TROUBLE["busy"]))
    else:
        answer = _answer(request, 503, "busy")
    answer.headers["Retry-After"] = str(BUSY_S)
    return answer


def _unreadable(request: ConsoleRequest, why: request_body.Unreadable | TimeoutError) -> Response[Any]:
    status = 408 if isinstance(why, TimeoutError) else problem_of(why).status
    return _answer(request, status, {413: "too_large", 415: "wrong_type"}.get(status, "unreadable"))


def _http(request: ConsoleRequest, why: HTTPException) -> Response[Any]:
    """What the framework refuses (a missing parameter, a body over the limit). Nothing of the request is repeated."""
    if why.status_code == HTTP_413_REQUEST_ENTITY_TOO_LARGE:
        return _answer(request, 413, "too_large")
    if why.status_code >= 500:
        raise why
    return _answer(request, why.status_code, "unreadable")


def _not_qr(request: ConsoleRequest, _: NotAPatientQr) -> Response[Any]:
    return _answer(request, 422, "not_qr")


def _not_understood(request: ConsoleRequest, why: NotUnderstood) -> Response[Any]:
    return _answer(request, 422, str(why))


HANDLERS: dict[Any, Any] = {
    guards.Refused: _refused,
    QueueingError: _away,
    HashingBusy: _busy,
    request_body.Unreadable: _unreadable,
    TimeoutError: _unreadable,
    NotAPatientQr: _not_qr,
    NotUnderstood: _not_understood,
    HTTPException: _http,
}
