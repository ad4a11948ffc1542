"""The administrators' page *Audit*: who signed in, read profiles and changed settings. Opening it is recorded too."""

import re
from typing import Final

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from msgspec import Struct

from kiosk.accounts.sessions import Session
from kiosk.console import guards, messages, templating
from kiosk.console.guards import ConsoleRequest
from kiosk.settings import Settings
from queueing.audit import Audit, AuditEntry
from queueing.desk import OpdDesk
from queueing.registry import Registry

SHOWN: Final = 100
"""Entries of one page: an hour of a desk."""
READ_AT_ONCE: Final = 1000
READS_MAX: Final = 20
"""With a filter this many reads of a thousand see the whole audit, which holds 20,000 entries."""
_ENTRY_ID: Final = re.compile(r"\d{1,20}-\d{1,20}")


class Line(Struct, frozen=True, kw_only=True):
    """One entry as the page shows it."""

    at_ms: int
    act: str
    login: str
    address: str
    ticket: str
    why: str


class AuditPage(Controller):
    path = "/console/audit"

    @get("/", guards=[guards.administrator], include_in_schema=False)
    async def show(
        self, request: ConsoleRequest, session: NamedDependency[Session], audit: NamedDependency[Audit],
        registry: NamedDependency[Registry], desk: NamedDependency[OpdDesk], settings: NamedDependency[Settings],
        login: FromQuery[str] = "", before: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        """The facility's entries, newest first, of all logins or of one."""
        hip, login = session.facility, login.strip().lower()[:64]
        facility = await registry.facility(hip)
        if facility is None:
            raise guards.NoFacilityYet
        entries, next_id = await page_of(audit, hip, login, before if _ENTRY_ID.fullmatch(before) else "+")
        address = guards.address_of(request)
        await audit.record(hip, "audit_read", by=session.login, address=address, why=login)
        tokens = await tokens_of(desk, hip, entries)
        lines = [line(entry, tokens) for entry in entries]
        return templating.page(
            "audit.html", session=session, lines=lines, login=login, next_id=next_id,
            older=before != "", zone=facility.timezone or settings.timezone,
        )  # fmt: skip


async def page_of(audit: Audit, hip: str, login: str, before: str) -> tuple[list[AuditEntry], str]:
    """One page of entries, and the id that the next page begins after; empty at the end."""
    found: list[AuditEntry] = []
    for _ in range(READS_MAX):
        entries = await audit.read(hip, before=before, limit=READ_AT_ONCE if login else SHOWN + 1)
        found += [entry for entry in entries if login in ("", entry.by)]
        if len(found) > SHOWN:
            return found[:SHOWN], found[SHOWN - 1].id
        if not login or len(entries) < READ_AT_ONCE:
            return found, ""
        before = entries[-1].id
    return found, before


async def tokens_of(desk: OpdDesk, hip: str, entries: list[AuditEntry]) -> dict[str, str]:
    """The numbers of the tickets that are still stored, by ticket id."""
    ids = sorted({entry.ticket for entry in entries if entry.ticket})
    return {ticket.id: ticket.token for ticket in await desk.these(hip, ids)}


def line(entry: AuditEntry, tokens: dict[str, str]) -> Line:
    """An entry with its act in words; an act without words, and a ticket that is gone, stand as they are stored."""
    return Line(
        at_ms=int(entry.id.partition("-")[0]), act=messages.AUDIT_ACTS.get(entry.kind, entry.kind), login=entry.by,
        address=entry.address, ticket=tokens.get(entry.ticket, entry.ticket),
        why=entry.why,
    )  # fmt: skip
