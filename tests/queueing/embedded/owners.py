"""Another process that owns a store, and a store that answers again."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from queueing.errors import (
    StoreAway,
)
from queueing.store.store import Store

OWNER = """
import sys, time
from queueing.embedded.server import EmbeddedValkey
server = EmbeddedValkey(sys.argv[1])
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""
"""A process that owns a store, for tests that kill it."""


class Owner:
    """Another process with an embedded store."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.server_pid = int(self.process.stdout.readline())

    def kill(self, *, server_too: bool) -> None:
        if server_too:
            os.kill(self.server_pid, signal.SIGKILL)
        self.process.kill()
        self.end()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


async def answers(store: Store, value: bytes) -> None:
    """Wait until the store answers again with the data it had."""
    async with asyncio.timeout(20):
        while True:
            try:
                assert await store.call("a", "GET", "a") == value
            except StoreAway:
                await asyncio.sleep(0.02)
            else:
                return
