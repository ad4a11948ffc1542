"""The progress of a demonstration: a table on a terminal, otherwise a line now and then."""

import asyncio
import sys
from typing import Final

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kiosk.demo.hospital import Demo
from queueing.facility_view import Snapshot

PLAIN_EVERY_S: Final = 5.0
"""A log of a ten-minute morning has some hundred lines."""
LIVE_EVERY_S: Final = 0.5


async def show(demo: Demo) -> None:
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
