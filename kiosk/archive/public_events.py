"""Events that other programs may get, kept for some weeks: who comes back after the store has dropped them reads here.

The writer adds them in the transaction that moves its cursor, so each event stands here once. Events of facilities that
the registry does not name are left out: nobody may read them. No event holds patient data.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kiosk.archive.places import Places
from kiosk.archive.schema import events
from kiosk.archive.upsert import insert_or_replace
from queueing.event_log import PUBLIC_KINDS, Event, cursor_numbers
from queueing.lanes import Lane
from queueing.models import Assurance, Nearness, Outcome, Refusal, State, Ticket, UnixMs
from queueing.reasons import Reason
from queueing.redis_keys import facility_key
from queueing.stops import Stop

KEEP_MS: Final = 35 * 86_400_000
"""A month and some days: a program that was away for a month, over a long holiday too, misses nothing."""
READ_AT_MOST: Final = 500
"""Events of one answer, as ``queueing.event_log`` has it: some 100 kB."""
_KINDS: Final = {kind.type: kind for kind in PUBLIC_KINDS}
_KEY: Final = (events.c.hip_id, events.c.cursor_ms, events.c.cursor_number, events.c.place)


class _PackedTicket(msgspec.Struct, frozen=True, array_like=True):
    """A ticket in the column ``ticket``. New fields go last and have defaults."""

    id: str
    token: str
    queue: str
    state: State
    lane: Lane
    assurance: Assurance
    nearness: Nearness
    counter: str
    arrived_ms: UnixMs
    called_ms: UnixMs
    started_ms: UnixMs
    ended_ms: UnixMs
    calls: int
    request: str
    reply_parked: bool
    changed_ms: UnixMs = 0
    reason: Reason = Reason.NONE
    stops: tuple[Stop, ...] = ()


_FIELDS: Final = _PackedTicket.__struct_fields__
_pack = msgspec.json.Encoder().encode
_unpack = msgspec.json.Decoder(_PackedTicket).decode


def add(connection: Connection, happened: Iterable[Event], places: Places) -> None:
    """Write the public ones of these events."""
    public = (event for event in happened if event.kind in PUBLIC_KINDS)
    rows = [_row(event, place.hip_id) for event in public if (place := places.get(event.facility_key)) and place.hip_id]
    insert_or_replace(connection, events, rows)


def _row(event: Event, hip_id: str) -> dict[str, Any]:
    ms, number = cursor_numbers(event.cursor)
    return {
        "hip_id": hip_id,
        "cursor_ms": ms,
        "cursor_number": number,
        "place": int(event.id.rpartition("-")[2].partition(".")[2] or 0),
        "kind": event.kind.type,
        "at_ms": event.at_ms,
        "by": event.by,
        "ticket": _pack([getattr(event.ticket, name) for name in _FIELDS]).decode() if event.ticket else "",
        "request": "" if event.ticket and event.request == event.ticket.request else event.request,
        "outcome": event.outcome.name.lower() if event.outcome else "",
        "refusal": event.refusal.name.lower() if event.refusal else "",
    }


def events_after(connection: Connection, hip_id: str, cursor: str, limit: int) -> list[Event]:
    """At most ``limit`` events of a facility after a cursor, oldest first; some more where the last step wrote several.

    Fewer than ``limit``: there are no more here now, and the log of the store goes on after the last one.
    """
    most = max(1, min(limit, READ_AT_MOST))
    after = sa.tuple_(events.c.cursor_ms, events.c.cursor_number) > sa.tuple_(*cursor_numbers(cursor))
    found = _read(connection, most, events.c.hip_id == hip_id, after)
    if len(found) == most:
        last = found[-1]
        step = (events.c.cursor_ms == last["cursor_ms"], events.c.cursor_number == last["cursor_number"])
        found += _read(connection, None, events.c.hip_id == hip_id, *step, events.c.place > last["place"])
    key = facility_key(hip_id)
    return [_event(key, row) for row in found]


def _read(connection: Connection, most: int | None, *where: Any) -> list[sa.RowMapping]:
    return list(connection.execute(sa.select(events).where(*where).order_by(*_KEY).limit(most)).mappings())


def _event(key: str, row: sa.RowMapping) -> Event:
    ticket = _ticket(row["ticket"]) if row["ticket"] else None
    cursor = f"{row['cursor_ms']}-{row['cursor_number']}"
    return Event(
        id=f"{key}-{cursor}.{row['place']}" if row["place"] else f"{key}-{cursor}",
        cursor=cursor,
        facility_key=key,
        kind=_KINDS[row["kind"]],
        at_ms=row["at_ms"],
        by=row["by"],
        ticket=ticket,
        request=row["request"] or (ticket.request if ticket else ""),
        outcome=Outcome[row["outcome"].upper()] if row["outcome"] else None,
        refusal=Refusal[row["refusal"].upper()] if row["refusal"] else None,
    )


def _ticket(packed: str) -> Ticket:
    return Ticket(**msgspec.structs.asdict(_unpack(packed)))
