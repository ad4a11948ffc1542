"""Reading the end of an append-only file: was it cut short, or damaged further up?

The server, when allowed, cuts a file back to its last whole command and goes on. That is right after a power cut:
what is lost was never answered. But one wrong digit in a length, anywhere, makes all that follows look like the
unfinished end of one value, and would be cut away in silence. So the server is first told to stop at such an end, and
this decides.
"""

import mmap
import re
from pathlib import Path

from queueing.embedded.configuration import size

JOURNAL_FOLDER = "appendonlydir"
"""Within the data folder; the server's own name for it."""
LATER_COMMAND = re.compile(rb"\r\n(?:#TS:\d+\r\n)?\*\d{1,9}\r\n\$\d{1,9}\r\n")
"""How the next command begins. Inside one unfinished command nothing of ours looks like this: values are sealed or
numbers.
"""


def journal_bytes(folder: Path) -> int:
    """How much a start on this data folder must read."""
    return sum(size(file) for file in (folder / JOURNAL_FOLDER).glob("*.aof"))


def unfinished_bytes(file: Path) -> int | None:
    """Bytes after the last whole command when the file was merely cut short; None when it is damaged.

    A command is an array of counted strings (``*2 $3 GET $1 k``); lines that begin with ``#`` are notes of time.
    Takes some seconds for each 100 MB.
    """
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        place = 0
        while place < len(data):
            end = _end_of_command(data, place)
            if end is None:
                return None
            if end > len(data):
                return None if LATER_COMMAND.search(data, place) else len(data) - place
            place = end
    return 0


def _end_of_command(data: mmap.mmap, place: int) -> int | None:
    """Where the command or note at ``place`` ends, beyond the data when it is cut short; None for what is neither."""
    beyond = len(data) + 1
    if data[place] == ord("#"):
        line_end = data.find(b"\n", place)
        return beyond if line_end < 0 else line_end + 1
    count = _number(data, place, b"*")
    if count is None or count[1] > len(data):
        return beyond if count else None
    place = count[1]
    for _ in range(count[0]):
        length = _number(data, place, b"$")
        if length is None or length[1] > len(data):
            return beyond if length else None
        place = length[1] + length[0] + 2
        if place > len(data):
            return beyond
    return place


def _number(data: mmap.mmap, place: int, mark: bytes) -> tuple[int, int] | None:
    """The number after ``mark`` and where its line ends, beyond the data when cut short; None for anything else."""
    line_end = data.find(b"\r\n", place, place + 16)
    if line_end < 0:
        rest = data[place : place + 16]
        return (0, len(data) + 1) if len(rest) < 16 and rest[:1] in (mark, b"") else None
    line = data[place:line_end]
    return (int(line[1:]), line_end + 2) if line[:1] == mark and line[1:].isdigit() else None
