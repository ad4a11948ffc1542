"""``kiosk serve``, and the roles apart: ``kiosk web`` and ``kiosk relay``."""

import asyncio
import signal

import click
import uvloop

from kiosk import processes, serving, telemetry
from kiosk import relay as relay_role
from kiosk.commands.running import CommandFailed, settings_now
from kiosk.settings import load
from queueing.embedded import probe

_parent = click.option("--parent", type=int, hidden=True, help="End when this process ends.")


def _begin(parent: int | None) -> None:
    if parent is not None:
        serving.die_with(parent)
    serving.harden()


@click.command()
def serve() -> None:
    """Serve everything: store, web and relay in one process tree.

    Prints `ready http://…` when it takes requests; SIGTERM ends it within 20 seconds.
    """
    settings = settings_now()
    telemetry.configure_logs(settings.log_level)
    asyncio.run(processes.serve(settings, click.echo))


@click.command()
@click.option("--address", hidden=True, help="IP address to listen on, chosen by the parent.")
@_parent
def web(address: str | None, parent: int | None) -> None:
    """Serve pages, screens and the gateway's door; needs a store that runs."""
    _begin(parent)
    settings = settings_now() if parent is None else load()
    if not settings.redis_url and probe(settings.data_dir) == "silent":
        raise CommandFailed(f"no store runs in {settings.data_dir}: start `kiosk serve`, or set KIOSK_REDIS_URL")
    if address is None:
        with processes.reserved(settings.host, settings.port) as (address, port):
            serving.serve_web(settings.at_port(port), address)
    else:
        serving.serve_web(settings, address)


@click.command()
@_parent
def relay(parent: int | None) -> None:
    """Pay the answers owed to the gateway; needs a store that runs. Run as many as wanted."""
    _begin(parent)
    settings = settings_now() if parent is None else load()
    telemetry.configure_logs(settings.log_level)

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        serving.settle_memory()
        await relay_role.run(settings, stop)

    uvloop.run(run())
