"""Draws slips for printers in a process of its own, which stays for the next slip.

Fonts, Pillow and python-escpos need a second and some 80 MB when they are loaded, and drawing holds a core for 50 ms:
neither belongs into a worker that answers scans. A worker that prints nothing starts no such process.

One job is a line of JSON on the process's input; the answer is four bytes of length and the commands for the printer.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from functools import cache
from typing import IO, Any, Final

import msgspec
from msgspec import Struct

from kiosk.posters.slip import Paper, SlipText

NICE: Final = 5
"""Behind the workers that answer scans; a clerk waits for it."""
DRAWN_WITHIN_S: Final = 60
"""A process that takes longer is stuck."""
LENGTH: Final = 4
"""Bytes, big-endian."""


class SlipJob(Struct, frozen=True, kw_only=True):
    """One slip to draw."""

    slip: SlipText
    paper: Paper = 80
    large: bool = False


class SlipNotDrawn(Exception):
    """The process ended instead of answering."""


def commands_of(job: SlipJob) -> bytes:
    """The slip as ESC/POS: reset, the picture as a raster (GS v 0), feed and cut."""
    from kiosk.posters.slip import draw

    printer = _printer_class()()
    printer.hw("INIT")
    with contextlib.redirect_stdout(None):  # the library prints remarks
        printer.image(draw(job.slip, job.paper, large=job.large), impl="bitImageRaster")
    printer.cut()
    commands: bytes = printer.output
    return commands


@cache
def _printer_class() -> Any:
    """The library's printer that only collects commands."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder  # the library makes a folder when it is loaded, and leaves it behind
        try:
            from escpos.printer import Dummy
        finally:
            tempfile.tempdir = before
    return Dummy


class SlipDrawer:
    """The process of one worker, and one job at a time."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._alone = asyncio.Lock()
        self._tasks: set[asyncio.Task[bytes]] = set()

    def start(self) -> None:
        """Start the process if none runs, and let it load what it needs."""
        if self._process is None and not self._alone.locked():
            example = SlipText(token="-", link="-", local_title="نमਨ")  # noqa: S106  (a queue number, no password)
            self._begin(SlipJob(slip=example))

    async def drawn(self, job: SlipJob) -> bytes:
        """The commands for a printer. Raises SlipNotDrawn. Cancelled, the job is finished all the same.

        So a slow first start helps the next slip, and no answer is taken for another one's.
        """
        return await asyncio.shield(self._begin(job))

    def _begin(self, job: SlipJob) -> asyncio.Task[bytes]:
        task = asyncio.create_task(self._one(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def _one(self, job: SlipJob) -> bytes:
        async with self._alone:
            process = self._process
            if process is None or process.returncode is not None:
                process = self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "kiosk.posters.slip_drawing", stdin=PIPE, stdout=PIPE
                )
            try:
                async with asyncio.timeout(DRAWN_WITHIN_S):
                    return await _answer(process, job)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                self._end()
                raise SlipNotDrawn from None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    async def close(self) -> None:
        """End the process."""
        process = self._process
        self._end()
        if process is not None:
            await process.wait()


async def _answer(process: Process, job: SlipJob) -> bytes:
    assert process.stdin is not None  # noqa: S101  (both were asked for; says so to the type checker)
    assert process.stdout is not None  # noqa: S101  (as above)
    process.stdin.write(msgspec.json.encode(job) + b"\n")
    await process.stdin.drain()
    length = int.from_bytes(await process.stdout.readexactly(LENGTH), "big")
    return await process.stdout.readexactly(length)


def serve(jobs: IO[bytes], answers: IO[bytes]) -> None:
    """Answer jobs until the input ends, which it does when the worker ends."""
    for line in jobs:
        commands = commands_of(msgspec.json.decode(line, type=SlipJob))
        answers.write(len(commands).to_bytes(LENGTH, "big") + commands)
        answers.flush()


def main() -> None:
    """The process."""
    os.nice(NICE)
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
