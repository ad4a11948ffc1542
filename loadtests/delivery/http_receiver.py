"""A small HTTP server for webhooks that costs some 20 µs a request, because it shares its cores with the kiosk.

It reads requests with a Content-Length, as the kiosk sends them, and answers each with the status that ``take`` says.
"""

import asyncio
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

Take = Callable[[bytes, bytes, bytes], int]
"""Path, head without its first line, body → status."""


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self._transport: asyncio.Transport | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio.Transport but do not inherit from it.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            line, _, head = self._data[:end].partition(b"\r\n")
            whole = end + 4 + _length(head)
            if len(self._data) < whole:
                return
            body, self._data = self._data[end + 4 : whole], self._data[whole:]
            self._answer(self._take(line.split(b" ")[1], head, body))

    def _answer(self, status: int) -> None:
        if self._transport is not None:
            phrase = HTTPStatus(status).phrase.encode()
            self._transport.write(b"HTTP/1.1 %d %b\r\ncontent-length: 0\r\n\r\n" % (status, phrase))


def headers(head: bytes) -> dict[str, str]:
    """The fields of a head by their names in lower case."""
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    return {name.decode("latin-1").lower(): value.strip().decode("latin-1") for name, _, value in lines}


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].partition(b"\r\n")[0]) if at >= 0 else 0


async def listen(take: Take, port: int = 0) -> tuple[asyncio.Server, int]:
    """A server on loopback, and its port."""
    loop = asyncio.get_running_loop()
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    line.bind(("127.0.0.1", port))
    server = await loop.create_server(lambda: Connection(take), sock=line, backlog=1024)
    return server, int(line.getsockname()[1])
