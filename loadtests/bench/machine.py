"""The machine we measure on, and what each process took of it: readings of ``/proc`` and the store's own INFO."""

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
    """For the head of a report."""
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
    """A process and all that descend from it, now."""
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
    """Processor seconds of all threads of a process, to the nanosecond where the kernel tells, else to its tick."""
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
    """Memory of a process that nobody shares with it, and its part of what is shared."""
    try:
        rollup = (PROC / str(pid) / "smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def open_files(pid: int) -> int:
    """Descriptors of a process."""
    try:
        return sum(1 for _ in (PROC / str(pid) / "fd").iterdir())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0


def words(pid: int) -> str:
    """The command line."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Parts(Struct, frozen=True):
    """Which process plays which part: ``web``, ``store``, ``relay``, ``gateway``, ``generator``."""

    pids: dict[str, list[int]]

    @classmethod
    def of(cls, kiosk: int, gateway: int) -> "Parts":
        """Found by their command lines; what is none of the three of a kiosk only watches them."""
        pids: dict[str, list[int]] = {
            "web": [],
            "store": [],
            "relay": [],
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
        """Processor seconds so far, by part."""
        return {part: sum(map(cpu_s, pids)) for part, pids in self.pids.items()}

    def open_files(self) -> dict[str, int]:
        """Descriptors, sockets too, now, by part."""
        return {part: sum(map(open_files, pids)) for part, pids in self.pids.items()}

    def memory_mb(self) -> dict[str, float]:
        """Now, by part."""
        return {part: round(sum(map(memory_bytes, pids)) / 1024**2, 1) for part, pids in self.pids.items()}

    @contextmanager
    def spent(self) -> Iterator[dict[str, float]]:
        """Processor seconds that each part takes within the context; filled at its end."""
        before, taken = self.cpu_s(), dict[str, float]()
        yield taken
        taken |= {part: now - before[part] for part, now in self.cpu_s().items()}


def _role(command: str) -> str:
    if "valkey" in command or "redis-server" in command:
        return "store"
    for role in ("web", "relay"):
        if f" kiosk {role}" in command:
            return role
    return ""


def store_info(data: Path) -> dict[str, str]:
    """What the store says of itself, asked over the socket in the data folder."""
    with socket.socket(socket.AF_UNIX) as line:
        here = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # The folder's own path may be too long for a socket address.
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
    """Memory that holds keys: everything but clients' and the journal's buffers."""
    return int(info["used_memory"]) - int(info["mem_clients_normal"]) - int(info["mem_aof_buffer"])


def journal_bytes(pid: int, info: dict[str, str]) -> int:
    """Bytes a store has written to its journal so far: everything it wrote but what went to its clients. The file's own
    size would not tell, for it shrinks whenever the journal is rewritten.
    """
    # By thread: the whole process also counts what its children wrote, and a child rewrites the journal.
    written = 0
    for task in _tasks(pid):
        counted = dict(line.split(": ") for line in (task / "io").read_text().splitlines())
        written += int(counted["wchar"])
    return written - int(info["total_net_output_bytes"])
