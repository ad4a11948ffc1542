"""Receivers of webhooks for a load: the living note when each event arrived, the others are dead in three ways.

``python -m loadtests.delivery.webhook_receivers`` runs them in a process of their own, which works when no other wants
the processor: they stand for other machines. It prints its URLs as one line of JSON and ends with its standard input.
"""

import asyncio
import os
import socket
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from msgspec import Struct, field, json

from loadtests import graceful_run
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


class ReceiverUrls(Struct):
    """Where the receivers of one run listen."""

    base: str
    """Of the URLs of the living."""
    dead: dict[str, str]
    """How it is dead → base of its URLs."""

    def half_dead(self, number: int) -> str:
        """The base of one of many webhooks: every second one is dead, in each way in turn."""
        return self.dead[DEAD[number // 2 % len(DEAD)]] if number % 2 else self.base


class Receivers(Struct):
    """The receivers of one run, in this process."""

    deliveries: Deliveries
    urls: ReceiverUrls


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

    async with _listening(take) as urls:
        yield Receivers(deliveries, urls)


@asynccontextmanager
async def receivers_elsewhere() -> AsyncIterator[ReceiverUrls]:
    """The same in a process of their own, which notes nothing."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, stdin=PIPE, stdout=PIPE)
    try:
        assert child.stdout is not None  # noqa: S101  it was asked for as a pipe; narrows the type
        yield json.decode(await child.stdout.readline(), type=ReceiverUrls)
    finally:
        if child.stdin is not None:
            child.stdin.close()
        await child.wait()


@asynccontextmanager
async def _listening(take: Callable[[bytes, bytes, bytes], int]) -> AsyncIterator[ReceiverUrls]:
    living, port = await listen(take)
    failing, failing_port = await listen(lambda path, head, body: 500)
    hanging = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0, backlog=1024)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: connections to it are refused
        ports = (closed.getsockname()[1], hanging.sockets[0].getsockname()[1], failing_port)
        dead = {name: f"http://127.0.0.1:{number}" for name, number in zip(DEAD, ports, strict=True)}
        try:
            yield ReceiverUrls(f"http://127.0.0.1:{port}", dead)
        finally:
            for server in (living, failing, hanging):
                server.close()


async def _serve() -> None:
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    async with _listening(lambda path, head, body: 200) as urls:
        print(json.encode(urls).decode(), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    graceful_run.run(_serve())
