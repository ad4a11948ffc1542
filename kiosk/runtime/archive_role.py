"""The archive process: writes what happened into the archive's database, in a process that gives way to every other."""

import asyncio
import os
from typing import Final

from kiosk.archive.role import ArchiveRole
from kiosk.services import archive_parts
from kiosk.settings import Settings

NICENESS: Final = 10
"""On a busy machine a scan goes first, and the archive is some seconds later."""


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Archive until ``stop``."""
    os.nice(NICENESS)
    async with archive_parts(settings) as parts:
        working = asyncio.create_task(ArchiveRole(parts).run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(stopping, return_exceptions=True)
        try:
            await working
        except asyncio.CancelledError:
            return
