"""*The hospital's day*: what a superintendent sees in thirty seconds. What is so now comes from the store, what was so
by hour, queue and day from the archive. Each table is a CSV as well.
"""

import asyncio
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from msgspec import Struct

from kiosk.accounts.sessions import EVERY_FACILITY, Session
from kiosk.archive.database import ArchiveAway, ArchiveUnsuitable, Database
from kiosk.archive.positions import Positions, positions
from kiosk.archive.today_queries import DayFacts, UsualFacts, day_facts, usual_facts
from kiosk.console import figure_messages, figures, guards, language, templating, today_tables
from kiosk.console.figures import Cell
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import Sentences, tr
from kiosk.console.period import Period, PeriodError, presets, read_period, single
from kiosk.console.priority import above_usual
from kiosk.console.today_advice import WORDS, Advice, Moment, advise
from kiosk.settings import Settings
from kiosk.web.path_prefix import url
from queueing.audit import Audit
from queueing.day_counts import DayCounts
from queueing.desk import OpdDesk
from queueing.facility_view import Snapshot
from queueing.models import State
from queueing.outbox import Outbox
from queueing.registry import Hospital, Registry

PARKED_COUNTED = 100
"""Parked replies are counted so far: more of them have the same reason."""


class Tile(Struct, frozen=True, kw_only=True):
    """One number of the strip *Right now*."""

    label: str
    value: Cell
    note: str = ""


class Now(Struct, frozen=True, kw_only=True):
    """The facility at this moment, read from the store."""

    hospital: Hospital
    snapshot: Snapshot
    counts: DayCounts
    parked: int
    at: datetime
    """In the facility's time zone."""

    @property
    def today(self) -> date:
        """The service day."""
        return date.fromisoformat(self.snapshot.day)


class Views:
    """Reads the two sides of the page."""

    def __init__(
        self, registry: Registry, desk: OpdDesk, outbox: Outbox, archive: Database, settings: Settings
    ) -> None:
        self._registry, self._desk, self._outbox = registry, desk, outbox
        self._archive, self._settings = archive, settings

    async def now(self, hip: str) -> Now | None:
        """None for an unknown facility."""
        hospital, snapshot, counts, parked = await asyncio.gather(
            self._registry.hospital(hip), self._desk.snapshot(hip), self._desk.counts(hip),
            self._outbox.parked(hip, limit=PARKED_COUNTED),
        )  # fmt: skip
        if hospital is None or snapshot is None:
            return None
        zone = ZoneInfo(hospital.zone(self._settings.timezone))
        return Now(
            hospital=hospital, snapshot=snapshot, counts=counts or DayCounts(ended=0, queues={}), parked=len(parked),
            at=datetime.fromtimestamp(snapshot.at_ms / 1000, zone),
        )  # fmt: skip

    async def facts(self, now: Now, period: Period) -> DayFacts | None:
        """None while the archive cannot be read."""
        try:
            return await self._archive.ask(
                day_facts, period.first, period.last, hip_id=now.hospital.facility.hip_id,
                earlier_days=period.earlier_days, zone=ZoneInfo(now.hospital.zone(self._settings.timezone)),
            )  # fmt: skip
        except (ArchiveAway, ArchiveUnsuitable):
            return None

    async def usual(self, now: Now) -> UsualFacts | None:
        """What is usual at this hour; None while the archive cannot be read."""
        try:
            return await self._archive.ask(
                usual_facts, now.today, now.at.hour, hip_id=now.hospital.facility.hip_id
            )  # fmt: skip
        except (ArchiveAway, ArchiveUnsuitable):
            return None

    async def positions(self, now: Now) -> Positions | None:
        """Where today's phones were; None when too few were far away to tell anything, or the archive is away."""
        hip = now.hospital.facility.hip_id
        try:
            found = await self._archive.ask(positions, now.today, now.today, hip_id=hip)
        except (ArchiveAway, ArchiveUnsuitable):
            return None
        return found.get(hip)


class Today(Controller):
    path = "/console/today"

    @get("/", guards=[guards.any_administrator], include_in_schema=False)
    async def show(
        self, request: ConsoleRequest, session: NamedDependency[Session], today_views: NamedDependency[Views],
        clock_is_wrong: NamedDependency[bool],
    ) -> Response[str]:  # fmt: skip
        """The page. Days that cannot be shown and an unknown facility are said on it."""
        hip = facility_of(session, request.query_params.get("hip", ""))
        now = await today_views.now(hip) if hip else None
        if now is None:
            named = request.query_params.get("hip", "").strip()[:250]
            return _page(session, status=404, trouble=tr(figure_messages.UNKNOWN_FACILITY).format(hip=named))
        try:
            period, trouble = read_period(request.query_params, now.today), ""
        except PeriodError as error:
            period, trouble = single(now.today), tr(figure_messages.PERIOD_TROUBLE[error.code])
        today = single(now.today)
        todays, usual, places = await asyncio.gather(
            today_views.facts(now, today), today_views.usual(now), today_views.positions(now)
        )
        facts = todays if period == today else await today_views.facts(now, period)
        tables = today_tables.all_tables(facts, period, now.hospital.queue_names) if facts and not trouble else []
        return _page(
            session, status=422 if trouble else 200, trouble=trouble, now=now, period=period, tables=tables,
            tiles=tiles(now, todays), above_usual=_above_usual(todays, usual),
            advice=_advice(now, todays, usual), away=facts is None, far=far_words(places),
            clock_wrong=tr(figure_messages.CLOCK_WRONG) if clock_is_wrong else "",
        )  # fmt: skip

    @get("/csv/{name:str}", guards=[guards.any_administrator], include_in_schema=False)
    async def csv(
        self, request: ConsoleRequest, name: FromPath[str], session: NamedDependency[Session],
        today_views: NamedDependency[Views], audit: NamedDependency[Audit],
    ) -> Response[bytes] | Response[str]:  # fmt: skip
        """One table of the page as a file."""
        hip = facility_of(session, request.query_params.get("hip", ""))
        now = await today_views.now(hip) if hip else None
        if now is None:
            raise NotFoundException
        try:
            period = read_period(request.query_params, now.today)
        except PeriodError as error:
            return _page(session, status=422, trouble=tr(figure_messages.PERIOD_TROUBLE[error.code]))
        facts = await today_views.facts(now, period)
        if facts is None:
            return _page(session, status=503, trouble=tr(figure_messages.ARCHIVE_AWAY))
        with language.in_english():
            tables = today_tables.all_tables(facts, period, now.hospital.queue_names)
        table = next((one for one in tables if one.id == name), None)
        if table is None:
            raise NotFoundException
        await audit.record(hip, "figures_exported", by=session.login, address=guards.address_of(request), why=name)
        return figures.csv_answer(table, f"{name}-{period.first}-{period.last}")


def facility_of(session: Session, named: str) -> str:
    """The facility whose day is shown; empty when it is none of this login's. Raises NoFacilityYet."""
    hip = named.strip()[:250] or session.facility
    if not hip:
        raise guards.NoFacilityYet
    return hip if hip == session.facility or session.home == EVERY_FACILITY else ""


def tiles(now: Now, todays: DayFacts | None) -> list[Tile]:
    """The strip *Right now*. Served and refused are the archive's, which is seconds behind the store."""
    counts, notes = now.counts, Sentences(figure_messages.TILE_NOTES)
    whole = today_tables.all_of(todays) if todays else None
    opened = [counter for counter in now.snapshot.counters if counter.open]
    held = counts.now(State.HELD)
    served = _tile("ended", counts.ended) if whole is None else _tile("served", whole["state_done"])
    if whole is None:
        refused = _tile("refused", None, notes["refused_unknown"])
    else:
        closed = whole["refused_closed_queue"]
        note = notes["refused_closed"].format(count=figures.grouped(closed)) if closed else ""
        refused = _tile("refused", whole["refused"], note)
    parked = f"{now.parked}+" if now.parked == PARKED_COUNTED else now.parked
    return [
        _tile("waiting", counts.now(State.WAITING), notes["held"].format(count=held) if held else ""),
        _tile("at_counter", counts.now(State.CALLED, State.SERVING)),
        _tile("expected", counts.now(State.EXPECTED)),
        served,
        _tile("no_show", counts.now(State.NO_SHOW)),
        refused,
        _tile("counters", len(opened), notes["counters"].format(count=len(now.snapshot.counters))),
        _tile("parked", parked, notes["parked" if now.parked else "parked_none"]),
    ]


def far_words(found: Positions | None) -> str:
    """What an administrator must hear when nearly every phone was far away; else an empty text."""
    if found is None or not found.nearly_all_far:
        return ""
    sentence = tr(figure_messages.FAR_REFUSED if found.nearly_all_refused else figure_messages.NEARLY_ALL_FAR)
    return sentence.format(far=figures.grouped(found.all_far), known=figures.grouped(found.known))


def _tile(name: str, value: Cell, note: str = "") -> Tile:
    return Tile(label=tr(figure_messages.TILES[name]), value=value, note=note)


def _advice(now: Now, todays: DayFacts | None, usual: UsualFacts | None) -> Advice:
    if todays is None or usual is None:
        return Advice(headline=WORDS["away"])
    last_hour = {
        queue: sums["tokens"] for (queue, hour), sums in todays.by_queue_and_hour.items() if hour == now.at.hour - 1
    }
    waiting = {queue: counts[State.WAITING] for queue, counts in now.counts.queues.items()}
    moment = Moment(
        weekday=now.today.weekday(), waiting=waiting, last_hour=last_hour, counters=now.snapshot.counters,
        queue_names=now.hospital.queue_names,
    )  # fmt: skip
    return advise(moment, usual)


def _above_usual(todays: DayFacts | None, usual: UsualFacts | None) -> list[str]:
    if todays is None or usual is None:
        return []
    return above_usual(today_tables.all_of(todays), usual.priority)


def _page(session: Session, *, status: int, now: Now | None = None, **values: Any) -> Response[str]:
    empty: dict[str, Any] = {
        "period": None,
        "tables": [],
        "tiles": [],
        "advice": None,
        "away": False,
        "above_usual": [],
        "far": "",
        "clock_wrong": "",
    }
    hip = now.hospital.facility.hip_id if now else ""
    offered = presets(now.today).items() if now else ()
    return templating.page(
        "today.html", session=session, status=status, now=now, hip=hip, **(empty | values),
        any_facility=session.home == EVERY_FACILITY, archive_away=tr(figure_messages.ARCHIVE_AWAY),
        presets=[(tr(figure_messages.PRESETS[name]), one, address(hip, one)) for name, one in offered],
        csv_of=lambda table, period: address(hip, period, f"/csv/{table.id}"),
        earlier_words=today_tables.earlier_words,
    )  # fmt: skip


def address(hip: str, period: Period, below: str = "") -> str:
    """The page, or a file of it, with its facility and days."""
    query = urlencode({"hip": hip, "from": period.first.isoformat(), "to": period.last.isoformat()})
    return url(f"/console/today{below}?{query}")
