"""The private parts of Granian that we override. Only this file and one test name them.

``pyproject.toml`` pins the minor version that they were tested with.
"""

import contextlib
import os
import time
from typing import Any, Final

from granian.server.mp import MPServer

from kiosk.runtime.process import NOTICE, STOP_S

STEP_S: Final = 0.01
"""Between two checks whether the workers have ended."""
RESPAWN_S: Final = 0.2
"""Before a worker that died at its start is started again: without a pause it would take a whole core."""
STARTED_S: Final = 2.0
"""A worker that lives this long has started well."""


class WebServer(MPServer):
    """Granian's server. It gives workers notice before it stops them, and stops none because another one died."""

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        for worker in self.wrks:
            with contextlib.suppress(ProcessLookupError, TypeError):
                os.kill(worker.inner.pid, NOTICE)
        super().signal_handler_interrupt(*args, **kwargs)  # type: ignore[no-untyped-call]  # untyped upstream

    def _respawn_workers(self, workers: list[int], *started_with: Any, **more: Any) -> None:
        # When one worker dies twice in a few seconds, Granian ends all workers. The others must go on serving.
        if any(self._lives_s(worker) < STARTED_S for worker in workers):
            time.sleep(RESPAWN_S)
        super()._respawn_workers(workers, *started_with, **more)
        if any(worker.inner.is_alive() and self._lives_s(worker.idx) > STARTED_S for worker in self.wrks):
            self.respawned_wrks.clear()

    def _lives_s(self, worker: int) -> float:
        return time.monotonic() - self.wrks[worker].birth

    def _stop_workers(self) -> None:
        # A worker with ten thousand streams still frees memory for some milliseconds after it closed everything.
        # Granian checks once at that moment and would kill it.
        ends_at = time.monotonic() + STOP_S
        for worker in self.wrks:
            worker.terminate()  # type: ignore[no-untyped-call]  # untyped upstream
        while time.monotonic() < ends_at and any(worker.inner.is_alive() for worker in self.wrks):
            time.sleep(STEP_S)
        self.workers_kill_timeout = 1  # for a worker that is still running
        super()._stop_workers()  # type: ignore[no-untyped-call]  # untyped upstream
