"""The machine we measure on, and the resources of each process, from ``/proc`` and the store's INFO."""

import os
import platform
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

PROC = Path("/proc")


def described() -> dict[str, Any]:
    """The machine, for the head of a report."""
    info = PROC.joinpath("cpuinfo").read_text()
    models = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    memory = PROC.joinpath("meminfo").read_text().split()
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(memory[1]) / 1024**2, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def tree(pid: int) -> list[int]:
    """A process and all its descendants, now."""
    found = [pid]
    for parent in found:
        found += _children(parent)
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    for task in _tasks(pid):
        try:
            children += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return children


def _tasks(pid: int) -> list[Path]:
    try:
        return list((PROC / str(pid) / "task").iterdir())
    except FileNotFoundError:
        return []


def cpu_s(pid: int) -> float:
    """Processor seconds of all threads of a process, in nanoseconds if the kernel gives them, else in clock ticks."""
    try:
        schedstats = [(task / "schedstat").read_text() for task in _tasks(pid)]
        taken = sum(int(text.split()[0]) for text in schedstats) / 1e9
        if taken:
            return taken
        after_name = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0


def memory_bytes(pid: int) -> int:
    """The private memory of a process and its part of shared memory (PSS)."""
    try:
        rollup = (PROC / str(pid) / "smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def open_files(pid: int) -> int:
    """The open descriptors of a process."""
    try:
        return sum(1 for _ in (PROC / str(pid) / "fd").iterdir())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0


def words(pid: int) -> str:
    """The command line of a process."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Parts(Struct, frozen=True):
    """The processes of each part: web, store, relay, archive, deliver, gateway, generator."""

    pids: dict[str, list[int]]

    @classmethod
    def of(cls, kiosk: int, gateway: int) -> "Parts":
        """Finds the processes by their command lines. Other processes of the kiosk only supervise these."""
        pids: dict[str, list[int]] = {
            "web": [],
            "store": [],
            "relay": [],
            "archive": [],
            "deliver": [],
            "gateway": [gateway],
            "generator": [os.getpid()],
        }
        roles = {pid: _role(words(pid)) for pid in tree(kiosk)}
        for pid, role in roles.items():
            if role:
                pids[role].append(pid)
        for web in tuple(pids["web"]):
            pids["web"] += [pid for pid in tree(web) if pid not in pids["web"]]
        return cls(pids)

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds since the start, by part."""
        return {part: sum(map(cpu_s, pids)) for part, pids in self.pids.items()}

    def open_files(self) -> dict[str, int]:
        """Open descriptors including sockets, now, by part."""
        return {part: sum(map(open_files, pids)) for part, pids in self.pids.items()}

    def memory_mb(self) -> dict[str, float]:
        """Memory now, by part."""
        return {part: round(sum(map(memory_bytes, pids)) / 1024**2, 1) for part, pids in self.pids.items()}

    @contextmanager
    def spent(self) -> Iterator[dict[str, float]]:
        """The processor seconds of each part during the context. The dictionary is filled at the end of the context."""
        before, taken = self.cpu_s(), dict[str, float]()
        yield taken
        taken |= {part: now - before[part] for part, now in self.cpu_s().items()}


def _role(command: str) -> str:
    if "valkey" in command or "redis-server" in command:
        return "store"
    for role in ("web", "relay", "archive", "deliver"):
        if f" kiosk {role}" in command:
            return role
    return ""


def store_info(data: Path) -> dict[str, str]:
    """The store's INFO, read over the socket in the data folder."""
    with socket.socket(socket.AF_UNIX) as line:
        here = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # The folder's full path may be too long for a socket address.
            line.connect(f"/proc/self/fd/{here}/valkey.sock")
        finally:
            os.close(here)
        line.settimeout(5)
        line.sendall(b"*2\r\n$4\r\nINFO\r\n$10\r\neverything\r\n")
        data_read = b""
        while b"\r\n" not in data_read:
            data_read += line.recv(65_536)
        length, _, text = data_read[1:].partition(b"\r\n")
        while len(text) < int(length):
            text += line.recv(65_536)
    pairs = (row.partition(":") for row in text.decode(errors="replace").splitlines())
    return {name: value for name, colon, value in pairs if colon}


def data_bytes(info: dict[str, str]) -> int:
    """Memory that holds keys: everything except the buffers of clients and of the journal."""
    return int(info["used_memory"]) - int(info["mem_clients_normal"]) - int(info["mem_aof_buffer"])


def journal_bytes(pid: int, info: dict[str, str]) -> int:
    """Bytes that the store has written to its journal: everything it wrote, less what it sent to clients. The size of
    the file cannot be used, because the file shrinks when the journal is rewritten.
    """
    # By thread: the whole process also counts what its children wrote, and a child rewrites the journal.
    written = 0
    for task in _tasks(pid):
        counted = dict(line.split(": ") for line in (task / "io").read_text().splitlines())
        written += int(counted["wchar"])
    return written - int(info["total_net_output_bytes"])
