"""The store that comes along: a Valkey server of our own, for a hospital that has none.

Promises, with the configuration below: what was answered survives ``kill -9`` of anything, and a power cut as far as
the disk honours fsync. One server a folder. It ends when its parent ends, politely (SIGTERM and patience); after any
death the next start needs no help, except where the journal is damaged before its end: then it refuses, because
starting would lose what was promised, and says what to type (``journal.py``).

Start it from a thread that lives as long as the server shall: the kernel's parent-death signal watches the thread.
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
"""An orphan gets its SIGTERM in the instant its owner dies and needs about a second; a brief command even less."""
START_PATIENCE_S = 15.0
LOAD_BYTES_PER_S = 5 << 20
"""A journal is replayed at some 50 MB/s; ten times the time it should take is patience, more would be hanging."""
STOP_PATIENCE_S = 30.0
STEP_S = 0.02
WATCH_STEP_S = 0.1
PROBE_TIMEOUT_S = 0.25
FIRST_BACK_OFF_S, LAST_BACK_OFF_S = 0.1, 30.0
STEADY_S = 1.0
"""A server that served this long is started again at once; one that dies at birth waits longer each time."""
ROOM_BYTES = 64 << 20
"""Free space below which a server that died of a full disk is not started again."""
LOG_LOOK_S = 60.0

Event = Literal["ready", "loading", "journal mended", "died", "failed", "disk full"]
OnEvent = Callable[[Event, str], None]
Steps = Generator[float, None, None]
"""What a start or a stop does, yielding the pauses between its steps in seconds."""
Probe = Literal["ready", "loading", "silent"]


class EmbeddedValkey:
    """One server on one data folder. ``on_event`` hears what an operator should: a kind and one line of words."""

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
        """Where in the log this life of the server begins."""

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
        """Returns when the server takes commands. Raises EmbeddedError and its family, one line each."""
        pace(self._starting())

    def stop(self) -> None:
        """SIGTERM and patience; SIGKILL only for a server that hangs. Frees the folder. Safe to call twice."""
        pace(self._stopping())

    def __enter__(self) -> "EmbeddedValkey":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.stop()

    async def __aenter__(self) -> "EmbeddedValkey":
        """As ``start``, without holding up the loop."""
        await pace_async(self._starting())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        await pace_async(self._stopping())

    async def supervise(self) -> None:
        """Until cancelled: start the server again whenever it dies, later each time in vain, not on a full disk.

        Raises JournalDamaged: no restart can heal that.
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

    # Starting and stopping, as steps with pauses between them: one story for callers with a loop and without.

    def _starting(self) -> Steps:
        private_folder(self.folder)
        yield from self._locking()
        try:
            yield from self._launching()
        except BaseException:
            self._lock.release()
            raise

    def _locking(self) -> Steps:
        """Take the lock; wait for an orphan or a brief command, go away at once from a living owner."""
        deadline = time.monotonic() + LOCK_PATIENCE_S
        while not self._lock.take(brief=self._brief):
            holder = self._lock.holder()
            if holder is not None and holder.alive and not holder.brief:
                raise FolderInUse(f"data folder {self.folder} is in use by process {holder.pid}")
            if time.monotonic() > deadline:
                raise FolderInUse(f"data folder {self.folder} is still held by {_named(holder)}, which does not end")
            yield STEP_S

    def _launching(self) -> Steps:
        """Run the server; where only an unanswered end of its journal stops it, set that aside and run it again."""
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
        """Spawn the server and wait until it takes commands. On failure nothing is left running; the lock stays."""
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
                    words = last_words(log_since(self.folder, self._log_from))
                    raise EmbeddedError(f"store in {self.folder} did not start in time: {words}")
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
                    # A Ctrl-C in the terminal is for the parent alone, which then stops its children in order.
                    start_new_session=True,
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
        """Reap the child, by force when it does not go by itself."""
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
        """What a killed server leaves behind. The lock is ours, so nobody listens on it."""
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
        """A server that died of a full disk would only die again."""
        if isinstance(failure, DiskFull):
            reported = False
            while (free := _free_bytes(self.folder)) < ROOM_BYTES:
                if not reported:
                    reported = True
                    words = f"{free >> 20} MiB free in {self.folder}, {ROOM_BYTES >> 20} needed: waiting"
                    self._on_event("disk full", words)
                await asyncio.sleep(1.0)

    def _why_dead(self) -> EmbeddedError:
        """One line from how it ended and what it logged."""
        code = self._child.poll() if self._child is not None else None
        return why_ended(self.folder, code, log_since(self.folder, self._log_from))


@contextmanager
def attach_or_start(folder: Path | str, *, binary: Path | str | None = None) -> Iterator[str]:
    """The URL of the folder's store for one short command: whoever runs it, or one started for the moment."""
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
            time.sleep(STEP_S)  # its owner is still starting, or just ending
    try:
        yield server.url
    finally:
        server.stop()


def pace(steps: Steps) -> None:
    """Take the steps, sleeping between them."""
    with closing(steps):
        for pause_s in steps:
            time.sleep(pause_s)


async def pace_async(steps: Steps) -> None:
    """As ``pace``, without holding up the loop; a cancelled start cleans up after itself."""
    with closing(steps):
        for pause_s in steps:
            await asyncio.sleep(pause_s)


def probe(folder: Path) -> Probe:
    """Does the folder's server take commands?"""
    path = ReachablePath(folder / SOCKET_FILE)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as door:
            door.settimeout(PROBE_TIMEOUT_S)
            door.connect(path.text)
            door.sendall(b"PING\r\n")
            answer = door.recv(64)
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
