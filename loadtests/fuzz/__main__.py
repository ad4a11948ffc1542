"""``python -m loadtests.fuzz``: hostile input against a fresh kiosk. Exits 1 when something broke.

Broken means one of these: an answer of 500 or above (a 503 with Retry-After is allowed), no answer within
``HUNG_AFTER_S``, an answer that contradicts ``endpoints.yaml``, more than ``GROWTH_MB`` more memory in the web worker,
or a correct share that is not accepted afterwards. The report contains the input that broke something.
"""

import argparse
import asyncio
import contextlib
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from pyreqwest.client import ClientBuilder
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from loadtests import graceful_run
from loadtests.bench.machine import Parts
from loadtests.fuzz.described import EVERY_PHASE, compare_endpoints
from loadtests.fuzz.targets import TARGETS, BenchSetup, Shot, honest_share
from loadtests.simulator.people.clerks import Clerk
from loadtests.stack import Stack, fresh_stack

INPUTS: Final = 1_000_000
MINUTES: Final = 30.0
EXAMPLES: Final = 2_000
"""Requests of each kind that are made from the description."""
CONNECTIONS: Final = 24
"""Requests in flight at once: enough to keep both cores busy."""
HUNG_AFTER_S: Final = 12.0
"""The kiosk waits five seconds for a body. A busy machine gets the same time again."""
RENEW_S: Final = 300.0
"""Links and tokens are renewed this often: they expire after a quarter of an hour, and then only the first check would
be tested."""
CLOSED_WITHIN_S: Final = 1.0
"""Inputs not sent by then are dropped."""
GROWTH_MB: Final = 150
"""Growth of the web role's memory. It keeps no tickets, and its caches are bounded. The store grows by tickets."""
QUIET: Final = {"KIOSK_LOG_LEVEL": "error"}
"""Each refused input would write a line to the log, so only errors are logged."""
SHOWN_MAX: Final = 20
"""The most inputs in the report that broke something."""


class Finding(msgspec.Struct, frozen=True):
    """One input that broke something."""

    target: str
    what: str
    request: str


class Run:
    """Counts the answers."""

    def __init__(self, setup: BenchSetup, seed: int, inputs: int, minutes: float) -> None:
        self.setup, self.seed, self.inputs = setup, seed, inputs
        self.ends_s = time.monotonic() + minutes * 60
        self.statuses: dict[str, Counter[int]] = {}
        self.findings: list[Finding] = []
        self.sent = 0

    async def caller(self, lane: int) -> None:
        """Send inputs over one connection until there are enough."""
        draw = Random(f"fuzz:{self.seed}:{lane}")
        wire = Wire(self.setup.authority)
        weights = [weight for weight, _ in TARGETS]
        try:
            while self.sent < self.inputs and time.monotonic() < self.ends_s:
                self.sent += 1
                _, make = draw.choices(TARGETS, weights)[0]
                await self._shoot(wire, make(self.setup, draw))
        finally:
            await wire.close()

    async def _shoot(self, wire: "Wire", shot: Shot) -> None:
        try:
            async with asyncio.timeout(HUNG_AFTER_S):
                status, busy = await wire.ask(shot.raw)
        except TimeoutError:
            await wire.close()
            self._found(shot, f"no answer within {HUNG_AFTER_S:.0f} s")
            return
        self.statuses.setdefault(shot.target, Counter())[status] += 1
        if status >= 500 and not (status == 503 and busy):
            self._found(shot, f"answered {status}")

    def _found(self, shot: Shot, what: str) -> None:
        self.findings.append(Finding(shot.target, what, shot.raw[:4_000].decode("latin-1")))


class Wire:
    """One kept-alive connection that can send any bytes."""

    def __init__(self, authority: str) -> None:
        self._host, _, port = authority.partition(":")
        self._port = int(port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, raw: bytes) -> tuple[int, bool]:
        """The status (0: the connection was closed without an answer), and whether the answer has Retry-After."""
        for fresh in (False, True):
            if self._streams is None or fresh:
                await self.close()
                self._streams = await asyncio.open_connection(self._host, self._port, limit=1 << 20)
            reader, writer = self._streams
            try:
                writer.write(raw)
                await writer.drain()
                return await self._answer(reader, raw)
            except (OSError, asyncio.IncompleteReadError):
                continue  # the connection was idle for too long; if it was new, the input closed it
        await self.close()
        return 0, False

    async def _answer(self, reader: asyncio.StreamReader, raw: bytes) -> tuple[int, bool]:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head[9:12])
        fields = dict(line.partition(b":")[::2] for line in head.split(b"\r\n")[1:] if b":" in line)
        length = fields.get(b"content-length")
        streams = length is None and status not in {204, 304} and not raw.startswith(b"HEAD")
        if streams or fields.get(b"connection", b"").strip() == b"close":
            await self.close()  # an event stream or an answer without a length
        elif length and not raw.startswith(b"HEAD"):
            await reader.readexactly(int(length))
        return status, b"retry-after" in fields

    async def close(self) -> None:
        if self._streams is not None:
            writer, self._streams = self._streams[1], None
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(CLOSED_WITHIN_S):
                    await writer.wait_closed()


async def fuzz(
    inputs: int,
    minutes: float,
    seed: int,
    progress: Progress,
    *,
    examples: int = EXAMPLES,
    phases: Sequence[str] = EVERY_PHASE,
) -> dict[str, Any]:
    """Send what ``endpoints.yaml`` describes to a fresh kiosk, then all inputs. Returns the report."""
    shown = progress.add_task("inputs", total=inputs)
    async with fresh_stack(seed=seed, facilities=3, counters=2, staffed=1, strangers=True, more=QUIET) as stack:
        setup = await _setup(stack)
        parts = Parts.of(stack.pid, stack.simulator.announced.pid)
        before_mb = parts.memory_mb()
        # First: an address may send few forms, and the other inputs use them up.
        compared = await compare_endpoints(setup, examples=examples, seed=seed, phases=phases)
        run = Run(await _setup(stack), seed, inputs, minutes)
        began_s = renewed_s = time.monotonic()
        callers = [asyncio.create_task(run.caller(lane)) for lane in range(CONNECTIONS)]
        while not all(caller.done() for caller in callers):
            await asyncio.wait(callers, timeout=1.0)
            progress.update(shown, completed=run.sent)
            if time.monotonic() - renewed_s > RENEW_S:
                run.setup, renewed_s = await _setup(stack), time.monotonic()
        await asyncio.gather(*callers)
        seconds = time.monotonic() - began_s
        grown_mb = {part: round(after - before_mb[part], 1) for part, after in parts.memory_mb().items()}
        wire = Wire(run.setup.authority)
        status, _ = await wire.ask(honest_share(await _setup(stack), Random(seed)).raw)
        await wire.close()
    found = {
        "seed": seed, "inputs": run.sent, "seconds": round(seconds, 1), "grown_mb": grown_mb,
        "honest_share_after": status,
        "statuses": {target: dict(sorted(counts.items())) for target, counts in sorted(run.statuses.items())},
        "broken": len(run.findings), "findings": msgspec.to_builtins(run.findings[:SHOWN_MAX]),
        "described": compared.report(),
    }  # fmt: skip
    good = compared.good and not compared.untried and not run.findings
    return found | {"good": good and grown_mb["web"] < GROWTH_MB and status == 202}


async def _setup(stack: Stack) -> BenchSetup:
    facility = stack.hospitals[0]
    hip, clerk = facility["hip_id"], facility["clerks"][0]
    cookie, csrf, password = await Clerk.cookie_of(stack.kiosk_url, clerk["login"], clerk["password"])
    clerk["password"] = password
    async with ClientBuilder().no_proxy().build() as client:  # a browser of staff sees the fresh codes
        request = client.get(f"{stack.kiosk_url}/kiosk/{hip}/M1/qr").header("Cookie", cookie).build()
        code = await (await request.send()).json()
    return BenchSetup(
        authority=urlsplit(stack.kiosk_url).netloc,
        hips=[*stack.hips, "IN9999999999"],
        token=await stack.simulator.callback_token(),
        form_path=urlsplit(code["camera"]["text"]).path,
        cookie=cookie,
        csrf=csrf,
    )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.fuzz", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--inputs", type=int, default=INPUTS, help="how many at most (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long at most (default %(default)s)")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="of each described kind (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed sends the same inputs")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder for the report")
    options = parser.parse_args()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn())
    with Progress(*columns) as progress:
        found = graceful_run.run(
            fuzz(options.inputs, options.minutes, options.seed, progress, examples=options.examples)
        )
    options.reports.mkdir(parents=True, exist_ok=True)
    report = msgspec.json.format(msgspec.json.encode(found))
    (options.reports / "fuzz.json").write_bytes(report)
    sys.stdout.write(report.decode() + "\n")
    sys.exit(0 if found["good"] else 1)


if __name__ == "__main__":
    main()
