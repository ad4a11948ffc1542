"""The administrators' page *Audit*: who signed in, read profiles and changed settings. Opening it is recorded too.

The store has the newest entries. Older ones, and each move of a ticket by staff, come from the archive.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from msgspec import Struct

from kiosk.accounts.sessions import Session
from kiosk.archive.audit_pages import lines_before, number_at
from kiosk.archive.database import ArchiveAway, ArchiveUnsuitable, Database
from kiosk.console import guards, messages, templating
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.console.lookups import facility_of
from kiosk.settings import Settings
from queueing.audit import Audit, AuditEntry
from queueing.desk import OpdDesk
from queueing.registry import Registry

SHOWN: Final = 100
"""Entries of one page: an hour of a desk."""
READ_AT_ONCE: Final = 1000
READS_MAX: Final = 20
"""With a filter this many reads of a thousand see the whole audit, which holds 20,000 entries."""
_LINE_NUMBER: Final = re.compile(r"[1-9]\d{0,17}")
_DAY: Final = re.compile(r"20\d\d-\d\d-\d\d")
_ENTRY_ID: Final = re.compile(r"\d{1,20}-\d{1,20}")


class Line(Struct, frozen=True, kw_only=True):
    """One entry as the page shows it."""

    at_ms: int
    act: str
    login: str
    address: str
    ticket: str
    why: str


class Page(Struct, frozen=True, kw_only=True):
    """What is shown: of the store's newest entries, or of the archive."""

    lines: list[Line]
    older: str = ""
    """Address of the next page after the page's own; empty at the end."""
    trouble: str = ""


class AuditPage(Controller):
    path = "/console/audit"

    @get("/", guards=[guards.administrator], include_in_schema=False)
    async def show(
        self, request: ConsoleRequest, session: NamedDependency[Session], audit: NamedDependency[Audit],
        registry: NamedDependency[Registry], desk: NamedDependency[OpdDesk], settings: NamedDependency[Settings],
        archive: NamedDependency[Database], login: FromQuery[str] = "", before: FromQuery[str] = "",
        day: FromQuery[str] = "", line: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        """The facility's entries, newest first, of all logins or of one. With ``day`` or ``line``: of the archive, up
        to the end of that day or before that line.
        """
        hip, login = session.facility, login.strip().lower()[:64]
        facility = await facility_of(session, registry)
        zone = ZoneInfo(facility.timezone or settings.timezone)
        until = day_of(day)
        number = int(line) if _LINE_NUMBER.fullmatch(line) else 0
        # Recorded first: lines that were not recorded as read are not shown.
        why = " ".join(filter(None, (login, f"until {until}" if until else f"before line {number}" if number else "")))
        await audit.record(hip, "audit_read", by=session.login, address=guards.address_of(request), why=why)
        if until or number:
            page = await _archived(archive, desk, hip, login, until, number, zone)
        else:
            page = await _stored(audit, desk, hip, login, before, zone)
        trouble = page.trouble or (tr(messages.AUDIT_DAY) if day and until is None else "")
        return templating.page(
            "audit.html", session=session, page=page, login=login, trouble=trouble, zone=zone.key,
            is_first=not (before or until or number), is_archived=bool(until or number), day=until or "",
        )  # fmt: skip


def day_of(text: str) -> date | None:
    """The day that an address names; None for anything else."""
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


async def _stored(audit: Audit, desk: OpdDesk, hip: str, login: str, before: str, zone: ZoneInfo) -> Page:
    """The newest entries, which the store has. Behind the oldest of them the archive goes on."""
    entries, next_id = await page_of(audit, hip, login, before if _ENTRY_ID.fullmatch(before) else "+")
    tokens = await tokens_of(desk, hip, {entry.ticket for entry in entries})
    lines = [
        line_of(int(entry.id.partition("-")[0]), entry.kind, entry.by, entry.address, entry.ticket, entry.why, tokens)
        for entry in entries
    ]
    if next_id:
        return Page(lines=lines, older=f"before={next_id}")
    last = datetime.fromtimestamp(lines[-1].at_ms / 1000, zone) if lines else datetime.now(zone)
    return Page(lines=lines, older=f"day={last:%Y-%m-%d}")


async def _archived(
    archive: Database, desk: OpdDesk, hip: str, login: str, until: date | None, number: int, zone: ZoneInfo
) -> Page:
    """Lines up to the end of a day, or before a line."""
    try:
        if until is not None:
            end = datetime.combine(until, time.min, zone) + timedelta(days=1)
            number = await archive.ask(number_at, hip, int(end.timestamp() * 1000))
        found = await archive.ask(lines_before, hip, number, login=login, limit=SHOWN)
    except (ArchiveAway, ArchiveUnsuitable):
        return Page(lines=[], trouble=tr(messages.AUDIT_ARCHIVE_AWAY))
    tokens = await tokens_of(desk, hip, {one.ticket for one in found.lines})
    lines = [line_of(one.at_ms, one.act, one.by, one.address, one.ticket, one.why, tokens) for one in found.lines]
    return Page(lines=lines, older=f"line={found.older}" if found.older else "")


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


async def tokens_of(desk: OpdDesk, hip: str, tickets: set[str]) -> dict[str, str]:
    """The numbers of the tickets that are still stored, by ticket id."""
    return {ticket.id: ticket.token for ticket in await desk.these(hip, sorted(tickets - {""}))}


def line_of(at_ms: int, act: str, login: str, address: str, ticket: str, why: str, tokens: dict[str, str]) -> Line:
    """A line with its act in words; an act without words, and a ticket that is gone, stand as they are stored."""
    label = tr(messages.AUDIT_ACTS.get(act, act))
    return Line(at_ms=at_ms, act=label, login=login, address=address, ticket=tokens.get(ticket, ticket), why=why)
