"""The ledger's answers as a file: one line for each on-share that we answered, in the order of our answers.

So memory stays bounded in a long run, a reader can follow the file while it is written, and a load generator can count
the answers at nearly no cost. Lines of one turn of the event loop are written together.
"""

import asyncio
from pathlib import Path

from msgspec import Struct

SAFE = str.maketrans("\t\n\r", "   ")
"""Tabs and line ends are removed from values of the hospital, because they separate columns and lines."""


class Line(Struct, frozen=True):
    """One answer. ``status`` is our reply: 202 accepted, 0 our reply was lost on purpose, 4xx refused."""

    at_ms: int
    request_id: str
    status: int
    token: str
    error: str
    expiry: int
    context: str
    abha_address: str

    def written(self) -> str:
        """The line as it is written to the file."""
        return (
            f"{self.at_ms}\t{self.request_id}\t{self.status}\t{self.token}\t{self.error}\t{self.expiry}\t"
            f"{self.context.translate(SAFE)}\t{self.abha_address.translate(SAFE)}\n"
        )


def read_line(text: str) -> Line:
    """Parse a line of the file. Raises ValueError."""
    at_ms, request_id, status, token, error, expiry, context, address = text.rstrip("\n").split("\t")
    return Line(int(at_ms), request_id, int(status), token, error, int(expiry), context, address)


class Journal:
    """Appends to one file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._lines: list[str] = []

    def write(self, line: Line) -> None:
        """Write this line, together with the other lines of this turn."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(line.written())

    def close(self) -> None:
        """Write the remaining lines and close the file."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._lines:
            self._file.write("".join(self._lines).encode("utf-8", "replace"))
            self._lines.clear()
