"""CSV that a spreadsheet opens as it stands: UTF-8 with a byte order mark, and no cell is a formula.

A text that a spreadsheet would take for a formula gets an apostrophe before it (the advice of OWASP). Numbers stay
numbers, None is an empty cell. Exports write a stream with ``begin``; pages make a whole file with ``whole``.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from typing import Any, Final, TextIO

BYTE_ORDER_MARK: Final = "\ufeff"
"""Excel reads a file without it in the code page of the machine, where names in Urdu or Hindi are broken."""
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}")  # fmt: skip
"""Characters after which Excel, LibreOffice or a sheet in a browser begins a formula."""
_SUSPECT: Final = (*FORMULA_STARTS, " ")


def begin(out: TextIO, header: Iterable[str]) -> Callable[[Iterable[Iterable[Any]]], None]:
    """Write mark and header. Returns what writes rows, whose texts ``safe`` has seen."""
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe(name) for name in header])
    return writer.writerows


def whole(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A file of some rows."""
    out = StringIO()
    begin(out, header)([safe(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return out.getvalue()


def safe(text: str) -> str:
    """The text as it may stand in a spreadsheet. A spreadsheet may leave spaces before it out."""
    if text.startswith(_SUSPECT) and text.lstrip(" ").startswith(FORMULA_STARTS):
        return f"'{text}"
    return text


def safe_column(texts: Sequence[str]) -> Sequence[str]:
    """The same for a column: nearly always all of it may stand as it is."""
    return [safe(text) for text in texts] if any(text.startswith(_SUSPECT) for text in set(texts)) else texts
