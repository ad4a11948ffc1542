"""``/schema``: the description of the JSON API, for programs as OpenAPI and for people as a page.

The page is rendered here from the same document. It loads our stylesheet and nothing else, so it works without
internet and under our content policy. Both are for everybody: they hold nothing of this installation but its address.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.datastructures import State
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from kiosk.locales import ENGLISH
from kiosk.web.security_headers import SECURITY
from kiosk.web.templating import page

Describe = Callable[[Litestar], bytes]
"""Makes the OpenAPI document of the application, as JSON."""
KEPT_S: Final = 300
"""It changes with a release."""
_METHODS: Final = ("get", "put", "post", "patch", "delete")
_RANGES: Final = {"minimum": "from {}", "maximum": "to {}", "minLength": "at least {} characters",
                  "maxLength": "at most {} characters", "maxItems": "at most {}"}  # fmt: skip


class Part(Struct, frozen=True):
    """A piece of a type's description; with ``name`` it leads to that schema on the page."""

    text: str
    name: str = ""


class Line(Struct, frozen=True, kw_only=True):
    """One row of a table."""

    name: str
    where: str = ""
    """Where a parameter stands, or the media type of a body."""
    kind: tuple[Part, ...] = ()
    required: bool = False
    words: str = ""


class Call(Struct, frozen=True, kw_only=True):
    """One call of the API."""

    id: str
    method: str
    path: str
    summary: str
    words: str
    parameters: tuple[Line, ...]
    body: tuple[Line, ...]
    answers: tuple[Line, ...]


class Shape(Struct, frozen=True, kw_only=True):
    """One named schema."""

    name: str
    words: str
    kind: tuple[Part, ...]
    """Of a schema that is no object."""
    fields: tuple[Line, ...]


def routes(describe: Describe) -> list[ControllerRouterHandler]:
    """Both addresses, for the root of the application."""
    described = lru_cache(maxsize=1)(describe)

    @get("/schema/openapi.json", include_in_schema=False, sync_to_thread=False)
    def openapi_json(request: Request[object, object, State]) -> Response[bytes]:
        """The description of the API for programs."""
        return Response(described(request.app), media_type="application/json", headers=_HEADERS)

    @get("/schema", include_in_schema=False, sync_to_thread=False)
    def schema_page(request: Request[object, object, State]) -> Response[str]:
        """The same for people."""
        document = msgspec.json.decode(described(request.app))
        return page("schema.html", ENGLISH, info=document["info"], calls=calls_of(document), shapes=shapes_of(document))

    return [openapi_json, schema_page]


_HEADERS: Final = {**SECURITY, "Cache-Control": f"public, max-age={KEPT_S}", "Access-Control-Allow-Origin": "*",
                   "Cross-Origin-Resource-Policy": "cross-origin"}  # fmt: skip
"""Editors and testing tools that run in a browser read the document from their own pages."""


def calls_of(document: Mapping[str, Any]) -> tuple[Call, ...]:
    """Every call, in the order of the document."""
    return tuple(
        _call(path, method, item[method])
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    )


def _call(path: str, method: str, operation: Mapping[str, Any]) -> Call:
    return Call(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        words=operation.get("description", ""),
        parameters=tuple(_parameter(one) for one in operation.get("parameters", ())),
        body=tuple(_bodies(operation.get("requestBody", {}))),
        answers=tuple(line for status, answer in operation["responses"].items() for line in _answers(status, answer)),
    )


def _parameter(one: Mapping[str, Any]) -> Line:
    return Line(
        name=one["name"], where=one["in"], kind=kind_of(one["schema"]), required=one.get("required", False),
        words=one.get("description", ""),
    )  # fmt: skip


def _bodies(body: Mapping[str, Any]) -> Iterator[Line]:
    for media_type, content in body.get("content", {}).items():
        yield Line(name="", where=media_type, kind=kind_of(content.get("schema", {})), required=True)


def _answers(status: str, answer: Mapping[str, Any]) -> Iterator[Line]:
    words = answer.get("description", "")
    content = answer.get("content") or {"": {}}
    for media_type, one in content.items():
        yield Line(name=status, where=media_type, kind=kind_of(one.get("schema", {})), words=words)


def shapes_of(document: Mapping[str, Any]) -> tuple[Shape, ...]:
    """Every named schema, by name."""
    schemas = document.get("components", {}).get("schemas", {})
    return tuple(_shape(name, schemas[name]) for name in sorted(schemas))


def _shape(name: str, schema: Mapping[str, Any]) -> Shape:
    needed = schema.get("required", ())
    fields = tuple(
        Line(name=field, kind=kind_of(one), required=field in needed, words=one.get("description", ""))
        for field, one in schema.get("properties", {}).items()
    )
    return Shape(name=name, words=schema.get("description", ""), kind=() if fields else kind_of(schema), fields=fields)


def kind_of(schema: Mapping[str, Any]) -> tuple[Part, ...]:
    """A type in words, such as *array of Ticket* or *integer from 1 to 200*."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return (Part(name, name),)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return _joined([kind_of(one) for one in schema[several]])
    if "enum" in schema:
        return (Part(" | ".join("null" if one is None else str(one) for one in schema["enum"])),)
    if "const" in schema:
        return (Part(str(schema["const"])),)
    if "items" in schema:
        return (Part("array of "), *kind_of(schema["items"]), *_limits(schema))
    return (Part(_plain(schema)), *_limits(schema))


def _joined(kinds: list[tuple[Part, ...]]) -> tuple[Part, ...]:
    found = kinds[0]
    for kind in kinds[1:]:
        found = (*found, Part(" or "), *kind)
    return found


def _plain(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "")
    name = " or ".join(kind) if isinstance(kind, list) else kind
    return f"{name}, {schema['format']}" if "format" in schema else name


def _limits(schema: Mapping[str, Any]) -> tuple[Part, ...]:
    words = [text.format(schema[name]) for name, text in _RANGES.items() if name in schema]
    return (Part(", " + " ".join(words)),) if words else ()
