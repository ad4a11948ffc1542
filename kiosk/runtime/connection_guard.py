"""Closes connections that use up a worker: silent ones, ones that do not read, too many of one address.

The web server accepts connections in native code and shows us none before its request is complete. The kernel shows
them: each socket of this process has a peer and a ``tcp_info``. A thread checks all sockets once a second and shuts
down those that break a rule below. Nothing is sent; the web server sees a closed connection.

Rules, each counted in ``kiosk_connections_closed_total{reason}`` and logged once for each check that closed any:

- ``silent``: no byte came within ``SILENT_S``, or no request was complete within ``FIRST_REQUEST_S``.
- ``not_reading``: we have bytes to send and the peer confirmed none for ``NOT_READING_S``.
- ``address``: one address holds more than its share. The connections that were idle longest end first.
- ``files``: open files run out. Idle connections end, longest idle first, so that a scan still finds a free one.

Addresses of trusted proxies carry many people and have no such limit. Loopback has none either when we listen on
loopback only. Works on Linux only.
"""

import contextlib
import os
import resource
import socket
import struct
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from kiosk.observability import metrics
from kiosk.settings.values import is_loopback
from kiosk.web.client_address import Network, is_in, read_address

LOOK_EVERY_S: Final = 1.0
"""Silent connections may stay open this much longer. Checking a thousand connections takes about 10 ms."""
LOOK_SHARE: Final = 0.05
"""At most this part of the time: with ten thousand open streams a check takes 100 ms, so one runs every two seconds."""
SILENT_S: Final = 5.0
"""Browsers open spare connections and use them within a second or two, or open new ones when they need them."""
FIRST_REQUEST_S: Final = 15.0
"""A request has 5 s for its body and is answered within 5 s more; after 15 s no real request comes."""
NOT_READING_S: Final = 20.0
"""A phone on a slow network confirms some bytes each second."""
PER_ADDRESS: Final = 1024
"""Mobile networks put hundreds of phones behind one address, each with a stream and a spare connection."""
ADDRESS_SHARE: Final = 4
"""At most a quarter of the open files, where the limit of open files is low."""
FILES_FREE: Final = 10
"""Percent of the open files that stay free for the gateway's connections."""

REASONS: Final = ("silent", "not_reading", "address", "files")

_TCP_INFO: Final = struct.Struct("=24xI24xI64xQQ8xI")
"""unacked, last_data_recv (ms), bytes_acked, bytes_received, notsent_bytes of Linux's ``struct tcp_info``."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """One connection at one check."""

    descriptor: int
    address: str
    port: int
    idle_s: float
    """Since the last byte came."""
    received: int
    confirmed: int
    """Bytes the peer confirmed."""
    unsent: bool
    """Whether bytes wait that the peer has not confirmed."""


@dataclass(slots=True)
class _History:
    first_s: float
    confirmed: int
    since_s: float
    """Since when ``confirmed`` has not changed while bytes were waiting."""


class ConnectionGuard:
    """The rules and their state. One for each worker."""

    def __init__(self, *, files: int, has_no_share: Callable[[str], bool]) -> None:
        """``files``: how many files this process may open. ``has_no_share``: addresses that many people share."""
        self.files = files
        self._has_no_share = has_no_share
        self._known: dict[tuple[str, int], _History] = {}
        self.per_address = max(8, min(PER_ADDRESS, files // ADDRESS_SHARE))

    def to_close(self, seen: list[Seen], now_s: float, open_files: int) -> dict[Seen, str]:
        """Which connections end, and by which rule."""
        self._remember(seen, now_s)
        ends = {one: reason for one in seen if (reason := self._fault(one, now_s))}
        ends |= dict.fromkeys(self._over_share(one for one in seen if one not in ends), "address")
        needed = open_files - len(ends) - self.files * (100 - FILES_FREE) // 100
        if needed > 0:
            idle = sorted((one for one in seen if one not in ends), key=lambda one: -one.idle_s)
            ends |= dict.fromkeys(idle[:needed], "files")
        return ends

    def _remember(self, seen: list[Seen], now_s: float) -> None:
        known = {}
        for one in seen:
            key = one.address, one.port
            past = self._known.get(key) or _History(now_s - one.idle_s * (one.received == 0), one.confirmed, now_s)
            if one.confirmed != past.confirmed or not one.unsent:
                past.confirmed, past.since_s = one.confirmed, now_s
            known[key] = past
        self._known = known

    def _fault(self, one: Seen, now_s: float) -> str | None:
        past = self._known[one.address, one.port]
        if one.received == 0 and one.idle_s > SILENT_S:
            return "silent"
        if one.confirmed == 0 and not one.unsent and now_s - past.first_s > FIRST_REQUEST_S:
            return "silent"
        if one.unsent and now_s - past.since_s > NOT_READING_S:
            return "not_reading"
        return None

    def _over_share(self, seen: Iterable[Seen]) -> Iterator[Seen]:
        by_address = defaultdict(list)
        for one in seen:
            if not self._has_no_share(one.address):
                by_address[one.address].append(one)
        for crowd in by_address.values():
            if len(crowd) > self.per_address:
                # Connections that never sent a byte end first, then those that were silent longest.
                crowd.sort(key=lambda one: (one.received > 0, -one.idle_s))
                yield from crowd[: len(crowd) - self.per_address]


def start(port: int, *, own_host: str, trusted: Iterable[Network]) -> None:
    """Watch the connections to ``port`` of this process from now on. ``own_host``: the address we listen on."""
    if sys.platform != "linux":
        return
    networks = tuple(trusted)
    alone = is_loopback(own_host)

    def has_no_share(address: str) -> bool:
        where = read_address(address)
        return (alone and where is not None and where.is_loopback) or is_in(where, networks)

    for reason in REASONS:  # opens the counters' file now: a flood may leave no descriptor to open it with
        metrics.connections_closed(reason, 0)
    guard = ConnectionGuard(files=resource.getrlimit(resource.RLIMIT_NOFILE)[0], has_no_share=has_no_share)
    threading.Thread(target=_watch, args=(guard, port), name="connection-guard", daemon=True).start()


def _watch(guard: ConnectionGuard, port: int) -> None:
    rest_s = LOOK_EVERY_S
    while True:
        time.sleep(rest_s)
        began_s = time.monotonic()
        try:
            _look(guard, port)
        except Exception as failure:  # a failed check must not end the thread; the next one may succeed
            _say_it_failed(failure)
        rest_s = max(LOOK_EVERY_S, (time.monotonic() - began_s) / LOOK_SHARE)


def _say_it_failed(failure: Exception) -> None:
    with contextlib.suppress(Exception):  # what made the check fail may make this fail: no descriptor is left
        _log.warning("connections_not_watched", error=type(failure).__name__)
        metrics.fell_open("connection_guard")


def _look(guard: ConnectionGuard, port: int) -> None:
    descriptors = _descriptors(guard.files)
    seen = [one for descriptor in descriptors if (one := see(descriptor, port))]
    ends = guard.to_close(seen, time.monotonic(), len(descriptors))
    closed = Counter(reason for one, reason in ends.items() if _shut_down(one))
    for reason, count in closed.items():
        metrics.connections_closed(reason, count)
        _log.warning("connections_closed", reason=reason, count=count)


@contextlib.contextmanager
def _borrowed(descriptor: int) -> Iterator[socket.socket | None]:
    """The socket behind a descriptor of the web server; None if it is no TCP socket.

    The descriptor is not duplicated: when open files have run out that would fail, and then we are needed most.
    """
    try:
        borrowed = socket.socket(fileno=descriptor)
    except OSError:  # a file, a pipe, or closed meanwhile
        yield None
        return
    try:
        is_tcp = borrowed.family in (socket.AF_INET, socket.AF_INET6) and borrowed.type == socket.SOCK_STREAM
        yield borrowed if is_tcp else None
    finally:
        borrowed.detach()


def _descriptors(files: int) -> Sequence[int]:
    """The open descriptors of this process; all that may exist when even the list cannot be opened."""
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return range(files)


def see(descriptor: int, port: int) -> Seen | None:
    """What the kernel knows about this descriptor; None unless it is a connection to our ``port``."""
    with _borrowed(descriptor) as connection, contextlib.suppress(OSError):
        if connection is None or connection.getsockname()[1] != port:
            return None
        address, peer_port = connection.getpeername()[:2]
        raw = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
        unacked, idle_ms, confirmed, received, unsent = _TCP_INFO.unpack(raw)
        return Seen(descriptor, address, peer_port, idle_ms / 1000, received, confirmed, bool(unacked or unsent))
    return None


def _shut_down(one: Seen) -> bool:
    with _borrowed(one.descriptor) as connection, contextlib.suppress(OSError):
        if connection is not None and connection.getpeername()[:2] == (one.address, one.port):
            connection.shutdown(socket.SHUT_RDWR)
            return True
    return False
