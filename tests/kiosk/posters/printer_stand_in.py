"""A receipt printer as a process of its own: it listens on TCP and writes what it receives to a file.

``python -m tests.kiosk.posters.printer_stand_in FILE MOOD`` prints its port. Moods: ``ready`` answers the questions
about its state, ``silent`` answers none, ``no-paper`` and ``open`` say so, ``full`` reads the questions and nothing
more, as a printer that waits for somebody, ``hangs-up`` closes before the slip. A slip is a line of hexadecimal digits.
"""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from PIL import Image

QUESTIONS: Final = {b"\x10\x04\x02": 0, b"\x10\x04\x04": 1}
ANSWERS: Final = {
    "ready": (0x12, 0x12), "no-paper": (0x32, 0x72), "open": (0x16, 0x12), "full": (0x12, 0x12), "hangs-up": None,
    "silent": None,
}  # fmt: skip
"""To DLE EOT 2 and DLE EOT 4."""
FEW: Final = 4096
"""Bytes that a printer's buffer holds."""


class StandIn:
    """A running stand-in."""

    def __init__(self, port: int, file: Path) -> None:
        self.port, self._file = port, file

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def received(self) -> list[bytes]:
        """What each connection brought, without the questions."""
        return [bytes.fromhex(line) for line in self._file.read_text().splitlines()]

    def slips(self) -> list[Image.Image]:
        """The pictures that were printed; a connection without one is left out."""
        return [picture_of(one) for one in self.received() if one]


@contextmanager
def printer(folder: Path, mood: str = "ready") -> Iterator[StandIn]:
    file = folder / f"{mood}.hex"
    file.touch()
    command = [sys.executable, "-m", "tests.kiosk.posters.printer_stand_in", str(file), mood]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield StandIn(int(process.stdout.readline()), file)
        finally:
            process.kill()


def picture_of(commands: bytes) -> Image.Image:
    """The raster of a slip, as a printer would print it; anything but reset, raster, feed and cut fails."""
    assert commands.startswith(b"\x1b@"), commands[:8]
    at, parts = 2, []
    while commands[at : at + 4] == b"\x1dv0\x00":
        width = int.from_bytes(commands[at + 4 : at + 6], "little")
        height = int.from_bytes(commands[at + 6 : at + 8], "little")
        at += 8
        bits = commands[at : at + width * height]
        at += width * height
        parts.append(Image.frombytes("1", (width * 8, height), bytes(byte ^ 0xFF for byte in bits)))
    assert commands[at:] == b"\x1bd\x06\x1dV\x00", commands[at : at + 20]
    page = Image.new("1", (parts[0].width, sum(one.height for one in parts)), 1)
    top = 0
    for part in parts:
        page.paste(part, (0, top))
        top += part.height
    return page


def _serve(file: Path, mood: str) -> None:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, FEW)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        print(listening.getsockname()[1], flush=True)
        while True:
            connection, _ = listening.accept()
            with connection:
                _one(connection, file, mood)


def _one(connection: socket.socket, file: Path, mood: str) -> None:
    answers = ANSWERS[mood]
    for question, number in QUESTIONS.items():
        assert connection.recv(len(question), socket.MSG_WAITALL) == question
        if answers:
            connection.sendall(bytes([answers[number]]))
    if mood == "hangs-up":
        return
    if mood == "full":
        threading.Event().wait()  # until the test ends
    received = bytearray()
    while more := connection.recv(FEW):
        received += more
    with file.open("a") as lines:
        lines.write(received.hex() + "\n")


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), sys.argv[2])
