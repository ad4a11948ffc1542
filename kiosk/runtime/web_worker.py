"""One worker of the web role: our application, as Granian starts it in a process of its own."""

import asyncio
import contextlib
import multiprocessing
from typing import Final

from litestar import Litestar

from kiosk.app import create_app
from kiosk.live import sse
from kiosk.observability import logs
from kiosk.runtime import connection_guard, ops_listener
from kiosk.runtime.process import NOTICE, die_with, settle_memory
from kiosk.settings import load
from kiosk.web.client_address import networks_of
from kiosk.web.handover import services_of

WEB_OOM_SCORE: Final = "300"
"""When memory runs out, the kernel ends a web worker before the store: a worker restarts without loss."""


def application() -> Litestar:
    """The application in one worker."""
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid is not None:
        die_with(parent.pid)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(WEB_OOM_SCORE)
    settings = load()
    logs.configure_logs(settings.log_level)
    connection_guard.start(settings.port, own_host=settings.host, trusted=networks_of(settings.trusted_proxies))
    app = create_app(beside=ops_listener.lifespans(settings))
    app.on_startup += [_end_streams_on_notice, settle_memory]
    return app


async def _end_streams_on_notice(app: Litestar) -> None:
    loop = asyncio.get_running_loop()
    services: sse.Services = services_of(app)
    closing: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(NOTICE, lambda: closing.add(loop.create_task(services.hub.close())))
