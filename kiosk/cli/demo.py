"""``kiosk demo``: starts the demonstration, shows its addresses, then how it goes."""

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
    "--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Keep everything here and go on from it."
)
@click.option("--patients", type=click.IntRange(1, 100_000), default=300, show_default=True)
@click.option(
    "--minutes", type=click.FloatRange(0.05, 600), default=10.0, show_default=True, help="Length of the morning."
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Web worker processes.")
@click.option("--once", is_flag=True, help="End when the morning is over; fail if anybody got no number.")
def demo(data_dir: Path | None, patients: int, minutes: float, workers: int, once: bool) -> None:
    """A whole hospital on free ports of this machine: gateway, patients and clerks are simulated.

    Prints addresses to open, then `ready`; Ctrl-C ends all of it and leaves nothing running.
    """
    logs.configure_logs("warning")
    with demonstration.data_folder(data_dir) as folder:
        asyncio.run(_run(folder, Morning(patients=patients, minutes=minutes), workers, once))


async def _run(folder: Path, morning: Morning, workers: int, once: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    click.echo("starting a hospital, a gateway and their people …", err=True)
    starting = asyncio.create_task(_shown(folder, morning, workers, once, stop))
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            # Stopped: what is under way ends by itself, or, before ``ready``, is cancelled and cleans up.
            starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
    finally:
        stopped.cancel()
    click.echo("all ended", err=True)


async def _shown(folder: Path, morning: Morning, workers: int, once: bool, stop: asyncio.Event) -> None:
    async with demonstration.running(folder, morning, workers=workers) as running:
        for line in address_lines(running):
            click.echo(line)
        click.echo("ready")
        showing = asyncio.create_task(_show(running))
        try:
            await (running.over if once else stop).wait()
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
    if once:
        _judge(running)


def address_lines(running: Demo) -> list[str]:
    at = running.addresses
    return [
        f"board    {at.board}",
        f"kiosk    {at.kiosk}",
        f"ticket   {at.ticket}",
        f"no app   {at.no_app}",
        f"console  {at.console}   login {at.login}   password {at.password}",
        f"gateway  {at.gateway}   (simulated)",
    ]


def _judge(running: Demo) -> None:
    told = running.told
    click.echo(progress_line(running, None))
    if not told.over or told.refused or told.silent or told.acknowledged < told.patients:
        raise CommandFailed(
            f"the morning went wrong: {told.refused} refused, {told.silent} without an answer {told.trouble}"
        )


async def _show(running: Demo) -> None:
    """A table that changes in place on a terminal, else a line now and then."""
    if not sys.stdout.isatty():
        while True:
            await asyncio.sleep(PLAIN_EVERY_S)
            click.echo(progress_line(running, await running.hall()))
    with Live(console=Console(), auto_refresh=False, transient=False) as live:
        while True:
            live.update(_picture(running, await running.hall()), refresh=True)
            await asyncio.sleep(LIVE_EVERY_S)


def progress_line(running: Demo, hall: Snapshot | None) -> str:
    told = running.told
    waiting = f"  waiting {sum(queue.waiting for queue in hall.queues)}" if hall else ""
    return (
        f"scans {told.scans}  acknowledged {told.acknowledged}{waiting}  called {told.called}"
        f"  p50 {told.p50_ms} ms  p99 {told.p99_ms} ms  refused {told.refused}  unanswered {told.silent}"
    )


def _picture(running: Demo, hall: Snapshot | None) -> Group:
    told = running.told
    people = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("SCANS", "ACKNOWLEDGED", "CALLED", "TO COME", "P50", "P99", "REFUSED", "UNANSWERED"):
        people.add_column(name, justify="right")
    wrong = "bold red" if told.refused or told.silent else ""
    people.add_row(
        str(told.scans), str(told.acknowledged), str(told.called), str(told.to_come), f"{told.p50_ms} ms",
        f"{told.p99_ms} ms", Text(str(told.refused), wrong), Text(str(told.silent), wrong),
    )  # fmt: skip
    queues = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("QUEUE", "WAITING", "NOW", "NEXT"):
        queues.add_column(name, justify="right" if name == "WAITING" else "left", min_width=9)
    for queue in hall.queues if hall else ():
        now = "  ".join(f"{one.token} → {one.counter}" for one in queue.now[:3])
        queues.add_row(queue.name, str(queue.waiting), Text(now, "bold"), "  ".join(queue.next[:4]))
    state = "the morning is over; Ctrl-C ends the demonstration" if told.over else "Ctrl-C ends it"
    return Group(
        Text(), people, Text(), queues if hall else Text("the store is away", "bold red"), Text(), Text(state, "dim")
    )
