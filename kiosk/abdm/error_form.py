"""How our endpoints for the gateway answer failures: in the gateway's error format.

No text here repeats a patient's data.
"""

from typing import Final

import msgspec
from litestar.exceptions import HTTPException

from kiosk.abdm.errors import CallerOutside, KeysUnknown, NoRequestId, NotTheGateway, WrongMethod
from kiosk.web.problems import PROBLEMS, ErrorForm, Problem, Rows, problem_of
from kiosk.web.request_body import SlowBody, Unreadable
from queueing.errors import QueueingError

GATEWAY_PATHS: Final = ("/api/v3/hip/", "/v1.0/patients/", "/v0.5/patients/", "/v3/hip/", "/patient-share/")
GATEWAY_PROBLEMS: Final[Rows] = {
    **PROBLEMS,
    NotTheGateway: Problem(401, "not-the-gateway", "The caller is not known."),
    CallerOutside: Problem(403, "caller-outside", "Calls from this address are not taken."),
    KeysUnknown: Problem(503, "keys-unknown", "The gateway's keys are not known yet.", 5),
    WrongMethod: Problem(405, "wrong-method", "Only POST is answered here."),
    NoRequestId: Problem(400, "no-request-id", "The REQUEST-ID is missing or unusable.", own_words=True),
}
_CODES: Final[dict[type[BaseException], str]] = {
    NotTheGateway: "ABDM-2500",
    KeysUnknown: "ABDM-1024",
    WrongMethod: "ABDM-1031",
    NoRequestId: "ABDM-1030",
    SlowBody: "ABDM-1007",
    Unreadable: "ABDM-1006",
    QueueingError: "ABDM-1024",
}
OTHER_CODE: Final = "ABDM-9999"
"""The gateway's code for our own failures."""
MESSAGE_MAX: Final = 250
"""The most characters of a message that the gateway forwards."""

_JSON: Final = msgspec.json.Encoder()


def gateway_problem(failure: BaseException) -> Problem:
    """The problem that answers a failure at one of the gateway's endpoints."""
    return problem_of(failure, GATEWAY_PROBLEMS)


def gateway_error(failure: BaseException, message: str) -> bytes:
    """The body of an error in the gateway's format."""
    return _JSON.encode({"error": {"code": _code_of(failure), "message": message[:MESSAGE_MAX]}})


def _code_of(failure: BaseException) -> str:
    if isinstance(failure, HTTPException):
        return "ABDM-1006" if failure.status_code < 500 else OTHER_CODE
    return next((_CODES[kind] for kind in type(failure).__mro__ if kind in _CODES), OTHER_CODE)


ERROR_FORM: Final = ErrorForm(
    GATEWAY_PATHS,
    GATEWAY_PROBLEMS,
    "application/json",
    lambda failure, problem, _: gateway_error(failure, problem.detail),
)
