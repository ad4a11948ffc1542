"""Draws posters in a process of its own: some seconds of CPU beside scans that must be answered in milliseconds."""

import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Final

import msgspec

from kiosk.posters.texts import Poster

DRAWN_WITHIN_S: Final = 120
"""Two hundred pages take one minute of a busy core."""
NICE: Final = 10
"""Behind everything else that the machine does."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is to draw, as JSON on its input."""

    paper: str
    posters: list[Poster]


class NotDrawn(Exception):
    """No posters were drawn. ``str`` says why."""


one_at_a_time = asyncio.Lock()


async def drawn(posters: Sequence[Poster], paper: str) -> bytes:
    """The PDF. Raises NotDrawn while another one is drawn, and when the process fails."""
    if one_at_a_time.locked():
        raise NotDrawn("Posters are being drawn for somebody else. Try again in a minute.")
    async with one_at_a_time:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kiosk.posters.drawing", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        job = msgspec.json.encode(Job(paper=paper, posters=list(posters)))
        try:
            output, _ = await asyncio.wait_for(process.communicate(job), DRAWN_WITHIN_S)
        except TimeoutError:
            raise NotDrawn("The posters were not drawn in two minutes. Try again later.") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode:
        raise NotDrawn("The posters could not be drawn. `kiosk posters` on the command line says why.")
    return output


def main() -> None:
    """The process: JSON in, PDF out."""
    from kiosk.posters.sheet import draw

    os.nice(NICE)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    sys.stdout.buffer.write(draw(job.posters, paper=job.paper))


if __name__ == "__main__":
    main()
