"""Becomes the store's server: run as ``python -I -S launch.py PARENT BINARY ARGUMENT…``, it prepares itself and turns
into BINARY.

What a child must do between fork and exec is done here, in a process of its own, because a forked copy of a parent
with threads may not safely do it.
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
"""When memory runs out, web processes go first: they come back with nothing lost."""


def main(parent: str, binary: str, *arguments: str) -> None:
    """Ends when the parent ends, keeps no core files, makes private files, gains no rights."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # Lowering it is a privilege; without it the server is as likely a victim as any.
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
