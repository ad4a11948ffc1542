"""The audit of a facility: who did or read what, when, from where, and why. It holds the newest 20,000 entries.

It records sign-ins, sign-outs, changes of logins and settings, refusals, readings of profiles and of the audit itself,
and erasures. An act and its entry are one step in the store: neither exists without the other. What concerns logins and
sessions stands in the slot of the staff, everything else beside the facility; a reader gets both in one list. It holds
no name or number of a patient. Moves of tickets stand in the event log (``queueing.event_log``).
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from queueing import library
from queueing.models import Envelopes, Reader, Ticket
from queueing.redis_keys import STAFF_SLOT, facility_root, text_digest
from queueing.store.store import Store

NO_FACILITY: Final = ""
"""The audit of what belongs to no facility: tries at unknown logins."""
READ_MAX: Final = 1000
WHY_MAX: Final = 200
"""Characters; the id of a login, queue or counter, or a reason."""


class Act(Struct, frozen=True, kw_only=True):
    """What somebody does, for the entry that is written in the same step."""

    kind: str
    by: str
    address: str = ""
    why: str = ""

    def parts(self) -> tuple[str, str, str, str]:
        """As functions take it: ``record_given_act`` in functions/shared/audit.lua."""
        return (self.kind, self.by, self.address, self.why[:WHY_MAX])


class Actor(Struct, frozen=True, kw_only=True):
    """Who acts, and from where."""

    login: str
    address: str = ""

    def act(self, kind: str, why: str = "") -> Act:
        """One act of this person."""
        return Act(kind=kind, by=self.login, address=self.address, why=why)


UNRECORDED: Final = Act(kind="", by="")
"""An act that has no entry: preparing a demonstration or a test, choosing a counter."""


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One act."""

    id: str
    """Stream id; its first part is the time, unix ms."""
    kind: str
    by: str
    address: str
    ticket: str
    why: str


def facility_digest(hip: str) -> str:
    """Stands for the facility in keys of the staff's slot."""
    return text_digest("facility\0" + hip)


class Audit:
    """Writes and reads the audit of every facility."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def record(
        self, hip: str, kind: str, *, by: str, address: str = "", ticket: str = "", why: str = ""
    ) -> None:  # fmt: skip
        """Write one act. Durable when it returns."""
        root = facility_root(hip)
        await library.call(self._store, "audit_record", root, kind, by, address, ticket, why[:WHY_MAX])
        await self._store.durable(root)

    async def envelopes(
        self, hip: str, tickets: Sequence[Ticket], reader: Reader, *, counter: str = "", whole: str = "",
        alarm_over: int,
    ) -> Envelopes:  # fmt: skip
        """Sealed envelopes of these tickets; the reading is recorded in the same step, once in ten minutes.

        ``counter``: its list is drawn. ``whole``: the ticket whose details are shown. ``alarm_over``: profiles in ten
        minutes.
        """
        root = facility_root(hip)
        alarm, numbers, *found = await library.call(
            self._store, "profiles", root, reader.login, reader.session, reader.address, counter, whole, alarm_over,
            *(ticket.id for ticket in tickets),
        )  # fmt: skip
        await self._store.durable(root)
        sealed = {ticket.id: envelope for ticket, envelope in zip(tickets, found[::2], strict=True) if envelope}
        notes = {ticket.id: note for ticket, note in zip(tickets, found[1::2], strict=True) if note}
        return Envelopes(sealed=sealed, notes=notes, numbers=numbers, alarm=bool(alarm))

    async def envelope_to_send(self, hip: str, ticket_id: str, *, target: str, host: str, event_id: str) -> bytes:
        """The sealed envelope of a ticket for a target of deliveries; empty when there is none. The sending of
        each event is recorded in the same step; tries within ten minutes are one.
        """
        root = facility_root(hip)
        sealed: bytes = await library.call(self._store, "profile_sent", root, target, host, ticket_id, event_id)
        await self._store.durable(root)
        return sealed

    async def read(self, hip: str, *, before: str = "+", limit: int = 100) -> list[AuditEntry]:
        """A page, newest first; ``before`` is the id of the last entry of the page before.

        Two entries of one id stand on one page, so a page may be one entry longer.
        """
        limit = min(limit, READ_MAX)
        beside, of_staff = await asyncio.gather(
            library.call(self._store, "audit_read", facility_root(hip), before, limit),
            library.call(self._store, "audit_staff_read", STAFF_SLOT, facility_digest(hip), before, limit),
        )
        rows: Any = sorted([*beside, *of_staff], key=lambda row: _order(row[0]), reverse=True)
        end = limit + 1 if len(rows) > limit and rows[limit][0] == rows[limit - 1][0] else limit
        return [_entry(entry_id, fields) for entry_id, fields in rows[:end]]

    async def record_of_staff(self, hip: str, act: Act) -> None:
        """Write one act that concerns logins alone. Durable when it returns."""
        await library.call(self._store, "audit_staff_record", STAFF_SLOT, facility_digest(hip), *act.parts())
        await self._store.durable(STAFF_SLOT)


def _order(entry_id: bytes) -> tuple[int, int]:
    time_ms, _, turn = entry_id.partition(b"-")
    return int(time_ms), int(turn)


def _entry(entry_id: bytes, fields: list[bytes]) -> AuditEntry:
    kind, by, address, ticket, why = (value.decode("utf-8", "replace") for value in fields[1::2])
    return AuditEntry(id=entry_id.decode(), kind=kind, by=by, address=address, ticket=ticket, why=why)
