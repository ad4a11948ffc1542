"""*The state's review*: what a Chief Secretary asks, on one page; then by district, facility and month.

It is for administrators of all facilities. Every figure comes from the archive's sums or from an imported file. Each
table is a CSV as well, and what counts for the incentive can be traced ticket by ticket.
"""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from litestar import Controller, Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from kiosk.accounts.sessions import Session
from kiosk.archive import review_queries
from kiosk.archive.database import ArchiveAway, ArchiveUnsuitable, Database
from kiosk.archive.incentive import lines_csv
from kiosk.archive.queries import ArchivedFacility
from kiosk.archive.review_queries import FACILITIES_SHOWN, LIVE, ReviewFacts, Scope
from kiosk.console import figures, guards, language, review_messages, review_tables, templating
from kiosk.console.figures import Table
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr, translated
from kiosk.console.months import MonthError, month_name, read_month
from kiosk.console.review_tables import Shown
from kiosk.recent_answers import RecentAnswers
from kiosk.settings import Settings
from kiosk.web.path_prefix import url
from kiosk.web.security_headers import PAGE
from queueing.audit import NO_FACILITY, Audit

LINES_MAX: Final = 100_000
"""Tickets of one facility and month in one answer, some 12 MB: J&K's largest hospital has 80,000."""
GOOD_FOR_S: Final = 10.0
"""The archive itself is some seconds behind, and a page of months does not change visibly in ten."""
ANSWERS_MAX: Final = 32
"""Pages that some officials look at together. An answer is some 200 kB."""
FILES_MAX: Final = 4
"""Files that are given again for some seconds: a megabyte each for a state."""
PAGES_MAX: Final = 10_000


class Trouble(Exception):
    """The page cannot show what was chosen. ``sentence`` is the page's, in English."""

    def __init__(self, status: int, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.status = status
        self._sentence, self._values = sentence, values

    @property
    def text(self) -> str:
        """The sentence in the language of the request that shows it: several may have waited for one answer."""
        return tr(self._sentence).format(**self._values)


class Reviews:
    """Reads what the page shows."""

    def __init__(self, archive: Database, settings: Settings) -> None:
        self._archive = archive
        self._recent = RecentAnswers[ReviewFacts](good_for_s=GOOD_FOR_S, most=ANSWERS_MAX)
        self._files = RecentAnswers[str](good_for_s=GOOD_FOR_S, most=FILES_MAX)
        self.zone = ZoneInfo(settings.timezone)

    def today(self) -> date:
        return datetime.now(self.zone).date()

    async def shown(self, query: Any) -> tuple[Shown, ArchivedFacility | None]:
        """What an address chooses, and the facility if it chooses one. Raises Trouble."""
        today = self.today()
        try:
            month = read_month(query, today)
        except MonthError as error:
            raise Trouble(422, review_messages.MONTH_TROUBLE[error.code]) from None
        hip, district = query.get("hip", "").strip()[:250], query.get("district", "").strip()[:100]
        if not hip:
            return Shown(scope=Scope(district=district), today=today, month=month), None
        facility: ArchivedFacility | None = await self.ask(review_queries.known_facility, hip)
        if facility is None:
            raise Trouble(404, review_messages.UNKNOWN_FACILITY, hip=hip)
        return Shown(scope=Scope(hip_id=hip), today=today, month=month), facility

    async def facts(self, shown: Shown, page: int) -> ReviewFacts:
        """Everything on the page. Raises Trouble."""
        chosen = (shown.today, shown.month, shown.scope, page)
        facts = await self._recent.get(chosen, lambda: self.ask(review_queries.review_facts, *chosen))
        district = shown.scope.district
        if district and district not in facts.district_names:
            raise Trouble(404, review_messages.UNKNOWN_DISTRICT, district=district)
        return facts

    async def table(self, shown: Shown, name: str) -> Table | None:
        """One table with all its rows; None for an unknown name. Raises Trouble."""
        district = shown.scope.district
        if name == "facilities" and not shown.scope.hip_id:
            found = await self.ask(review_queries.facility_months, shown.month, district=district, limit=None)
            return review_tables.facilities(found, shown)
        if name == "institutions" and not shown.scope.hip_id:
            live = {
                word: await self.ask(review_queries.live_facilities, shown.today, word, district=district)
                for word in LIVE
            }
            return review_tables.institutions(live)
        made = review_tables.tables(await self.facts(shown, 1), shown)
        return next((table for table in made if table.id == name), None)

    async def csv(self, shown: Shown, name: str) -> str:
        """One table with all its rows as a CSV; empty for an unknown name. Raises Trouble."""

        async def make() -> str:
            with language.in_english():
                table = await self.table(shown, name)
            # A thread: a state has some thousand lines, and other pages must not wait for them.
            return await asyncio.to_thread(figures.csv_of, table) if table else ""

        return await self._files.get((shown, name), make)

    async def lines(self, shown: Shown) -> str:
        """The CSV of the tickets that count for the incentive. Raises Trouble."""
        text: str | None = await self.ask(
            lines_csv, shown.month, hip_id=shown.scope.hip_id, most=LINES_MAX, zone=self.zone,
            header=review_messages.LINE_COLUMNS,
        )  # fmt: skip
        if text is None:
            raise Trouble(422, review_messages.TOO_MANY_LINES, most=figures.grouped(LINES_MAX))
        return text

    async def ask(self, query: Any, *arguments: Any, **named: Any) -> Any:
        """The archive's answer. Raises Trouble while it cannot be read."""
        try:
            return await self._archive.ask(query, *arguments, **named)
        except (ArchiveAway, ArchiveUnsuitable):
            raise Trouble(503, review_messages.ARCHIVE_AWAY) from None


class Review(Controller):
    path = "/console/review"

    @get("/", guards=[guards.state_administrator], include_in_schema=False)
    async def show(
        self, request: ConsoleRequest, session: NamedDependency[Session], reviews: NamedDependency[Reviews]
    ) -> Response[str]:
        """The page of the whole service, a district or a facility. What cannot be shown is said on it."""
        page = _page_number(request.query_params.get("page", ""))
        try:
            shown, facility = await reviews.shown(request.query_params)
            facts = await reviews.facts(shown, page)
        except Trouble as trouble:
            # The page still answers while the archive is away.
            status = 200 if trouble.status == 503 else trouble.status
            return _page(session, Shown(scope=Scope(), today=reviews.today(), month=reviews.today().replace(day=1)),
                         status=status, trouble=trouble.text)  # fmt: skip
        tables = {table.id: table for table in review_tables.tables(facts, shown)}
        return _page(
            session, shown, facts=facts, facility=facility, tables=tables, page=page,
            tiles=review_tables.tiles(facts, shown), links=_links(facts, shown), older=_page_link(facts, shown, page),
        )  # fmt: skip

    @get("/csv/{name:str}", guards=[guards.state_administrator], include_in_schema=False)
    async def csv(
        self, request: ConsoleRequest, name: FromPath[str], session: NamedDependency[Session],
        reviews: NamedDependency[Reviews], audit: NamedDependency[Audit],
    ) -> Response[bytes] | Response[str]:  # fmt: skip
        """One table as a file, with all its rows."""
        try:
            shown, _ = await reviews.shown(request.query_params)
            text = await reviews.csv(shown, name)
        except Trouble as trouble:
            return _trouble(session, reviews, trouble)
        if not text:
            raise NotFoundException
        await _record(audit, request, session, shown, "figures_exported", f"review {name}")
        return figures.csv_file(text, f"review-{name}-{shown.month:%Y-%m}")

    @get("/lines", guards=[guards.state_administrator], include_in_schema=False)
    async def lines(
        self, request: ConsoleRequest, session: NamedDependency[Session], reviews: NamedDependency[Reviews],
        audit: NamedDependency[Audit],
    ) -> Response[bytes] | Response[str]:  # fmt: skip
        """The tickets of a facility and month that the gateway accepted, each with its REQUEST-ID, as a file."""
        try:
            shown, facility = await reviews.shown(request.query_params)
            if facility is None:
                raise NotFoundException
            text = await reviews.lines(shown)
        except Trouble as trouble:
            return _trouble(session, reviews, trouble)
        await _record(audit, request, session, shown, "tickets_exported", f"{shown.month:%Y-%m}")
        name = f'attachment; filename="incentive-{shown.month:%Y-%m}.csv"'
        return Response(text.encode(), media_type="text/csv", headers={**PAGE, "Content-Disposition": name})


async def _record(
    audit: Audit, request: Request[Any, Any, State], session: Session, shown: Shown, act: str, why: str
) -> None:
    facility = shown.scope.hip_id or NO_FACILITY
    await audit.record(facility, act, by=session.login, address=guards.address_of(request), why=why)


def address(path: str, shown: Shown, **more: object) -> str:
    """A page of the review about the same scope and month."""
    query = {"month": f"{shown.month:%Y-%m}", "district": shown.scope.district, "hip": shown.scope.hip_id} | more
    return f"{url('/console/review' + path)}?{urlencode({name: value for name, value in query.items() if value})}"


def _links(facts: ReviewFacts, shown: Shown) -> dict[str, list[str]]:
    """Table -> where the name of each row leads."""
    return {
        "districts": [address("", shown, district=one.name) if one.name else "" for one in facts.districts],
        "facilities": [address("", shown, district="", hip=one.facility.hip_id) for one in facts.facilities],
        "far": [address("", shown, district="", hip=one.hip_id) for one, _ in facts.far],
    }


def _page_link(facts: ReviewFacts, shown: Shown, page: int) -> str:
    """Where the next facilities are; empty on the last page."""
    return address("", shown, page=page + 1) if len(facts.facilities) == FACILITIES_SHOWN else ""


def _page_number(text: str) -> int:
    return min(int(text), PAGES_MAX) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) else 1


def _trouble(session: Session, reviews: Reviews, trouble: Trouble) -> Response[str]:
    today = reviews.today()
    shown = Shown(scope=Scope(), today=today, month=today.replace(day=1))
    return _page(session, shown, status=trouble.status, trouble=trouble.text)


def _page(session: Session, shown: Shown, *, status: int = 200, **values: Any) -> Response[str]:
    empty: dict[str, Any] = {
        "facts": None, "facility": None, "tables": {}, "page": 1, "tiles": [], "links": {}, "older": "", "trouble": "",
    }  # fmt: skip
    months = [(f"{one:%Y-%m}", month_name(one)) for one in _months(shown.today)]
    return templating.page(
        "review.html", session=session, status=status, shown=shown, month=month_name(shown.month), months=months,
        address=address, live_words=translated(review_messages.LIVE), **(empty | values),
    )  # fmt: skip


def _months(today: date) -> list[date]:
    """Months that the page offers, the newest first: as many as the trend shows, twice."""
    found = [today.replace(day=1)]
    while len(found) < 2 * review_queries.MONTHS:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found
