"""Ports for programs that a test starts and that must be told their port.

They lie below the range from which the system takes ports by itself, and each test process has a part of its own: so
nobody takes one between the moment it is named here and the moment the program listens.
"""

import os
import socket
from itertools import count
from typing import Final

FIRST: Final = 10_000
PARTS: Final = 20
PORTS_OF_A_PART: Final = 1_000
_numbers = count(os.getpid())
_part = int(os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw") or os.getpid()) % PARTS


def free_ports(how_many: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    found: list[int] = []
    while len(found) < how_many:
        port = FIRST + _part * PORTS_OF_A_PART + next(_numbers) % PORTS_OF_A_PART
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found


def free_port() -> int:
    """One of them."""
    return free_ports(1)[0]
