"""Every answer of ours has the security headers, HEAD is GET without its body, and every failure is answered."""

import logging
from typing import Any

import httpx
import pytest

from kiosk.web import hosts, outermost
from kiosk.web.security_headers import SECURITY
from tests.kiosk.hospital import Hospital

pytestmark = pytest.mark.anyio

ADDRESSES = [
    "/healthz",
    "/readyz",
    "/.well-known/jwks.json",
    "/console/login",
    "/nowhere",
    "/board/H1",
    "/static/none.js",
]


async def answered(hospital: Hospital, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
    """The answer as the server would be given it: an HTTP client would hide a body after HEAD."""
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 80),
    }
    app: Any = hospital.app
    await app(scope, receive, send)
    headers = {name.decode().lower(): value.decode() for name, value in messages[0]["headers"]}
    return messages[0]["status"], headers, b"".join(message.get("body", b"") for message in messages[1:])


@pytest.mark.parametrize("path", ADDRESSES)
async def test_every_answer_has_the_security_headers_and_says_how_long_it_may_be_kept(
    visitor: httpx.AsyncClient, path: str
) -> None:
    for answer in (
        await visitor.get(path),
        await visitor.put(path),
        await visitor.get(path, headers={"Host": "evil.x"}),
    ):
        assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY, answer
        assert answer.headers["cache-control"], answer


async def test_an_answer_without_a_rule_for_caches_is_not_stored_and_one_with_a_rule_keeps_it(
    visitor: httpx.AsyncClient,
) -> None:
    assert (await visitor.get("/nowhere")).headers["cache-control"] == "no-store"
    assert (await visitor.get("/.well-known/jwks.json")).headers.get_list("cache-control") == ["public, max-age=300"]


@pytest.mark.parametrize("path", ADDRESSES)
async def test_head_is_answered_like_get_without_the_body(hospital: Hospital, path: str) -> None:
    status, headers, body = await answered(hospital, "GET", path)
    assert body
    head_status, head_headers, head_body = await answered(hospital, "HEAD", path)
    assert (head_status, head_body) == (status, b"")
    assert head_headers["content-type"] == headers["content-type"]


async def test_a_failure_outside_every_handler_is_a_problem_document_and_is_logged_once(
    visitor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("Asha Devi")

    monkeypatch.setattr(hosts.Hosts, "check", fail)
    with caplog.at_level(logging.WARNING):
        answer = await visitor.get("/board/H1")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    [record] = caplog.records
    assert answer.json()["id"] in record.getMessage()
    assert "Asha" not in record.getMessage() + answer.text


async def test_a_failure_after_the_answer_began_reaches_the_server() -> None:
    sent: list[Any] = []

    async def broken(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {"method": "GET", "path": "/", "headers": []}
    receive: Any = None
    with pytest.raises(RuntimeError):
        await outermost.answer_whole(broken, scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]


@pytest.mark.parametrize(("sent", "parts"), [(b"12345", 2), (b"123", 3)], ids=["read whole", "not read whole"])
async def test_an_answer_waits_only_for_a_body_that_was_not_read_whole(sent: bytes, parts: int) -> None:
    """The server tells the end of a body in a message of its own; whoever knows the length does not wait for it."""
    requests = [
        {"type": "http.request", "body": sent, "more_body": True},
        {"type": "http.request", "body": b"", "more_body": False},
    ]
    answers: list[Any] = []

    async def receive() -> Any:
        return requests.pop(0)

    async def send(message: Any) -> None:
        answers.append(message)

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done", "more_body": False})

    scope: Any = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-length", b"5")]}
    await outermost.answer_whole(app, scope, receive, send)
    assert len(answers) == parts
    assert b"".join(message.get("body", b"") for message in answers) == b"done"
