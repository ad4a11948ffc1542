"""What every process of the tree does when it starts. It imports nothing of the web."""

import contextlib
import ctypes
import gc
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Final

NOTICE: Final = signal.SIGUSR1
"""Sent to workers just before they must stop, so that they end their streams: open streams would keep them running."""
STOP_S: Final = 6
"""For requests in progress: a scan's own deadline is five seconds."""
OPEN_FILES: Final = 65_536
SESSION_NICENESS: Final = Path("/proc/self/autogroup")
WRITES, BETWEEN_WRITES_S = 20, 0.1
"""Linux takes one such write in a tenth of a second from all processes without privilege together."""
PR_SET_PDEATHSIG: Final = 1
PR_SET_NO_NEW_PRIVS: Final = 38


def harden() -> None:
    """Set limits that child processes inherit: private files, no core files, no privilege escalation, a high open-file
    limit, and batch scheduling, so that threads are not pre-empted in the middle of a request.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(room, resource.getrlimit(resource.RLIMIT_NOFILE)[0]), hard))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # A scan passes through four threads. Normally a thread that wakes pre-empts another one in the middle of its
        # work. With batch scheduling it waits, and a busy machine takes an eighth more scans. An idle one is the same.
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def give_way(niceness: int) -> None:
    """Lower the priority of a background role, so that scans get the processor first.

    Where Linux groups processes by session (``kernel.sched_autogroup_enabled``, sched(7)), niceness counts only within
    a session. Each role has a session of its own, so the session's own niceness is set as well. A role that was
    started in a terminal leaves the terminal's session as it is.
    """
    os.nice(niceness)
    if os.getsid(0) != os.getpid() or not SESSION_NICENESS.exists():
        return
    for _ in range(WRITES):
        with contextlib.suppress(OSError):
            SESSION_NICENESS.write_text(str(niceness))
            return
        time.sleep(BETWEEN_WRITES_S)


def settle_memory() -> None:
    """Take the objects of the start out of garbage collection: they live until the end. A scan makes a few dozen
    short-lived objects and no cycles; collecting after 50,000 objects and not 700 saves 8 % of a scan (370 to 340 µs).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def die_with(parent: int) -> None:
    """End this process when ``parent`` ends, even by ``kill -9``. Exit at once if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent ended first")
