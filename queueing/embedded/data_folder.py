"""The data folder: private, and held by one process at a time.

Two servers on one folder would both append to the same file, so an exclusive ``flock`` allows one. The server inherits
the descriptor of the lock: after ``kill -9`` of the owner the lock is held until the orphaned server ends. A note
inside the lock file names the owner. So a second process can tell a living owner (give up at once) from an orphan that
is about to end (wait a little).
"""

import contextlib
import fcntl
import os
import pwd
import stat
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import msgspec

from queueing.errors import FolderNotOurs

LOCK_FILE = "lock"
SOCKET_FILE = "valkey.sock"
NOTE_BYTES = 4096


def folder_url(folder: Path) -> str:
    """The URL of the store in a data folder."""
    return "unix://" + quote(str(folder.absolute() / SOCKET_FILE))


class Holder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who holds the folder."""

    pid: int
    started: str
    """Start time of the process as the kernel counts it. A reused process id has another start time."""
    brief: bool = False
    """Whether the process holds the folder for one short command only."""
    server: int = 0

    @property
    def alive(self) -> bool:
        return self.started == start_time_of(self.pid) != ""


def start_time_of(pid: int) -> str:
    """Start time of a process as the kernel writes it; empty when there is no such process or it is a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        if os.path.isdir("/proc/self"):
            return ""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, 0)
            return "unknown"
        return ""
    state, *fields = text.rpartition(") ")[2].split()
    # Fields 3 and 22 of proc(5). The name before them may contain any character, so count from its closing bracket.
    return "" if state in "ZX" else fields[18]


def private_folder(folder: Path) -> None:
    """Creates the folder, or checks that it belongs to us and no other user can enter it. Raises FolderNotOurs."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.stat()
    except FileExistsError:
        raise FolderNotOurs(f"data folder {folder} is not a folder") from None
    except OSError as failure:
        raise FolderNotOurs(f"data folder {folder} cannot be used: {failure.strerror}") from None
    if facts.st_uid != os.geteuid():
        raise FolderNotOurs(
            f"data folder {folder} belongs to {_user(facts.st_uid)}; this is {_user(os.geteuid())}: run as its owner"
        )
    if stat.S_IMODE(facts.st_mode) & 0o077:
        folder.chmod(0o700)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise FolderNotOurs(f"data folder {folder} cannot be written")


def readable_by_others(folder: Path, *, at_most: int = 1_000) -> list[Path]:
    """Files and folders below it that other users may read or write. The private folder hides them; a copy
    would not.
    """
    found = []
    for path in islice(folder.rglob("*"), at_most):
        with contextlib.suppress(OSError):
            if stat.S_IMODE(path.lstat().st_mode) & 0o077 and not path.is_symlink():
                found.append(path)
    return sorted(found)


def _user(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"


class FolderLock:
    """The exclusive lock of one data folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_FILE
        self.descriptor: int | None = None
        """The open descriptor while the lock is held. A child process that inherits it holds the lock too."""

    def take(self, *, brief: bool) -> bool:
        """Takes the lock. True when this process holds the folder now."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self.descriptor = descriptor
        self._write(Holder(pid=os.getpid(), started=start_time_of(os.getpid()), brief=brief))
        return True

    def note_server(self, pid: int) -> None:
        """Writes down which process inherited the lock."""
        holder = self.holder()
        if holder is not None:
            self._write(msgspec.structs.replace(holder, server=pid))

    def holder(self) -> Holder | None:
        """The process that noted itself last; None when no process did."""
        try:
            with self._path.open("rb") as file:
                return msgspec.json.decode(file.read(NOTE_BYTES), type=Holder)
        except (OSError, msgspec.DecodeError, msgspec.ValidationError):
            return None

    def release(self) -> None:
        """Releases the lock. The file stays: if it were removed, two processes could lock two files of the
        same name.
        """
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def _write(self, holder: Holder) -> None:
        assert self.descriptor is not None  # noqa: S101 - only the holder notes itself
        note = msgspec.json.encode(holder)
        os.pwrite(self.descriptor, note, 0)
        os.ftruncate(self.descriptor, len(note))
