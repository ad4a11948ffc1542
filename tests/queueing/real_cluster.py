"""Six real Valkey nodes on this machine: three primaries and their replicas."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from queueing.embedded.configuration import find_binary
from tests.ports import free_ports
from tests.queueing.chaotic_server import array, bulk

NODES = 6
PRIMARIES = 3


class RealNode:
    """One Valkey process of a cluster."""

    def __init__(self, folder: Path, port: int, bus_port: int, **more: str | int) -> None:
        """``more``: settings with underscores for dashes."""
        self.port = port
        self._folder = folder
        folder.mkdir()
        settings = {
            "port": port,
            "cluster-port": bus_port,
            "bind": "127.0.0.1",
            "cluster-enabled": "yes",
            "cluster-node-timeout": 2000,
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "logfile": "valkey.log",
            "repl-diskless-sync-delay": 0,
        } | {name.replace("_", "-"): value for name, value in more.items()}
        self._options = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        self.id = ""
        self.start()

    def start(self) -> None:
        """Start the node, also after it was killed, with the data it had."""
        self.process = subprocess.Popen([find_binary(None), *self._options], cwd=self._folder)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def ask(self, *command: str | int) -> str:
        """Send one command over a new socket. It reads simple and bulk answers only."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(array(*[bulk(str(word).encode()) for word in command]))
            answer = b""
            while True:
                answer += connection.recv(1 << 16)
                head, _, rest = answer.partition(b"\r\n")
                if head[:1] != b"$" and b"\r\n" in answer:
                    return head[1:].decode()
                if head[:1] == b"$" and len(rest) >= int(head[1:]) + 2:
                    return rest[: int(head[1:])].decode()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


def eventually(condition: object) -> None:
    """Wait until a callable returns something true."""
    assert callable(condition)
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "the cluster did not settle"
        time.sleep(0.05)


def answers(node: RealNode) -> bool:
    try:
        return node.ask("PING") == "PONG"
    except OSError:
        return False


@contextlib.contextmanager
def six_nodes(nodes: int = NODES, **settings: str | int) -> Iterator[list[RealNode]]:
    """Three primaries in the order of their slots, then their replicas in the same order, one or more for each."""
    ports = free_ports(2 * nodes)
    with tempfile.TemporaryDirectory(prefix="kiosk-cluster-") as folder:
        made = [RealNode(Path(folder) / str(n), ports[2 * n], ports[2 * n + 1], **settings) for n in range(nodes)]
        try:
            build(made, ports)
            yield made
        finally:
            for node in made:
                node.process.kill()
                node.process.wait()


def build(made: list[RealNode], ports: list[int]) -> None:
    for node in made:
        eventually(lambda node=node: answers(node))
        node.id = node.ask("CLUSTER", "MYID")
    for number, node in enumerate(made[1:], start=1):
        made[0].ask("CLUSTER", "MEET", "127.0.0.1", node.port, ports[2 * number + 1])
    for number, node in enumerate(made[:PRIMARIES]):
        first, last = 16384 * number // PRIMARIES, 16384 * (number + 1) // PRIMARIES - 1
        assert node.ask("CLUSTER", "ADDSLOTSRANGE", first, last) == "OK"
    for node in made:
        eventually(lambda node=node: node.ask("CLUSTER", "NODES").count("connected") >= len(made))
    for number, node in enumerate(made[PRIMARIES:]):
        eventually(
            lambda node=node, number=number: node.ask("CLUSTER", "REPLICATE", made[number % PRIMARIES].id) == "OK"
        )
    for node in made:
        eventually(lambda node=node: "cluster_state:ok" in node.ask("CLUSTER", "INFO"))
    for node in made[:PRIMARIES]:
        each = len(made) // PRIMARIES - 1
        eventually(lambda node=node, each=each: node.ask("INFO", "replication").count("state=online") == each)
