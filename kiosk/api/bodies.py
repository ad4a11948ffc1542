"""Reading queries and bodies, and writing answers, for every route of the API."""

from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
from litestar import Response
from msgspec import Struct

from kiosk.api.errors import WrongValue
from kiosk.api.guards import ApiRequest
from kiosk.web.page_bodies import read_json
from kiosk.web.request_body import BadBody, parse

T = TypeVar("T", bound=Struct)

JSON: Final = "application/json"
_encode = msgspec.json.Encoder().encode
_ANY: "Final[msgspec.json.Decoder[Any]]" = msgspec.json.Decoder(msgspec.Raw)


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """A JSON answer; bytes are JSON already."""
    content = body if isinstance(body, bytes) else _encode(body)
    return Response(content, status_code=status, media_type=JSON, headers=headers)


def read_query(request: ApiRequest, kind: type[T]) -> T:
    """The query as this type; the last of two equal names counts, unknown names are ignored. Raises WrongValue."""
    values = dict(request.query_params.items())
    try:
        query = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as wrong:
        raise wrong_value(wrong, "query") from None
    for name in values.keys() & set(kind.__struct_fields__):
        _require_meant(name, values[name], getattr(query, name))
    return query


def _require_meant(name: str, text: str, value: Any) -> None:
    """Raises WrongValue for two texts that the library takes for something that nobody meant."""
    if value is None:  # the text "null": a wrong filter would show everything
        raise wrong_field(name, "null is no value")
    if isinstance(value, datetime) and "T" not in text.upper():  # a number: it would be unix seconds
        raise wrong_field(name, "is no time as RFC 3339 has it")


async def read_raw(request: ApiRequest) -> bytes:
    """A JSON body of a sane size, depth and speed, not decoded yet. Raises what ``kiosk.web.request_body`` raises."""
    return bytes(await read_json(request, _ANY))


def decode(body: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    """The body as its type. Raises WrongValue for JSON that does not fit, BadBody for what is no JSON."""
    return parse(body, decoder, _decode_naming_the_field)


def _decode_naming_the_field(body: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as wrong:
        raise wrong_value(wrong, "body") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadBody("the body is not well-formed JSON") from None


def wrong_value(wrong: msgspec.ValidationError, part: str) -> WrongValue:
    """The refusal of a value that does not fit its type; it names the field."""
    sentence, _, at = str(wrong).partition(" - at `")
    field = at.removesuffix("`").removeprefix("$").removeprefix(".") or part
    return wrong_field(field, sentence)


def wrong_field(field: str, sentence: str) -> WrongValue:
    """The refusal of one field."""
    return WrongValue(f"{field}: {sentence}", errors=[{"field": field, "message": sentence}])
