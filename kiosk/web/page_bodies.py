"""Bodies that browsers send to our pages: forms, and JSON of our scripts. One reader with one set of bounds.

A body is read once, whoever asks: a guard looks for the page's token in a form before the handler reads its fields.
"""

from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import msgspec
from litestar import Request

from kiosk.web.limits import BODY_MAX, LENGTH_DIGITS
from kiosk.web.request_body import (
    DEADLINE_S,
    BadBody,
    TooLarge,
    parse,
    read_body,
    require_form,
    require_json,
    require_plain,
)

T = TypeVar("T")
PageRequest = Request[Any, Any, Any]

FIELDS_MAX: Final = 96
"""The longest form, a week of opening hours with four ranges a day, has 67."""

_READ: Final = "page_body"


async def read_form(request: PageRequest, limit: int = BODY_MAX, *, deadline_s: float = DEADLINE_S) -> dict[str, str]:
    """A submitted form, at most ``FIELDS_MAX`` fields; the last value of a name counts. Raises ``Unreadable``."""
    require_form(_header(request, b"content-type"))
    body = await _body(request, limit, deadline_s)
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX, separator="&"
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise BadBody("the form cannot be read") from error
    return dict(pairs)


async def read_json(request: PageRequest, decoder: "msgspec.json.Decoder[T]", limit: int = BODY_MAX) -> T:
    """A JSON body; its type, size and depth are checked before it is parsed. Raises ``Unreadable``."""
    require_json(_header(request, b"content-type"))
    return parse(await _body(request, limit, DEADLINE_S), decoder)


async def _body(request: PageRequest, limit: int, deadline_s: float) -> bytes:
    """The whole body, read from the connection at the first call."""
    state = request.scope["state"]
    if _READ not in state:
        require_plain(_header(request, b"content-encoding"))
        length = _header(request, b"content-length")
        if len(length) > LENGTH_DIGITS or (length.isdigit() and int(length) > limit):
            raise TooLarge(limit, unread=True)
        state[_READ] = await read_body(request.receive, limit, deadline_s, length=length)
    body: bytes = state[_READ]
    return body


def _header(request: PageRequest, name: bytes) -> bytes:
    """Empty when the request has none."""
    return next((value for other, value in request.scope["headers"] if other == name), b"")
