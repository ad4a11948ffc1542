"""The web role: Granian with our application in its workers.

Promises: it listens only when the application is up; a worker that dies is replaced; asked to stop, it stops accepting,
tells open streams to go elsewhere, lets requests under way end, and is gone within ``STOP_S``; when its parent dies in
whatever way, nothing of it is left.
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
import time
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.mp import MPServer
from litestar import Litestar

from kiosk.live import sse
from kiosk.observability import logs
from kiosk.runtime import connection_guard
from kiosk.settings import Settings, load
from kiosk.web.client_address import networks_of
from kiosk.web.handover import services_of

IDLE_MS: Final = 75_000
"""A kept-alive connection may rest this long, as at nginx: callers that pool connections keep them for a minute. The
web server counts the same time for the headers of a request; ``connection_guard`` ends a first request sooner, and the
body has a deadline of its own where it is read (``kiosk.web.request_body``)."""
HEADERS_MAX: Final = 32 * 1024
"""Bytes of a request's line and headers. The gateway's have 2 kB, a browser's with a ticket link 1 kB."""
BACKLOG: Final = 4_096
"""Connections not yet accepted: a whole yard that scans in the second the gate opens."""
IN_FLIGHT: Final = 32_768
"""Requests of one worker at once. Open streams count among them, and must never be what keeps a scan out: this is
above ``kiosk.live.hub.MOST_LISTENERS`` by more than all scans that can wait."""
STOP_S: Final = 6
"""For requests under way: a scan's own deadline is five seconds."""
STEP_S: Final = 0.01
"""Between two looks at workers that are to end."""
RESPAWN_S: Final = 0.2
STARTED_S: Final = 2.0
"""A worker that lives so long has started well."""
OPEN_FILES: Final = 65_536
WEB_OOM_SCORE: Final = "300"
"""When memory runs out, a web worker goes before the store: it comes back with nothing lost."""

PR_SET_PDEATHSIG: Final = 1
PR_SET_NO_NEW_PRIVS: Final = 38
NOTICE: Final = signal.SIGUSR1
"""Told to workers just before they must stop: streams would keep them from ending."""


def harden() -> None:
    """For every process of the tree, which its children inherit: private files, no core files, no new rights, room for
    many sockets, and turns on the processor that nobody breaks off.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(room, resource.getrlimit(resource.RLIMIT_NOFILE)[0]), hard))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # A scan passes through four threads. Woken, each would push another off the processor in the middle of its
        # work; as batch work it waits for its turn, and a busy machine takes an eighth more. An idle one feels nothing.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def settle_memory() -> None:
    """What start-up made stays until the end: the collector need not walk it again and again. A scan makes a few dozen
    short-lived objects and no cycles; collecting after 50,000 and not 700 of them took 8 % off a scan (370 to 340 µs).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def die_with(parent: int) -> None:
    """From now on this process ends when ``parent`` does, even by ``kill -9``. Exits at once if it is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent ended first")


class WebServer(MPServer):
    """Granian's server, which gives its workers notice before it stops them, and ends none for another's sake."""

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        for worker in self.wrks:
            with contextlib.suppress(ProcessLookupError, TypeError):
                os.kill(worker.inner.pid, NOTICE)
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]  # untyped upstream

    def _respawn_workers(self, workers: list[int], *started_with: Any, **more: Any) -> None:
        # When one worker dies twice in a few seconds Granian ends them all; those that serve must go on serving.
        # One that dies at birth waits a moment, or it would take a whole core.
        if any(self._lives_s(worker) < STARTED_S for worker in workers):
            time.sleep(RESPAWN_S)
        super()._respawn_workers(workers, *started_with, **more)
        if any(worker.inner.is_alive() and self._lives_s(worker.idx) > STARTED_S for worker in self.wrks):
            self.respawned_wrks.clear()

    def _lives_s(self, worker: int) -> float:
        return time.monotonic() - self.wrks[worker].birth

    def _stop_workers(self) -> None:
        # A worker that held ten thousand streams gives its memory back for some milliseconds after it has closed
        # everything; Granian looks just then, calls it stubborn and kills it.
        ends_at = time.monotonic() + STOP_S
        for worker in self.wrks:
            worker.terminate()  # type: ignore[no-untyped-call]  # untyped upstream
        while time.monotonic() < ends_at and any(worker.inner.is_alive() for worker in self.wrks):
            time.sleep(STEP_S)
        self.workers_kill_timeout = 1  # for one that is still there
        super()._stop_workers()  # type: ignore[no-untyped-call]  # untyped upstream


def serve_web(settings: Settings, address: str) -> None:
    """Until SIGTERM. ``address`` is an IP address; the port is that of the settings, and free."""
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
    app = create_app()
    app.on_startup += [_end_streams_on_notice, settle_memory]
    return app


async def _end_streams_on_notice(app: Litestar) -> None:
    loop = asyncio.get_running_loop()
    services: sse.Services = services_of(app)
    closing: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(NOTICE, lambda: closing.add(loop.create_task(services.hub.close())))
