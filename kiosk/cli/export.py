"""``kiosk export``: rows of the archive as a file."""

import contextlib
import os
import sys
from collections.abc import Iterator
from datetime import date, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import click

from kiosk.archive.export import Format, What, is_known
from kiosk.archive.export import export as export_rows
from kiosk.cli.archive_commands import opened_archive
from kiosk.cli.running import COMMAND_LINE, CommandFailed, settings_now, with_store
from queueing.audit import Audit

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("what", type=click.Choice(["tickets", "shares", "audit"]))
@click.option("--from", "first", type=_DAY, required=True, help="First service day, such as 2026-04-01.")
@click.option("--to", "last", type=_DAY, required=True, help="Last service day.")
@click.option("--facility", default="", metavar="HIP_ID", help="One facility only.")
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="File to write; otherwise standard output.")
def export(what: What, first: datetime, last: datetime, facility: str, form: Format, out: Path | None) -> None:
    """Write a row for each ticket, each share that gave no new place, or each act of the audit. No row names a patient.

    The export is itself an act in the audit.
    """
    begin, end = first.date(), last.date()
    if begin > end:
        raise CommandFailed(f"--from {begin} is after --to {end}")
    settings = settings_now()
    with opened_archive(settings) as database, database.reading() as connection:
        sentence = f"{what}, {_range(begin, end)}"
        with_store(settings, lambda store: Audit(store).record(facility, "export", by=COMMAND_LINE, why=sentence))
        if facility and not is_known(connection, facility):
            raise CommandFailed(f"the archive knows no facility {facility}")
        with _opened(out) as stream:
            zone = ZoneInfo(settings.timezone)
            count = export_rows(connection, stream, what, begin, end, hip_id=facility, form=form, zone=zone)
    click.echo(f"{count} rows of {_range(begin, end)} written", err=True)


def _range(begin: date, end: date) -> str:
    return f"{begin}" if begin == end else f"{begin} to {end}"


@contextlib.contextmanager
def _opened(out: Path | None) -> Iterator[TextIO]:
    """A file that is there as a whole or not at all, and that only this user reads; or standard output."""
    if out is None:
        stream = TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=False)
        try:
            yield stream
            stream.flush()
        finally:
            stream.detach()
        return
    part = out.with_name(f".{out.name}.part")
    try:
        with open(
            part, "w", encoding="utf-8", newline="", opener=lambda name, flags: os.open(name, flags, 0o600)
        ) as file:
            yield file
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
