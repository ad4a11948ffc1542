"""Reads an append-only file (AOF) and finds where it stops being whole.

After a power cut the last file may end in half a command, in zeroes or in other garbage. Nothing after the last
``fsync`` was ever answered, so such an end may be set aside. But whole commands may stand *after* the place where
reading fails. They were answered, and a cut there would lose them. The server cannot tell the two cases apart: one
wrong digit in a length makes everything after it look like the end of one value. So this reader decides.
"""

import mmap
import re
from pathlib import Path

from msgspec import Struct

UNANSWERED_BYTES = 64 << 20
"""A longer end is damage. Between two fsyncs the server writes one turn of its event loop: 4,096 calls of 3 kB are
12 MB, with the largest envelopes 140 MB, which no turn of ours has come near.
"""
MULTI, EXEC = b"*1\r\n$5\r\nMULTI\r\n", b"*1\r\n$4\r\nEXEC\r\n"
"""The writes of one function stand between these two, and count only when both are there."""
COMMAND_START = re.compile(rb"\r\n(?:#TS:\d+\r\n)?(\*\d{1,9}\r\n\$\d{1,9}\r\n)")
"""How a command begins. Nothing inside one of our commands looks like this: values are sealed or numbers."""
TIMESTAMP = re.compile(rb"#TS:(\d{1,12})\r\n")
"""The server writes the time before the first command of each second."""


NOTE_BYTES = 1024
"""The longest line beginning with ``#`` that the server skips."""


class Extent(Struct, frozen=True, kw_only=True):
    """How much of a file can be read."""

    size: int
    whole: int
    """Bytes up to the end of the last complete write; a transaction counts as one write."""
    later_commands: int = 0
    """Complete commands after the place where reading failed. A cut would lose them."""
    later_first_s: int = 0
    later_last_s: int = 0
    """Unix seconds of the first and the last of them; 0 when the file does not state them."""

    @property
    def rest(self) -> int:
        """Bytes after the last complete write."""
        return self.size - self.whole

    @property
    def is_unanswered_end(self) -> bool:
        """Whether the rest was never answered, so that it may be set aside."""
        return 0 < self.rest <= UNANSWERED_BYTES and not self.later_commands


def ends_like_a_write(file: Path) -> bool:
    """A cheap check of the last two bytes: a whole file ends with a line end. An empty file is whole."""
    with file.open("rb") as opened:
        size = opened.seek(0, 2)
        opened.seek(max(0, size - 2))
        return size == 0 or opened.read() == b"\r\n"


def examine(file: Path) -> Extent:
    """Read a whole AOF file, some seconds for each 100 MB. This reader does not understand a base file in
    RDB format.
    """
    size = file.stat().st_size
    if size == 0:
        return Extent(size=0, whole=0)
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        whole, failed = _read_whole(data)
        if failed is None:
            return Extent(size=size, whole=whole)
        commands = _count_later(data, failed)
        times = [int(found[1]) for found in TIMESTAMP.finditer(data, failed)] if commands else []
        return Extent(
            size=size,
            whole=whole,
            later_commands=commands,
            later_first_s=times[0] if times else 0,
            later_last_s=times[-1] if times else 0,
        )


def _read_whole(data: mmap.mmap) -> tuple[int, int | None]:
    """The end of the last complete write, and where reading failed (None: the file can be read to its end)."""
    place = whole = 0
    in_transaction = False
    while place < len(data):
        end = _end_of_entry(data, place)
        if end is None:
            return whole, place
        if end - place == len(MULTI) and data[place:end] == MULTI:
            in_transaction = True
        elif end - place == len(EXEC) and data[place:end] == EXEC:
            in_transaction = False
        place = end
        if not in_transaction:
            whole = place
    return whole, place if in_transaction else None


def _count_later(data: mmap.mmap, failed: int) -> int:
    """Complete commands that can be found after ``failed``."""
    count, place = 0, failed
    while (found := COMMAND_START.search(data, place)) is not None:
        end = _end_of_entry(data, found.start(1))
        if end is None:
            place = found.start(1)
            continue
        count += 1
        place = end - 2  # the line end of this command is where the pattern of the next begins
    return count


def _end_of_entry(data: mmap.mmap, place: int) -> int | None:
    """Where the command or timestamp at ``place`` ends; None when it is unfinished or something else.

    A command is an array of counted strings (``*2 $3 GET $1 k``), each ended by CR LF.
    """
    if data[place] == ord("#"):
        return data.find(b"\n", place, place + NOTE_BYTES) + 1 or None
    head = _read_number(data, place, b"*")
    if head is None:
        return None
    count, place = head
    for _ in range(count):
        text = _read_number(data, place, b"$")
        if text is None:
            return None
        place = text[1] + text[0] + 2
        if data[place - 2 : place] != b"\r\n":
            return None
    return place


def _read_number(data: mmap.mmap, place: int, mark: bytes) -> tuple[int, int] | None:
    """The number after ``mark`` and where its line ends; None for anything else. A number has at most nine digits."""
    line_end = data.find(b"\r\n", place, place + 12)
    line = data[place:line_end] if line_end >= 0 else b""
    return (int(line[1:]), line_end + 2) if line[:1] == mark and line[1:].isdigit() else None
