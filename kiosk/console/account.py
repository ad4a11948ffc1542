"""*My account*: the person's own open sessions, and the authenticator app of an administrator."""

import re
from typing import Final

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException

from kiosk.accounts.outcomes import PhoneSet
from kiosk.accounts.passwords import MOST
from kiosk.accounts.second_factor import CODE_MAX, Phone
from kiosk.accounts.service import Staff
from kiosk.accounts.sessions import Session
from kiosk.console import guards, language, messages, templating
from kiosk.console.guards import ConsoleRequest
from kiosk.console.login import refusal_words
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_form
from queueing.registry import Registry
from tokens import qr

SEALED_MAX: Final = 200
"""Characters of a sealed secret."""
_SESSION_KEY: Final = re.compile(r"[0-9a-f]{40}")


class Account(Controller):
    path = "/console/account"

    @get("/", guards=[guards.member], include_in_schema=False)
    async def show(
        self, session: NamedDependency[Session], staff: NamedDependency[Staff], registry: NamedDependency[Registry],
        settings: NamedDependency[Settings],
    ) -> Response[str]:  # fmt: skip
        return await _page(session, staff, registry, settings)

    @post("/language", guards=[guards.member], include_in_schema=False)
    async def choose_language(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff]
    ) -> Response[None]:
        """Keep the person's language, and go back to the desk or the choice of counters."""
        code = (await read_form(request)).get("language", "")
        if code not in language.languages():
            raise NotFoundException
        await staff.choose_language(session.login, code)
        return templating.go("/console")

    @post("/end", guards=[guards.member], include_in_schema=False)
    async def end(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff]
    ) -> Response[None]:
        """End one of the person's own sessions."""
        key = (await read_form(request)).get("session", "")
        act = guards.actor_of(request, session).act("session_ended")
        if not _SESSION_KEY.fullmatch(key) or not await staff.sessions.end(session, key, act=act):
            raise NotFoundException
        return templating.go("/console/account")

    @post("/end-others", guards=[guards.member], include_in_schema=False)
    async def end_others(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff]
    ) -> Response[None]:
        """End all sessions of the person but this one."""
        await staff.sessions.end_others(session, act=guards.actor_of(request, session).act("sessions_ended"))
        return templating.go("/console/account")

    @get("/phone", guards=[guards.enrolling], include_in_schema=False)
    async def show_phone(self, session: NamedDependency[Session], staff: NamedDependency[Staff]) -> Response[str]:
        """The QR for an authenticator app. Nothing is stored before a code proves that the app has it."""
        return _phone_page(session, staff.new_phone(session))

    @post("/phone", guards=[guards.enrolling], status_code=200, include_in_schema=False)
    async def set_phone(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff]
    ) -> Response[str]:
        """Set up the app; the answer shows the recovery codes, once."""
        form = await read_form(request)
        sealed = form.get("sealed", "")[:SEALED_MAX]
        answer = await staff.set_phone(
            session, sealed, form.get("code", "")[:CODE_MAX], form.get("password", "")[: MOST + 1],
            **guards.sender_of(request),
        )  # fmt: skip
        if isinstance(answer, PhoneSet):
            shown = templating.page("recovery.html", session=None, codes=answer.recovery)
            for cookie in guards.cookies(request, answer.signed):
                shown.set_cookie(cookie)
            return shown
        trouble, status = refusal_words(answer, messages.SIGN_IN["phone_again" if session.second_factor else "code"])
        phone = staff.shown_phone(session, sealed) or staff.new_phone(session)
        return _phone_page(session, phone, trouble=trouble, status=status)

    @post("/phone/remove", guards=[guards.member], include_in_schema=False)
    async def remove_phone(
        self, request: ConsoleRequest, session: NamedDependency[Session], staff: NamedDependency[Staff],
        registry: NamedDependency[Registry], settings: NamedDependency[Settings],
    ) -> Response[str] | Response[None]:  # fmt: skip
        """Sign in by the password alone again; a state administrator may not."""
        if session.must_have_phone or session.role != "admin":
            raise guards.NotAdministrator
        password = (await read_form(request)).get("password", "")[: MOST + 1]
        sender = guards.sender_of(request)
        refused = await staff.remove_phone(session, password, address=sender["address"], device=sender["device"])
        if refused is None:
            return templating.go("/console/account")
        trouble, status = refusal_words(refused, messages.SIGN_IN["old"])
        return await _page(session, staff, registry, settings, trouble=trouble, status=status)


async def _page(
    session: Session, staff: Staff, registry: Registry, settings: Settings, *, trouble: str = "", status: int = 200
) -> Response[str]:
    facility = await registry.facility(session.facility) if session.facility else None
    return templating.page(
        "account.html", session=session, status=status, sessions=await staff.sessions.of(session), trouble=trouble,
        zone=(facility and facility.timezone) or settings.timezone,
    )  # fmt: skip


def _phone_page(session: Session, phone: Phone, *, trouble: str = "", status: int = 200) -> Response[str]:
    picture = qr.secret_svg(phone.uri)
    return templating.page("phone.html", session=session, status=status, phone=phone, picture=picture, trouble=trouble)
