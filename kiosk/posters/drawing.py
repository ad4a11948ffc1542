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


PICTURES_MAX: Final = 16
"""Pictures that a worker remembers, some 0.2 MB each."""
WAITING_MAX: Final = 8
"""Who wait for a picture, each some seconds. The address of a counter's poster is open to everybody."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What the process is to draw, as JSON on its input."""

    paper: str = ""
    """Of a PDF. Empty: the first poster is drawn as PNG."""
    posters: list[Poster]


class NotDrawn(Exception):
    """No posters were drawn. ``str`` says why."""


one_at_a_time = asyncio.Lock()


async def drawn(posters: Sequence[Poster], paper: str) -> bytes:
    """The PDF. Raises NotDrawn while another one is drawn, and when the process fails."""
    if one_at_a_time.locked():
        raise NotDrawn("Posters are being drawn for somebody else. Try again in a minute.")
    async with one_at_a_time:
        return await _drawn_apart(Job(paper=paper, posters=list(posters)))


class PosterPictures:
    """Single posters as PNG: drawn one after another, and remembered while nothing on them changes."""

    def __init__(self) -> None:
        self._pictures: dict[Poster, bytes] = {}
        self._alone = asyncio.Lock()
        self._waiting = 0

    async def drawn(self, poster: Poster) -> bytes:
        """The PNG. Raises NotDrawn when too many wait, and when the process fails."""
        if picture := self._pictures.get(poster):
            return picture
        if self._waiting >= WAITING_MAX:
            raise NotDrawn("Many posters are being drawn. Try again in a minute.")
        self._waiting += 1
        try:
            async with self._alone:
                return self._pictures.get(poster) or await self._draw(poster)
        finally:
            self._waiting -= 1

    async def _draw(self, poster: Poster) -> bytes:
        picture = self._pictures[poster] = await _drawn_apart(Job(posters=[poster]))
        if len(self._pictures) > PICTURES_MAX:
            del self._pictures[next(iter(self._pictures))]
        return picture


async def _drawn_apart(job: Job) -> bytes:
    """What the process answers. Raises NotDrawn."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kiosk.posters.drawing", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(msgspec.json.encode(job)), DRAWN_WITHIN_S)
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
    """The process: JSON in, PDF or PNG out."""
    os.nice(NICE)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    if job.paper:
        from kiosk.posters.sheet import draw

        sys.stdout.buffer.write(draw(job.posters, paper=job.paper))
    else:
        from kiosk.posters.picture import picture

        sys.stdout.buffer.write(picture(job.posters[0]))


if __name__ == "__main__":
    main()
