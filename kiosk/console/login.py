"""Sign in by password and code, change the password, choose a facility, sign out."""

import re
from typing import Final
from urllib.parse import quote, urlencode

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from kiosk.accounts.outcomes import CodeDue, Ended, Refusal, SignedIn, TooOften
from kiosk.accounts.passwords import MOST, WeakPassword
from kiosk.accounts.service import Staff
from kiosk.accounts.sessions import IDLE_S, LONGEST_S, Session
from kiosk.console import guards, messages, templating
from kiosk.console.find_facility import FOUND_MAX, TEXT_MAX, find_facilities
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.console.way_back import LONGEST, page_after
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_form
from queueing.desks import Desks
from queueing.errors import QueueingError
from queueing.limits import COUNTER_NAME_MAX
from queueing.registry import Registry
from queueing.screens import as_code

LISTED: Final = 100
"""Facilities on one page of all of them."""
_COUNTER_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{COUNTER_NAME_MAX}}}")


def login_page(
    *, status: int = 200, trouble: str = "", login: str = "", screen: str = "", counter: str = "", back: str = "",
    note: str = "",
) -> Response[str]:  # fmt: skip
    """The sign-in. ``screen``: letters of a screen that is paired afterwards. ``counter``: it was handed over, and
    whoever signs in next sits there. ``back``: the page to go on with. ``note``: why there is a sign-in.
    """
    return templating.page(
        "login.html", session=None, status=status, trouble=trouble, login=login, screen=screen, counter=counter,
        back=back, note=note,
    )  # fmt: skip


class Login(Controller):
    path = "/console"

    @get("/", guards=[guards.clerk], include_in_schema=False)
    async def home(self, session: NamedDependency[Session]) -> Response[None]:
        """Redirect to the counter this login used last, or to the choice of counters."""
        return templating.go(
            f"/console/at/{quote(session.counter, safe='')}" if session.counter else "/console/counters"
        )

    @get("/login", guards=[guards.visitor], include_in_schema=False)
    async def show_login(
        self, request: ConsoleRequest, settings: NamedDependency[Settings], staff: NamedDependency[Staff],
        screen: FromQuery[str] = "", counter: FromQuery[str] = "", back: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        trouble = "" if settings.sign_in_is_private else tr(messages.SIGN_IN["open"])
        note = _why_signed_out() if await _session_is_over(request, staff) else ""
        return login_page(
            trouble=trouble, screen=as_code(screen), counter=_counter(counter), back=back[:LONGEST], note=note
        )

    @post("/login", guards=[guards.visitor], include_in_schema=False)
    async def sign_in(
        self, request: ConsoleRequest, staff: NamedDependency[Staff], settings: NamedDependency[Settings]
    ) -> Response[None] | Response[str]:
        if not settings.sign_in_is_private:
            return login_page(status=403, trouble=tr(messages.SIGN_IN["open"]))
        form = await read_form(request)
        login, screen = form.get("login", "")[:64], as_code(form.get("screen", ""))
        counter, back = _counter(form.get("counter", "")), form.get("back", "")[:LONGEST]
        before = await staff.session(guards.reference_of(request), used=False)
        answer = await staff.sign_in(login, form.get("password", "")[: MOST + 1], **guards.sender_of(request))
        if isinstance(answer, CodeDue):
            query = urlencode({"screen": screen, "back": back})
            return templating.go(f"/console/code?{query}", [guards.waiting_cookie(request, answer)])
        if isinstance(answer, SignedIn):
            if before is not None:
                await staff.sign_out(before, address=guards.address_of(request))
            return _signed_in(request, answer, screen, counter, back)
        trouble, status = refusal_words(answer, messages.SIGN_IN["wrong"])
        return login_page(status=status, trouble=trouble, login=login, screen=screen, counter=counter, back=back)

    @get("/code", guards=[guards.half_signed_in], include_in_schema=False)
    async def show_code(
        self, session: NamedDependency[Session], screen: FromQuery[str] = "", back: FromQuery[str] = ""
    ) -> Response[str] | Response[None]:
        """``screen``: letters of a new screen, which the administrator pairs after signing in. ``back``: the page to
        go on with.
        """
        if not session.waits_for_code:
            return templating.go("/console")
        return templating.page(
            "code.html", session=None, csrf=session.csrf, trouble="", screen=as_code(screen), back=back[:LONGEST]
        )

    @post("/code", guards=[guards.half_signed_in], include_in_schema=False)
    async def enter_code(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff]
    ) -> Response[None] | Response[str]:
        """The code of the authenticator app, or a recovery code."""
        if not session.waits_for_code:
            return templating.go("/console")
        form = await read_form(request)
        screen, back = as_code(form.get("screen", "")), form.get("back", "")[:LONGEST]
        answer = await staff.enter_code(session, form.get("code", ""), **guards.sender_of(request))
        if isinstance(answer, SignedIn):
            return _signed_in(request, answer, screen, "", back)
        trouble, status = refusal_words(answer, messages.SIGN_IN["code"])
        return templating.page(
            "code.html", session=None, csrf=session.csrf, status=status, trouble=trouble, screen=screen, back=back
        )

    @post("/logout", guards=[guards.half_signed_in], include_in_schema=False)
    async def sign_out(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff],
        desks: NamedDependency[Desks],
    ) -> Response[None]:  # fmt: skip
        """With a ``counter`` it is handed over: the next sign-in on this machine leads to it."""
        await staff.sign_out(session, address=guards.address_of(request))
        if session.facility:
            await desks.leave(session.facility, session.key, login=session.login)
        counter = _counter((await read_form(request)).get("counter", ""))
        handed_over = f"?counter={quote(counter, safe='')}" if counter else ""
        return templating.go(f"/console/login{handed_over}", [guards.no_cookie(request)])

    @post("/logout-everywhere", guards=[guards.signed_in], include_in_schema=False)
    async def sign_out_everywhere(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff]
    ) -> Response[None]:
        """Ends every session of this login: for a clerk who left another desk signed in, or sees a foreign sign-in."""
        await staff.sign_out_everywhere(session, address=guards.address_of(request))
        return templating.go("/console/login", [guards.no_cookie(request)])

    @get("/password", guards=[guards.signed_in], include_in_schema=False)
    async def show_password(self, session: NamedDependency[Session]) -> Response[str]:
        return templating.page("password.html", session=session, trouble="", field="old")

    @post("/password", guards=[guards.signed_in], include_in_schema=False)
    async def change_password(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff]
    ) -> Response[None] | Response[str]:
        form = await read_form(request)
        old, new = form.get("old", "")[: MOST + 1], form.get("new", "")[: MOST + 1]
        if new != form.get("again", "")[: MOST + 1]:
            return templating.page(
                "password.html", session=session, status=422, trouble=tr(messages.SIGN_IN["twice"]), field="new"
            )
        try:
            answer = await staff.change_password(session, old, new, **guards.sender_of(request))
        except WeakPassword as weak:
            return templating.page(
                "password.html", session=session, status=422, trouble=tr(messages.PASSWORDS[weak.fault]), field="new"
            )
        if isinstance(answer, SignedIn):
            return templating.go("/console", guards.cookies(request, answer))
        trouble, status = refusal_words(answer, messages.SIGN_IN["old"])
        return templating.page("password.html", session=session, status=status, trouble=trouble, field="old")

    @get("/facility", guards=[guards.member], include_in_schema=False)
    async def show_facilities(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry], after: FromQuery[str] = "",
        find: FromQuery[str] = "",
    ) -> Response[str] | Response[None]:  # fmt: skip
        """A state administrator chooses a facility. ``?find=``: parts of its id, name or district."""
        if session.home != "*":
            return templating.go("/console")
        return await _facility_page(session, registry, after=after[:TEXT_MAX], find=find[:TEXT_MAX].strip())

    @post("/facility", guards=[guards.member], include_in_schema=False)
    async def choose_facility(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff],
        registry: NamedDependency[Registry],
    ) -> Response[str] | Response[None]:  # fmt: skip
        hip = (await read_form(request)).get("hip", "").strip()[:250]
        if session.home != "*":
            raise guards.NotAdministrator
        if not hip or await registry.facility(hip) is None:
            trouble = tr(messages.ADMIN_TROUBLE["facility"])
            return await _facility_page(session, registry, trouble=trouble, status=404)
        await staff.sessions.choose_facility(session, hip)
        await staff.sit_at(session.login, "")
        return templating.go("/console/admin")


async def _facility_page(
    session: Session, registry: Registry, *, after: str = "", find: str = "", trouble: str = "", status: int = 200
) -> Response[str]:
    """All facilities by their ids, a page at a time; or those that were looked for."""
    found = await (find_facilities(registry, find) if find else registry.facilities(after=after, limit=LISTED))
    next_after = found[-1].hip_id if not find and len(found) == LISTED else ""
    return templating.page(
        "facility.html", session=session, status=status, facilities=found[:LISTED], trouble=trouble, after=after,
        find=find, next_after=next_after, found_max=FOUND_MAX, is_more=bool(find) and len(found) > FOUND_MAX,
    )  # fmt: skip


def _counter(name: str) -> str:
    """A counter's name from outside; empty for what none can be called. The desk looks whether there is such a one."""
    return name if _COUNTER_NAME.fullmatch(name) else ""


async def _session_is_over(request: ConsoleRequest, staff: Staff) -> bool:
    """Whether the browser brings a session that there is no more; False while the store does not answer."""
    reference = guards.reference_of(request)
    try:
        return bool(reference) and await staff.session(reference, used=False) is None
    except QueueingError:
        return False


def _why_signed_out() -> str:
    """One sentence for every reason: whoever reads it has not signed in."""
    return tr(messages.SIGN_IN["over"]).format(minutes=IDLE_S // 60, hours=LONGEST_S // 3600)


def _signed_in(request: ConsoleRequest, answer: SignedIn, screen: str, counter: str, back: str) -> Response[None]:
    """To the console; the letters of a new screen lead to its pairing, a counter that was handed over to its desk, and
    whoever was signed out in the middle of work to the page before.
    """
    cookies = guards.cookies(request, answer)
    if screen:
        return templating.go(f"/console/admin/screens?code={screen}", cookies)
    if counter:
        return templating.go(f"/console/at/{quote(counter, safe='')}", cookies)
    return templating.go(page_after(back, answer.member) or "/console", cookies)


def refusal_words(answer: Refusal, otherwise: str) -> tuple[str, int]:
    """The sentence for a refused sign-in, and its status; ``otherwise`` for a wrong password or code."""
    if isinstance(answer, TooOften):
        return tr(messages.SIGN_IN["often"]).format(minutes=-(-answer.wait_s // 60)), 429
    return tr(messages.SIGN_IN["ended"] if isinstance(answer, Ended) else otherwise), 401
