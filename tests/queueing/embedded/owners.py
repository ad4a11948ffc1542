"""Another process that owns a store, and a store that answers again."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


HANGING = """
import os, subprocess, sys, time
from pathlib import Path
from queueing.embedded.data_folder import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.take(brief=False)
nothing = subprocess.DEVNULL
child = subprocess.Popen(["sleep", "600"], pass_fds=(lock.descriptor,), stdout=nothing, stderr=nothing)
lock.note_server(child.pid)
print(child.pid, flush=True)
"""
"""An owner that ends and leaves a process with the lock which does not end with it."""


@contextmanager
def a_server_that_hangs(folder: Path) -> Iterator[int]:
    """The process that still holds the folder after its owner ended. A stopped store would not do: the kernel wakes the
    stopped processes of a group that lost its parent.
    """
    done = subprocess.run([sys.executable, "-c", HANGING, str(folder)], capture_output=True, text=True, check=True)
    pid = int(done.stdout)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)


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
