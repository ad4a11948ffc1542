"""``kiosk serve``, and the roles apart: ``kiosk web``, ``kiosk relay``, ``kiosk archive`` and ``kiosk deliver``.

Each command imports its role when it runs: a role starts sooner and is smaller without the libraries of the others.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import click
import uvloop

from kiosk.cli.running import CommandFailed, settings_now
from kiosk.observability import logs
from kiosk.runtime import process
from kiosk.services.process import consumer_name, has_ended, new_archive, prove_store
from kiosk.settings import Settings, child_environment, load, metrics_folder
from queueing.embedded.server import probe

_parent = click.option("--parent", type=int, hidden=True, help="End when this process ends.")


def _begin(parent: int | None) -> None:
    if parent is not None:
        process.die_with(parent)
    process.harden()


@click.command()
def serve() -> None:
    """Run everything: store, web, relay, archive and delivery in one process tree.

    Prints `ready http://…` when it accepts requests. SIGTERM stops it within 20 seconds.
    """
    from kiosk.runtime import supervisor

    settings = settings_now()
    logs.configure_logs(settings.log_level)
    asyncio.run(supervisor.serve(settings, click.echo))


@click.command()
@click.option("--address", hidden=True, help="IP address to listen on, chosen by the parent.")
@_parent
def web(address: str | None, parent: int | None) -> None:
    """Serve pages, screens and the gateway's callbacks. Needs a running store."""
    from kiosk.runtime import supervisor, web_server

    _begin(parent)
    restarted = metrics_folder() is not None
    settings = load() if restarted else settings_now()
    if not settings.redis_url and probe(settings.data_dir) == "silent":
        raise CommandFailed(f"no store runs in {settings.data_dir}: start `kiosk serve`, or set KIOSK_REDIS_URL")
    if parent is None and settings.redis_url:
        asyncio.run(prove_store(settings))
    if not restarted:
        _restart_with_metrics_folder(settings)
    if address is None:
        ours = supervisor.reserved(settings.host, settings.port)
        with ours as (address, port), supervisor.reserved_for_operators(settings):
            web_server.serve_web(settings.at_port(port), address)
    else:
        web_server.serve_web(settings, address)


def _restart_with_metrics_folder(settings: Settings) -> NoReturn:
    """Run ``kiosk web`` again in this process, with a folder in which its workers share their counters.

    The metrics library reads the folder's name from the environment when it is imported.
    """
    from kiosk.runtime import supervisor

    parent = settings.data_dir / "metrics"
    for folder in parent.glob("web-*"):
        if has_ended(folder.name.removeprefix("web-")):
            shutil.rmtree(folder, ignore_errors=True)
    folder = supervisor.metrics_folder_at(parent / f"web-{consumer_name()}")
    os.execve(sys.executable, supervisor.role_command("web"), child_environment(metrics=folder))  # noqa: S606 - no shell


@click.command()
@_parent
def relay(parent: int | None) -> None:
    """Send pending replies to the ABDM gateway. Needs a running store. You can run several."""
    from kiosk.runtime import relay_role

    _begin(parent)
    settings = settings_now() if parent is None else load()
    logs.configure_logs(settings.log_level)
    _run_until_stopped(lambda stop: relay_role.run(settings, stop))


@click.command()
@_parent
def archive(parent: int | None) -> None:
    """Write what happened into the archive's database. Needs a running store. Of several one works, the others wait."""
    from kiosk.runtime import archive_role

    _begin(parent)
    settings = settings_now() if parent is None else load()
    logs.configure_logs(settings.log_level)
    if parent is None:
        _refuse_unsuitable(settings)
    _run_until_stopped(lambda stop: archive_role.run(settings, stop))


@click.command()
@_parent
def deliver(parent: int | None) -> None:
    """Send ticket events to webhooks and HL7 receivers. Needs a running store. Of several one works, others wait."""
    from kiosk.runtime import delivery_role

    _begin(parent)
    settings = settings_now() if parent is None else load()
    logs.configure_logs(settings.log_level)
    _run_until_stopped(lambda stop: delivery_role.run(settings, stop))


def _refuse_unsuitable(settings: Settings) -> None:
    """A database that only a person can put right ends the command; one that is away is waited for."""
    from kiosk.archive.database import ArchiveAway, ArchiveUnsuitable

    database = new_archive(settings)
    try:
        with contextlib.suppress(ArchiveAway):
            database.prepare()
    except ArchiveUnsuitable as unsuitable:
        raise CommandFailed(str(unsuitable)) from None
    finally:
        database.close()


def _run_until_stopped(work: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        process.settle_memory()
        await work(stop)

    uvloop.run(run())
