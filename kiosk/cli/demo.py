"""``kiosk demo``: starts the demonstration, prints its addresses, then shows progress."""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Final

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kiosk.cli.running import CommandFailed
from kiosk.demo import hospital as demonstration
from kiosk.demo.hospital import Demo, Morning
from kiosk.observability import logs
from queueing.models import Snapshot

PLAIN_EVERY_S: Final = 5.0
LIVE_EVERY_S: Final = 0.5


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the data in this folder and continue from it.",
)
@click.option("--patients", type=click.IntRange(1, 100_000), default=300, show_default=True)
@click.option(
    "--minutes", type=click.FloatRange(0.05, 600), default=10.0, show_default=True, help="Length of the morning."
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Web worker processes.")
@click.option("--once", is_flag=True, help="Stop when the morning is over; fail if a patient got no number.")
def demo(data_dir: Path | None, patients: int, minutes: float, workers: int, once: bool) -> None:
    """Run a hospital on free ports of this machine, with a simulated gateway, patients and clerks.

    Prints addresses to open, then `ready`. Ctrl-C stops everything.
    """
    logs.configure_logs("warning")
    with demonstration.data_folder(data_dir) as folder:
        asyncio.run(_run(folder, Morning(patients=patients, minutes=minutes), workers, once))


async def _run(folder: Path, morning: Morning, workers: int, once: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    click.echo("starting a hospital, a simulated gateway, patients and clerks …", err=True)
    starting = asyncio.create_task(_shown(folder, morning, workers, once, stop))
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            # Stopped by a signal: cancel the start; it cleans up.
            starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
    finally:
        stopped.cancel()
    click.echo("everything has stopped", err=True)


async def _shown(folder: Path, morning: Morning, workers: int, once: bool, stop: asyncio.Event) -> None:
    async with demonstration.running(folder, morning, workers=workers) as demo:
        for line in address_lines(demo):
            click.echo(line)
        click.echo("ready")
        showing = asyncio.create_task(_show(demo))
        try:
            await (demo.over if once else stop).wait()
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
    if once:
        _judge(demo)


def address_lines(demo: Demo) -> list[str]:
    at = demo.addresses
    return [
        f"board    {at.board}",
        f"kiosk    {at.kiosk}",
        f"ticket   {at.ticket}",
        f"no app   {at.no_app}",
        f"console  {at.console}   login {at.login}   password {at.password}",
        f"gateway  {at.gateway}   (simulated)",
    ]


def _judge(demo: Demo) -> None:
    progress = demo.progress
    click.echo(progress_line(demo, None))
    if not progress.over or progress.refused or progress.silent or progress.acknowledged < progress.patients:
        raise CommandFailed(
            f"the morning failed: {progress.refused} refused, {progress.silent} without an answer {progress.trouble}"
        )


async def _show(demo: Demo) -> None:
    """On a terminal a table that changes in place, otherwise a line every few seconds."""
    if not sys.stdout.isatty():
        while True:
            await asyncio.sleep(PLAIN_EVERY_S)
            click.echo(progress_line(demo, await demo.snapshot()))
    with Live(console=Console(), auto_refresh=False, transient=False) as live:
        while True:
            live.update(_picture(demo, await demo.snapshot()), refresh=True)
            await asyncio.sleep(LIVE_EVERY_S)


def progress_line(demo: Demo, snapshot: Snapshot | None) -> str:
    progress = demo.progress
    waiting = f"  waiting {sum(queue.waiting for queue in snapshot.queues)}" if snapshot else ""
    return (
        f"scans {progress.scans}  acknowledged {progress.acknowledged}{waiting}  called {progress.called}"
        f"  p50 {progress.p50_ms} ms  p99 {progress.p99_ms} ms"
        f"  refused {progress.refused}  unanswered {progress.silent}"
    )


def _picture(demo: Demo, snapshot: Snapshot | None) -> Group:
    progress = demo.progress
    counts = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("SCANS", "ACKNOWLEDGED", "CALLED", "TO COME", "P50", "P99", "REFUSED", "UNANSWERED"):
        counts.add_column(name, justify="right")
    alarm = "bold red" if progress.refused or progress.silent else ""
    counts.add_row(
        str(progress.scans), str(progress.acknowledged), str(progress.called), str(progress.to_come),
        f"{progress.p50_ms} ms", f"{progress.p99_ms} ms",
        Text(str(progress.refused), alarm), Text(str(progress.silent), alarm),
    )  # fmt: skip
    queues = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("QUEUE", "WAITING", "NOW", "NEXT"):
        queues.add_column(name, justify="right" if name == "WAITING" else "left", min_width=9)
    for queue in snapshot.queues if snapshot else ():
        now = "  ".join(f"{call.token} → {call.counter}" for call in queue.now[:3])
        queues.add_row(queue.name, str(queue.waiting), Text(now, "bold"), "  ".join(queue.next[:4]))
    state = "the morning is over; Ctrl-C stops the demonstration" if progress.over else "Ctrl-C stops it"
    return Group(
        Text(),
        counts,
        Text(),
        queues if snapshot else Text("the store is away", "bold red"),
        Text(),
        Text(state, "dim"),
    )
