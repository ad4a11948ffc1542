"""The ledger's answers as a file that grows: one line for each on-share we replied to, in the order of our replies.

Memory stays bounded however long a run is, a reader may follow while it is written, and a load generator learns from
it, for nearly nothing, how many answers have come. Lines of one turn of the event loop leave in one write.
"""

import asyncio
from pathlib import Path

from msgspec import Struct

SAFE = str.maketrans("\t\n\r", "   ")
"""What the hospital wrote must not begin a new column or line."""


class Line(Struct, frozen=True):
    """One answer. ``status`` is what we replied: 202 taken, 0 our reply was lost on purpose, 4xx refused."""

    at_ms: int
    request_id: str
    status: int
    token: str
    error: str
    expiry: int
    context: str
    abha_address: str

    def written(self) -> str:
        """As it stands in the file."""
        return (
            f"{self.at_ms}\t{self.request_id}\t{self.status}\t{self.token}\t{self.error}\t{self.expiry}\t"
            f"{self.context.translate(SAFE)}\t{self.abha_address.translate(SAFE)}\n"
        )


def read_line(text: str) -> Line:
    """The line again. Raises ValueError on anything else."""
    at_ms, request_id, status, token, error, expiry, context, address = text.rstrip("\n").split("\t")
    return Line(int(at_ms), request_id, int(status), token, error, int(expiry), context, address)


class Journal:
    """Appends to one file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._lines: list[str] = []

    def write(self, line: Line) -> None:
        """With the others of this turn."""
        if not self._lines:
            asyncio.get_running_loop().call_soon(self._flush)
        self._lines.append(line.written())

    def close(self) -> None:
        """Write what is left and let go of the file."""
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._lines:
            self._file.write("".join(self._lines).encode("utf-8", "replace"))
            self._lines.clear()
