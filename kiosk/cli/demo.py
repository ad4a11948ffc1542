"""``kiosk demo``: starts the demonstration, prints its addresses, then shows progress."""

import asyncio
import contextlib
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

from kiosk.cli.running import CommandFailed
from kiosk.demo import hospital as demonstration
from kiosk.demo.hospital import Demo, Morning
from kiosk.observability import logs

NEEDED: Final = ("rich", "httptools", "loadtests", "loadtests.simulator")
"""What a production installation leaves out."""


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
    if not all(map(find_spec, NEEDED)):
        raise CommandFailed("this installation has no demonstration: run `make demo`, or install abdm-kiosk[demo]")
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
    from kiosk.demo import progress  # needs rich, which production does not install

    async with demonstration.running(folder, morning, workers=workers) as demo:
        for line in address_lines(demo):
            click.echo(line)
        click.echo("ready")
        showing = asyncio.create_task(progress.show(demo))
        try:
            await (demo.over if once else stop).wait()
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
    if once:
        click.echo(progress.progress_line(demo, None))
        _judge(demo)


def address_lines(demo: Demo) -> list[str]:
    at = demo.addresses
    return [
        f"board    {at.board}",
        f"screen   {at.screen}",
        f"ticket   {at.ticket}",
        f"no app   {at.no_app}",
        f"console  {at.console}   login {at.login}   password {at.password}",
        f"gateway  {at.gateway}   (simulated)",
    ]


def _judge(demo: Demo) -> None:
    progress = demo.progress
    if not progress.over or progress.refused or progress.silent or progress.acknowledged < progress.patients:
        raise CommandFailed(
            f"the morning failed: {progress.refused} refused, {progress.silent} without an answer {progress.trouble}"
        )
