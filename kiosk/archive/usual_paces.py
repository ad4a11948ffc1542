"""How fast queues usually move: learned from the waits of past days, by weekday and half hour.

A half hour counts only while somebody waited, from the first who stood there: so a doctor who usually comes late,
breaks and counters that are not open yet are all in it. Waits that ended in no call are left out, because nobody knows
until when such a person stood there. Nothing of a ticket but its queue and its times is read.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from kiosk.archive.schema import events
from queueing.event_log import EventKind
from queueing.models import State, UnixMs
from queueing.usual_paces import UsualDay
from queueing.waiting import SLOT_S

DAYS_READ: Final = 35
"""The archive keeps its events as long: five of each weekday, and still this season."""
DAYS_MIN: Final = 4
"""Days on which somebody waited in a half hour, until it says what is usual."""
BUSY_MIN_S: Final = 300
"""A half hour in which people waited less than this says little about how fast they are called."""
OTHER_DAYS: Final = 2
"""All weekdays together count as much as so many days of the weekday itself."""
WINDOW: Final = 4
"""Half hours: the spread is that of what came of two hours."""
SPREAD_MIN, SPREAD_MAX = 10, 100
"""Percent."""
GAP_MAX_S: Final = 65_535


class Slot(Struct, frozen=True):
    """A half hour of one day."""

    busy_s: float
    """While somebody waited."""
    calls: int


Day = Mapping[int, Slot]
"""Number of the half hour, from midnight -> what was in it."""


_MOVES: Final = (
    EventKind.CREATED,
    EventKind.CHECKED_IN,
    EventKind.CALLED,
    EventKind.HELD,
    EventKind.RETURNED,
    EventKind.TRANSFERRED,
    EventKind.CANCELLED,
    EventKind.LAPSED,
    EventKind.UNDONE,
)
"""By these a ticket joins a line or leaves it."""
_AT_ONCE: Final = 2_000
"""Rows fetched together: some 500 kB."""
QUEUES_MAX: Final = 200
"""Of one facility. Those with most calls: what is learned of each takes some kilobytes of the store."""


class _PackedTicket(Struct, frozen=True, array_like=True):
    """The first fields of a ticket in the archive's events (``public_events.py``)."""

    id: str
    token: str
    queue: str
    state: State


class Move(Struct, frozen=True):
    """A move of one ticket, and how the ticket stood after it."""

    at_ms: UnixMs
    kind: str
    ticket: str
    queue: str
    state: State


_unpack = msgspec.json.Decoder(_PackedTicket).decode


def learned(connection: Connection, hip_id: str, today: date, zone: ZoneInfo) -> dict[tuple[int, str], UsualDay]:
    """Weekday (0: Monday) and queue id -> what is usual, from the days before this one."""
    days = days_of(moves(connection, hip_id, _midnight_ms(today - timedelta(days=DAYS_READ), zone)), today, zone)
    busiest = sorted(days, key=lambda queue: -sum(slot.calls for day in days[queue].values() for slot in day.values()))
    return {
        (weekday, queue): usual
        for queue in busiest[:QUEUES_MAX]
        for weekday, usual in usual_days([(day.weekday(), slots) for day, slots in days[queue].items()]).items()
    }


def _midnight_ms(day: date, zone: ZoneInfo) -> UnixMs:
    return round(datetime.combine(day, time_of_day(), zone).timestamp() * 1000)


def moves(connection: Connection, hip_id: str, since_ms: UnixMs) -> Iterable[Move]:
    """The moves of a facility's tickets, in order."""
    key = events.c
    query = sa.select(key.at_ms, key.kind, key.ticket).where(
        key.hip_id == hip_id, key.cursor_ms >= since_ms, key.kind.in_([kind.type for kind in _MOVES]), key.ticket != ""
    )
    ordered = query.order_by(key.cursor_ms, key.cursor_number, key.place).execution_options(yield_per=_AT_ONCE)
    for at_ms, kind, packed in connection.execute(ordered):
        ticket = _unpack(packed)
        yield Move(at_ms, kind, ticket.id, ticket.queue, ticket.state)


def days_of(happened: Iterable[Move], today: date, zone: ZoneInfo) -> dict[str, dict[date, dict[int, Slot]]]:
    """Queue id -> day -> its half hours, of the days before this one."""
    joined: dict[str, tuple[str, UnixMs]] = {}
    waits: dict[tuple[str, date], list[tuple[float, float]]] = defaultdict(list)
    for move in happened:
        queue, since_ms = joined.pop(move.ticket, ("", move.at_ms))
        if queue == move.queue and move.kind == EventKind.CALLED.type:
            at = datetime.fromtimestamp(move.at_ms / 1000, zone)
            called_s = at.hour * 3600 + at.minute * 60 + at.second
            waits[queue, at.date()].append((max(0.0, called_s - (move.at_ms - since_ms) / 1000), called_s))
        if move.state is State.WAITING:
            joined[move.ticket] = (move.queue, since_ms if queue == move.queue else move.at_ms)
    found: dict[str, dict[date, dict[int, Slot]]] = defaultdict(dict)
    for (queue, day), of_day in waits.items():
        if day < today:
            found[queue][day] = day_of(of_day)
    return found


def day_of(waits: Iterable[tuple[float, float]]) -> dict[int, Slot]:
    """One day of a queue, from when its people came and when they were called, seconds after midnight."""
    busy: dict[int, float] = defaultdict(float)
    calls: dict[int, int] = defaultdict(int)
    until = 0.0
    for came, called in sorted(waits):
        calls[int(called // SLOT_S)] += 1
        at = max(came, until)
        until = max(called, until)
        while at < until:
            slot = int(at // SLOT_S)
            end = min(until, (slot + 1) * SLOT_S)
            busy[slot] += end - at
            at = end
    return {slot: Slot(busy_s, calls[slot]) for slot, busy_s in busy.items()}


def usual_days(days: Sequence[tuple[int, Day]]) -> dict[int, UsualDay]:
    """Weekday (0: Monday) -> what is usual on it, from past days with their weekdays; none while too few are known."""
    known = sorted(slot for slot in {slot for _, day in days for slot in day} if len(_of(days, slot)) >= DAYS_MIN)
    rates = {weekday: _rates(days, weekday, known) for weekday in {weekday for weekday, _ in days}}
    return {
        weekday: UsualDay(first_s=known[0] * SLOT_S, gaps_s=tuple(gaps), spread=_spread(days, weekday, of_weekday))
        for weekday, of_weekday in rates.items()
        if (gaps := _gaps(of_weekday, known))
    }


def _of(days: Sequence[tuple[int, Day]], slot: int, weekday: int | None = None) -> list[Slot]:
    found = (day[slot] for on, day in days if slot in day and weekday in {None, on})
    return [one for one in found if one.busy_s >= BUSY_MIN_S]


def _rates(days: Sequence[tuple[int, Day]], weekday: int, known: Sequence[int]) -> dict[int, float]:
    """Half hour -> calls a second while somebody waits."""
    rates = {}
    for slot in known:
        every, own = _of(days, slot), _of(days, slot, weekday)
        share = OTHER_DAYS / len(every)
        busy = sum(one.busy_s for one in own) + share * sum(one.busy_s for one in every)
        rates[slot] = (sum(one.calls for one in own) + share * sum(one.calls for one in every)) / busy
    return rates


def _gaps(rates: Mapping[int, float], known: Sequence[int]) -> list[int]:
    """One number for each half hour from the first to the last; one in which nobody waited is as the one before."""
    gaps: list[int] = []
    for slot in range(known[0], known[-1] + 1) if known else ():
        rate = rates.get(slot)
        gaps.append(gaps[-1] if rate is None else min(GAP_MAX_S, max(1, round(1 / rate))) if rate else 0)
    while gaps and not gaps[-1]:
        gaps.pop()
    return gaps


def _spread(days: Sequence[tuple[int, Day]], weekday: int, rates: Mapping[int, float]) -> int:
    """By how many percent two hours differ from the usual, beyond what chance does to so many calls."""
    off = expected = 0.0
    for day in (day for on, day in days if on == weekday):
        for first in rates:
            slots = [slot for slot in range(first, first + WINDOW) if slot in day and slot in rates]
            if sum(day[slot].busy_s for slot in slots) < SLOT_S:
                continue
            usual = sum(rates[slot] * day[slot].busy_s for slot in slots)
            off += (sum(day[slot].calls for slot in slots) - usual) ** 2 - usual
            expected += usual**2
    share = math.sqrt(max(0.0, off) / expected) if expected else 1.0
    return min(SPREAD_MAX, max(SPREAD_MIN, round(100 * share)))
