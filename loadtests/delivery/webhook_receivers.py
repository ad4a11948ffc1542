"""Receivers of webhooks for a load: the living note when each event arrived, the others are dead in three ways."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from msgspec import Struct, field, json

from loadtests.delivery.http_receiver import listen

DEAD: Final = ("refuse", "hang", "answer500")


class _Ticket(Struct):
    arrived_at: datetime


class _Data(Struct):
    ticket: _Ticket | None = None


class _Event(Struct):
    id: str
    type: str
    data: _Data


_read = json.Decoder(_Event).decode


class Deliveries(Struct):
    """What the living receivers have heard."""

    created_s: dict[tuple[bytes, str], float] = field(default_factory=dict)
    """Path and event id → seconds from the moment when the store took a scan, before its 202, to its delivery."""
    others: int = 0
    """Deliveries of other events."""
    again: int = 0
    """Deliveries of an event that this path had."""

    @property
    def all(self) -> int:
        """Every delivery so far."""
        return len(self.created_s) + self.others + self.again


class Receivers(Struct):
    """The receivers of one run, in this process."""

    deliveries: Deliveries
    base: str
    """Of the URLs of the living."""
    dead: dict[str, str]
    """How it is dead → base of its URLs."""


@asynccontextmanager
async def running_receivers() -> AsyncIterator[Receivers]:
    """All receivers while the context lasts."""
    deliveries = Deliveries()

    def take(path: bytes, head: bytes, body: bytes) -> int:
        now_s, event = time.time(), _read(body)
        if event.type != "ticket.created" or event.data.ticket is None:
            deliveries.others += 1
        elif (path, event.id) in deliveries.created_s:
            deliveries.again += 1
        else:
            deliveries.created_s[path, event.id] = now_s - event.data.ticket.arrived_at.timestamp()
        return 200

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass
        writer.close()

    living, port = await listen(take)
    failing, failing_port = await listen(lambda path, head, body: 500)
    hanging = await asyncio.start_server(hang, "127.0.0.1", 0, backlog=1024)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: connections to it are refused
        ports = (closed.getsockname()[1], hanging.sockets[0].getsockname()[1], failing_port)
        dead = {name: f"http://127.0.0.1:{number}" for name, number in zip(DEAD, ports, strict=True)}
        try:
            yield Receivers(deliveries, f"http://127.0.0.1:{port}", dead)
        finally:
            for server in (living, failing, hanging):
                server.close()
