"""``kiosk history``: what was not counted here. Totals of the time before this service, and the state's pillars."""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

import click

from kiosk.archive.imports import ImportedTotal, import_totals, known_facilities
from kiosk.archive.pillars import COUNTED, IMPORTED, PillarLine, import_pillars
from kiosk.cli import csv_files
from kiosk.cli.archive_commands import opened_archive
from kiosk.cli.csv_files import Column, Problem, Row
from kiosk.cli.running import as_json, settings_now, tell
from kiosk.patient.identifiers import western_digits
from queueing.limits import HIP_ID_MAX

TOKENS_MAX: Final = 10_000_000
"""No hospital gives so many numbers on a day; a state's total under one id may be some lakh."""
SOURCE_MAX: Final = 64
PILLAR_VALUE_MAX: Final = 999_999_999
"""A state links some crores of records."""
OLDEST: Final = date(2021, 9, 27)
"""ABDM began on this day."""


def _day(cell: str) -> date:
    try:
        day = date.fromisoformat(western_digits(cell))
    except ValueError:
        raise ValueError("is no date written as year-month-day, such as 2026-03-31") from None
    if not OLDEST <= day <= date.today():
        raise ValueError(f"lies before {OLDEST} or after today")
    return day


def _pillar(cell: str) -> str:
    if cell not in (*IMPORTED, *COUNTED):
        raise ValueError(f"is none of {', '.join((*IMPORTED, *COUNTED))}")
    return cell


COLUMNS: Final = (
    Column("hip_id", csv_files.text(1, HIP_ID_MAX), required=True),
    Column("date", _day, required=True, also=("day",)),
    Column("tokens", csv_files.whole(0, TOKENS_MAX), required=True),
    Column("source", csv_files.text(0, SOURCE_MAX)),
)


PILLAR_COLUMNS: Final = (
    Column("pillar", _pillar, required=True),
    Column("date", _day, required=True, also=("day",)),
    Column("value", csv_files.if_filled(csv_files.whole(0, PILLAR_VALUE_MAX))),
    Column("target", csv_files.if_filled(csv_files.whole(0, PILLAR_VALUE_MAX))),
    Column("source", csv_files.text(1, SOURCE_MAX), required=True),
)


@click.group()
def history() -> None:
    """What was not counted here: totals of the time before, and the state's pillars."""


@history.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def import_file(file: Path, json: bool) -> None:
    """Import totals of the time before from FILE, a CSV with the columns hip_id, date, tokens and perhaps source.

    A total of the same facility, date and source is replaced. A file with a mistake imports nothing.
    """
    seen: dict[tuple[str, date, str], int] = {}

    def make(row: Row) -> None:
        one = _total(row)
        line = seen.setdefault((one.hip_id, one.day, one.source), row.line)
        if line != row.line:
            raise Problem(row.line, "date", f"stands in line {line} already, for the same facility and source")

    csv_files.check(file, COLUMNS, make)
    with opened_archive(settings_now(), prepare=True) as database, database.writing() as connection:
        unknown = sorted({hip_id for hip_id, _, _ in seen} - known_facilities(connection))
        count = import_totals(connection, _totals(file), int(time.time() * 1000))
    lines = [f"{count} totals imported"]
    if unknown:
        lines.append(f"{len(unknown)} facilities are not in the archive yet, {unknown[0]} first: check their ids")
    tell(json, {"imported": count, "unknown_facilities": unknown}, *lines)


def _total(row: Row) -> ImportedTotal:
    values = row.values
    return ImportedTotal(values["hip_id"], values["date"], values["source"] or "imported", values["tokens"])


def _totals(file: Path) -> Iterator[ImportedTotal]:
    return (_total(row) for row in csv_files.rows(file, COLUMNS))


@history.command("pillars")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def import_pillar_file(file: Path, json: bool) -> None:
    """Import values and targets of the state's pillars from FILE, a CSV: pillar, date, value, target, source.

    Pillars: facilities_on_hfr, professionals_verified, institutions_on_esahaj, records_linked. Of tokens and
    institutions_live a file gives the target alone: their values are counted here. An empty cell is not known. A line
    of the same pillar and date is replaced. A file with a mistake imports nothing.
    """
    seen: dict[tuple[str, date], int] = {}

    def make(row: Row) -> None:
        one = _pillar_line(row)
        line = seen.setdefault((one.pillar, one.day), row.line)
        if line != row.line:
            raise Problem(row.line, "date", f"stands in line {line} already, for the same pillar")

    csv_files.check(file, PILLAR_COLUMNS, make)
    with opened_archive(settings_now(), prepare=True) as database, database.writing() as connection:
        lines = [_pillar_line(row) for row in csv_files.rows(file, PILLAR_COLUMNS)]
        count = import_pillars(connection, lines, int(time.time() * 1000))
    tell(json, {"imported": count}, f"{count} lines of pillars imported")


def _pillar_line(row: Row) -> PillarLine:
    """The line. Raises Problem when its cells do not go together."""
    values = row.values
    if values["value"] is None and values["target"] is None:
        raise Problem(row.line, "value", "is empty, and so is the target: one of them must be known")
    if values["pillar"] in COUNTED and values["value"] is not None:
        raise Problem(row.line, "value", f"must be empty: {values['pillar']} is counted here, give its target alone")
    return PillarLine(
        pillar=values["pillar"], day=values["date"], value=values["value"], target=values["target"],
        source=values["source"],
    )  # fmt: skip
