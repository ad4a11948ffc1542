"""Writes events into the archive: rows, sums and the cursor of the partition in one transaction.

A batch counts only if the cursor still stands where the batch began. A batch that is repeated, or that another role
wrote first, therefore changes nothing. Sums are corrected by the difference: what a row adds after the batch, less what
it added before.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection
from sqlalchemy.schema import Table

from kiosk.archive import audit_chain, audit_events, erased_persons, public_events
from kiosk.archive.person_digests import UNKNOWN, MonthKeys, Origin, month_of
from kiosk.archive.places import Places, hip_id_of
from kiosk.archive.schema import (
    SUMS,
    cursors,
    daily_sums,
    facilities,
    hourly_sums,
    monthly_sums,
    persons,
    shares,
    state_sums,
    tickets,
)
from kiosk.archive.sums import of_share, of_ticket
from kiosk.archive.upsert import insert_or_add, insert_or_leave, insert_or_replace
from queueing.day import day_and_number, day_of_ticket
from queueing.event_log import OLDEST, Event, EventKind
from queueing.models import Outcome, State, Ticket
from queueing.reasons import word_of
from queueing.ticket_source import source_of

SHARE_KINDS: Final = {
    EventKind.SHARE_REFUSED: "refused",
    EventKind.SHARE_REPEATED: "repeated",
    EventKind.SHARE_REDELIVERED: "redelivered",
}
LOOK_BACK_DAYS: Final = (1, 4)
"""An acknowledgement is looked for among the shares of today and yesterday, then of the days for which a parked one may
be sent again."""
ZERO: Final = dict.fromkeys(SUMS, 0)

Row = dict[str, Any]
TicketKey = tuple[date, str, int]
ShareKey = tuple[date, str, str]


class Overtaken(Exception):
    """The cursor does not stand where this batch began: another role wrote these events."""


class Batch(Struct, frozen=True, kw_only=True):
    """Events of one partition, in order."""

    partition: str
    before: str
    """Cursor behind which the batch begins."""
    after: str
    events: list[Event]
    places: Places
    """Of every facility in ``events`` that is registered."""
    origins: Mapping[tuple[str, str], Origin]
    """Facility key and ticket id -> what the envelope said, for places that are new."""
    zone: ZoneInfo
    """Of what is no facility of ours."""


def read_cursors(connection: Connection) -> dict[str, str]:
    """Partition -> cursor; a partition that was never read is missing."""
    found = connection.execute(sa.select(cursors.c.partition, cursors.c.cursor))
    return {row.partition: row.cursor for row in found}


def write(connection: Connection, batch: Batch, keys: MonthKeys, now_ms: int) -> None:
    """Write one batch. Raises Overtaken before anything is written."""
    _move_cursor(connection, batch, now_ms)
    work = _Work(connection, batch, keys)
    work.load()
    for event in batch.events:
        work.take(event)
    work.save()
    erased_persons.forget(connection, batch.events, batch.places)
    audit_chain.append(connection, audit_events.lines_of(batch.events, batch.places))
    if batch.after != batch.before:  # else the tickets of stored days stand in for events that were dropped
        public_events.add(connection, batch.events, batch.places)


def _move_cursor(connection: Connection, batch: Batch, now_ms: int) -> None:
    mine = cursors.c.partition == batch.partition
    if batch.before == OLDEST:
        row = {"partition": batch.partition, "cursor": OLDEST, "at_ms": now_ms}
        insert_or_leave(connection, cursors, row)
    moved = sa.update(cursors).where(mine, cursors.c.cursor == batch.before)
    if connection.execute(moved.values(cursor=batch.after, at_ms=now_ms)).rowcount != 1:
        raise Overtaken


def _local(at_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)


def ticket_key(hip_id: str, ticket: Ticket) -> TicketKey:
    """Service day, facility and number: the primary key of a ticket's row."""
    day, number = day_and_number(ticket.id)
    return day, hip_id, number


class _Work:
    """The rows that one batch touches, as they were and as they become."""

    def __init__(self, connection: Connection, batch: Batch, keys: MonthKeys) -> None:
        self._connection = connection
        self._batch = batch
        self._keys = keys
        self._tickets: dict[TicketKey, Row] = {}
        self._shares: dict[ShareKey, Row] = {}
        self._by_request: dict[tuple[str, str], TicketKey] = {}
        self._share_by_request: dict[tuple[str, str], ShareKey] = {}
        self._stored: dict[TicketKey | ShareKey, Row] = {}
        """Rows as they were, of those that were there."""
        self._persons: dict[bytes, dict[str, date]] = {}
        self._new_persons: dict[tuple[bytes, str], Row] = {}

    def load(self) -> None:
        """Read every row that the events may touch."""
        touched: dict[tuple[date, str], set[int]] = {}
        answered: dict[str, dict[str, int]] = {}
        for event in self._batch.events:
            if event.ticket is not None:
                day, hip_id, number = ticket_key(self._hip_of_ticket(event), event.ticket)
                touched.setdefault((day, hip_id), set()).add(number)
            if event.kind is EventKind.ACKNOWLEDGEMENT_DELIVERED:
                answered.setdefault(self._hip(event), {})[event.request] = event.at_ms
        for (day, hip_id), numbers in touched.items():
            self._load_tickets(tickets.c.service_day == day, tickets.c.hip_id == hip_id, tickets.c.number.in_(numbers))
        for hip_id, requests in answered.items():
            self._load_answered(hip_id, requests)
        self._load_persons()

    def take(self, event: Event) -> None:
        """Apply one event. An event of a kind that this release does not know changes nothing."""
        if event.kind in SHARE_KINDS:
            self._add_share(event, SHARE_KINDS[event.kind])
        elif event.kind is EventKind.ACKNOWLEDGEMENT_DELIVERED:
            self._acknowledge(event)
        elif event.ticket is not None:
            self._change_ticket(event, event.ticket)

    def save(self) -> None:
        """Write what changed, and correct the sums."""
        sums: dict[tuple[str, date, int, str], dict[str, int]] = {}
        for table, rows, contribution in ((tickets, self._tickets, of_ticket), (shares, self._shares, of_share)):
            changed = [(key, row) for key, row in rows.items() if row != self._stored.get(key)]
            for key, row in changed:
                if before := self._stored.get(key):
                    _add(sums, before, contribution(before), -1)
                _add(sums, row, contribution(row), 1)
            insert_or_replace(self._connection, table, [row for _, row in changed])
        insert_or_replace(self._connection, persons, list(self._new_persons.values()))
        _save_sums(self._connection, sums)
        _save_days(self._connection, self._tickets.keys() - self._stored.keys())

    def _hip(self, event: Event) -> str:
        place = self._batch.places.get(event.facility_key)
        return place.hip_id if place else ""

    def _hip_of_ticket(self, event: Event) -> str:
        return hip_id_of(event, self._batch.places)

    def _zone(self, event: Event) -> ZoneInfo:
        place = self._batch.places.get(event.facility_key)
        return place.zone if place else self._batch.zone

    def _load_tickets(self, *where: Any) -> None:
        for found in self._connection.execute(sa.select(tickets).where(*where)).mappings():
            row = dict(found)
            key = (row["service_day"], row["hip_id"], row["number"])
            if key not in self._tickets:
                self._stored[key] = dict(row)
                self._tickets[key] = row
                self._by_request[row["hip_id"], row["request"]] = key

    def _load_shares(self, *where: Any) -> None:
        for found in self._connection.execute(sa.select(shares).where(*where)).mappings():
            row = dict(found)
            key = (row["service_day"], row["hip_id"], row["event"])
            if key not in self._shares:
                self._stored[key] = dict(row)
                self._shares[key] = row
                self._note_share(key, row)

    def _note_share(self, key: ShareKey, row: Row) -> None:
        if row["kind"] != "redelivered":  # its reply is that of the first delivery
            self._share_by_request[row["hip_id"], row["request"]] = key

    def _load_answered(self, hip_id: str, requests: Mapping[str, int]) -> None:
        """The shares that these acknowledgements are about: first among the newest, then further back."""
        wanted = {request for request in requests if (hip_id, request) not in self._by_request}
        first, last = (_local(ms, self._batch.zone).date() for ms in (min(requests.values()), max(requests.values())))
        for days in LOOK_BACK_DAYS:
            if not wanted:
                return
            # A facility's own day may already be the next one.
            listed = [first + timedelta(days=number) for number in range(-days, (last - first).days + 2)]
            for table, load in ((tickets, self._load_tickets), (shares, self._load_shares)):
                load(table.c.service_day.in_(listed), table.c.hip_id == hip_id, table.c.request.in_(wanted))
            wanted -= {request for hip, request in (*self._by_request, *self._share_by_request) if hip == hip_id}

    def _load_persons(self) -> None:
        wanted = set()
        for (_, ticket_id), origin in self._batch.origins.items():
            day = day_of_ticket(ticket_id)
            if origin.identity and (digest := self._keys.digest(origin.identity, month_of(day))):
                wanted.add(digest)
        found = self._connection.execute(sa.select(persons).where(persons.c.digest.in_(wanted)))
        for row in found.mappings():
            self._persons.setdefault(row["digest"], {})[row["hip_id"]] = row["last_day"]

    def _change_ticket(self, event: Event, ticket: Ticket) -> None:
        key = ticket_key(self._hip_of_ticket(event), ticket)
        row = self._tickets.get(key) or self._new_ticket(event, key, ticket)
        row |= _present(ticket) | {"cursor": event.cursor}
        if event.kind is EventKind.CHECKED_IN:
            row["checked_in_ms"] = event.at_ms
        elif ticket.state is State.EXPECTED:
            row["checked_in_ms"] = 0
        row["called_first_ms"] = min(row["called_first_ms"] or ticket.called_ms, ticket.called_ms)
        if event.kind is EventKind.ACKNOWLEDGEMENT_PARKED and row["ack"] != "delivered":
            row["ack"], row["ack_at_ms"] = "parked", event.at_ms

    def _new_ticket(self, event: Event, key: TicketKey, ticket: Ticket) -> Row:
        day, hip_id, number = key
        origin = self._batch.origins.get((event.facility_key, ticket.id), UNKNOWN)
        digest = self._keys.digest(origin.identity, month_of(day)) if origin.identity else None
        row = {
            "service_day": day,
            "hip_id": hip_id,
            "number": number,
            "hour": _local(ticket.arrived_ms, self._zone(event)).hour,
            "request": ticket.request,
            "request_id": origin.request_id,
            "person": digest,
            "checked_in_ms": 0,
            "called_first_ms": 0,
            "ack": "",
            "ack_at_ms": 0,
            **self._firsts(digest, day, hip_id),
        }
        self._tickets[key] = row
        self._by_request[hip_id, ticket.request] = key
        return row

    def _firsts(self, digest: bytes | None, day: date, hip_id: str) -> dict[str, bool]:
        """Whether this is the person's first ticket of the day and of the month here, and of the month anywhere."""
        if digest is None:
            return {"first_day": False, "first_month": False, "first_state": False}
        seen = self._persons.setdefault(digest, {})
        firsts = {"first_day": seen.get(hip_id) != day, "first_month": hip_id not in seen, "first_state": not seen}
        seen[hip_id] = day
        person = {"digest": digest, "hip_id": hip_id, "month": month_of(day), "last_day": day}
        self._new_persons[digest, hip_id] = person
        return firsts

    def _add_share(self, event: Event, kind: str, ack: str = "") -> None:
        hip_id, at = self._hip(event), _local(event.at_ms, self._zone(event))
        key = (at.date(), hip_id, event.id)
        row = {
            "service_day": key[0],
            "hip_id": hip_id,
            "event": event.id,
            "kind": kind,
            "refusal": event.refusal.name.lower() if event.refusal else "",
            "by_hours": event.by_hours,
            "queue": event.ticket.queue if event.ticket else "",
            "ticket": event.ticket.id if event.ticket else "",
            "hour": at.hour,
            "at_ms": event.at_ms,
            "request": event.request,
            "ack": ack,
            "ack_at_ms": event.at_ms if ack else 0,
            "cursor": event.cursor,
        }
        self._shares[key] = row
        self._note_share(key, row)

    def _acknowledge(self, event: Event) -> None:
        """The gateway took a reply. A refusal that has no event of its own (``event_log``) gets its row now."""
        row = None
        if (ticket := self._by_request.get((self._hip_of_ticket(event), event.request))) is not None:
            row = self._tickets[ticket]
        elif (share := self._share_by_request.get((self._hip(event), event.request))) is not None:
            row = self._shares[share]
        elif event.outcome is Outcome.REFUSED:
            self._add_share(event, "refused", "delivered")
        if row is not None:
            row["ack"], row["ack_at_ms"], row["cursor"] = "delivered", event.at_ms, event.cursor


def _present(ticket: Ticket) -> Row:
    """What of a row is the ticket as it stands now."""
    return {
        "token": ticket.token,
        "queue": ticket.queue,
        "counter": ticket.counter,
        "lane": ticket.lane.word,
        "reason": word_of(ticket.reason),
        "assurance": ticket.assurance.name.lower(),
        "nearness": ticket.nearness.name.lower(),
        "source": source_of(ticket),
        "state": ticket.state.name.lower(),
        "arrived_ms": ticket.arrived_ms,
        "called_last_ms": ticket.called_ms,
        "started_ms": ticket.started_ms,
        "ended_ms": ticket.ended_ms,
        "calls": ticket.calls,
    }


def _add(
    sums: dict[tuple[str, date, int, str], dict[str, int]], row: Row, contribution: Mapping[str, int], sign: int
) -> None:
    summed = sums.setdefault((row["hip_id"], row["service_day"], row["hour"], row["queue"]), {})
    for name, number in contribution.items():
        summed[name] = summed.get(name, 0) + sign * number


def _save_sums(connection: Connection, sums: Mapping[tuple[str, date, int, str], Mapping[str, int]]) -> None:
    """Add the differences to every table of sums. Rows are in the order of their keys, so that no two roles wait for
    each other.
    """
    tables: tuple[tuple[Table, tuple[int, ...]], ...] = (
        (hourly_sums, (0, 1, 2, 3)),
        (daily_sums, (0, 1, 3)),
        (monthly_sums, (1, 0, 3)),
        (state_sums, (1, 2)),
    )
    for table, places in tables:
        names = [column.name for column in table.primary_key]
        added: dict[tuple[Any, ...], Row] = {}
        for key, numbers in sums.items():
            own = tuple(month_of(key[at]) if names[n] == "month" else key[at] for n, at in enumerate(places))  # type: ignore[arg-type]  # a month is made of the day
            row = added.setdefault(own, ZERO | dict(zip(names, own, strict=True)))
            for name, number in numbers.items():
                row[name] += number
        insert_or_add(connection, table, (row for _, row in sorted(added.items()) if any(map(row.get, SUMS))))


def _save_days(connection: Connection, new: Iterable[TicketKey | ShareKey]) -> None:
    """Keep the first and last day on which a facility gave a number."""
    days: dict[str, set[date]] = {}
    for day, hip_id, _ in new:
        days.setdefault(hip_id, set()).add(day)
    if not days:
        return
    first, last = facilities.c.first_day, facilities.c.last_day
    low, high = sa.bindparam("low", type_=sa.Date()), sa.bindparam("high", type_=sa.Date())
    changed = (
        sa.update(facilities)
        .where(facilities.c.hip_id == sa.bindparam("facility"))
        .values(
            first_day=sa.case((sa.or_(first.is_(None), first > low), low), else_=first),
            last_day=sa.case((sa.or_(last.is_(None), last < high), high), else_=last),
        )
    )
    rows = [{"facility": hip, "low": min(seen), "high": max(seen)} for hip, seen in sorted(days.items())]
    connection.execute(changed, rows)
