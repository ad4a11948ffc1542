"""The web role: Granian with our application in its workers (``kiosk.runtime.web_worker``).

The workers are forked from this process. It imports the application before: they share its memory, and a worker that
died is replaced sooner.

- It listens only when the application is up.
- A worker that dies is replaced.
- After SIGTERM it accepts no connection, ends open streams, completes requests in progress, and ends within ``STOP_S``.
- When its parent dies, even by ``kill -9``, the web process and its workers end too.
"""

from typing import Final

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings

from kiosk.observability import logs
from kiosk.runtime import web_worker
from kiosk.runtime.granian_parts import RESPAWN_S, WebServer
from kiosk.runtime.process import STOP_S
from kiosk.settings import Settings

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


def serve_web(settings: Settings, address: str) -> None:
    """Serve until SIGTERM. ``address`` is an IP address; the port of the settings must be free."""
    server = WebServer(
        f"{web_worker.__name__}:application",
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
