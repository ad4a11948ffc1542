"""One tree of processes: store, web, relay, archive, delivery. Started in order, supervised, stopped in reverse order.

- ``ready`` is printed when requests are answered.
- A child that dies is started again. The pause grows while it dies at its start.
- SIGTERM, SIGINT and SIGHUP end all processes within ``STOP_S`` and a few seconds more, the store last.
- When the parent is killed its children end with it, and the next start needs no repair.
"""

import asyncio
import contextlib
import errno
import http.client
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog

from kiosk.runtime.process import STOP_S, harden
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.services.process import prove_store
from kiosk.settings import Settings, child_environment, local_url
from queueing.back_off import BackOff
from queueing.embedded.data_folder import private_folder
from queueing.embedded.server import EmbeddedValkey
from queueing.errors import QueueingError

READY_WITHIN_S: Final = 60.0
"""From the start of the web role to its first answer, with a slow disk and a cold cache."""
WEB_STOP_S: Final = STOP_S + 2.0
RELAY_STOP_S: Final = 6.5
"""The relay gives attempts in progress five seconds."""
ARCHIVE_STOP_S: Final = 6.5
"""A transaction in progress takes some milliseconds, and five seconds while another program has locked the database."""
DELIVERY_STOP_S: Final = 6.5
"""Tries in progress are cut off and repeated after the next start; writing how far each target is takes no second."""
FIRST_BACK_OFF_S, LAST_BACK_OFF_S = 0.1, 10.0
STEADY_S: Final = 3.0
"""A child that lived this long has started well: it is restarted after the shortest pause. For a child that dies sooner
the pause doubles each time.
"""
TRIES_BEFORE_READY: Final = 3
ASK_EVERY_S: Final = 0.05

_log = structlog.get_logger("kiosk.runtime.supervisor")


class CannotServe(Exception):
    """The tree cannot be started. ``str`` is one line for an operator."""


class Child:
    """One process of the tree, by its role."""

    def __init__(self, role: str, command: Sequence[str], environment: dict[str, str]) -> None:
        self.role = role
        self.starts = 0
        self._command = command
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process else None

    async def supervise(self) -> None:
        """Run the process, and restart it when it ends, until cancelled."""
        back_off = BackOff(FIRST_BACK_OFF_S, LAST_BACK_OFF_S, steady_s=STEADY_S)
        while True:
            since = time.monotonic()
            code = await self._run()
            _log.error("child_died", role=self.role, exit=code)
            await asyncio.sleep(back_off.pause_s(time.monotonic() - since))

    async def _run(self) -> int:
        self.starts += 1
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            # Ctrl-C in the terminal must reach the parent only, which then stops its children in order. No session of
            # its own: background roles give way only within a session (``give_way``).
            preexec_fn=os.setpgrp,
        )
        _log.info("child_started", role=self.role, pid=self._process.pid)
        return await self._process.wait()

    async def stop(self, within_s: float) -> None:
        """Send SIGTERM; after ``within_s`` send SIGKILL."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(within_s):
                await self._process.wait()
        except TimeoutError:
            _log.warning("child_killed", role=self.role)
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def running(settings: Settings, environ: Mapping[str, str] | None = None) -> AsyncIterator[str]:
    """Start the tree, yield its address when it answers, and stop it at the end. Raises CannotServe.

    ``environ``: the variables that ``settings`` were read from, if it was not the environment.
    """
    harden()
    try:
        private_folder(settings.data_dir)
        KeysOnDisk(settings.data_dir).load_or_create(int(time.time()))
        with reserved(settings.host, settings.port) as (address, port), reserved_for_operators(settings):
            async with _store(settings), _roles(settings.at_port(port), environ, address) as url:
                yield url
    except QueueingError as failure:
        raise CannotServe(str(failure)) from None


async def serve(settings: Settings, say: Callable[[str], None]) -> None:
    """``kiosk serve``: until a signal stops it, also during the start. Raises CannotServe."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    work, stopped = asyncio.create_task(_serve(settings, say)), asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
    # Cancelling stops every process that was started so far.
    work.cancel()
    stopped.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


async def _serve(settings: Settings, say: Callable[[str], None]) -> None:
    async with running(settings) as url:
        say(f"ready {url}")
        await asyncio.Event().wait()


@contextlib.contextmanager
def reserved_for_operators(settings: Settings) -> Iterator[None]:
    """The operators' port, if one is set, reserved while the context lasts. Raises CannotServe."""
    if settings.ops_port is None:
        yield
        return
    with reserved(settings.ops_host, settings.ops_port, "KIOSK_OPS_HOST, KIOSK_OPS_PORT"):
        yield


@contextlib.contextmanager
def reserved(host: str, port: int, names: str = "KIOSK_HOST, KIOSK_PORT") -> Iterator[tuple[str, int]]:
    """The IP address and port to listen on, reserved while the context lasts. Raises CannotServe.

    ``names``: the settings that chose them.
    """
    try:
        address, listener = _reserve(host, port)
    except OSError as failure:
        reasons = {
            errno.EADDRINUSE: "is in use by another program",
            errno.EACCES: "needs a privilege: take one above 1023",
        }
        why = reasons.get(failure.errno or 0, failure.strerror)
        raise CannotServe(f"cannot listen on {host} port {port}: {why} ({names})") from None
    with listener:
        yield address, listener.getsockname()[1]


def _reserve(host: str, port: int) -> tuple[str, socket.socket]:
    family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.socket(family) as probe:
        # Workers share the port (SO_REUSEPORT), so two programs of one user could too. First bind without that option.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(place)
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(place)
    except OSError:
        listener.close()
        raise
    return str(place[0]), listener


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[None]:
    """The embedded store with its supervisor, unless the operator has a store."""
    if settings.redis_url:
        await prove_store(settings)
        yield
        return
    async with EmbeddedValkey(settings.data_dir, on_event=_log_store) as store, _beside(store.supervise()):
        yield


def _log_store(kind: str, reason: str) -> None:
    (_log.info if kind in ("ready", "loading") else _log.error)("store", state=kind, reason=reason)


@asynccontextmanager
async def _roles(settings: Settings, environ: Mapping[str, str] | None, address: str) -> AsyncIterator[str]:
    environment = child_environment(
        environ,
        port=settings.port,
        data_dir=str(settings.data_dir),
        metrics=metrics_folder_at(settings.data_dir / "metrics"),
    )
    parent = str(os.getpid())
    web = Child("web", role_command("web", "--address", address, "--parent", parent), environment)
    relay = Child("relay", role_command("relay", "--parent", parent), environment)
    archive = Child("archive", role_command("archive", "--parent", parent), environment)
    delivery = Child("deliver", role_command("deliver", "--parent", parent), environment)
    try:
        async with (
            _beside(web.supervise()), _beside(relay.supervise()), _beside(archive.supervise()),
            _beside(delivery.supervise()),
        ):  # fmt: skip
            await _wait_for_answer(settings, address, web)
            yield local_url(settings.host, settings.port, secure=settings.tls_certificate is not None)
    finally:
        await web.stop(WEB_STOP_S)
        await asyncio.gather(
            relay.stop(RELAY_STOP_S), archive.stop(ARCHIVE_STOP_S), delivery.stop(DELIVERY_STOP_S)
        )  # fmt: skip


def role_command(role: str, *arguments: str) -> list[str]:
    """The command of a child process. It uses this Python, not the one on PATH."""
    return [sys.executable, "-m", "kiosk", role, *arguments]


def metrics_folder_at(folder: Path) -> Path:
    """An empty folder for the counters that some processes share: they start at 0, as those of a single process."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink(missing_ok=True)
    return folder


@asynccontextmanager
async def _beside(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run ``work`` while the context lasts. If it fails, the context is cancelled and the failure is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(work)
            yield
            task.cancel()
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _wait_for_answer(settings: Settings, address: str, web: Child) -> None:
    """Return at the first answer of the web role. Raises CannotServe when it keeps exiting or does not answer."""
    deadline = time.monotonic() + READY_WITHIN_S
    while not await asyncio.to_thread(
        answers, settings.public_url, address, settings.port, encrypted=settings.tls_certificate is not None
    ):
        if web.starts > TRIES_BEFORE_READY:
            raise CannotServe("the web process keeps exiting; its last error is in the log lines above")
        if time.monotonic() > deadline:
            raise CannotServe(f"the web role gave no answer within {READY_WITHIN_S:.0f} s; see the log lines above")
        await asyncio.sleep(ASK_EVERY_S)


def _to_ourselves() -> ssl.SSLContext:
    """TLS without checking the certificate: we connect to our own port on our own machine."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def answers(public_url: str, address: str, port: int, *, encrypted: bool = False) -> bool:
    """Whether ``/healthz`` answers there, requested under the public host name. ``encrypted``: with our own TLS."""
    connection: http.client.HTTPConnection
    if encrypted:
        connection = http.client.HTTPSConnection(address, port, timeout=2, context=_to_ourselves())
    else:
        connection = http.client.HTTPConnection(address, port, timeout=2)
    try:
        connection.request("GET", "/healthz", headers={"Host": urlsplit(public_url).netloc})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
