"""HTTP/1.1 over ``asyncio`` with ``httptools``. It is small, because it shares its cores with the kiosk it measures.

A web framework cannot imitate faults of a network: accept a request and cut the connection, send nothing for a minute,
stop listening and come back. Here the handler's result decides: a ``Reply``, ``CUT`` or ``SILENCE``. Answers leave in
the order of the requests. A handler that need not wait is answered without a task.
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import cast
from urllib.parse import parse_qs

from httptools import HttpParserError, HttpRequestParser, parse_url
from msgspec import Struct

MAX_BODY = 8 * 1024 * 1024
"""Largest body, bytes. A share with a photo has 300 kB, a bulk registration of shares by a load test a few MB."""
MAX_WAITING = 256
"""Pipelined requests of one connection before we stop reading from it."""


class Request(Struct):
    """One request as it came, with header names in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    keep_alive: bool
    line: "Line"

    def ask(self, name: str, default: int) -> int:
        """A whole number from the query; the default if it is missing or not a number."""
        text = self.query.get(name, [""])[0]
        return int(text) if text.isdecimal() and len(text) < 10 else default


class Reply(Struct, frozen=True):
    """One answer."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class Cut(Struct, frozen=True):
    """The connection is reset without an answer."""


class Silence(Struct, frozen=True):
    """No answer is sent and the connection stays open until the caller closes it."""


CUT = Cut()
SILENCE = Silence()

Answer = Reply | Cut | Silence
Handler = Callable[[Request], Answer | Awaitable[Answer]]


def _head(status: int) -> bytes:
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()


_HEADS: Mapping[int, bytes] = {status.value: _head(status.value) for status in HTTPStatus}


def written(reply: Reply, *, keep_alive: bool) -> bytes:
    """The bytes of an answer."""
    parts = [
        _HEADS.get(reply.status) or _head(reply.status),
        f"content-type: {reply.content_type}\r\ncontent-length: {len(reply.body)}\r\n".encode(),
    ]
    parts += [f"{name}: {value}\r\n".encode("latin-1") for name, value in reply.headers]
    parts.append(b"\r\n" if keep_alive else b"connection: close\r\n\r\n")
    parts.append(reply.body)
    return b"".join(parts)


@lru_cache(maxsize=256)
def _name(name: bytes) -> str:
    return name.decode("latin-1").lower()


class Line(asyncio.Protocol):
    """One connection. ``httptools`` calls the ``on_`` methods while it reads."""

    def __init__(self, server: "Server") -> None:
        self.server = server
        self.parser = HttpRequestParser(self)
        self.transport: asyncio.Transport | None = None
        self.waiting: deque[Request] = deque()
        self.busy: asyncio.Task[None] | None = None
        self.url = b""
        self.headers: dict[str, str] = {}
        self.body = bytearray()

    @property
    def closed(self) -> bool:
        """Whether the caller closed the connection or we cut it."""
        return self.transport is None or self.transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio.Transport but do not inherit from it.
        self.transport = cast(asyncio.Transport, transport)
        self.server.lines.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.waiting.clear()
        self.server.lines.discard(self)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except HttpParserError:
            self._say(Reply(400, b'{"error":{"code":"ABDM-1006","message":"malformed HTTP"}}'), keep_alive=False)
            return
        if self.busy is None:
            self._next()

    def on_message_begin(self) -> None:
        self.url, self.headers, self.body = b"", {}, bytearray()

    def on_url(self, part: bytes) -> None:
        self.url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[_name(name)] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self.headers.get("expect", "").lower() == "100-continue" and self.transport is not None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        self.body += part
        if len(self.body) > MAX_BODY:
            self._say(Reply(413, b'{"error":{"code":"ABDM-1006","message":"body too large"}}'), keep_alive=False)
            raise HttpParserError("body too large")

    def on_message_complete(self) -> None:
        url = parse_url(self.url)
        query = parse_qs(url.query.decode("latin-1")) if url.query else {}
        method = self.parser.get_method().decode()
        path = url.path.decode("latin-1")
        keep_alive = self.parser.should_keep_alive()
        self.waiting.append(Request(method, path, query, self.headers, bytes(self.body), keep_alive, self))
        if len(self.waiting) > MAX_WAITING and self.transport is not None:
            self.transport.pause_reading()

    def _next(self) -> None:
        while self.waiting:
            request = self.waiting.popleft()
            answer = self.server.answer(request)
            if isinstance(answer, Reply | Cut | Silence):
                self._give(answer, keep_alive=request.keep_alive)
            else:
                self.busy = self.server.keep(self._finish(answer, keep_alive=request.keep_alive))
                return

    async def _finish(self, answer: Awaitable[Answer], *, keep_alive: bool) -> None:
        try:
            self._give(await answer, keep_alive=keep_alive)
        except Exception as error:
            self._give(self.server.failed(error), keep_alive=False)
        self.busy = None
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()
            self._next()

    def _give(self, answer: Answer, *, keep_alive: bool) -> None:
        if isinstance(answer, Reply):
            self._say(answer, keep_alive=keep_alive)
        elif isinstance(answer, Cut) and self.transport is not None:
            self.transport.abort()

    def _say(self, reply: Reply, *, keep_alive: bool) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        self.transport.write(written(reply, keep_alive=keep_alive))
        if not keep_alive:
            self.transport.close()


class Server:
    """Listens on an address, and can stop listening for a while and then use the same address."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.lines: set[Line] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.address: tuple[str, int] = ("", 0)
        self._listening: asyncio.Server | None = None

    def keep(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Run ``work`` in the background. The task is referenced until it ends."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed(error)

    def answer(self, request: Request) -> Answer | Awaitable[Answer]:
        """The handler's answer, or a 500 when it fails."""
        try:
            return self.handler(request)
        except Exception as error:
            return self.failed(error)

    def failed(self, error: BaseException) -> Reply:
        """A fault of the simulator itself. The traceback is printed; the caller gets an answer without it."""
        context = {"message": "the simulator failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)
        return Reply(500, b'{"error":{"code":"SIMULATOR","message":"the simulator itself failed"}}')

    async def listen(self, host: str, port: int) -> None:
        """Start listening on ``port``; 0 takes a free port, which stays the same from then on."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: Line(self), host, port, backlog=1024, reuse_address=True)
        sockets: tuple[socket.socket, ...] = tuple(self._listening.sockets)
        self.address = sockets[0].getsockname()[:2]

    def go_away(self) -> None:
        """Stop listening and reset every connection. New connections are refused from now on."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        for line in tuple(self.lines):
            if line.transport is not None:
                line.transport.abort()

    async def away(self, seconds: float) -> None:
        """Refuse connections for ``seconds``, then listen again at the same address."""
        self.go_away()
        await asyncio.sleep(seconds)
        await self.listen(*self.address)

    async def stop(self) -> None:
        """End all running requests and tasks."""
        self.go_away()
        for task in tuple(self.tasks):
            task.cancel()
        for task in tuple(self.tasks):
            with contextlib.suppress(asyncio.CancelledError):
                await task
