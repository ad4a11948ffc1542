"""``python -m loadtests.soak``: a long ordinary day at a steady pace. Exits 1 when memory or open files grow too much.

Scans come at a constant rate, clerks call, screens are connected. Memory and open files of every process are read at
equal intervals. Their growth is judged after a first part, in which caches fill and all screens reconnect several
times.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from statistics import linear_regression
from typing import Any, Final

import msgspec
from msgspec import Struct
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from loadtests import graceful_run
from loadtests.bench.machine import data_bytes, described, store_info
from loadtests.bench.moves_and_screens import at_work, screens
from loadtests.bench.setup import QUICK, BenchSetup, prepared
from loadtests.budget import Finding, judge, table

STEP_S: Final = 10.0
"""Seconds between two readings."""
WARM: Final = 0.25
"""The first part of the run, which is not judged."""
CREWS: Final = 5
"""How often all screens connect anew in this part. The last ones stay to the end."""
CALL_EVERY_S: Final = 1.0
LAST_CALL_S: Final = 10.0
"""How long clerks may take to finish their last call."""
JUDGED: Final = ("web", "relay")
"""Processes that should hold no more at the end than at the beginning. The store is not one: it holds a
day's tickets.
"""
OURS: Final = ("web", "relay", "store")


class Reading(Struct, frozen=True, kw_only=True):
    """One reading of all processes."""

    at_s: float
    """Seconds since the beginning."""
    memory_mb: dict[str, float]
    files: dict[str, int]
    """Open descriptors, by part."""
    store_bytes: int


async def soak(minutes: float, per_s: int, listeners: int, seed: int, progress: Progress) -> dict[str, Any]:
    """Do the run. Returns its report."""
    size = msgspec.structs.replace(QUICK, facilities=3_607)
    stays_s = [minutes * 60 * WARM / CREWS] * CREWS
    stays_s[-1] += minutes * 60 * (1 - WARM)
    shown = progress.add_task("scans, calls, screens", total=int(minutes * 60 / STEP_S))
    readings: list[Reading] = []
    async with prepared(size, seed=seed) as setup:
        begun_bytes, began = data_bytes(store_info(setup.stack.data)), time.monotonic()
        for stay_s in stays_s:
            async with screens(setup, setup.stack.hips[:listeners]), _calling(setup):
                until = time.monotonic() + stay_s
                while time.monotonic() < until:
                    # Tokens of the gateway live twenty minutes.
                    setup.token = await setup.stack.simulator.callback_token()
                    await setup.send(setup.shares(int(per_s * STEP_S), setup.by_size), per_s=per_s)
                    setup.acknowledgements.follow(setup.stack.journal)
                    readings.append(_read(setup, began))
                    progress.advance(shown)
        await setup.settled()
        verdict = setup.acknowledgements.verdict()
        return {
            "at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": described(), "minutes": minutes,
            "per_s": per_s, "listeners": listeners, "acknowledgements": msgspec.to_builtins(verdict),
            "ticket_bytes": (readings[-1].store_bytes - begun_bytes) / verdict.taken,
            "readings": msgspec.to_builtins(readings), "good": verdict.good,
            "broken": verdict.lost + verdict.repeated + verdict.number_twice,
        }  # fmt: skip


def _read(setup: BenchSetup, began: float) -> Reading:
    return Reading(
        at_s=round(time.monotonic() - began, 1),
        memory_mb=setup.parts.memory_mb(),
        files=setup.parts.open_files(),
        store_bytes=data_bytes(store_info(setup.stack.data)),
    )


@asynccontextmanager
async def _calling(setup: BenchSetup) -> AsyncIterator[None]:
    """While the context lasts, the clerks of the staffed facilities call one patient after the other."""
    async with at_work(setup) as seats:
        over = asyncio.Event()

        async def call() -> None:
            for _, counter, clerk in cycle(seats):
                if over.is_set():
                    return
                await clerk.move("next", counter)
                await asyncio.sleep(CALL_EVERY_S / len(seats))

        calling = asyncio.create_task(call())
        try:
            yield
        finally:
            # Not cancelled, because a cancelled call of this HTTP client may never end.
            over.set()
            await asyncio.wait({calling}, timeout=LAST_CALL_S)


def figures_of(report: dict[str, Any]) -> dict[str, float]:
    """The figures that have a promise: the growth after the caches were full."""
    readings: list[Reading] = msgspec.convert(report["readings"], list[Reading])
    judged = [reading for reading in readings if reading.at_s > WARM * readings[-1].at_s + STEP_S]
    figures = {"broken": float(report["broken"]), "ticket_bytes": report["ticket_bytes"]}
    if len(judged) > 1:
        at_h = [reading.at_s / 3600 for reading in judged]
        for part in JUDGED:
            figures[f"{part}_mb_an_hour"] = linear_regression(at_h, [one.memory_mb[part] for one in judged]).slope
        # The lowest readings are compared, because the relay's connections vary with the gateway's speed.
        files, third = [sum(one.files[part] for part in OURS) for one in judged], -(-len(judged) // 3)
        figures["files_growth"] = min(files[-third:]) / min(files[:third])
    return figures


def write(report: dict[str, Any], folder: Path) -> tuple[str, list[Finding]]:
    """Write text, JSON and a plot into ``folder``. Returns the text and the findings."""
    folder.mkdir(parents=True, exist_ok=True)
    findings = judge(figures_of(report))
    report["promises"] = [finding.report() for finding in findings]
    machine, acknowledgements = report["machine"], report["acknowledgements"]
    lines = [
        "soak, {at}, {minutes:g} minutes, {per_s} scans/s, {listeners:,} screens".format(**report),
        f"machine: {machine['cores']} cores {machine['cpu']}, {machine['memory_gb']} GB, Python {machine['python']}",
        f"acknowledgements: {acknowledgements}",
        "",
        *table(findings),
    ]
    written = "\n".join(lines) + "\n"
    (folder / "soak.txt").write_text(written)
    (folder / "soak.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    draw(report, folder / "soak.png")
    return written, findings


def draw(report: dict[str, Any], path: Path) -> None:
    """Plot memory and open files over time."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (memory, files) = plt.subplots(1, 2, figsize=(11, 4.2))
    at_min = [one["at_s"] / 60 for one in report["readings"]]
    for part in ("web", "relay", "store"):
        memory.plot(at_min, [one["memory_mb"][part] for one in report["readings"]], label=part)
        files.plot(at_min, [one["files"][part] for one in report["readings"]], label=part)
    memory.set(xlabel="minutes", ylabel="MB", ylim=(0, None), title="memory")
    files.set(xlabel="minutes", ylim=(0, None), title="open files")
    memory.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.soak", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=30, help="how long")
    parser.add_argument("--per-s", type=int, default=500, help="scans a second")
    parser.add_argument("--listeners", type=int, default=2_000, help="open screens")
    parser.add_argument("--seed", type=int, default=int(time.time()) & 0xFFFFFF, help="seed of all random choices")
    parser.add_argument("--reports", type=Path, default=Path("reports"), help="folder for the report")
    args = parser.parse_args()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        report = graceful_run.run(soak(args.minutes, args.per_s, args.listeners, args.seed, progress))
    written, findings = write(report, args.reports)
    sys.stdout.write(written)
    sys.exit(0 if report["good"] and all(finding.is_met for finding in findings) else 1)


if __name__ == "__main__":
    main()
