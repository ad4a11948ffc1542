"""Becomes the store's server. ``python -I -S launch.py PARENT BINARY ARGUMENT…`` prepares the process and executes
BINARY.

These steps belong between fork and exec. They run in a new Python process, because they are not safe in the forked copy
of a parent with threads.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
OOM_SCORE_ADJUST = "-500"
"""When memory runs out, the kernel ends web processes first: they restart and lose nothing."""


def main(parent: str, binary: str, *arguments: str) -> None:
    """The server ends when the parent ends, writes no core files, creates private files and gains no privileges."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # Lowering it needs a privilege. Without it the kernel may end the server as soon as any other process.
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write(OOM_SCORE_ADJUST)
    if os.getppid() != int(parent):
        sys.exit("the parent ended first")
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execv(binary, [binary, *arguments])  # noqa: S606 - that there is no shell is the point
    except OSError as failure:
        sys.exit(f"cannot execute {binary}: {failure.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
