"""``kiosk serve``, and the roles apart: ``kiosk web`` and ``kiosk relay``."""

import asyncio
import signal

import click
import uvloop

from kiosk.cli.running import CommandFailed, settings_now
from kiosk.observability import logs
from kiosk.runtime import relay_role, supervisor, web_server
from kiosk.services import prove_store
from kiosk.settings import load
from queueing.embedded.server import probe

_parent = click.option("--parent", type=int, hidden=True, help="End when this process ends.")


def _begin(parent: int | None) -> None:
    if parent is not None:
        web_server.die_with(parent)
    web_server.harden()


@click.command()
def serve() -> None:
    """Run everything: store, web and relay in one process tree.

    Prints `ready http://…` when it accepts requests. SIGTERM stops it within 20 seconds.
    """
    settings = settings_now()
    logs.configure_logs(settings.log_level)
    asyncio.run(supervisor.serve(settings, click.echo))


@click.command()
@click.option("--address", hidden=True, help="IP address to listen on, chosen by the parent.")
@_parent
def web(address: str | None, parent: int | None) -> None:
    """Serve pages, screens and the gateway's callbacks. Needs a running store."""
    _begin(parent)
    settings = settings_now() if parent is None else load()
    if not settings.redis_url and probe(settings.data_dir) == "silent":
        raise CommandFailed(f"no store runs in {settings.data_dir}: start `kiosk serve`, or set KIOSK_REDIS_URL")
    if parent is None and settings.redis_url:
        asyncio.run(prove_store(settings))
    if address is None:
        with supervisor.reserved(settings.host, settings.port) as (address, port):
            web_server.serve_web(settings.at_port(port), address)
    else:
        web_server.serve_web(settings, address)


@click.command()
@_parent
def relay(parent: int | None) -> None:
    """Send pending replies to the ABDM gateway. Needs a running store. You can run several."""
    _begin(parent)
    settings = settings_now() if parent is None else load()
    logs.configure_logs(settings.log_level)

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        web_server.settle_memory()
        await relay_role.run(settings, stop)

    uvloop.run(run())
