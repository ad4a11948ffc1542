"""``kiosk queue``: the lines of people of a facility, and the counters that serve them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import click
from msgspec import Struct
from msgspec.structs import replace

from kiosk.cli import csv_files, language_names
from kiosk.cli.csv_files import Column, Problem, if_filled, text, whole
from kiosk.cli.csv_files import name as name_of
from kiosk.cli.running import OPERATOR, CommandFailed, a_table, as_json, settings_now, tell, with_store
from kiosk.exchange.clinics import CLINICS
from kiosk.exchange.hours_text import NotUnderstood, read_hours, write_hours
from queueing.concept_ids import is_concept_id
from queueing.desk import OpdDesk
from queueing.limits import HIP_ID_MAX, PREFIX_MAX, QUEUE_ID_MAX, QUEUE_NAME_MAX
from queueing.models import Counter, Queue
from queueing.registry import (
    DoesNotFit,
    Hospital,
    PrefixTaken,
    Registry,
    RegistryError,
    UnknownCounter,
    UnknownFacility,
    UnknownQueue,
    within_limits,
)
from queueing.removal import StillUsed, Use
from queueing.store.store import Store
from tokens import codable

ALWAYS: Final = "always"
COUNTERS_MAX = 99
"""In one go; a queue with more counters than that is several queues."""


def concept_id(cell: str) -> str:
    """A code of SNOMED CT."""
    if not is_concept_id(cell):
        raise ValueError("is no code of SNOMED CT: 6 to 18 digits, of which the last one checks the others")
    return cell


class QueueRow(Struct, frozen=True):
    hip_id: str
    line: int
    queue: Queue
    counters: int


REFUSALS: Final = {
    "id": ("queue", f"is no id of 1 to {QUEUE_ID_MAX} letters, digits, dashes and underscores"),
    "prefix": ("prefix", f"is no prefix of 1 to {PREFIX_MAX} letters"),
}
"""Field of a queue outside its limits → column, and what is wrong with it. The column reader refuses a name itself."""

COLUMNS = (
    Column("hip_id", text(1, HIP_ID_MAX), required=True),
    Column("queue", str, required=True),
    Column("name", name_of(1, QUEUE_NAME_MAX), required=True),
    Column("prefix", str.upper, required=True),
    Column("counters", whole(0, COUNTERS_MAX, empty=1)),
    *language_names.columns(QUEUE_NAME_MAX),
    Column("department_code", if_filled(concept_id)),
)


def _with_prefixes(options: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns, with a prefix of the file replaced as the options say."""
    chosen = {old.strip().upper(): new.strip() for old, _, new in (option.partition("=") for option in options)}
    if not all(chosen) or not all(chosen.values()):
        raise CommandFailed("--prefix is written OLD=NEW, such as --prefix MEDI=MED")

    def read(cell: str) -> str:
        return chosen.get(cell.upper(), cell).upper()

    return tuple(replace(column, read=read) if column.name == "prefix" else column for column in COLUMNS)


@click.group()
def queue() -> None:
    """Queues and their counters."""


@queue.command()
@click.argument("hip_id")
@click.argument("queue", metavar="QUEUE")
@click.option("--name", required=True, help="As boards show it.")
@click.option("--prefix", required=True, help="1 to 3 letters before every number and counter.")
@click.option("--counters", default="1", show_default=True, help="How many counters serve it.")
@language_names.options
@click.option("--department-code", default="", metavar="CODE", help="SNOMED CT code of its department.")
@click.option(
    "--clinic", type=click.Choice(list(CLINICS)), help="Take names and code that are proposed for this usual clinic."
)
@as_json
def add(
    hip_id: str, queue: str, name: str, prefix: str, counters: str, department_code: str, clinic: str | None,
    json: bool, **names: str,
) -> None:  # fmt: skip
    """Add or update a queue; the first one of a facility is its default. Counts at once, also while serving."""
    cells = {"hip_id": hip_id, "queue": queue, "name": name, "prefix": prefix, "counters": counters}
    proposed = CLINICS[clinic] if clinic else None
    for language, column in language_names.COLUMN_OF.items():
        typed = names[column]
        cells[column] = typed or (proposed.names.get(language, "") if proposed else "")
    cells["department_code"] = department_code or (proposed.code if proposed else "")
    try:
        row = to_row(csv_files.row_of(0, cells, COLUMNS))
    except Problem as problem:
        raise CommandFailed(f"{problem.column} {problem.words}") from None

    async def write(store: Store) -> list[Counter]:
        registry = Registry(store, OPERATOR)
        await put(registry, row)
        return [one for one in await registry.counters(hip_id) if row.queue.id in one.queues]

    found = [one.name for one in with_store(settings_now(), write)]
    unsigned = [one for one in found if not codable(one)]
    document = {
        "hip_id": hip_id, "queue": row.queue.id, "prefix": row.queue.prefix, "counters": found,
        "names": row.queue.names, "department_code": row.queue.department_code,
    }  # fmt: skip
    lines = [f"{row.queue.id} added with counters {', '.join(found) or 'none'}"]
    if unsigned:
        lines.append(
            f"{', '.join(unsigned)}: longer than 4 characters, so their screens show a poster code, not a signed one"
        )
    tell(json, document, *lines)


@queue.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--prefix", "prefixes", multiple=True, metavar="OLD=NEW", help="Write NEW for the file's prefix OLD.")
@as_json
def import_(file: Path, prefixes: tuple[str, ...], json: bool) -> None:
    """Add or update queues from FILE, a CSV with columns hip_id, queue, name, prefix and counters.

    Further columns may be there: name_en, name_hi, name_ur and so on for the screens of these languages, and
    department_code (SNOMED CT). An empty cell changes nothing.

    A prefix has 1 to 3 letters, so that a phone shows the whole number: --prefix MEDI=MED, or --prefix 14=R for a
    numbered room. A file with a mistake changes nothing: every line is read before the first is written.
    """
    columns = _with_prefixes(prefixes)
    csv_files.check(file, columns, _imported)
    refused: list[str] = []

    async def write(store: Store) -> int:
        registry = Registry(store, OPERATOR)

        async def one(row: QueueRow) -> None:
            try:
                await put(registry, row)
            except CommandFailed as wrong:
                refused.append(f"line {row.line}: {wrong}")

        found = (to_row(row) for row in csv_files.rows(file, columns))
        return await csv_files.spread(found, lambda row: row.hip_id, one)

    count = with_store(settings_now(), write) - len(refused)
    if refused:
        listed = "; ".join(sorted(refused)[: csv_files.MISTAKES_MAX])
        raise CommandFailed(f"{file.name}: {count} queues added or updated, {len(refused)} refused: {listed}")
    tell(json, {"queues": count}, f"{count} queues added or updated")


def to_row(row: csv_files.Row) -> QueueRow:
    """Raises Problem for a field outside its limits."""
    at = row.values
    try:
        one = within_limits(Queue(
            id=at["queue"], name=at["name"], prefix=at["prefix"], names=language_names.names_of(at),
            department_code=at["department_code"] or "",
        ))  # fmt: skip
    except DoesNotFit as wrong:
        raise Problem(row.line, *REFUSALS.get(wrong.field, (wrong.field, str(wrong)))) from None
    return QueueRow(at["hip_id"], row.line, one, at["counters"])


def _imported(row: csv_files.Row) -> QueueRow:
    """A row of a file: the refusal of a prefix names the option that replaces it."""
    try:
        return to_row(row)
    except Problem as problem:
        if problem.column != "prefix":
            raise
        cell = row.values["prefix"][:20] or "OLD"
        raise Problem(row.line, "prefix", f"{problem.words}; replace it with --prefix {cell}=ABC") from None


async def put(registry: Registry, row: QueueRow) -> None:
    """What an operator does not name stays: whether it is open, its limit, its night, names of other languages. Raises
    CommandFailed.
    """
    hospital = await registry.hospital(row.hip_id)
    known = (hospital.queue(row.queue.id) if hospital else None) or row.queue
    try:
        await registry.put_queue(row.hip_id, replace(
            known, name=row.queue.name, prefix=row.queue.prefix, names=known.names | row.queue.names,
            department_code=row.queue.department_code or known.department_code,
        ), row.counters)  # fmt: skip
    except UnknownFacility:
        raise CommandFailed(
            f"no facility {row.hip_id}: add it first (kiosk facility add, kiosk facility import)"
        ) from None
    except PrefixTaken:
        raise CommandFailed(f"prefix {row.queue.prefix} stands before another queue of {row.hip_id}") from None
    except RegistryError as wrong:
        raise CommandFailed(f"{row.queue.id} was refused: {type(wrong).__name__}") from None


@queue.command("list")
@click.argument("hip_id")
@as_json
def list_(hip_id: str, json: bool) -> None:
    """List the queues of a facility with their counters."""

    async def read(store: Store) -> Hospital:
        hospital = await Registry(store).hospital(hip_id)
        if hospital is None:
            raise CommandFailed(f"no facility {hip_id}")
        return hospital

    hospital = with_store(settings_now(), read)
    queues, counters = hospital.queues, hospital.counters
    serving = {one.id: [counter.name for counter in counters if one.id in counter.queues] for one in queues}
    rows = [(one.id, one.name, one.prefix, "yes" if one.open else "no", " ".join(serving[one.id])) for one in queues]
    document = [{"queue": one, "counters": serving[one.id]} for one in queues]
    tell(
        json, document, *(a_table(("QUEUE", "NAME", "PREFIX", "OPEN", "COUNTERS"), rows) if rows else ["no queue yet"])
    )


@queue.command()
@click.argument("hip_id")
@click.argument("queue", metavar="QUEUE")
@click.argument("lines", nargs=-1, required=True, metavar="HOURS...")
@as_json
def hours(hip_id: str, queue: str, lines: tuple[str, ...], json: bool) -> None:
    """Set when a queue takes people, such as "Mon-Sat 9:00-14:00"; HOURS "always" removes its hours.

    Each of HOURS is one line: days, then time ranges. Times are those of the facility.
    """
    try:
        spans = () if lines == (ALWAYS,) else read_hours("\n".join(lines))
    except NotUnderstood as wrong:
        raise CommandFailed(str(wrong)) from None
    if not spans and lines != (ALWAYS,):
        raise CommandFailed(f"no hours named; {ALWAYS} removes them")
    try:
        with_store(settings_now(), lambda store: Registry(store, OPERATOR).set_hours(hip_id, queue, spans))
    except UnknownQueue:
        raise CommandFailed(f"no queue {queue} in {hip_id}") from None
    written = write_hours(spans)
    sentence = (
        f"{queue} takes people {written.replace(chr(10), '; ')}" if spans else f"{queue} takes people at any hour"
    )
    tell(json, {"hip_id": hip_id, "queue": queue, "hours": written.splitlines()}, sentence)


WHY_KEPT: Final = {
    Use.NUMBERS: "it gave numbers today or somebody is in it",
    Use.SERVED: "a counter serves it",
    Use.DEFAULT: "it is the default of several queues",
    Use.DESK: "somebody has its desk open",
    Use.PERSON: "somebody is called to it or served there",
    Use.CALLED: "somebody was called to it today",
    Use.TEXT: "a printed text leads to it",
    Use.SCREEN: "a paired screen shows it",
}


@queue.command()
@click.argument("hip_id")
@click.argument("queue", metavar="QUEUE")
@as_json
def remove(hip_id: str, queue: str, json: bool) -> None:
    """Remove a queue that nobody uses: no number today, no counter, no screen. Others are closed on the page."""
    act = OPERATOR.act("admin_queue-removed", queue)
    _removed(hip_id, queue, lambda desk: desk.remove(hip_id, "queue", queue, act))
    tell(json, {"hip_id": hip_id, "queue": queue}, f"{queue} removed")


@queue.command("remove-counter")
@click.argument("hip_id")
@click.argument("counter")
@as_json
def remove_counter(hip_id: str, counter: str, json: bool) -> None:
    """Remove a counter that nobody uses: no open desk, no call today, no printed text, no screen."""
    act = OPERATOR.act("admin_counter-removed", counter)
    _removed(hip_id, counter, lambda desk: desk.remove(hip_id, "counter", counter, act))
    tell(json, {"hip_id": hip_id, "counter": counter}, f"{counter} removed")


def _removed(hip_id: str, name: str, remove: Callable[[OpdDesk], Awaitable[None]]) -> None:
    settings = settings_now()
    try:
        with_store(settings, lambda store: remove(OpdDesk(store, timezone=settings.timezone)))
    except StillUsed as wrong:
        raise CommandFailed(f"{name} stays: {WHY_KEPT[wrong.use]}") from None
    except (UnknownQueue, UnknownCounter):
        raise CommandFailed(f"no {name} in {hip_id}") from None
