"""Files of rows that were made with a spreadsheet: read as a stream, checked as a whole, mistakes reported by place.

UTF-8 with or without a byte order mark, commas, quotes as RFC 4180. Nothing of a file is written before all of it was
read without a mistake. ``NA`` and its like in a column that may be empty mean empty. Digits may be of any script.
"""

import asyncio
import csv
import re
import unicodedata
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct

from kiosk.cli.running import CommandFailed
from kiosk.patient.identifiers import western_digits
from kiosk.patient.names import unsafe_character
from queueing.display_text import display_text

T = TypeVar("T")

ROWS_MAX: Final = 1_000_000
"""Every facility of the country fits twice."""
FIELD_MAX: Final = 4_096
MISTAKES_MAX: Final = 20
"""Then reading stops: a file with more has one mistake many times."""
ABSENT: Final = frozenset({"NA", "N/A", "N.A.", "NULL", "NONE", "NIL", "-", "#N/A"})
"""How registers and spreadsheets write an empty cell."""
OTHER_SEPARATORS: Final = {";": "semicolons", "\t": "tabs"}
"""What spreadsheets write where the comma is the mark of decimals, or when text with tabs is saved."""
AT_ONCE: Final = 256
"""Writes on their way together: they share one fsync."""


class Problem(Exception):
    """A mistake in one line. ``line`` counts from 1, as an editor does."""

    def __init__(self, line: int, column: str, sentence: str) -> None:
        super().__init__(f"line {line}, column {column}: {sentence}")
        self.line = line
        self.column = column
        self.words = sentence


class Column(Struct, frozen=True):
    name: str
    read: Callable[[str], Any]
    """Raises ValueError with what is wrong, in words that follow the column's name."""
    required: bool = False
    also: tuple[str, ...] = ()
    """Other names of the column in the header, in lower case."""


class Row(Struct, frozen=True):
    line: int
    values: dict[str, Any]
    extra: dict[str, str]
    named: frozenset[str] = frozenset()
    """The columns that stand in the file."""


def text(shortest: int, longest: int) -> Callable[[str], str]:
    """Printable text of so many characters."""

    def read(cell: str) -> str:
        if len(cell) < shortest:
            raise ValueError("is empty")
        if len(cell) > longest:
            raise ValueError(f"is longer than {longest} characters")
        if not cell.isprintable():
            odd = next(char for char in cell if not char.isprintable())
            named = unsafe_character(odd) or f"U+{ord(odd):04X} {unicodedata.name(odd, '')}".rstrip()
            raise ValueError(f"holds the character {named}")
        return cell

    return read


def name(shortest: int, longest: int) -> Callable[[str], str]:
    """A name that screens show, in its display form. What no name may hold is refused and named."""

    def read(cell: str) -> str:
        if unsafe := unsafe_character(cell):
            raise ValueError(f"holds the character {unsafe}")
        shown = display_text(cell, longest + 1)
        if len(shown) < shortest:
            raise ValueError("is empty")
        if len(shown) > longest:
            raise ValueError(f"is longer than {longest} characters")
        return shown

    return read


def number(low: float, high: float) -> Callable[[str], float | None]:
    """A number, or None for an empty cell."""

    def read(cell: str) -> float | None:
        if not cell:
            return None
        try:
            value = float(western_digits(cell))
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise ValueError(f"is no number from {low:g} to {high:g}")
        return value

    return read


def whole(low: int, high: int, *, empty: int | None = None) -> Callable[[str], int | None]:
    """A whole number; ``empty`` stands for an empty cell."""

    def read(cell: str) -> int | None:
        if not cell and empty is not None:
            return empty
        cell = re.sub(r"\.0+$", "", western_digits(cell))  # as spreadsheets write whole numbers
        if not cell.isascii() or not cell.isdigit() or len(cell) > 9 or not low <= int(cell) <= high:
            raise ValueError(f"is no whole number from {low} to {high}")
        return int(cell)

    return read


def if_filled(read: Callable[[str], T]) -> Callable[[str], T | None]:
    """None for an empty cell, else what ``read`` makes of it."""
    return lambda cell: read(cell) if cell else None


def timezone(cell: str) -> str:
    """An IANA name, or empty."""
    if cell:
        try:
            ZoneInfo(cell)
        except (KeyError, OSError, ValueError):
            raise ValueError("is no time zone such as Asia/Kolkata") from None
    return cell


def rows(file: Path, columns: Sequence[Column]) -> Iterator[Row]:
    """Row by row; raises Problem at the first mistake, and CommandFailed for a file that is none of ours."""
    for row in _read(file, columns):
        if isinstance(row, Problem):
            raise row
        yield row


def check(file: Path, columns: Sequence[Column], make: Callable[[Row], object]) -> int:
    """Read all of it and count its rows. Raises CommandFailed that lists the first mistakes."""
    problems: list[Problem] = []
    count = 0
    for row in _read(file, columns):
        count += 1
        try:
            if isinstance(row, Problem):
                raise row
            make(row)
        except Problem as problem:
            problems.append(problem)
            if len(problems) == MISTAKES_MAX:
                break
    if problems:
        listed = "; ".join(str(problem) for problem in problems)
        more = f"; reading stopped at line {problems[-1].line}" if len(problems) == MISTAKES_MAX else ""
        counted = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        raise CommandFailed(f"{file.name}: {counted}, nothing was written: {listed}{more}")
    return count


def _read(file: Path, columns: Sequence[Column]) -> Iterator[Row | Problem]:
    csv.field_size_limit(FIELD_MAX)
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        try:
            head = _head(file, next(reader, []), columns)
            for cells in reader:
                if reader.line_num > ROWS_MAX:
                    raise CommandFailed(f"{file.name}: more than {ROWS_MAX} lines")
                if any(cell.strip() for cell in cells):
                    yield _row(reader.line_num, head, cells, columns)
        except csv.Error as wrong:
            raise CommandFailed(
                f"{file.name}: line {reader.line_num}: not CSV ({wrong}); nothing was written"
            ) from None
        except UnicodeDecodeError:
            sentence = f"{file.name}: line {_line_not_utf8(file)}: not UTF-8; save it as CSV UTF-8; nothing was written"
            raise CommandFailed(sentence) from None


def _line_not_utf8(file: Path) -> int:
    """The decoder reads ahead of the lines, so the line is looked for anew."""
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return number


def _head(file: Path, cells: list[str], columns: Sequence[Column]) -> list[str]:
    own_names = {other: column.name for column in columns for other in column.also}
    head = [own_names.get(cell.strip().lower(), cell.strip().lower()) for cell in cells]
    missing = [column.name for column in columns if column.required and column.name not in head]
    if missing and (other := next((mark for mark in OTHER_SEPARATORS if mark in "".join(cells)), "")):
        sentence = (
            f"columns are separated by {OTHER_SEPARATORS[other]}; save it as CSV with commas; nothing was written"
        )
        raise CommandFailed(f"{file.name}: line 1: {sentence}")
    if missing:
        raise CommandFailed(f"{file.name}: line 1: the header has no column {' and no column '.join(missing)}")
    twice = sorted({name for name in head if name and head.count(name) > 1})
    if twice:
        raise CommandFailed(f"{file.name}: line 1: column {twice[0]} stands twice in the header")
    return head


def _row(line: int, head: list[str], cells: list[str], columns: Sequence[Column]) -> Row | Problem:
    if any(cells[len(head) :]):
        return Problem(line, str(len(head) + 1), "has no name in the header: is a text with a comma not in quotes?")
    row = dict(zip(head, (cell.strip() for cell in cells), strict=False))
    try:
        return row_of(line, row, columns)
    except Problem as problem:
        return problem


def row_of(line: int, row: dict[str, str], columns: Sequence[Column]) -> Row:
    """One row's values. Raises Problem."""
    values: dict[str, Any] = {}
    for column in columns:
        try:
            cell = row.get(column.name, "")
            is_absent = not column.required and cell.upper() in ABSENT
            values[column.name] = column.read("" if is_absent else cell)
        except ValueError as wrong:
            raise Problem(line, column.name, str(wrong)) from None
    known = {column.name for column in columns}
    extra = {name: value for name, value in row.items() if name and name not in known}
    return Row(line, values, extra, frozenset(known & row.keys()))


async def spread(things: Iterable[T], key: Callable[[T], Hashable], put: Callable[[T], Awaitable[object]]) -> int:
    """Put all things, many at once; those of one key in the order of the file. Returns how many."""
    count = 0
    last: dict[Hashable, asyncio.Task[None]] = {}
    async with asyncio.TaskGroup() as group:
        room = asyncio.Semaphore(AT_ONCE)

        async def one(thing: T, before: asyncio.Task[None] | None) -> None:
            try:
                if before is not None:
                    await asyncio.wait({before})
                await put(thing)
            finally:
                room.release()

        for thing in things:
            await room.acquire()
            count += 1
            last[key(thing)] = group.create_task(one(thing, last.get(key(thing))))
            if len(last) > 4 * AT_ONCE:
                last = {name: task for name, task in last.items() if not task.done()}
    return count
