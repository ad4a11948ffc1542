"""The tickets of one day: today's from the store, earlier ones from the archive; filtered, counted, page by page.

A poller that has the newest list costs no call to the store: its ETag is compared with the one in memory, which holds
until a change of the facility is announced, and at most ``FRESH_S``.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec import Struct

from kiosk.api.guards import Caller
from kiosk.api.shapes import STATES, TicketList, TicketsQuery
from kiosk.api.shown import ShownTickets
from kiosk.archive.database import Database
from kiosk.archive.queries import tickets_of_day
from kiosk.archive.sums import Row
from kiosk.exchange.ticket_json import TicketJson, local_time, word_of
from queueing.changes import Changes, Version
from queueing.day import ticket_id_of
from queueing.day_counts import DAY_PAGE
from queueing.desk import OpdDesk
from queueing.event_log import cursor_numbers
from queueing.models import Ticket
from queueing.redis_keys import facility_key

FRESH_S: Final = 60.0
"""A change whose hint was lost shows after two polls of half a minute."""
LISTS_KEPT: Final = 4_096
"""ETags in memory: more than a state has facilities, each some 200 bytes."""


class _Known(Struct, frozen=True):
    """The ETag of one list, and what it stands on."""

    tag: str
    version: Version
    at_s: float


class TicketLists:
    """Makes lists; one for each worker."""

    def __init__(
        self,
        desk: OpdDesk,
        archive: Database,
        changes: Changes,
        shown_tickets: ShownTickets,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk, self._archive, self._changes, self._clock_s = desk, archive, changes, clock_s
        self._shown_tickets = shown_tickets
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()

    def known_tag(self, caller: Caller, query_text: str) -> str:
        """The ETag of this list when memory knows that it is the newest; else empty. Reads nothing."""
        known = self._known.get((caller.hip, self._name(caller, query_text)))
        if known is None or known.version != self._changes.version(facility_key(caller.hip)):
            return ""
        return known.tag if self._clock_s() - known.at_s < FRESH_S else ""

    async def read(self, caller: Caller, query: TicketsQuery, query_text: str) -> tuple[bytes, str]:
        """The list as JSON, and its ETag. Raises ArchiveError, QueueingError."""
        version, at_s = self._changes.version(facility_key(caller.hip)), self._clock_s()
        found = await self._page(caller, query)
        body = msgspec.json.encode(found)
        tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
        self._known[caller.hip, self._name(caller, query_text)] = _Known(tag, version, at_s)
        while len(self._known) > LISTS_KEPT:
            self._known.popitem(last=False)
        return body, tag

    async def _page(self, caller: Caller, query: TicketsQuery) -> TicketList:
        """Filtered and cut before anything is made for the answer: a day of a large hospital has thousands."""
        if query.date is None or query.date == today(caller):
            lines = await self._of_today(caller)
        else:
            lines = await self._archive.ask(_archived, caller.hip, query.date)
        selected = [line for line in lines if _is_of(line, query)]
        counts = Counter(line.state for line in selected)
        page, following = _paged([line for line in selected if _is_wanted(line, query)], query)
        items = await self._shown(caller, page)
        return TicketList(items=tuple(items), next=following, counts={state: counts[state] for state in STATES})

    async def _of_today(self, caller: Caller) -> list["_Line"]:
        found: list[_Line] = []
        after, last = 0, 1
        while after < last:
            page = await self._desk.day_page(caller.hip, after)
            found += map(_line_of_ticket, page.tickets)
            after, last = after + DAY_PAGE, page.last
        return found

    async def _shown(self, caller: Caller, page: "Sequence[_Line]") -> list[TicketJson]:
        stored = [line.of for line in page if isinstance(line.of, Ticket)]
        if stored:
            return await self._shown_tickets.many(caller, stored)
        return [_archived_ticket(line.of, caller) for line in page if not isinstance(line.of, Ticket)]

    def _name(self, caller: Caller, query_text: str) -> str:
        """A list by its query and day: the list of today is another one after midnight."""
        return f"{today(caller)} {query_text}"


def today(caller: Caller) -> date:
    """At the facility."""
    return datetime.now(caller.zone).date()


class _Line(Struct, frozen=True):
    """What a list is filtered by, of a stored ticket or of a row of the archive."""

    id: str
    queue: str
    counter: str | None
    state: str
    changed_ms: int
    of: Ticket | Row


def _line_of_ticket(ticket: Ticket) -> _Line:
    changed_ms = ticket.changed_ms or ticket.arrived_ms
    return _Line(ticket.id, ticket.queue, ticket.counter or None, word_of(ticket.state), changed_ms, ticket)


def _line_of_row(row: Row) -> _Line:
    changed_ms = cursor_numbers(row["cursor"])[0] or row["arrived_ms"]
    return _Line(_id_of_row(row), row["queue"], row["counter"] or None, row["state"], changed_ms, row)


def _id_of_row(row: Row) -> str:
    return ticket_id_of(row["service_day"], row["number"])


def _is_of(line: _Line, query: TicketsQuery) -> bool:
    return query.queue in {None, line.queue} and query.counter in {None, line.counter}


def _is_wanted(line: _Line, query: TicketsQuery) -> bool:
    if query.state not in {None, line.state}:
        return False
    # Times of changes are whole milliseconds: the millisecond itself counts, or a change within it would be missed.
    return query.changed_after is None or line.changed_ms >= int(query.changed_after.timestamp() * 1000)


def _paged(lines: Iterable[_Line], query: TicketsQuery) -> tuple[Sequence[_Line], str | None]:
    """The cursor is the id of the last ticket of a page, so a ticket that changes its state shifts no page."""
    after = _place(query.cursor) if query.cursor else (0, 0)
    following = [line for line in lines if _place(line.id) > after]
    page = following[: query.limit]
    return page, page[-1].id if len(page) < len(following) else None


def _place(ticket_id: str) -> tuple[int, int]:
    """Day and number of a ticket: its place in the list. A cursor may name days that no calendar has."""
    day, _, number = ticket_id.partition("-")
    return int(day), int(number)


def _archived(connection: Any, hip: str, day: date) -> list[_Line]:
    """The facility's tickets of a day, in the order of their numbers."""
    return [_line_of_row(row) for row in tickets_of_day(connection, day, hip)]


def _archived_ticket(row: Row, caller: Caller) -> TicketJson:
    def moment(at_ms: int) -> datetime | None:
        return local_time(at_ms, caller.zone) if at_ms else None

    return TicketJson(
        id=_id_of_row(row),
        token_number=row["token"],
        facility=caller.hip,
        queue=row["queue"],
        counter=row["counter"] or None,
        state=row["state"],
        lane=row["lane"],
        reason=row["reason"] or None,
        assurance=row["assurance"],
        nearness=row["nearness"],
        source=row["source"],
        service_day=row["service_day"],
        arrived_at=local_time(row["arrived_ms"], caller.zone),
        called_at=moment(row["called_last_ms"]),
        started_at=moment(row["started_ms"]),
        ended_at=moment(row["ended_ms"]),
        changed_at=moment(cursor_numbers(row["cursor"])[0]),
        calls=row["calls"],
    )
