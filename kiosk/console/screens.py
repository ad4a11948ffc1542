"""The page of the facility's screens: pair one by its six letters, see that it runs, change or remove it.

A screen belongs to the facility of the administrator who typed its letters. Nobody signs in on a television: what it
may do is to show public numbers, and codes that are fresh because it hangs in the hospital.
"""

import asyncio
import time
from typing import Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from kiosk.accounts.sessions import Session
from kiosk.console import guards, messages, templating
from kiosk.console.forms import NotFilledIn, networks_of_form, screen_of
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.console.lookups import hospital_of
from kiosk.locales import BOOK, LANGUAGES, ROTATION
from kiosk.settings import Settings
from kiosk.web.limits import ID_MAX
from kiosk.web.page_bodies import read_form
from queueing.audit import Act, Audit
from queueing.registry import Hospital, Registry
from queueing.screens import (
    SCREENS_MAX,
    PairedScreen,
    Screen,
    ScreenId,
    ScreenKind,
    Screens,
    TooManyScreens,
    as_code,
)

SILENT_MS: Final = 180_000
"""A screen reports itself twice a minute and is written once; after three minutes it is off, or its network is away."""


class Row(Struct, frozen=True, kw_only=True):
    """One screen as the page shows it."""

    paired: PairedScreen
    up: bool


class ScreensPage(Controller):
    path = "/console/admin/screens"

    @get("/", guards=[guards.administrator], include_in_schema=False)
    async def show(
        self, request: ConsoleRequest, session: NamedDependency[Session], registry: NamedDependency[Registry],
        screens: NamedDependency[Screens], settings: NamedDependency[Settings], done: FromQuery[str] = "",
        code: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        """``code``: the letters, from the QR of a screen."""
        page = _Page(session, registry, screens, settings, guards.address_of(request))
        return await page.answer(message=tr(messages.SCREENS_DONE.get(done, "")), typed={"code": as_code(code)})

    @post("/pair", guards=[guards.administrator], include_in_schema=False)
    async def pair(
        self, request: ConsoleRequest, session: NamedDependency[Session], registry: NamedDependency[Registry],
        screens: NamedDependency[Screens], settings: NamedDependency[Settings], audit: NamedDependency[Audit],
    ) -> Response[str] | Response[None]:  # fmt: skip
        """Give the screen that shows these letters to this facility."""
        form = await read_form(request)
        page = _Page(session, registry, screens, settings, guards.address_of(request))
        try:
            row = screen_of(form, await page.hospital())
            await _pair(form.get("code", ""), row, page, audit)
        except _Refused as refused:
            return await page.answer(trouble=str(refused), status=refused.status, typed=form, field="code")
        except NotFilledIn as wrong:
            return await page.answer(trouble=str(wrong), status=422, typed=form, field=wrong.field)
        return templating.go("/console/admin/screens?done=paired")

    @post("/networks", guards=[guards.administrator], include_in_schema=False)
    async def set_networks(
        self, request: ConsoleRequest, session: NamedDependency[Session], registry: NamedDependency[Registry],
        screens: NamedDependency[Screens], settings: NamedDependency[Settings],
    ) -> Response[str] | Response[None]:  # fmt: skip
        """The facility's own networks: browsers there need no pairing."""
        form = await read_form(request)
        page = _Page(session, registry, screens, settings, guards.address_of(request))
        try:
            acting = registry.acting(guards.actor_of(request, session))
            await acting.set_networks(session.facility, networks_of_form(form))
        except NotFilledIn as wrong:
            return await page.answer(trouble=str(wrong), status=422, typed=form, field=wrong.field)
        return templating.go("/console/admin/screens?done=networks")

    @post("/{screen:str}/{act:str}", guards=[guards.administrator], include_in_schema=False)
    async def change(
        self, request: ConsoleRequest, screen: FromPath[str], act: FromPath[str], session: NamedDependency[Session],
        registry: NamedDependency[Registry], screens: NamedDependency[Screens], settings: NamedDependency[Settings],
    ) -> Response[str] | Response[None]:  # fmt: skip
        """Change or remove a screen of this facility."""
        form = await read_form(request)
        page = _Page(session, registry, screens, settings, guards.address_of(request))
        identifier = ScreenId(screen[:ID_MAX])
        before = await screens.one(session.facility, identifier)
        if before is None or act not in ("change", "remove"):
            raise NotFoundException
        done = guards.actor_of(request, session).act(f"admin_screen-{act}", before.name)
        try:
            if act == "remove":
                await screens.remove(session.facility, identifier, act=done)
            else:
                changed = screen_of(form, await page.hospital(), before)
                await screens.put(session.facility, identifier, changed, act=done)
        except NotFilledIn as wrong:
            return await page.answer(trouble=str(wrong), status=422)
        return templating.go(f"/console/admin/screens?done={act}")


class _Refused(Exception):
    """The letters were not taken; the text is a sentence for the administrator."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class _Page:
    """The whole page, for one request."""

    def __init__(
        self, session: Session, registry: Registry, screens: Screens, settings: Settings, address: str
    ) -> None:  # fmt: skip
        self.session = session
        self.registry = registry
        self.screens = screens
        self.settings = settings
        self.address = address

    async def hospital(self) -> Hospital:
        """The facility with its queues and counters. Raises NoFacilityYet."""
        return await hospital_of(self.session, self.registry)

    async def answer(
        self, *, message: str = "", trouble: str = "", status: int = 200, typed: dict[str, str] | None = None,
        field: str = "",
    ) -> Response[str]:  # fmt: skip
        """``typed``: the refused form, so that nothing is lost; ``field``: what is wrong in it."""
        hospital, found = await asyncio.gather(self.hospital(), self.screens.of(self.session.facility))
        now_ms = time.time_ns() // 1_000_000
        rows = [Row(paired=one, up=one.report is not None and now_ms - one.report.seen_ms < SILENT_MS) for one in found]
        return templating.page(
            "screens.html", session=self.session, status=status, hospital=hospital, facility=hospital.facility,
            rows=rows, message=message, trouble=trouble, typed=typed or {}, field=field, own_address=self.address,
            zone=hospital.zone(self.settings.timezone), most=SCREENS_MAX, blank=Screen(name="-", kind=ScreenKind.BOARD),
            tongues={code: BOOK[code].name for code in LANGUAGES}, usual=[BOOK[code].name for code in ROTATION],
            short=f"{self.settings.public_url}/screen",
        )  # fmt: skip


async def _pair(typed: str, row: Screen, page: _Page, audit: Audit) -> None:
    """Take the letters and write the screen. Raises _Refused. Letters are looked up last: they work once."""
    session, code = page.session, as_code(typed)
    if not code:
        raise _Refused(tr(messages.SCREENS["form"]), 422)
    if len(await page.screens.of(session.facility)) >= SCREENS_MAX:
        raise _Refused(tr(messages.SCREENS["full"]).format(most=SCREENS_MAX), 409)
    taken = await page.screens.take_code(code, session.facility, login=session.login, address=page.address)
    if taken.wait_s:
        await audit.record(
            session.facility, "refused", by=session.login, address=page.address, why="wrong letters of screens"
        )
        raise _Refused(tr(messages.SCREENS["often"]).format(minutes=-(-taken.wait_s // 60)), 429)
    if not taken.screen:
        raise _Refused(tr(messages.SCREENS["unknown"]), 404)
    paired = msgspec.structs.replace(row, paired_ms=time.time_ns() // 1_000_000, paired_by=session.login)
    act = Act(kind="admin_screen-pair", by=session.login, address=page.address, why=row.name)
    try:
        await page.screens.put(session.facility, taken.screen, paired, act=act)
    except TooManyScreens:
        raise _Refused(tr(messages.SCREENS["full"]).format(most=SCREENS_MAX), 409) from None
