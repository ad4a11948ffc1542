"""The web role: Granian with our application in its workers.

- It listens only when the application is up.
- A worker that dies is replaced.
- After SIGTERM it accepts no connection, ends open streams, completes requests in progress, and ends within ``STOP_S``.
- When its parent dies, even by ``kill -9``, the web process and its workers end too.
"""

import asyncio
import contextlib
import ctypes
import gc
import multiprocessing
import os
import resource
import signal
import sys
from typing import Final

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings
from litestar import Litestar

from kiosk.live import sse
from kiosk.observability import logs
from kiosk.runtime import connection_guard, ops_listener
from kiosk.runtime.granian_parts import NOTICE, RESPAWN_S, STOP_S, WebServer
from kiosk.settings import Settings, load
from kiosk.web.client_address import networks_of
from kiosk.web.handover import services_of

IDLE_MS: Final = 75_000
"""An idle connection stays open this long, as with nginx: callers that pool connections keep them for a minute. The web
server applies the same time to the headers of a request; ``connection_guard`` ends a slow first request sooner, and
``kiosk.web.request_body`` has a deadline for the body."""
HEADERS_MAX: Final = 32 * 1024
"""Bytes of a request's line and headers. The gateway sends 2 kB, a browser with a ticket link 1 kB."""
BACKLOG: Final = 4_096
"""Connections not yet accepted: everybody in front of the gate scans in the second it opens."""
IN_FLIGHT: Final = 32_768
"""Requests of one worker at once. Open streams count too, and must never keep a scan out: this is larger than
``kiosk.live.pace.MOST_LISTENERS`` by more than all scans that can wait."""
OPEN_FILES: Final = 65_536
WEB_OOM_SCORE: Final = "300"
"""When memory runs out, the kernel ends a web worker before the store: a worker restarts without loss."""

PR_SET_PDEATHSIG: Final = 1
PR_SET_NO_NEW_PRIVS: Final = 38


def harden() -> None:
    """Set limits that child processes inherit: private files, no core files, no privilege escalation, a high open-file
    limit, and batch scheduling, so that threads are not pre-empted in the middle of a request.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(room, resource.getrlimit(resource.RLIMIT_NOFILE)[0]), hard))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # A scan passes through four threads. Normally a thread that wakes pre-empts another one in the middle of its
        # work. With batch scheduling it waits, and a busy machine takes an eighth more scans. An idle one is the same.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def settle_memory() -> None:
    """Take the objects of the start out of garbage collection: they live until the end. A scan makes a few dozen
    short-lived objects and no cycles; collecting after 50,000 objects and not 700 saves 8 % of a scan (370 to 340 µs).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def die_with(parent: int) -> None:
    """End this process when ``parent`` ends, even by ``kill -9``. Exit at once if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent ended first")


def serve_web(settings: Settings, address: str) -> None:
    """Serve until SIGTERM. ``address`` is an IP address; the port of the settings must be free."""
    server = WebServer(
        "kiosk.runtime.web_server:application",
        address=address,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.uvloop,
        # HTTP/2 is for a proxy in front: on this port its compressed headers let one connection take gigabytes.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=IDLE_MS, max_buffer_size=HEADERS_MAX),
        websockets=False,
        ssl_cert=settings.tls_certificate,
        ssl_key=settings.tls_key,
        ssl_protocol_min=SSLProtocols.tls12,  # televisions of 2016 know no other
        backlog=BACKLOG,
        backpressure=IN_FLIGHT,
        factory=True,
        respawn_failed_workers=True,
        respawn_interval=RESPAWN_S,
        workers_kill_timeout=STOP_S,
        log_access=False,
    )
    logs.configure_logs(settings.log_level)
    server.serve()


def application() -> Litestar:
    """The application in one worker."""
    from kiosk.app import create_app

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
