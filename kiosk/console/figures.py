"""Figures of a page: a table, and how a plot shows it. ``templates/figures.html`` draws both; CSV is made of the same.

The table is the one source of the numbers: ``static/console/plots.js`` reads it and draws the plot above it. So a page
without scripts, a screen reader and a spreadsheet get the same figures as the picture.
"""

from datetime import date
from enum import StrEnum
from typing import Final, TypeAlias

from litestar import Response
from msgspec import Struct

from kiosk.archive import csv_text
from kiosk.console import figure_messages
from kiosk.web.security_headers import PAGE

Cell: TypeAlias = int | float | str | date | None
"""None: not known. It is never shown as 0."""
NOT_KNOWN: Final = "–"


class Plot(StrEnum):
    """How a table is drawn."""

    NONE = ""
    """A table alone."""
    BARS = "bars"
    """Bars side by side, one group for each row."""
    STACK = "stack"
    """Bars on top of each other: parts of a whole."""
    LINES = "lines"
    """A line through all rows: a trend, or a quantity of each hour."""
    STEPS = "steps"
    """A line of steps: a quantity that changes by whole numbers."""
    ACROSS = "across"
    """Bars that lie: names that are longer than a number."""


class Column(Struct, frozen=True, kw_only=True):
    """One column. The first of a table names its rows and is not drawn."""

    label: str
    """As the page shows it."""
    name: str = ""
    """In the CSV's header; empty: as ``label``."""
    drawn: bool = False
    """Whether the plot shows it."""
    earlier: bool = False
    """It is what the others are compared with: drawn pale and dashed."""
    digits: int = 0
    """Decimals shown."""


class Table(Struct, frozen=True, kw_only=True):
    """A table of figures with its plot. Each row has one cell for each column."""

    id: str
    """Its place in the page and the name of its CSV: lower-case letters, digits and dashes."""
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    plot: Plot = Plot.NONE
    unit: str = ""
    """Of the drawn columns: it stands at the axis."""
    summary: str = ""
    """The one sentence that a reader in a hurry needs."""
    hint: str = ""
    """How a figure is meant, in a few words."""
    empty: str = figure_messages.NOTHING
    """What stands there without rows, in English: the page translates it."""
    total: tuple[Cell, ...] | None = None
    """The last row of the table; not drawn."""


def shown(cell: Cell, digits: int = 0) -> str:
    """A cell as people read it: numbers grouped as in India, days as day, month and year."""
    if cell is None:
        return NOT_KNOWN
    if isinstance(cell, date):
        return f"{cell:%d-%m-%Y}"
    if isinstance(cell, str):
        return cell
    return grouped(cell, digits)


def grouped(number: float, digits: int = 0) -> str:
    """12,34,567: thousands, then lakhs and crores."""
    whole, _, fraction = f"{abs(number):.{digits}f}".partition(".")
    head, tail = whole[:-3], whole[-3:]
    groups = [tail]
    while head:
        head, group = head[:-2], head[-2:]
        groups.insert(0, group)
    sign = "-" if number < 0 and (int(whole) or fraction.strip("0")) else ""
    return sign + ",".join(groups) + (f".{fraction}" if fraction else "")


def csv_answer(table: Table, file_name: str) -> Response[bytes]:
    """The table as a file to download."""
    return csv_file(csv_of(table), file_name)


def csv_file(text: str, file_name: str) -> Response[bytes]:
    """A CSV as a file to download."""
    headers = {**PAGE, "Content-Disposition": f'attachment; filename="{file_name}.csv"'}
    return Response(text.encode(), media_type="text/csv", headers=headers)


def csv_of(table: Table) -> str:
    """The table's CSV. The total is left out, so that adding up a column counts nothing twice."""
    rounded = (
        [_rounded(cell, column.digits) for cell, column in zip(row, table.columns, strict=True)] for row in table.rows
    )
    return csv_text.whole([column.name or column.label for column in table.columns], rounded)


def _rounded(cell: Cell, digits: int) -> Cell:
    if isinstance(cell, float):
        return round(cell, digits) if digits else round(cell)
    return cell
