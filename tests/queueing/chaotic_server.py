"""A server that speaks the store's protocol and means no good.

It greets like a Valkey 9 and echoes; all it can do wrong is an attribute that a test sets, before or while calls run.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

from hiredis import Reader

Command = list[bytes]
NOTHING = object()
INFO = (
    b"# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\nmaxmemory_policy:noeviction\r\n"
)


def bulk(data: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(data), data)


def array(*items: bytes) -> bytes:
    return b"*%d\r\n" % len(items) + b"".join(items)


class Hostile:
    """One listening server. ``seen`` holds every command that was not part of a handshake, in order of arrival."""

    def __init__(self) -> None:
        self.port = 0
        self.seen: list[Command] = []
        self.reads = 0
        """How many pieces the commands came in."""
        self.accepted = 0
        self.answer: Callable[[Command], bytes | None] = lambda command: (
            bulk(command[1]) if len(command) > 1 else b"+OK\r\n"
        )
        """What a command gets; None: silence for ever, to this and all that follow on the connection."""
        self.greeting: dict[bytes, bytes] = {}
        """Answers to PING, INFO, AUTH, SELECT, CONFIG and CLIENT that differ from a healthy server's."""
        self.budgets: Iterator[int] | None = None
        """Bytes each new connection may be answered before it is cut, greeting not counted."""
        self.byte_by_byte = False
        self.delay_s = 0.0
        self.held: dict[bytes, asyncio.Event] = {}
        """Command name -> answered only when the event is set."""
        self.close_at_accept = False
        self.deaf = False
        """Greets, then reads nothing more."""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port or self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
        await asyncio.sleep(0)

    def cut_all(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    def send_all(self, data: bytes) -> None:
        """Send bytes that no command asked for, on every connection."""
        for writer in self._open:
            writer.write(data)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        self._open.add(writer)
        try:
            if not self.close_at_accept:
                await self._serve(reader, writer)
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parser = Reader(notEnoughData=NOTHING)
        budget = next(self.budgets) if self.budgets is not None else None
        while data := await reader.read(1 << 16):
            self.reads += 1
            parser.feed(data)
            while (command := parser.gets()) is not NOTHING:
                reply = self._greet(command)
                if reply is not None:
                    writer.write(reply)
                    continue
                self.seen.append(command)
                reply = self.answer(command)
                if reply is None:
                    await asyncio.Event().wait()
                    return
                if command[0] in self.held:
                    await self.held[command[0]].wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if budget is not None and len(reply) >= budget:
                    writer.write(reply[:budget])
                    await writer.drain()
                    writer.close()
                    return
                budget = None if budget is None else budget - len(reply)
                await self._write(writer, reply)
            await writer.drain()
            if self.deaf:
                await asyncio.Event().wait()

    async def _write(self, writer: asyncio.StreamWriter, reply: bytes) -> None:
        if not self.byte_by_byte:
            writer.write(reply)
            return
        for byte in reply:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)

    def _greet(self, command: Command) -> bytes | None:
        name = command[0].upper()
        if name not in (b"PING", b"INFO", b"AUTH", b"SELECT", b"CONFIG", b"CLIENT"):
            return None
        if name in self.greeting:
            return self.greeting[name]
        if name == b"INFO":
            return bulk(INFO)
        if name == b"CONFIG":
            return array(bulk(b"appendonly"), bulk(b"yes"), bulk(b"appendfsync"), bulk(b"always"))
        return b"+PONG\r\n" if name == b"PING" else b"+OK\r\n"


@asynccontextmanager
async def hostile(*, tls: ssl.SSLContext | None = None) -> AsyncIterator[Hostile]:
    """A hostile server on a free port of this machine. It ends with the context."""
    server = Hostile()
    await server.start(tls=tls)
    try:
        yield server
    finally:
        await server.stop()
