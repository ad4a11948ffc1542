"""Writes rows as CSV that a spreadsheet opens as it stands: UTF-8 with a byte order mark, and no cell is a formula.

A text that a spreadsheet would take for a formula gets an apostrophe before it (the advice of OWASP). Numbers stay
numbers. The rows may be a stream: one line is made at a time.
"""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any, Final

BYTE_ORDER_MARK: Final = "\ufeff"
"""Excel reads a file without it in the code page of the machine, where names in Urdu or Hindi are broken."""
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}")  # fmt: skip
"""Characters after which Excel, LibreOffice or a sheet in a browser begins a formula."""


def lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The file line by line, with the mark before the header. None is an empty cell."""
    buffer = StringIO()
    writer = csv.writer(buffer)
    buffer.write(BYTE_ORDER_MARK)
    writer.writerow([safe(cell) for cell in header])
    yield buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([safe(cell) for cell in row])
        yield buffer.getvalue()


def safe(cell: Any) -> Any:
    """The cell as it may stand in a spreadsheet."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell
