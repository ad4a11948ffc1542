"""Sends a drawn slip to a network printer (raw TCP, port 9100), and says in one word why it was not printed.

A slip is only a convenience: the ticket exists before, and the browser can print the same slip. So nothing is kept or
tried again. Whoever asks bounds the time.
"""

import asyncio
import contextlib
import fcntl
import struct
import termios
from collections.abc import Awaitable
from enum import StrEnum
from typing import Final
from weakref import WeakValueDictionary

from kiosk.posters.slip_drawing import SlipDrawer, SlipJob, SlipNotDrawn

WITHIN_S: Final = 7.0
"""From the clerk's key to the printer's last byte. Two seconds are usual; the page gives up after eight."""
CONNECT_S: Final = 2.5
"""In a hospital's own network a printer that is on answers in milliseconds; one packet may be lost twice."""
STATUS_S: Final = 0.6
"""Printers answer within 100 ms, or never: cheap ones and print servers are silent."""
CLOSE_S: Final = 0.5
"""For the printer to close its side."""
LOOK_S: Final = 0.05
STATUS: Final = b"\x10\x04\x02\x10\x04\x04"
"""DLE EOT 2 and 4, answered at once with a byte each: why it is off line, and the paper's sensors."""
FIXED: Final = 0b1001_0011
FIXED_AS: Final = 0b0001_0010
"""Bits that are the same in every such answer."""
OFF_LINE: Final = 0b0110_0100
"""Of the first answer: cover open, paper at its end, error."""
NO_PAPER: Final = 0b0110_0000
"""Of the second."""


class Fault(StrEnum):
    """Why a slip was not printed."""

    AWAY = "away"
    """The printer cannot be reached, or it hung up."""
    PAPER = "paper"
    """It says itself that it cannot print: no paper, an open cover or jammed."""
    SLOW = "slow"
    """It was reached and did not take the slip in time."""
    DRAWING = "drawing"
    """Our own drawing failed."""


class NotPrinted(Exception):
    """Nothing was printed, or only a part."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


class SlipPrinting:
    """Prints for one worker: one slip at a time on each printer."""

    def __init__(self, *, within_s: float = WITHIN_S) -> None:
        self._within_s = within_s
        self._drawer = SlipDrawer()
        self._printers: WeakValueDictionary[tuple[str, int], asyncio.Lock] = WeakValueDictionary()

    def warm(self) -> None:
        """Start what draws: the first slip of a process takes more than a second."""
        self._drawer.start()

    async def print(self, address: Awaitable[str], port: int, job: SlipJob) -> None:
        """Draw and send. ``address`` finds an IP address that may be reached. Raises NotPrinted, and what it raises."""
        fault = Fault.AWAY
        try:
            async with asyncio.timeout(self._within_s):
                found = await address
                fault = Fault.DRAWING
                commands = await self._drawer.drawn(job)
                fault = Fault.SLOW
                async with self._printers.setdefault((found, port), asyncio.Lock()):
                    await send(found, port, commands)
        except SlipNotDrawn:
            raise NotPrinted(Fault.DRAWING) from None
        except TimeoutError:
            raise NotPrinted(fault) from None

    async def close(self) -> None:
        """End the process that draws."""
        await self._drawer.close()


async def send(address: str, port: int, commands: bytes) -> None:
    """Give the printer all commands; it acknowledged the last byte when this returns. Raises NotPrinted."""
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(address, port)
    except (OSError, TimeoutError):
        raise NotPrinted(Fault.AWAY) from None
    try:
        await _ready(reader, writer)
        writer.write(commands)
        await _taken(writer)
        writer.write_eof()
        with contextlib.suppress(TimeoutError):  # what a printer said must be read: else closing is a reset
            await asyncio.wait_for(reader.read(), CLOSE_S)
    except OSError:
        raise NotPrinted(Fault.AWAY) from None
    finally:
        writer.transport.abort()  # after a failure: what waits to be sent is dropped, not printed later


async def _ready(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Raises NotPrinted when the printer says that it cannot print. Silence is no reason."""
    writer.write(STATUS)
    await writer.drain()
    try:
        off_line, paper = await asyncio.wait_for(reader.readexactly(2), STATUS_S)
    except TimeoutError:
        return
    except asyncio.IncompleteReadError:
        raise NotPrinted(Fault.AWAY) from None
    if not all(byte & FIXED == FIXED_AS for byte in (off_line, paper)):
        return  # not an answer
    if off_line & OFF_LINE or paper & NO_PAPER:
        raise NotPrinted(Fault.PAPER)


async def _taken(writer: asyncio.StreamWriter) -> None:
    """Until the printer acknowledged every byte: what only our own kernel has is not printed."""
    writer.transport.set_write_buffer_limits(high=0)
    await writer.drain()
    handle = writer.get_extra_info("socket").fileno()
    while struct.unpack("i", fcntl.ioctl(handle, termios.TIOCOUTQ, bytes(4)))[0]:
        if writer.transport.is_closing():
            raise ConnectionResetError
        await asyncio.sleep(LOOK_S)
