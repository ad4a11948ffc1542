"""The OpenAPI 3.1 description of the API, made from the routes and from the types that they read and write.

Each handler carries a ``Doc``. Bodies and queries are decoded with the very types that stand in it, so the description
cannot differ from what the program takes.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from msgspec import Struct

from kiosk.api.shapes import ProblemJson
from queueing.api_keys import Scope

PREFIX: Final = "/api/v1/"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
_REF: Final = "#/components/schemas/{name}"
_PARAMETER: Final = re.compile(r"{(\w+):\w+}")
_PATH_WORDS: Final = {
    "hip_id": "HIP id of the facility; a slash in it is written as %2F.",
    "ticket": "Id of the ticket, as `id` of a ticket has it.",
    "counter": "Name of the counter.",
}
_PROBLEM_WORDS: Final = {
    400: "The request cannot be read.",
    401: "No API key, or an unknown or revoked one.",
    403: "The key is for another facility, or lacks the scope.",
    404: "There is no such thing in this facility.",
    405: "Another method.",
    408: "The body did not arrive in time.",
    409: "The state does not admit this; `state` is the one it has.",
    410: "Events after this cursor were dropped; `begin` is where to go on.",
    413: "The body is too large.",
    415: "The body is no JSON in UTF-8.",
    422: "A value is not allowed; `errors` names each. Or the Idempotency-Key came with another body.",
    429: "Too many requests; Retry-After says when to come again.",
    503: "The store or the archive does not answer.",
}
_ALWAYS: Final = (401, 403, 404, 422, 429, 503)
"""Every call may be answered so."""
_WITH_BODY: Final = (400, 408, 413, 415)


class Answer(Struct, frozen=True, kw_only=True):
    """One way in which a call succeeds."""

    words: str
    bodies: Mapping[str, Any] = {}
    """Media type → type of the body; empty: there is none."""


class Doc(Struct, frozen=True, kw_only=True):
    """What the description says of one call."""

    summary: str
    scope: Scope
    answers: Mapping[int, Answer]
    query: type[Struct] | None = None
    body: type[Struct] | None = None
    headers: Mapping[str, str] = {}
    """Request headers beside the key, and what each is for."""
    problems: tuple[int, ...] = ()
    """Status codes beside those of every call."""


def doc_of(handler: HTTPRouteHandler) -> Doc | None:
    """The handler's own, or None."""
    found = handler.opt.get("doc")
    return found if isinstance(found, Doc) else None


def handlers_of(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Path, method and handler of every call of the API."""
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path.startswith(PREFIX):
            for handler in route.route_handlers:
                for method in sorted(handler.http_methods - {"HEAD", "OPTIONS"}):
                    yield route.path, str(method), handler


def document(app: Litestar, server: str = "/") -> bytes:
    """The description as JSON."""
    docs = [(path, method, handler, doc) for path, method, handler in handlers_of(app) if (doc := doc_of(handler))]
    types = [ProblemJson, *(kind for *_, doc in docs for kind in _types_of(doc))]
    # One call for all, so that a type has one name everywhere.
    unique = list(dict.fromkeys(types))
    schemas, components = msgspec.json.schema_components(unique, ref_template=_REF)
    schema_of = dict(zip(unique, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for path, method, handler, doc in docs:
        name = _PARAMETER.sub(r"{\1}", path)
        paths.setdefault(name, {})[method.lower()] = _operation(name, handler, doc, schema_of, components)
    queries = {doc.query.__name__ for *_, doc in docs if doc.query}
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "Scan and Share kiosk", "version": "1", "description": _ABOUT},
            "servers": [{"url": server}],
            "security": [{"key": []}],
            "paths": paths,
            "components": {
                "schemas": {name: schema for name, schema in components.items() if name not in queries},
                "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "kiosk apikey add"}},
            },
        }
    )


_ABOUT: Final = (
    "Times are RFC 3339 with the facility's offset. Lists take `limit` and `cursor` and answer `items` and `next`. "
    "Failures are RFC 9457 problem documents. docs/hmis.md has recipes."
)


def _types_of(doc: Doc) -> Iterator[Any]:
    yield from (kind for kind in (doc.query, doc.body) if kind is not None)
    for answer in doc.answers.values():
        yield from (kind for kind in answer.bodies.values() if kind is not dict)


def _operation(
    path: str, handler: HTTPRouteHandler, doc: Doc, schema_of: Mapping[Any, Any], components: Mapping[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": handler.handler_name.rpartition(".")[2],
        "summary": doc.summary,
        "description": f"Scope: `{doc.scope}`.",
        "parameters": [*_path_parameters(path), *_query_parameters(doc, components), *_header_parameters(doc)],
        "responses": _responses(doc, schema_of),
    }
    if doc.body is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schema_of[doc.body]}}}
    return operation


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", path):
        yield {
            "name": name, "in": "path", "required": True, "description": _PATH_WORDS[name],
            "schema": {"type": "string", "minLength": 1},
        }  # fmt: skip


def _query_parameters(doc: Doc, components: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if doc.query is None:
        return
    schema = components[doc.query.__name__]
    for name, of_field in schema["properties"].items():
        plain = {key: value for key, value in of_field.items() if key not in {"default", "description"}}
        required = name in schema.get("required", ())
        yield {
            "name": name, "in": "query", "required": required, "schema": _without_null(plain),
            "description": of_field.get("description", ""),
        }  # fmt: skip


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is not sent is absent, never null."""
    kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return kinds[0] if len(kinds) == 1 else schema


def _header_parameters(doc: Doc) -> Iterator[dict[str, Any]]:
    for name, meaning in doc.headers.items():
        # No pattern: the blanks around a value are no part of it, so a value that breaks the pattern may be right.
        yield {"name": name, "in": "header", "required": False, "description": meaning, "schema": {"type": "string"}}


def _responses(doc: Doc, schema_of: Mapping[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, answer in doc.answers.items():
        found[str(status)] = {"description": answer.words}
        if answer.bodies:
            found[str(status)]["content"] = {
                media: {"schema": {"type": "string"} if kind is str else schema_of.get(kind, {"type": "object"})}
                for media, kind in answer.bodies.items()
            }
    for status in sorted({*_ALWAYS, *doc.problems, *(_WITH_BODY if doc.body else ())}):
        found[str(status)] = {
            "description": _PROBLEM_WORDS[status],
            "content": {PROBLEM: {"schema": schema_of[ProblemJson]}},
        }
    return found
