"""A kiosk and a gateway for one run: a fresh data folder, free ports, hospitals, counters and clerks.

All of it is removed afterwards. It is set up with the program's own commands and settings, as an operator does it;
nothing of the service is imported.
"""

import asyncio
import contextlib
import csv
import ctypes
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct, json

from loadtests.simulator.gateway.launch import ROOT, Simulator

READY_WITHIN_S = 60
"""Time for the interpreter, the store and the workers to start, on a machine that is busy with other work."""
ENDS_WITHIN_S = 25
"""How long the kiosk may take to stop; ``serve`` promises 20 s."""
COUNTER_PREFIX = "M"
QUEUE = "medicine"


class StackError(Exception):
    """The kiosk did not come up, or a command failed."""


class Stack(Struct, frozen=True, kw_only=True):
    """The running kiosk and gateway, with their hospitals and clerks."""

    kiosk_url: str
    simulator: Simulator
    hospitals: list[dict[str, Any]]
    """Facilities with clerks, as ``--hospitals`` of ``loadtests.day`` wants them."""
    hips: list[str]
    """HIP ids of all facilities."""
    environment: dict[str, str]
    """The settings with which commands reach this kiosk."""
    pid: int
    """The process id of ``kiosk serve``."""
    data: Path
    """The kiosk's data folder."""
    journal: Path
    """The file in which the gateway records every answer it gets."""


@asynccontextmanager
async def fresh_stack(
    *,
    seed: int,
    facilities: int,
    counters: int,
    staffed: int | None = None,
    workers: int = 1,
    strangers: bool = False,
    more: dict[str, str] | None = None,
) -> AsyncIterator[Stack]:
    """Start kiosk and gateway for one run. The first ``staffed`` facilities have clerks; without it, all have.

    ``strangers``: the gateway accepts answers to shares that a load generator sent. ``more``: additional settings.
    """
    folder = Path(tempfile.mkdtemp(prefix="kiosk-load-"))
    journal = folder / "answers.tsv"
    arguments = ("--journal", str(journal), *(("--accept-unknown",) if strangers else ()))
    hips = hip_ids(facilities)
    try:
        async with Simulator.start(seed=seed, more=arguments) as simulator:
            environment = _environment(simulator, folder / "data", workers) | (more or {})
            async with serving(environment) as (kiosk_url, pid):
                await simulator.set_bridge(kiosk_url)
                await add_facilities(environment, folder, hips, counters)
                hospitals = [
                    await _hall(environment, hip, counters)
                    for hip in hips[: facilities if staffed is None else staffed]
                ]
                yield Stack(
                    kiosk_url=kiosk_url, simulator=simulator, hospitals=hospitals, hips=hips, environment=environment,
                    pid=pid, data=folder / "data", journal=journal,
                )  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def hip_ids(count: int, first: int = 1) -> list[str]:
    """HIP ids in the register's form: country, state, running number."""
    return [f"IN01{number:08d}" for number in range(first, first + count)]


async def add_facilities(environment: dict[str, str], folder: Path, hips: Sequence[str], counters: int) -> None:
    """Import these hospitals and a queue in each, as an operator imports a register."""
    rows = ((hip, f"Hospital {hip[-5:]}", "Srinagar", "J&K", 34.08, 74.79) for hip in hips)
    register = _csv(folder / "facilities.csv", "hip_id,name,district,state,latitude,longitude", rows)
    await command(environment, "facility", "import", str(register))
    lines = ((hip, QUEUE, "Medicine", COUNTER_PREFIX, counters) for hip in hips)
    await command(
        environment, "queue", "import", str(_csv(folder / "queues.csv", "hip_id,queue,name,prefix,counters", lines))
    )


def _csv(path: Path, head: str, rows: Iterable[tuple[object, ...]]) -> Path:
    with path.open("w", newline="") as file:
        file.write(head + "\n")
        csv.writer(file).writerows(rows)
    return path


def _environment(simulator: Simulator, data: Path, workers: int) -> dict[str, str]:
    known = {name: text for name, text in os.environ.items() if not name.startswith("KIOSK_")}
    announced = simulator.announced
    return known | {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", "")))),
        "KIOSK_PORT": "0",
        "KIOSK_WORKERS": str(workers),
        "KIOSK_DATA_DIR": str(data),
        "KIOSK_GATEWAY_URL": announced.url,
        "KIOSK_GATEWAY_CLIENT_ID": announced.client_id,
        "KIOSK_GATEWAY_CLIENT_SECRET": announced.client_secret,
        "KIOSK_GATEWAY_ISSUER": announced.issuer,
        "KIOSK_CM_ID": announced.cm_id,
        # A morning that is run in a minute brings many scans a second to one hospital.
        "KIOSK_FACILITY_RATE": "50000",
        "KIOSK_FACILITY_BURST": "50000",
        "KIOSK_LOG_LEVEL": "warning",
    }


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _end_with_us() -> None:
    """Runs in the child: the kernel sends it SIGTERM when the run ends, even by ``kill -9``."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


@asynccontextmanager
async def serving(environment: dict[str, str]) -> AsyncIterator[tuple[str, int]]:
    """``kiosk serve`` with these settings while the context lasts: its address and its process."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kiosk", "serve", stdout=asyncio.subprocess.PIPE, env=environment, preexec_fn=_end_with_us
    )
    drain: asyncio.Task[None] | None = None
    try:
        url = await _ready(child)
        drain = asyncio.create_task(_drain(child))
        yield url, child.pid
    finally:
        await _end(child)
        if drain is not None:
            await drain


async def _ready(child: asyncio.subprocess.Process) -> str:
    """Read the address after ``ready``. Lines before it are messages for the operator."""
    assert child.stdout is not None  # noqa: S101  it was asked for as a pipe; narrows the type
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            while line := await child.stdout.readline():
                word, _, url = line.decode().strip().partition(" ")
                if word == "ready" and url:
                    return url.rstrip("/")
    except TimeoutError:
        raise StackError(f"kiosk serve was not ready within {READY_WITHIN_S} s") from None
    raise StackError(f"kiosk serve ended with status {await child.wait()} before it was ready")


async def _drain(child: asyncio.subprocess.Process) -> None:
    """Read the child's output to its end: otherwise the child would block at a full pipe."""
    assert child.stdout is not None  # noqa: S101  it was asked for as a pipe; narrows the type
    while await child.stdout.read(65_536):
        pass


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.terminate()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ENDS_WITHIN_S):
            await child.wait()
            return
    child.kill()
    await child.wait()


async def _hall(environment: dict[str, str], hip: str, counters: int) -> dict[str, Any]:
    names = [f"{COUNTER_PREFIX}{n}" for n in range(1, counters + 1)]
    clerks = []
    for name in names:
        login = f"clerk{int(hip[4:])}{name}".lower()
        added = await command(environment, "staff", "add", login, "--facility", hip, "--role", "clerk", "--json")
        clerks.append({"login": login, "password": json.decode(added)["password"], "counter": name})
    return {"hip_id": hip, "counters": names, "clerks": clerks}


async def command(environment: dict[str, str], *arguments: str) -> bytes:
    """Run one command of the kiosk. Returns what it printed."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kiosk", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip
    printed, trouble = await child.communicate()
    if child.returncode:
        raise StackError(f"kiosk {arguments[0]} {arguments[1]}: {trouble.decode(errors='replace').strip()[-400:]}")
    return printed
