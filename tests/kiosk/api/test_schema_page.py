"""The description of the API as a page: whole, linked within itself, and nothing from elsewhere."""

import re
from typing import Any

import msgspec
import pytest
from litestar import Response

from kiosk.api.schema_page import kind_of, schema_page

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Kiosk <b>", "version": "1", "description": "Times are RFC 3339."},
    "paths": {
        "/api/v1/facilities/{hip_id}/tickets": {
            "get": {
                "operationId": "list_tickets",
                "summary": "Tickets of a day.",
                "description": "Scope: `tickets:read`.",
                "parameters": [
                    {"name": "hip_id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200}},
                ],
                "responses": {
                    "200": {
                        "description": "A page.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TicketList"}}},
                    },
                    "304": {"description": "Nothing changed."},
                },
            },
            "post": {
                "operationId": "register",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ticket"}}}},
                "responses": {"201": {"description": "New."}},
            },
        },
    },
    "components": {
        "schemas": {
            "TicketList": {
                "type": "object",
                "properties": {
                    "items": {"type": "array", "items": {"$ref": "#/components/schemas/Ticket"}},
                    "next": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "Go on here."},
                },
                "required": ["items"],
            },
            "Ticket": {"type": "object", "description": "One ticket.", "properties": {"id": {"type": "string"}}},
            "Word": {"enum": ["a", "b"]},
        }
    },
}


@pytest.fixture
def answer() -> Response[str]:
    return schema_page(msgspec.json.encode(DOCUMENT))


@pytest.fixture
def text(answer: Response[str]) -> str:
    return answer.content


def test_the_page_shows_every_call_parameter_answer_and_type(text: str) -> None:
    for sentence in (
        "/api/v1/facilities/{hip_id}/tickets", "Tickets of a day.", "Scope: `tickets:read`.", "list_tickets",
        "register", "integer, from 1 to 200", "array of ", "Go on here.", "string or null", "Nothing changed.",
        "One ticket.", "a | b", "Times are RFC 3339.",
    ):  # fmt: skip
        assert sentence in text, sentence
    assert text.count('<b class="method">') == 4


def test_links_on_the_page_lead_to_something(text: str) -> None:
    anchors, ids = set(re.findall(r'href="#([^"]+)"', text)), set(re.findall(r'id="([^"]+)"', text))
    assert anchors == {"list_tickets", "register", "type-TicketList", "type-Ticket"}
    assert anchors <= ids


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing(answer: Response[str], text: str) -> None:
    assert "//" not in "".join(re.findall(r'(?:src|href)="([^"]+)"', text))
    assert "<script" not in text
    assert "style=" not in text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_texts_of_the_document_are_no_markup(text: str) -> None:
    assert "Kiosk &lt;b&gt;" in text
    assert "Kiosk <b>" not in text


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({"type": "string", "format": "date-time"}, "string, date-time"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"const": "call"}, "call"),
        ({"enum": ["call", None]}, "call | null"),
        ({"type": "string", "minLength": 1, "maxLength": 64}, "string, at least 1 characters at most 64 characters"),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 3}, "array of integer, at most 3"),
        ({"oneOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]}, "A or null"),
        ({}, ""),
    ],
)
def test_a_type_is_told_in_words(schema: dict[str, Any], sentence: str) -> None:
    assert "".join(part.text for part in kind_of(schema)) == sentence
