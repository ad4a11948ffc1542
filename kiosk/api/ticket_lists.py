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
from kiosk.exchange.ticket_json import TicketJson, local_time
from queueing.changes import Changes, Version
from queueing.day_counts import DAY_PAGE
from queueing.desk import OpdDesk
from queueing.event_log import cursor_numbers
from queueing.redis_keys import facility_key

FRESH_S: Final = 60.0
"""A change whose hint was lost shows after two polls of half a minute."""
LISTS_KEPT: Final = 4_096
"""ETags in memory: more than a state has facilities, each some 200 bytes."""
_EPOCH: Final = date(1970, 1, 1)


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
        if query.date is None or query.date == today(caller):
            tickets = await self._of_today(caller)
        else:
            tickets = await self._archive.ask(_archived, caller, query.date)
        selected = [ticket for ticket in tickets if _is_of(ticket, query)]
        counts = Counter(ticket.state for ticket in selected)
        items, following = _paged([ticket for ticket in selected if _is_wanted(ticket, query)], query)
        return TicketList(items=tuple(items), next=following, counts={state: counts[state] for state in STATES})

    async def _of_today(self, caller: Caller) -> list[TicketJson]:
        found: list[TicketJson] = []
        after, last = 0, 1
        while after < last:
            page = await self._desk.day_page(caller.hip, after)
            found += await self._shown_tickets.many(caller, page.tickets)
            after, last = after + DAY_PAGE, page.last
        return found

    def _name(self, caller: Caller, query_text: str) -> str:
        """A list by its query and day: the list of today is another one after midnight."""
        return f"{today(caller)} {query_text}"


def today(caller: Caller) -> date:
    """At the facility."""
    return datetime.now(caller.zone).date()


def _is_of(ticket: TicketJson, query: TicketsQuery) -> bool:
    return query.queue in {None, ticket.queue} and query.counter in {None, ticket.counter}


def _is_wanted(ticket: TicketJson, query: TicketsQuery) -> bool:
    if query.state not in {None, ticket.state}:
        return False
    if query.changed_after is None:
        return True
    return (ticket.changed_at or ticket.arrived_at) > query.changed_after


def _paged(tickets: Iterable[TicketJson], query: TicketsQuery) -> tuple[Sequence[TicketJson], str | None]:
    """The cursor is the id of the last ticket of a page, so a ticket that changes its state shifts no page."""
    after = _place(query.cursor) if query.cursor else (0, 0)
    following = [ticket for ticket in tickets if _place(ticket.id) > after]
    items = following[: query.limit]
    return items, items[-1].id if len(items) < len(following) else None


def _place(ticket_id: str) -> tuple[int, int]:
    """Day and number of a ticket: its place in the list."""
    day, _, number = ticket_id.partition("-")
    return int(day), int(number)


def _archived(connection: Any, caller: Caller, day: date) -> list[TicketJson]:
    """The facility's tickets of a day, in the order of their numbers."""
    return [_archived_ticket(row, caller) for row in tickets_of_day(connection, day, caller.hip)]


def _archived_ticket(row: Row, caller: Caller) -> TicketJson:
    def moment(at_ms: int) -> datetime | None:
        return local_time(at_ms, caller.zone) if at_ms else None

    return TicketJson(
        id=f"{(row['service_day'] - _EPOCH).days}-{row['number']}",
        token_number=row["token"],
        facility=caller.hip,
        queue=row["queue"],
        counter=row["counter"] or None,
        state=row["state"],
        lane=row["lane"],
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
