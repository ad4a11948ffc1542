"""``kiosk facility``: hospitals, one by one or a whole register at once."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

import click
import msgspec

from kiosk.cli import csv_files, language_names
from kiosk.cli.csv_files import Column, Problem, if_filled, name, number, text, timezone, whole
from kiosk.cli.running import OPERATOR, CommandFailed, a_table, as_json, settings_now, tell, with_store
from kiosk.exchange.hours_text import TEXT_MAX, NotUnderstood, read_holidays, write_holidays
from queueing import facility_copy
from queueing.coordinates import place_fault
from queueing.facility_copy import CopyPlan, Why
from queueing.limits import BURST_MAX, FACILITY_NAME_MAX, HIP_ID_MAX, NO_SHOW_MAX_S, RATE_MAX, RATE_MIN, REGION_MAX
from queueing.models import Facility
from queueing.registry import DoesNotFit, Registry, UnknownFacility, own_networks
from queueing.store.store import Store

COLUMNS = (
    Column("hip_id", text(1, HIP_ID_MAX), required=True, also=("facilityid", "facility_id", "hipid")),
    Column("name", name(1, FACILITY_NAME_MAX), required=True, also=("facilityname", "facility_name")),
    Column("district", name(0, REGION_MAX), also=("districtname", "district_name")),
    Column("state", name(0, REGION_MAX), also=("statename", "state_name")),
    Column("latitude", number(-90, 90), also=("lat",)),
    Column("longitude", number(-180, 180), also=("long", "lng", "lon")),
    Column("timezone", timezone),
)


def _networks(cell: str) -> tuple[str, ...]:
    """Networks separated by spaces. Raises ValueError with words that follow the column's name."""
    try:
        return own_networks(cell.split())
    except DoesNotFit as wrong:
        raise ValueError(f"does not fit: {wrong}") from None


IMPORT_COLUMNS = (
    *COLUMNS,
    *language_names.columns(FACILITY_NAME_MAX),
    Column("networks", if_filled(_networks)),
    Column("rate", number(RATE_MIN, RATE_MAX)),
    Column("burst", if_filled(whole(1, BURST_MAX))),
    Column("no_show_after_s", if_filled(whole(0, NO_SHOW_MAX_S))),
)
RULES = ("rate", "burst", "no_show_after_s")
OF_FACILITY = {column.name for column in COLUMNS}
"""Columns that are fields of a facility by themselves."""
EXTRA_COLUMNS, EXTRA_LENGTH = 16, 200
"""Kept beside, for whoever exports them again: no more than a register's usual columns."""


@click.group()
def facility() -> None:
    """Hospitals."""


@facility.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def import_(file: Path, json: bool) -> None:
    """Add or update facilities from FILE, a CSV with a header.

    Columns: hip_id, name, district, state, latitude, longitude, timezone; the register's own names (facilityId,
    facilityName, districtName, stateName) are understood; others are kept beside. What the file has no column for
    stays as it is. A file with a mistake changes nothing: every line is read before the first is written. Coordinates
    that cannot be right are reported and left out. Names in other languages, rules, networks and default queues stay
    as they are, except where a cell of one of these columns is filled: name_hi, name_ur, name_ks, name_doi, name_pa,
    name_en (the name as screens, phones and paper show it in this language), rate (scans a second this facility may
    take), burst (scans at once), no_show_after_s (Next records a no-show after so many seconds; 0: the clerk decides),
    networks (the hospital's own, separated by spaces).
    """
    warnings: list[str] = []
    csv_files.check(file, IMPORT_COLUMNS, lambda row: _warn(row, warnings))

    async def write(store: Store) -> int:
        registry = Registry(store, OPERATOR)
        rows = csv_files.rows(file, IMPORT_COLUMNS)
        return await csv_files.spread(rows, lambda row: row.values["hip_id"], lambda row: _put(registry, row))

    count = with_store(settings_now(), write)
    report = {"facilities": count, "warnings": warnings}
    tell(json, report, *warnings, f"{count} facilities added or updated")


async def _put(registry: Registry, row: csv_files.Row) -> None:
    """Write one facility, and those of its rules that the row names. What the file has no column for stays."""
    one = to_facility(row)
    absent = OF_FACILITY - row.named
    await _put_with_stored(registry, one, absent if row.extra else absent | {"extra"})
    if rules := {name: row.values[name] for name in RULES if row.values[name] is not None}:
        stored = await registry.facility(one.hip_id)
        await registry.set_policy(one.hip_id, msgspec.structs.replace((stored or one).policy, **rules))
    if row.values["networks"] is not None:
        await registry.set_networks(one.hip_id, row.values["networks"])


async def _put_with_stored(registry: Registry, one: Facility, unnamed: set[str]) -> Facility:
    """Write a facility; the ``unnamed`` fields and the names of other languages stay as they are stored.

    Returns what was written.
    """
    stored = await registry.facility(one.hip_id)
    if stored is not None:
        same = {name: getattr(stored, name) for name in unnamed}
        one = msgspec.structs.replace(one, names=stored.names | one.names, **same)
    await registry.put_facility(one)
    return one


def _warn(row: csv_files.Row, warnings: list[str]) -> None:
    """Collect the first warnings of the file. Raises Problem."""
    to_facility(row)
    fault = _place_fault(row)
    if fault and len(warnings) < csv_files.MISTAKES_MAX:
        warnings.append(f"line {row.line}: {fault}; imported without a place, so no phone counts as near or far")


def _place_fault(row: csv_files.Row) -> str:
    latitude, longitude = row.values["latitude"], row.values["longitude"]
    return "" if latitude is None or longitude is None else place_fault(latitude, longitude)


def without_place(facilities: Iterable[Facility]) -> list[str]:
    """HIP ids of facilities whose place is unknown or cannot be right: no phone there counts as near."""
    return [
        one.hip_id
        for one in facilities
        if one.latitude is None or one.longitude is None or place_fault(one.latitude, one.longitude)
    ]


def to_facility(row: csv_files.Row) -> Facility:
    """Raises Problem. Coordinates that cannot be right are left out."""
    at: dict[str, Any] = {name: value for name, value in row.values.items() if name in OF_FACILITY}
    if (at["latitude"] is None) != (at["longitude"] is None):
        missing = "latitude" if at["latitude"] is None else "longitude"
        raise Problem(row.line, missing, "is empty, and latitude and longitude go together")
    extra = {name[:60]: value[:EXTRA_LENGTH] for name, value in list(row.extra.items())[:EXTRA_COLUMNS] if value}
    if _place_fault(row):
        at = at | {"latitude": None, "longitude": None}
    return Facility(**at, names=language_names.names_of(row.values), extra=extra)


@facility.command("add")
@click.argument("hip_id")
@click.option("--name", required=True, help="As boards and posters show it.")
@click.option("--district")
@click.option("--state")
@click.option("--latitude", type=click.FloatRange(-90, 90))
@click.option("--longitude", type=click.FloatRange(-180, 180))
@language_names.options
@as_json
def add(
    hip_id: str, name: str, district: str | None, state: str | None, latitude: float | None, longitude: float | None,
    json: bool, **names: str,
) -> None:  # fmt: skip
    """Add or update one facility. What no option names stays as it is."""
    options = {"district": district, "state": state, "latitude": latitude, "longitude": longitude}
    cells = {option: str(value) for option, value in options.items() if value is not None}
    cells |= {"hip_id": hip_id, "name": name, **names}
    try:
        row = csv_files.row_of(0, cells, (*COLUMNS, *language_names.columns(FACILITY_NAME_MAX)))
        one = to_facility(row)
    except Problem as problem:
        raise CommandFailed(f"{problem.column} {problem.words}") from None
    if fault := _place_fault(row):
        raise CommandFailed(fault)
    unnamed = {"timezone", "extra", *(option for option, value in options.items() if value is None)}
    one = with_store(settings_now(), lambda store: _put_with_stored(Registry(store, OPERATOR), one, unnamed))
    tell(json, one, f"{one.hip_id} added: {one.name}")


@facility.command("alias")
@click.argument("hip_id")
@click.argument("alias")
@click.option("--forget", is_flag=True, help="Remove the alias again.")
@as_json
def alias(hip_id: str, alias: str, forget: bool, json: bool) -> None:
    """Let the id ALIAS lead to the facility HIP_ID, such as a service id of the bridge (IN0110000123_1)."""
    if not 1 <= len(alias) <= HIP_ID_MAX:
        raise CommandFailed(f"an alias has 1 to {HIP_ID_MAX} characters")
    try:
        with_store(settings_now(), lambda store: Registry(store, OPERATOR).put_alias(alias, "" if forget else hip_id))
    except UnknownFacility:
        raise CommandFailed(f"{hip_id} is not registered, or {alias} is a facility of its own") from None
    sentence = f"{alias} is forgotten" if forget else f"{alias} leads to {hip_id}"
    tell(json, {"alias": alias, "hip_id": None if forget else hip_id}, sentence)


LEFT_OUT = {
    Why.THERE: "stays: it is there already",
    Why.PREFIX: "left out: another queue there has its prefix",
    Why.QUEUE: "left out: it serves a queue that is left out",
}


@facility.command("copy")
@click.argument("template", metavar="TEMPLATE")
@click.argument("hip_id")
@click.option("--make", "is_made", is_flag=True, help="Make it; without this it is only shown.")
@as_json
def copy(template: str, hip_id: str, is_made: bool, json: bool) -> None:
    """Give the facility HIP_ID the queues, counters and rules of the facility TEMPLATE.

    Nothing that is there is changed. People, logins, keys, screens, networks and printed texts are not copied.
    """
    if template == hip_id:
        raise CommandFailed("a facility is no template of itself")

    async def work(store: Store) -> CopyPlan:
        registry = Registry(store, OPERATOR)
        source, target = await registry.hospital(template), await registry.hospital(hip_id)
        if source is None or target is None:
            raise CommandFailed(f"{template if source is None else hip_id} is not registered")
        plan = facility_copy.plan(source, target)
        if is_made:
            await facility_copy.make(registry, plan)
        return plan

    plan = with_store(settings_now(), work)
    document = {
        "template": template, "hip_id": hip_id, "made": is_made, "queues": [one.id for one in plan.queues],
        "counters": [one.name for one in plan.counters], "rules": plan.rules is not None,
        "default_queue": plan.default_queue or None, "left_out": plan.left_out,
    }  # fmt: skip
    tell(json, document, *_copy_words(plan, is_made))


def _copy_words(plan: CopyPlan, is_made: bool) -> list[str]:
    done = "made" if is_made else "would be made"
    rows = [("queue", one.id, done) for one in plan.queues] + [("counter", one.name, done) for one in plan.counters]
    rows += [("rules", "", done)] if plan.rules else []
    rows += [("default queue", plan.default_queue, done)] if plan.default_queue else []
    rows += [(one.kind, one.name, LEFT_OUT[one.why]) for one in plan.left_out]
    hint = [] if is_made or plan.makes_nothing else ["nothing was written: --make makes it"]
    return [*a_table(("WHAT", "NAME", "COPY"), rows), *hint] if rows else ["the template has no queue"]


@facility.command("networks")
@click.argument("hip_id")
@click.argument("network", nargs=-1)
@as_json
def networks(hip_id: str, network: tuple[str, ...], json: bool) -> None:
    """Set the hospital's own networks; without NETWORK there are none.

    A browser in one of them gets fresh codes of a counter without being paired.
    """
    try:
        own = own_networks(network)
        with_store(settings_now(), lambda store: Registry(store, OPERATOR).set_networks(hip_id, own))
    except DoesNotFit as wrong:
        raise CommandFailed(str(wrong)) from None
    except UnknownFacility:
        raise CommandFailed(f"{hip_id} is not registered") from None
    tell(json, {"hip_id": hip_id, "networks": own}, f"{hip_id}: {', '.join(own) or 'no network of its own'}")


@facility.command("holidays")
@click.argument("hip_id")
@click.argument("file", type=click.File(encoding="utf-8", errors="replace"))
@as_json
def holidays(hip_id: str, file: TextIO, json: bool) -> None:
    """Set the days on which queues with hours stay closed, from FILE (- reads the standard input).

    Each line has a date and a name, such as 2026-12-25 Christmas. The list replaces the one before.
    """
    try:
        found = read_holidays(file.read(TEXT_MAX))
        with_store(settings_now(), lambda store: Registry(store, OPERATOR).set_holidays(hip_id, found))
    except NotUnderstood as wrong:
        raise CommandFailed(str(wrong)) from None
    except UnknownFacility:
        raise CommandFailed(f"{hip_id} is not registered") from None
    lines = write_holidays(found).splitlines()
    tell(json, {"hip_id": hip_id, "holidays": lines}, f"{hip_id}: {len(lines)} holidays", *lines)


@facility.command("list")
@as_json
def list_(json: bool) -> None:
    """List all facilities."""

    async def read(store: Store) -> list[Facility]:
        registry, found = Registry(store), list[Facility]()
        while page := await registry.facilities(found[-1].hip_id if found else "", 500):
            found += page
        return found

    found = with_store(settings_now(), read)
    rows = [(one.hip_id, one.name, one.district, one.default_queue or "-") for one in found]
    tell(
        json, found, *(a_table(("HIP ID", "NAME", "DISTRICT", "DEFAULT QUEUE"), rows) if rows else ["no facility yet"])
    )
