"""Operators' pages on a port of their own (``KIOSK_OPS_PORT``), apart from the port that patients reach.

Each web worker listens there, and the kernel gives a connection to one of them. Every answer covers all workers, as on
the main port. A connection carries one request. Everyone who reaches this port is treated as an operator. So it listens
only on this machine, unless ``KIOSK_OPS_HOST`` says otherwise; then ``KIOSK_OPS_ADDRESSES``, if set, limits the
callers.
"""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import structlog
from litestar import Litestar

from kiosk.settings import Settings
from kiosk.web.client_address import Network, client_address, is_in, networks_of
from kiosk.web.handover import Lifespan
from kiosk.web.operators import ON_OPS_PORT

HEAD_MAX: Final = 8 * 1024
"""Bytes of a request's line and headers. Prometheus and curl send less than one kilobyte."""
REQUEST_WITHIN_S: Final = 5.0
"""For the headers to arrive. Everything is on one machine or in one computer room."""
ANSWER_WITHIN_S: Final = 10.0
"""Prometheus gives up after ten seconds by default."""
CONNECTIONS_MAX: Final = 32
"""Of one worker at once: some monitoring systems, each with a spare connection. More are closed unread."""
PATHS: Final = ("/healthz", "/readyz", "/metrics")
"""With what stands below them. Nothing of patients or staff is answered here."""
_ABSOLUTE: Final = re.compile(r"^https?://[^/?]*(?=/)", re.IGNORECASE)
"""Scheme and host before the path: the form of a target that some balancers send (RFC 9112, section 3.2.2)."""

_log = structlog.get_logger(__name__)


class Request(NamedTuple):
    """What we read of a request: these pages take no body."""

    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]
    version: str


class NotRead(Exception):
    """The request cannot be read, or asks for something else."""


def parse_head(head: bytes) -> Request:
    """Read a request's line and headers. Raises NotRead."""
    line, *fields = head.decode("latin-1").split("\r\n")
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] not in {"GET", "HEAD", "OPTIONS"} or not parts[2].startswith("HTTP/1."):
        raise NotRead
    path, _, query = _ABSOLUTE.sub("", parts[1]).partition("?")
    if not any(path == page or path.startswith(f"{page}/") for page in PATHS):
        raise NotRead
    headers = []
    for field in filter(None, fields):
        name, colon, value = field.partition(":")
        if not colon or not name or name != name.strip():
            raise NotRead
        headers.append((name.lower().encode("latin-1"), value.strip().encode("latin-1")))
    return Request(parts[0], path, query.encode("latin-1"), headers, parts[2].removeprefix("HTTP/"))


class OpsListener:
    """Answers operators' pages with the application of this worker."""

    def __init__(self, app: Any, allowed: tuple[Network, ...] = ()) -> None:
        """``app``: an ASGI application. ``allowed``: networks that may ask; empty: everybody who reaches the port."""
        self._app = app
        self._allowed = allowed
        self._open = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, answer it and close."""
        self._open += 1
        try:
            if self._open <= CONNECTIONS_MAX:
                await self._answer(reader, writer)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the caller went away, was too slow or sent too much: there is nobody to tell
        finally:
            self._open -= 1
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(REQUEST_WITHIN_S):
                    await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(REQUEST_WITHIN_S):
            head = await reader.readuntil(b"\r\n\r\n")
        client = writer.get_extra_info("peername")
        try:
            request = parse_head(head)
        except NotRead:
            request = None
        if request is None or not self._may_ask(client):
            writer.write(b"HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        else:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._app(_scope(request, client, self._app), _no_body, _Sender(writer))
        async with asyncio.timeout(REQUEST_WITHIN_S):
            await writer.drain()

    def _may_ask(self, client: tuple[Any, ...]) -> bool:
        address = client_address({"client": client}, ())
        return not self._allowed or (address is not None and (address.is_loopback or is_in(address, self._allowed)))


class _Sender:
    """Writes the messages of an answer to the socket."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            status = message["status"]
            lines = [b"HTTP/1.1 %d %s" % (status, HTTPStatus(status).phrase.encode())]
            lines += [name + b": " + value for name, value in message.get("headers", ())]
            self._writer.write(b"\r\n".join([*lines, b"connection: close", b"", b""]))
        elif message["type"] == "http.response.body":
            self._writer.write(message.get("body", b""))


def _scope(request: Request, client: tuple[Any, ...], app: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": request.version,
        "scheme": "http",
        "method": request.method,
        "path": request.path,
        "raw_path": request.path.encode("latin-1"),
        "query_string": request.query,
        "root_path": "",
        "headers": request.headers,
        "client": client[:2],
        "server": None,
        "state": {},
        "app": app,
        ON_OPS_PORT: True,
    }


async def _no_body() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


@asynccontextmanager
async def listening(app: Litestar, host: str, port: int, allowed: tuple[Network, ...]) -> AsyncIterator[None]:
    """Listen while the context lasts. All workers share the port."""
    listener = OpsListener(app, allowed)
    family = socket.AF_INET6 if ":" in host else socket.AF_UNSPEC
    server = await asyncio.start_server(
        listener.answer, host, port, family=family, reuse_port=True, limit=HEAD_MAX, backlog=CONNECTIONS_MAX
    )
    _log.info("ops_port", port=port)
    try:
        yield
    finally:
        server.close()  # answers in progress end by their deadlines, or with the process


def lifespans(settings: Settings) -> list[Lifespan]:
    """For ``create_app``: the listener of one worker, if a port is set."""
    if settings.ops_port is None:
        return []
    allowed = networks_of(settings.ops_addresses)
    return [partial(listening, host=settings.ops_host, port=settings.ops_port, allowed=allowed)]
