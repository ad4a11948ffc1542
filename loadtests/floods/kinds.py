"""The floods, one coroutine each. Each runs until its time is over and counts the answers.

An attacker knows only what any stranger knows: the address, a HIP id, and what the public screens show.
"""

import asyncio
import contextlib
import json
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Final
from urllib.parse import urlencode

from msgspec import Struct

CONNECTIONS: Final = 48
"""Connections that send requests without a pause: enough to keep a worker busy all the time."""
SOURCES: Final = 200
"""Addresses of the loopback network that a flood uses where a single address would be refused at once."""
SILENT: Final = 2_100
"""Silent connections: as many as once stopped all scans on a machine with 2,048 open files."""
STREAMS: Final = 3_000
SLOW_READERS: Final = 100
SLOW_BODIES: Final = 300
FORM_NAMES: Final = "abcdefghijklmnopqrstuvwxyz"
H2_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)


class Target(Struct, frozen=True):
    """The target of the flood, and how long it lasts."""

    host: str
    port: int
    hip: str
    form_path: str
    """The path of a camera link that a screen shows now."""
    seconds: float
    most: int = 0
    """The most requests; 0: as many as fit into the time."""


class Flood:
    """One run of one kind."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.statuses: Counter[str] = Counter()
        self._ends = time.monotonic() + target.seconds
        self._sources = count()
        self._sent = 0

    def is_over(self) -> bool:
        return time.monotonic() >= self._ends or bool(self.target.most and self._sent >= self.target.most)

    async def connect(self, *, many: bool = False) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection; with ``many`` from the next one of many addresses."""
        number = next(self._sources) % SOURCES
        source = (f"127.0.{1 + number // 100}.{1 + number % 100}", 0) if many else None
        return await asyncio.open_connection(self.target.host, self.target.port, local_addr=source)

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.target.host}:{self.target.port}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    async def ask(self, make: Callable[[int], bytes], *, many: bool = False) -> None:
        """Send requests without a pause on many connections."""
        await asyncio.gather(*(self._requests_on_one(make, many) for _ in range(CONNECTIONS)))

    async def _requests_on_one(self, make: Callable[[int], bytes], many: bool) -> None:
        while not self.is_over():
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
                reader, writer = await self.connect(many=many)
                try:
                    while not self.is_over():
                        self._sent += 1
                        async with asyncio.timeout(15):
                            writer.write(make(self._sent))
                            self.statuses[await _answer(reader)] += 1
                        if many:
                            break  # the next connection comes from another address
                finally:
                    writer.close()

    async def hold(self, connections: int, first: bytes, *, again: bytes = b"", reads: bool = False) -> None:
        """Keep ``connections`` open. Each sends ``first``, then ``again`` every second; a closed one is
        opened again.
        """
        await asyncio.gather(*(self._held(first, again, reads) for _ in range(connections)))

    async def _held(self, first: bytes, again: bytes, reads: bool) -> None:
        while not self.is_over():
            try:
                reader, writer = await self.connect(many=True)
            except OSError:
                self.statuses["refused"] += 1
                await asyncio.sleep(0.5)
                continue
            self.statuses["opened"] += 1
            writer.write(first)
            while not self.is_over() and not writer.is_closing():
                await asyncio.sleep(1)
                writer.write(again)
                if reads and reader.at_eof():
                    break
            if writer.is_closing() or reader.at_eof():
                self.statuses["closed by the service"] += 1
            writer.close()


async def _answer(reader: asyncio.StreamReader) -> str:
    """The status of the answer. The body is read too, so that the connection can be used again."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
    if length:
        await reader.readexactly(length)
    return head[9:12].decode()


def form_body(number: int) -> bytes:
    """The form's fields, for another person each time."""
    name = "".join(FORM_NAMES[number // 26**place % 26] for place in range(4))
    fields = {"request_id": str(uuid.uuid4()), "name": f"Spam {name}", "age": str(20 + number % 60), "gender": "M"}
    return urlencode({**fields, "phone": "", "consent": "yes"}).encode()


async def forms(flood: Flood) -> None:
    """Send the form of one camera link, each time as another person from another address."""
    kind = "application/x-www-form-urlencoded"
    await flood.ask(
        lambda number: flood.request("POST", flood.target.form_path, form_body(number), Content_Type=kind), many=True
    )


async def sign_ins(flood: Flood) -> None:
    """Send wrong passwords for names that may exist."""
    kind, origin = "application/x-www-form-urlencoded", f"http://{flood.target.host}:{flood.target.port}"
    await flood.ask(
        lambda number: flood.request(
            "POST", "/console/login", urlencode({"login": f"clerk{number % 500}", "password": "wrong"}).encode(),
            Content_Type=kind, Origin=origin,
        ),
        many=True,
    )  # fmt: skip


async def forged_shares(flood: Flood) -> None:
    """Send shares with unsigned tokens, each with another key id."""
    head = "eyJhbGciOiJSUzI1NiIsImtpZCI6IkF0"
    body = json.dumps({"intent": "PROFILE_SHARE", "metaData": {"hipId": flood.target.hip, "context": "M1"}}).encode()
    await flood.ask(
        lambda number: flood.request(
            "POST", "/api/v3/hip/patient/share", body, Content_Type="application/json", X_HIP_ID=flood.target.hip,
            Authorization=f"Bearer {head}{number:08x}.eyJpc3MiOiJ4In0.AAAA", REQUEST_ID=str(uuid.uuid4()),
        )
    )  # fmt: skip


async def screens(flood: Flood) -> None:
    """Request codes of a counter's screen and boards without a pause."""
    pages = (f"/kiosk/{flood.target.hip}/M1/qr", f"/board/{flood.target.hip}", f"/kiosk/{flood.target.hip}/M1")
    await flood.ask(lambda number: flood.request("GET", pages[number % 3]))


async def streams(flood: Flood) -> None:
    """Open event streams of one hospital and keep them open."""
    await flood.hold(STREAMS, flood.request("GET", f"/live/{flood.target.hip}"))


async def silent(flood: Flood) -> None:
    """Open connections and send nothing."""
    await flood.hold(SILENT, b"", reads=True)


async def slow_headers(flood: Flood) -> None:
    """Send requests that never end: one header a second."""
    await flood.hold(SLOW_BODIES, b"GET / HTTP/1.1\r\nHost: a\r\n", again=b"X-A: b\r\n", reads=True)


async def slow_bodies(flood: Flood) -> None:
    """Send forms with one byte of the body a second."""
    first = flood.request("POST", flood.target.form_path, b"x" * 900, Content_Type="application/x-www-form-urlencoded")
    await flood.hold(SLOW_BODIES, first[:-900], again=b"x", reads=True)


async def slow_readers(flood: Flood) -> None:
    """Request large files and read nothing."""
    first = flood.request("GET", "/static/fonts/noto-nastaliq-urdu-400.woff2") * 20
    await flood.hold(SLOW_READERS, first)


async def large_headers(flood: Flood) -> None:
    """Send headers of 400 kB and paths of 60 kB."""
    await flood.ask(
        lambda number: flood.request("GET", "/" + "a" * 60_000 if number % 2 else "/", X_Large="b" * 400_000)
    )


async def http2(flood: Flood) -> None:
    """Send HTTP/2 with prior knowledge: once a single such connection could take gigabytes."""

    async def one_connection() -> None:
        while not flood.is_over():
            with contextlib.suppress(OSError, TimeoutError):
                reader, writer = await flood.connect()
                async with asyncio.timeout(5):
                    writer.write(H2_PREFACE + b"\x82" * 4_000)
                    flood.statuses["answered" if await reader.read(9) == bytes(9) else "closed by the service"] += 1
                writer.close()

    await asyncio.gather(*(one_connection() for _ in range(CONNECTIONS)))


KINDS: Final[dict[str, tuple[str, Callable[[Flood], Awaitable[None]]]]] = {
    "forms": ("no-app forms of one camera link, from 200 addresses", forms),
    "sign-ins": ("wrong passwords for 500 names, from 200 addresses", sign_ins),
    "forged shares": ("callbacks with forged tokens and unknown key ids", forged_shares),
    "screens": ("codes, boards and counter screens without a pause", screens),
    "streams": ("3,000 event streams, from 200 addresses", streams),
    "silent": ("2,100 connections that say nothing", silent),
    "slow headers": ("300 requests that never end", slow_headers),
    "slow bodies": ("300 forms of a byte a second", slow_bodies),
    "slow readers": ("100 connections that ask for fonts and read nothing", slow_readers),
    "large headers": ("headers of 400 kB, addresses of 60 kB", large_headers),
    "http/2": ("HTTP/2 by prior knowledge", http2),
}
"""The floods by name, each with its description."""
