"""``python -m loadtests.load``: one shaped day by Locust, against a fresh local stack or a running one, and a verdict.

Writes ``reports/load-SHAPE/``: ``index.html`` (plots and verdict), Locust's own report and its numbers. Exits 1 when a
promise of ``loadtests.budget`` was broken.
"""

import argparse
import asyncio
import base64
import html
import os
import shutil
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec
from msgspec import json
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from loadtests import graceful_run, run_settings
from loadtests.budget import Finding, judge, table
from loadtests.reconcile import audit
from loadtests.run_settings import RunSettings
from loadtests.shapes import SHAPES
from loadtests.simulator.gateway.launch import ROOT, Announced, Simulator
from loadtests.simulator.people.share_client import percentile
from loadtests.stack import fresh_stack

PEAK_PER_S = 150.0
"""Scans in the busiest second if ``--users`` is not given. Locust uses the same machine as the kiosk, so it
is small.
"""
SETTLE_S = 35.0
LOOKED_AT_S = 1.0
GIVE_UP_S = 60.0
"""How long after the end of the day Locust may take to end by itself."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtests.load", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--shape", choices=sorted(SHAPES), default="opd-morning", help="the kind of day")
    parser.add_argument(
        "--users", type=int, default=0, help="people of the day; 0: as many as a small machine can serve"
    )
    parser.add_argument("--seconds", type=float, default=75, help="length of the run in seconds (default %(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="processes of Locust (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reports", type=Path, default=Path("reports"))
    parser.add_argument("--host", help="a running kiosk instead of a fresh one; needs --gateway and --hospitals")
    parser.add_argument("--gateway", help="the simulated gateway to which that kiosk is connected")
    parser.add_argument(
        "--hospitals", type=Path, help="file: [{hip_id, counters, clerks: [{login, password, counter}]}]"
    )
    parser.add_argument("--app-id", default="PHR_SIMULATED", help="its secret: SIMULATOR_APP_SECRET")
    args = parser.parse_args()
    if len({bool(args.host), bool(args.gateway), bool(args.hospitals)}) > 1:
        parser.error("--host, --gateway and --hospitals belong together")
    return args


def _sheet(
    args: argparse.Namespace, kiosk_url: str, gateway: Announced, hips: list[str], hospitals: list[dict[str, Any]]
) -> RunSettings:
    shape = SHAPES[args.shape]
    run = RunSettings(
        kiosk_url=kiosk_url, gateway=gateway, hips=hips, hospitals=hospitals, shape=shape.name,
        patients=args.users or shape.patients, seconds=args.seconds, seed=args.seed,
        boards=max(1, round(len(hips) * shape.boards_per_facility)), run=f"{int(time.time()):x}",
    )  # fmt: skip
    if not args.users:
        run = msgspec.structs.replace(run, patients=int(run.patients * min(1.0, PEAK_PER_S / run.peak_per_s())))
    return run


async def run(args: argparse.Namespace) -> bool:
    """Do the whole run. Returns whether every promise was kept."""
    if args.host:
        secret = os.environ.get("SIMULATOR_APP_SECRET", "")
        announced = Announced(url=args.gateway.rstrip("/"), app_id=args.app_id, app_secret=secret)
        hospitals = json.decode(args.hospitals.read_bytes())
        async with Simulator.at(announced) as simulator:
            hips = [hospital["hip_id"] for hospital in hospitals]
            return await _loaded(args, _sheet(args, args.host.rstrip("/"), announced, hips, hospitals), simulator)
    shape = SHAPES[args.shape]
    fresh = fresh_stack(seed=args.seed, facilities=shape.facilities, counters=shape.clerks, staffed=1)
    async with fresh as stack:
        run = _sheet(args, stack.kiosk_url, stack.simulator.announced, stack.hips, stack.hospitals)
        return await _loaded(args, run, stack.simulator)


async def _loaded(args: argparse.Namespace, run: RunSettings, simulator: Simulator) -> bool:
    folder: Path = args.reports / f"load-{run.shape}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    written = folder / "run.json"
    run_settings.write(run, written)
    try:
        code = await _watched(_locust(args, run, folder), run, simulator)
    finally:
        written.unlink()
    await _settled(simulator)
    rows = await simulator.shares()
    findings = judge(_figures(folder, rows, code))
    lines = table(findings)
    _report(run, folder, findings, rows)
    sys.stdout.write("\n".join(["", *lines, "", f"report: {folder / 'index.html'}", ""]))
    return all(finding.is_met for finding in findings)


async def _watched(work: Coroutine[Any, Any, int], run: RunSettings, simulator: Simulator) -> int:
    """Show the progress of the day, as the gateway counts it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"), TimeElapsedColumn())
    with Progress(*columns) as progress:
        day = progress.add_task(run.shape, total=run.patients, report="")
        task = asyncio.create_task(work)
        while not task.done():
            await asyncio.wait({task}, timeout=LOOKED_AT_S)
            seen = await simulator.summary()
            wait_ms = seen["wait_ms"].get("p99", 0)
            report = f"{seen['shares']:,} scans, {seen['tokens']:,} numbers, p99 {wait_ms:,} ms"
            progress.update(day, completed=seen["tokens"], report=report)
        return await task


async def _locust(args: argparse.Namespace, run: RunSettings, folder: Path) -> int:
    """Run Locust in a process group of its own, so that it and its workers end together."""
    arguments = [
        sys.executable, "-m", "locust", "-f", str(ROOT / "loadtests" / "locustfile.py"), "--headless",
        "--only-summary",
        "--html", str(folder / "locust.html"),
        "--stop-timeout", "5", "--exit-code-on-error", "0", "--loglevel", "WARNING",
    ]  # fmt: skip
    if args.processes > 1:
        arguments += ["--processes", str(args.processes)]
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
    environment = os.environ | {run_settings.VARIABLE: str((folder / "run.json").resolve()), "PYTHONPATH": path}
    child = await asyncio.create_subprocess_exec(*arguments, env=environment, start_new_session=True)
    try:
        async with asyncio.timeout(run.seconds + GIVE_UP_S):
            return await child.wait()
    finally:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
            await child.wait()


async def _settled(simulator: Simulator) -> None:
    deadline = time.monotonic() + SETTLE_S
    while (await simulator.summary())["pending"] and time.monotonic() < deadline:  # noqa: ASYNC110  another process
        await asyncio.sleep(0.25)


def _figures(folder: Path, rows: list[dict[str, Any]], code: int) -> dict[str, float]:
    """The figures that the budget judges, from Locust's percentiles and the gateway's ledger."""
    stats = json.decode((folder / "locust.json").read_bytes())
    took = [delivery["took_ms"] for row in rows for delivery in row["deliveries"]]
    found = audit(rows)
    broken = len(found.unanswered) + len(found.repeated) + len(found.number_twice) + len(found.person_twice)
    figures = {
        "failures": float(stats["Aggregated"]["failures"]) + (code != 0),
        "broken": float(broken),
        "callback_p99_ms": percentile(took, 0.99),
    }
    names = {"loop_p99_ms": "scan to number", "move_p99_ms": "clerk: next", "call_to_screen_p99_ms": "picture arrives"}
    return figures | {name: float(stats[line]["p99_ms"]) for name, line in names.items() if line in stats}


def _report(run: RunSettings, folder: Path, findings: list[Finding], rows: list[dict[str, Any]]) -> None:
    """Write one page with the verdict, the plots, and a link to Locust's own report."""
    picture = base64.b64encode(_plot(run, folder, rows)).decode()
    lines = "".join(
        f"<tr class={'kept' if one.is_met else 'missed'}><td>{html.escape(one.promise.words)}<td>{one.figure:,.4g} "
        f"{one.promise.unit}<td>{one.promise.sense} {one.promise.bound:g}<td>{'kept' if one.is_met else 'missed'}"
        for one in findings
    )
    title = html.escape(f"{run.shape}: {run.day.words}")
    (folder / "index.html").write_text(
        "<!doctype html><meta charset=utf-8><title>Load run</title><style>body{font:16px sans-serif;max-width:60rem;"
        "margin:2rem auto}td{padding:.2rem .8rem;border-bottom:1px solid #ddd}.missed{background:#fdd}.kept{background:"
        f"#efe}}img{{max-width:100%}}</style><h1>{title}</h1><p>{run.patients:,} people in {run.seconds:.0f} s, "
        f"{run.boards:,} screens, {len(run.seats)} clerks, {len(run.hips):,} facilities.<table>{lines}</table>"
        f'<p><img alt="rates and times" src="data:image/png;base64,{picture}">'
        '<p><a href="locust.html">Locust’s report</a>'
    )


def _plot(run: RunSettings, folder: Path, rows: list[dict[str, Any]]) -> bytes:
    """Scans a second as planned and as sent, and how long each person waited, by the gateway's ledger."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    began = min((row["shared_ms"] for row in rows), default=0)
    at = [(row["shared_ms"] - began) / 1000 for row in rows]
    figure, (rates, waits) = plt.subplots(2, 1, figsize=(10, 6.5), sharex=True)
    rates.hist(at, bins=max(1, int(run.seconds)), range=(0, run.seconds), label="scans", alpha=0.6)
    arrival_times = [second / 2 for second in range(int(run.seconds * 2))]
    rates.plot(
        arrival_times,
        [run.scans_per_s(moment) for moment in arrival_times],
        color="black",
        linewidth=1,
        label="planned",
    )
    rates.set(ylabel="a second", ylim=(0, None))
    rates.legend()
    answered = [
        (when, row["settled_ms"] - row["shared_ms"]) for when, row in zip(at, rows, strict=True) if row["token"]
    ]
    waits.scatter([when for when, _ in answered], [wait for _, wait in answered], s=4)
    waits.set(xlabel="seconds of the run", ylabel="scan to number, ms", ylim=(0, None))
    figure.tight_layout()
    figure.savefig(folder / "plot.png", dpi=100)
    return (folder / "plot.png").read_bytes()


def main() -> None:
    """The command."""
    args = _arguments()
    sys.exit(0 if graceful_run.run(run(args)) else 1)


if __name__ == "__main__":
    main()
