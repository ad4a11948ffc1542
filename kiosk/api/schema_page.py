"""The description of the API as a page for people, rendered from the OpenAPI document.

The page loads our stylesheet and nothing else, so it works without internet and under our content policy.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from litestar import Response
from msgspec import Struct

from kiosk.locales import ENGLISH
from kiosk.web.templating import page

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


def schema_page(described: bytes) -> Response[str]:
    """The page of this OpenAPI document."""
    document = msgspec.json.decode(described)
    return page("schema.html", ENGLISH, info=document["info"], calls=calls_of(document), shapes=shapes_of(document))


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
    meaning = answer.get("description", "")
    content = answer.get("content") or {"": {}}
    for media_type, one in content.items():
        yield Line(name=status, where=media_type, kind=kind_of(one.get("schema", {})), words=meaning)


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
    ranges = [text.format(schema[name]) for name, text in _RANGES.items() if name in schema]
    return (Part(", " + " ".join(ranges)),) if ranges else ()
