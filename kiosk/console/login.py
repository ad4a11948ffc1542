"""Sign in, change the password, choose a facility, sign out."""

from urllib.parse import quote

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from kiosk.accounts.passwords import MOST, WeakPassword
from kiosk.accounts.service import SignedIn, Staff, TooOften
from kiosk.accounts.sessions import Session
from kiosk.console import guards, messages, templating
from kiosk.console.guards import ConsoleRequest
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_form
from queueing.audit import Audit
from queueing.registry import Registry
from queueing.screens import as_code


class Login(Controller):
    path = "/console"

    @get("/", guards=[guards.clerk], include_in_schema=False)
    async def home(self, session: NamedDependency[Session]) -> Response[None]:
        """Redirect to the counter this login used last, or to the choice of counters."""
        return templating.go(
            f"/console/at/{quote(session.counter, safe='')}" if session.counter else "/console/counters"
        )

    @get("/login", guards=[guards.visitor], include_in_schema=False)
    async def show_login(self, settings: NamedDependency[Settings], screen: FromQuery[str] = "") -> Response[str]:
        """``screen``: the letters of a screen that is to be paired after the sign-in."""
        trouble = "" if settings.sign_in_is_private else messages.SIGN_IN["open"]
        return templating.page("login.html", session=None, trouble=trouble, login="", screen=as_code(screen))

    @post("/login", guards=[guards.visitor], include_in_schema=False)
    async def sign_in(
        self, request: ConsoleRequest, staff: NamedDependency[Staff], settings: NamedDependency[Settings]
    ) -> Response[None] | Response[str]:
        if not settings.sign_in_is_private:
            return templating.page(
                "login.html", session=None, status=403, trouble=messages.SIGN_IN["open"], login="", screen=""
            )
        form = await read_form(request)
        login, code = form.get("login", "")[:64], as_code(form.get("screen", ""))
        answer = await staff.sign_in(
            login, form.get("password", "")[: MOST + 1],
            address=guards.address_of(request), device=guards.device_of(request),
        )  # fmt: skip
        if isinstance(answer, SignedIn):
            await staff.sessions.close(guards.reference_of(request))
            cookies = guards.cookies(request, answer)
            return templating.go(f"/console/admin/screens?code={code}" if code else "/console", cookies)
        trouble, status = _refusal(answer, messages.SIGN_IN["wrong"])
        return templating.page("login.html", session=None, status=status, trouble=trouble, login=login, screen=code)

    @post("/logout", guards=[guards.signed_in], include_in_schema=False)
    async def sign_out(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff],
        audit: NamedDependency[Audit],
    ) -> Response[None]:  # fmt: skip
        await audit.record(session.home, "sign_out", by=session.login, address=guards.address_of(request))
        await staff.sessions.close(guards.reference_of(request))
        return templating.go("/console/login", [guards.no_cookie(request)])

    @post("/logout-everywhere", guards=[guards.signed_in], include_in_schema=False)
    async def sign_out_everywhere(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff],
        audit: NamedDependency[Audit],
    ) -> Response[None]:  # fmt: skip
        """Ends every session of this login: for a clerk who left another desk signed in, or sees a foreign sign-in."""
        await audit.record(session.home, "sign_out_everywhere", by=session.login, address=guards.address_of(request))
        await staff.sign_out_everywhere(session.login)
        return templating.go("/console/login", [guards.no_cookie(request)])

    @get("/password", guards=[guards.signed_in], include_in_schema=False)
    async def show_password(self, session: NamedDependency[Session]) -> Response[str]:
        return templating.page("password.html", session=session, trouble="")

    @post("/password", guards=[guards.signed_in], include_in_schema=False)
    async def change_password(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff]
    ) -> Response[None] | Response[str]:
        form = await read_form(request)
        old, new = form.get("old", "")[: MOST + 1], form.get("new", "")[: MOST + 1]
        if new != form.get("again", "")[: MOST + 1]:
            return templating.page("password.html", session=session, status=422, trouble=messages.SIGN_IN["twice"])
        try:
            address, device = guards.address_of(request), guards.device_of(request)
            answer = await staff.change_password(session, old, new, address=address, device=device)
        except WeakPassword as weak:
            return templating.page("password.html", session=session, status=422, trouble=messages.PASSWORDS[weak.fault])
        if isinstance(answer, SignedIn):
            return templating.go("/console", guards.cookies(request, answer))
        trouble, status = _refusal(answer, messages.SIGN_IN["old"])
        return templating.page("password.html", session=session, status=status, trouble=trouble)

    @get("/facility", guards=[guards.member], include_in_schema=False)
    async def show_facilities(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry], after: FromQuery[str] = ""
    ) -> Response[str] | Response[None]:
        """A state administrator chooses a facility."""
        if session.home != "*":
            return templating.go("/console")
        facilities = await registry.facilities(after=after[:250], limit=100)
        return templating.page("facility.html", session=session, facilities=facilities, trouble="", after=after)

    @post("/facility", guards=[guards.member], include_in_schema=False)
    async def choose_facility(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff],
        registry: NamedDependency[Registry],
    ) -> Response[str] | Response[None]:  # fmt: skip
        hip = (await read_form(request)).get("hip", "").strip()[:250]
        if session.home != "*":
            raise guards.NotAdministrator
        if not hip or await registry.facility(hip) is None:
            facilities = await registry.facilities(after="", limit=100)
            trouble = messages.ADMIN_TROUBLE["facility"]
            return templating.page(
                "facility.html", session=session, status=404, facilities=facilities, trouble=trouble, after=""
            )
        await staff.sessions.choose_facility(session, hip)
        await staff.sit_at(session.login, "")
        return templating.go("/console/admin")


def _refusal(answer: object, otherwise: str) -> tuple[str, int]:
    if isinstance(answer, TooOften):
        return messages.SIGN_IN["often"].format(minutes=-(-answer.wait_s // 60)), 429
    return otherwise, 401
