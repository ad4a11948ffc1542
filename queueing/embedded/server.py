"""The embedded store: a Valkey server of our own, for a hospital that has none.

Promises, with our configuration (``configuration.py``):

- What was answered survives ``kill -9`` of any process, and a power cut if the disk honours fsync.
- A data folder has at most one server. The server ends when its parent ends (SIGTERM and time to finish).
- After any crash the next start needs no help, except when the journal is damaged before its end. Then the start is
  refused, because it would lose answered writes, and the error says what to type (``journal.py``).

Start it from a thread that lives as long as the server: the kernel's parent-death signal watches that thread.
"""

import asyncio
import errno
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal

from queueing.back_off import BackOff
from queueing.embedded.configuration import (
    ENVIRONMENT,
    LOG_FILE,
    configuration,
    find_binary,
    last_words,
    log_since,
    room_for_data,
    size,
    trim_log,
    why_ended,
)
from queueing.embedded.data_folder import SOCKET_FILE, FolderLock, Holder, folder_url, private_folder
from queueing.embedded.journal import journal_bytes, mend_before_start, set_aside_end
from queueing.embedded.store_users import operator_url, user_lines
from queueing.errors import DiskFull, EmbeddedError, FolderInUse, JournalDamaged
from queueing.store.address import ReachablePath

CONF_FILE = "valkey.conf"
LAUNCHER = Path(__file__).with_name("launch.py")

LOCK_PATIENCE_S = 10.0
"""How long to wait for the lock. An orphan gets SIGTERM when its owner dies and needs about a second, a brief command
less."""
START_PATIENCE_S = 15.0
LOAD_BYTES_PER_S = 5 << 20
"""A journal is replayed at some 50 MB/s. We wait ten times as long as that; after that the server hangs."""
STOP_PATIENCE_S = 30.0
STEP_S = 0.02
WATCH_STEP_S = 0.1
PROBE_TIMEOUT_S = 0.25
FIRST_BACK_OFF_S, LAST_BACK_OFF_S = 0.1, 30.0
STEADY_S = 1.0
"""A server that ran this long is started again at once. After a shorter life each restart waits longer."""
ROOM_BYTES = 64 << 20
"""A server that ended because the disk was full is not started again below this free space."""
LOG_LOOK_S = 60.0

Event = Literal["ready", "loading", "journal mended", "died", "failed", "disk full"]
OnEvent = Callable[[Event, str], None]
Steps = Generator[float, None, None]
"""The steps of a start or a stop. They yield the pauses between them in seconds."""
Probe = Literal["ready", "loading", "silent"]


class EmbeddedValkey:
    """One server on one data folder. ``on_event`` gets what an operator should know: a kind and one line of text."""

    def __init__(
        self,
        folder: Path | str,
        *,
        binary: Path | str | None = None,
        maxmemory_bytes: int | None = None,
        brief: bool = False,
        on_event: OnEvent | None = None,
    ) -> None:
        self.folder = Path(folder).absolute()
        self._binary = binary
        self._maxmemory_bytes = maxmemory_bytes or room_for_data()
        self._brief = brief
        self._on_event = on_event or (lambda _kind, _words: None)
        self._lock = FolderLock(self.folder)
        self._child: subprocess.Popen[bytes] | None = None
        self._log_from = 0
        """The byte of the log at which the present run of the server begins."""

    @property
    def url(self) -> str:
        return folder_url(self.folder)

    @property
    def operator_url(self) -> str:
        """For a person who administers the server: every command is allowed."""
        return operator_url(self.folder)

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def start(self) -> None:
        """Returns when the server accepts commands. Raises EmbeddedError or a subclass, each with a
        one-line message.
        """
        pace(self._starting())

    def stop(self) -> None:
        """Sends SIGTERM and waits; sends SIGKILL only when the server hangs. Frees the folder. Safe to call twice."""
        pace(self._stopping())

    def __enter__(self) -> "EmbeddedValkey":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.stop()

    async def __aenter__(self) -> "EmbeddedValkey":
        """As ``start``, without blocking the event loop."""
        await pace_async(self._starting())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        await pace_async(self._stopping())

    async def supervise(self) -> None:
        """Until cancelled: starts the server again when it dies. It waits longer after each failed start, and waits for
        free space when the disk is full.

        Raises JournalDamaged, because a restart cannot mend that.
        """
        back_off = BackOff(FIRST_BACK_OFF_S, LAST_BACK_OFF_S, steady_s=STEADY_S)
        while True:
            since = time.monotonic()
            await self._until_dead()
            failure = self._why_dead()
            self._on_event("died", str(failure))
            lived_s = time.monotonic() - since
            while True:
                await self._until_room(failure)
                await asyncio.sleep(back_off.pause_s(lived_s))
                lived_s = 0.0
                try:
                    await pace_async(self._launching())
                except JournalDamaged:
                    raise
                except EmbeddedError as again:
                    failure = again
                    self._on_event("failed", str(again))
                else:
                    break

    # Starting and stopping are steps with pauses between them, so that callers with and without an event loop share
    # them.

    def _starting(self) -> Steps:
        private_folder(self.folder)
        yield from self._locking()
        try:
            yield from self._launching()
        except BaseException:
            self._lock.release()
            raise

    def _locking(self) -> Steps:
        """Takes the lock. Waits for an orphan or a brief command; gives up at once when a living owner has it."""
        deadline = time.monotonic() + LOCK_PATIENCE_S
        while not self._lock.take(brief=self._brief):
            holder = self._lock.holder()
            if holder is not None and holder.alive and not holder.brief:
                raise FolderInUse(f"data folder {self.folder} is in use by process {holder.pid}")
            if time.monotonic() > deadline:
                raise FolderInUse(f"data folder {self.folder} is still held by {_named(holder)}, which does not end")
            yield STEP_S

    def _launching(self) -> Steps:
        """Runs the server. If only an unanswered end of the journal stops it, sets that aside and runs it again."""
        self._report_mended(mend_before_start(self.folder))
        try:
            yield from self._running()
        except JournalDamaged:
            mended = set_aside_end(self.folder)
            if not mended:
                raise
            self._report_mended(mended)
            yield from self._running()

    def _report_mended(self, lines: list[str]) -> None:
        for line in lines:
            self._on_event("journal mended", line)

    def _running(self) -> Steps:
        """Spawns the server and waits until it accepts commands. On failure no process is left; the lock stays held."""
        binary = find_binary(self._binary)
        self._clear_socket()
        trim_log(self.folder)
        self._log_from = size(self.folder / LOG_FILE)
        deadline = time.monotonic() + START_PATIENCE_S + journal_bytes(self.folder) / LOAD_BYTES_PER_S
        try:
            self._spawn(binary)
            reported_loading = False
            while (state := probe(self.folder)) != "ready":
                if self.pid is None:
                    raise self._why_dead()
                if time.monotonic() > deadline:
                    last_lines = last_words(log_since(self.folder, self._log_from))
                    raise EmbeddedError(f"store in {self.folder} did not start in time: {last_lines}")
                if state == "loading" and not reported_loading:
                    reported_loading = True
                    self._on_event("loading", f"reading {journal_bytes(self.folder):,} bytes of journal")
                yield STEP_S
        except BaseException:
            self._end_now()
            raise
        self._on_event("ready", f"store runs as process {self.pid}")

    def _spawn(self, binary: Path) -> None:
        conf = self.folder / CONF_FILE
        assert self._lock.descriptor is not None  # noqa: S101 - launching comes after locking
        try:
            conf.write_text(configuration(self._maxmemory_bytes, user_lines(self.folder)))
            conf.chmod(0o600)
            with open(self.folder / LOG_FILE, "ab", opener=_private) as log:
                self._child = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(binary), CONF_FILE],
                    cwd=self.folder,
                    env=ENVIRONMENT,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # A Ctrl-C in the terminal must reach the parent only, which then stops its children in order.
                    process_group=0,
                    pass_fds=(self._lock.descriptor,),
                )
            self._lock.note_server(self._child.pid)
        except OSError as failure:
            if failure.errno == errno.ENOSPC:
                raise DiskFull(f"no space left in {self.folder}") from None
            raise EmbeddedError(f"store in {self.folder} cannot be started: {failure.strerror}") from None

    def _stopping(self) -> Steps:
        try:
            if self._child is not None:
                self._child.terminate()
                deadline = time.monotonic() + STOP_PATIENCE_S
                while self._child.poll() is None and time.monotonic() < deadline:
                    yield STEP_S
        finally:
            self._end_now(patience_s=0.0)
            self._lock.release()

    def _end_now(self, patience_s: float = 5.0) -> None:
        """Waits for the child to end; kills it after ``patience_s``."""
        if self._child is None:
            return
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(patience_s)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    def _clear_socket(self) -> None:
        """Removes the socket that a killed server left. We hold the lock, so no server listens on it."""
        path = self.folder / SOCKET_FILE
        if path.is_socket():
            path.unlink()
        elif path.exists():
            raise EmbeddedError(f"{path} is in the way and is no socket: move it")

    # Watching.

    async def _until_dead(self) -> None:
        next_look = time.monotonic() + LOG_LOOK_S
        while self.pid is not None:
            await asyncio.sleep(WATCH_STEP_S)
            if time.monotonic() > next_look:
                trim_log(self.folder)
                next_look = time.monotonic() + LOG_LOOK_S

    async def _until_room(self, failure: EmbeddedError) -> None:
        """Waits for free space after a full disk: a server started before that would fail again."""
        if isinstance(failure, DiskFull):
            reported = False
            while (free := _free_bytes(self.folder)) < ROOM_BYTES:
                if not reported:
                    reported = True
                    sentence = f"{free >> 20} MiB free in {self.folder}, {ROOM_BYTES >> 20} needed: waiting"
                    self._on_event("disk full", sentence)
                await asyncio.sleep(1.0)

    def _why_dead(self) -> EmbeddedError:
        """One line, from how the server ended and what it logged."""
        code = self._child.poll() if self._child is not None else None
        return why_ended(self.folder, code, log_since(self.folder, self._log_from))


@contextmanager
def attach_or_start(folder: Path | str, *, binary: Path | str | None = None) -> Iterator[str]:
    """The URL of the folder's store for one short command: the running server, or one started for this command."""
    folder = Path(folder).absolute()
    server = EmbeddedValkey(folder, binary=binary, brief=True)
    deadline = time.monotonic() + START_PATIENCE_S
    while True:
        try:
            server.start()
            break
        except FolderInUse:
            if probe(folder) == "ready":
                yield folder_url(folder)
                return
            if time.monotonic() > deadline:
                raise
            time.sleep(STEP_S)  # the owner is still starting or about to end
    try:
        yield server.url
    finally:
        server.stop()


def pace(steps: Steps) -> None:
    """Runs the steps and sleeps between them."""
    with closing(steps):
        for pause_s in steps:
            time.sleep(pause_s)


async def pace_async(steps: Steps) -> None:
    """As ``pace``, without blocking the event loop. A cancelled start cleans up after itself."""
    with closing(steps):
        for pause_s in steps:
            await asyncio.sleep(pause_s)


def probe(folder: Path) -> Probe:
    """Asks the folder's server whether it accepts commands."""
    path = ReachablePath(folder / SOCKET_FILE)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(PROBE_TIMEOUT_S)
            client.connect(path.text)
            client.sendall(b"PING\r\n")
            answer = client.recv(64)
    except OSError:
        return "silent"
    finally:
        path.close()
    return "ready" if answer.startswith(b"+PONG") else "loading" if answer.startswith(b"-LOADING") else "silent"


def _free_bytes(folder: Path) -> int:
    facts = os.statvfs(folder)
    return facts.f_bavail * facts.f_frsize


def _named(holder: Holder | None) -> str:
    if holder is None:
        return "an unknown process"
    return f"process {holder.pid if holder.alive else holder.server or holder.pid}"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
