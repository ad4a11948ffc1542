"""The simulator as a child process, for demos, load tests and tests."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct, json
from pyreqwest.client import Client, ClientBuilder

READY_WITHIN_S = 30
"""Making two RSA keys takes one second, and much longer on a machine that is busy with other work."""
ENDS_WITHIN_S = 10
ROOT = Path(__file__).resolve().parents[3]


class SimulatorError(Exception):
    """The child did not start."""


class Announced(Struct, frozen=True, kw_only=True):
    """What the simulator prints about itself when it is ready."""

    url: str
    cm_id: str = "sbx"
    app_id: str
    app_secret: str
    client_id: str = ""
    client_secret: str = ""
    issuer: str = ""
    pid: int = 0
    seed: int = 0


class Simulator:
    """A running simulator and its control interface."""

    def __init__(self, announced: Announced, client: Client) -> None:
        self.announced = announced
        self.url = announced.url
        self._client = client

    @staticmethod
    @asynccontextmanager
    async def start(
        *, seed: int = 7, bridge_url: str = "http://127.0.0.1:8000", more: tuple[str, ...] = ()
    ) -> AsyncIterator["Simulator"]:
        """Start a simulator on a free port of loopback and stop it at the end. ``more``: additional arguments."""
        arguments = [
            "-m",
            "loadtests.simulator.gateway",
            "--port",
            "0",
            "--seed",
            str(seed),
            "--bridge-url",
            bridge_url,
            *more,
        ]
        known = {name: text for name, text in os.environ.items() if not name.startswith("SIMULATOR_")}
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        child = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, env=known | {"PYTHONPATH": path}
        )
        try:
            async with Simulator.at(await _ready(child)) as simulator:
                yield simulator
        finally:
            await _end(child)

    @staticmethod
    @asynccontextmanager
    async def at(announced: Announced) -> AsyncIterator["Simulator"]:
        """A simulator that runs already."""
        async with ClientBuilder().no_proxy().base_url(announced.url).error_for_status().build() as client:
            yield Simulator(announced, client)

    async def order(self, **faults: Any) -> None:
        """Make exactly these faults from now on: the fields of ``loadtests.simulator.gateway.faults.Order``."""
        await self._client.post("/_sim/faults").body_json(faults).build().send()

    async def clear(self) -> None:
        """Make no faults any more."""
        await self._client.delete("/_sim/faults").build().send()

    async def set_bridge(self, url: str) -> None:
        """Send callbacks to this address from now on."""
        await self._client.post("/_sim/bridge").body_json({"url": url}).build().send()

    async def link(self, services: dict[str, str]) -> None:
        """Link these HIP ids (with their names) and no others."""
        linked = [{"id": hip, "name": name} for hip, name in services.items()]
        await self._client.post("/_sim/services").body_json(linked).build().send()

    async def summary(self) -> dict[str, Any]:
        """The ledger's counts."""
        return await self._get("/_sim/ledger")

    async def shares(self) -> list[dict[str, Any]]:
        """Every share of the ledger."""
        rows: list[dict[str, Any]] = []
        while page := (await self._get(f"/_sim/ledger?after={rows[-1]['n'] if rows else 0}&limit=5000"))["rows"]:
            rows += page
        return rows

    async def faults(self) -> dict[str, Any]:
        """The faults made on purpose, and the protocol faults of callers."""
        return await self._get("/_sim/faults")

    async def callback_token(self) -> str:
        """The present token of callbacks."""
        return str((await self._get("/_sim/callback-token"))["token"])

    async def _get(self, path: str) -> dict[str, Any]:
        response = await self._client.get(path).build().send()
        document: dict[str, Any] = json.decode((await response.bytes()).to_bytes())
        return document


async def _ready(child: asyncio.subprocess.Process) -> Announced:
    assert child.stdout is not None  # noqa: S101  it was asked for as a pipe; narrows the type
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            line = await child.stdout.readline()
    except TimeoutError:
        raise SimulatorError(f"not ready within {READY_WITHIN_S} s") from None
    if not line:
        raise SimulatorError(f"ended with status {await child.wait()} before it was ready")
    return json.decode(line, type=Announced)


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.terminate()
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()
