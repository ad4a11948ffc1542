"""Staff: the rules of logins, passwords, roles and signing in. ``queueing.staff`` stores the records.

A login that is disabled, reset or signed out everywhere loses its sessions on every worker at the next request:
each request compares the session's generation with the login's.
"""

import contextlib
import re
import secrets
import time
from collections.abc import Callable
from typing import Final

from msgspec import structs

from kiosk.accounts import passwords
from kiosk.accounts.login_throttle import LIMITS
from kiosk.accounts.outcomes import (
    Answer,
    CodeDue,
    Ended,
    Member,
    PhoneSet,
    Refusal,
    Role,
    SignedIn,
    TooOften,
    Wrong,
)
from kiosk.accounts.second_factor import (
    CODE_MAX,
    Phone,
    SecretSeal,
    code_of,
    new_phone,
    new_recovery_codes,
    phone_of,
    step_of,
)
from kiosk.accounts.sessions import EVERY_FACILITY, Session, Sessions
from queueing.audit import NO_FACILITY, UNRECORDED, Act, Actor, Audit, facility_digest
from queueing.display_text import shown_name
from queueing.limits import STAFF_NAME_MAX
from queueing.staff import NO_CODE, Code, CodeUsed, LoginRow, StaffRecords, recovery_digest
from queueing.store.store import Store

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
FIRST_PASSWORD_S: Final = 72 * 3600
"""A weekend between the administrator who makes a password and the person who uses it."""
ENDING_DIGITS: Final = 4
"""Two of 3,600 facilities seldom have the same; more digits are taken when both have the same name before them."""
ENDING_DIGITS_MAX: Final = 9
LOGIN_OWN_MAX: Final = 54
"""Characters before the ending, of the 64 of a login."""
_NO_SECOND_FACTOR: Final[dict[str, str]] = {"second_factor": "", "code_step": "0", "recovery": ""}


class StaffError(Exception):
    """Base of errors in what an administrator entered; the text is a sentence for the administrator."""


class BadLogin(StaffError):
    """The login has characters that are not allowed, or is too short or too long."""


class LoginTaken(StaffError):
    """The login exists already."""


class LoginUsed(StaffError):
    """Somebody signed in with this login, so it is disabled and not removed: the audit names it."""


class UnknownLogin(StaffError):
    """The facility has no such login."""


class Staff:
    """The staff of all facilities. One per worker; call ``close`` at the end."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time, *, seal: SecretSeal | None = None) -> None:
        """``seal`` opens secrets of authenticator apps. A command that signs nobody in does without."""
        self._records = StaffRecords(store)
        self._audit = Audit(store)
        self._seal: SecretSeal = seal or NoSeal()
        self._hasher = passwords.Hasher()
        self._clock = clock
        self.sessions = Sessions(self._records, lambda: self._clock())

    def close(self) -> None:
        """Stop the hashing thread."""
        self._hasher.close()

    async def add(
        self, login: str, *, facility: str, role: Role, name: str = "", by: Actor | None = None, shown: str = ""
    ) -> str:
        """Make a login and return its first password. It is shown once and must be changed at the first sign-in."""
        login = _checked_login(login)
        if role not in ("clerk", "admin") or (facility == EVERY_FACILITY and role != "admin"):
            raise StaffError("The role is clerk or admin; a login for every facility is an admin.")
        password = passwords.generated()
        added = await self._records.add(
            login, facility, _act(by, "admin_staff", login), role=role, must_change=1, disabled=0,
            name=shown_name(name, STAFF_NAME_MAX, shown or login), generation=secrets.randbits(40), counter="",
            first_until_s=self._first_until_s(), hash=await self._hasher.hash(password), unused=1,
        )  # fmt: skip
        if not added:
            raise LoginTaken(f"The login {login} exists already.")
        return password

    async def add_here(
        self, login: str, *, facility: str, role: Role, name: str = "", by: Actor | None = None
    ) -> tuple[str, str]:
        """Make a login with the facility's own ending, so that it tells nothing about other facilities' logins.

        Returns login and first password. Raises LoginTaken only for a login of this facility.
        """
        login = login.strip().lower()
        _checked_login(login[:LOGIN_OWN_MAX] if len(login) <= LOGIN_OWN_MAX else "")
        base = login.removesuffix(login_ending(facility))
        for digits in range(ENDING_DIGITS, ENDING_DIGITS_MAX + 1):
            whole = base + login_ending(facility, digits)
            known = await self.member(whole)
            if known is not None and known.facility == facility:
                break
            with contextlib.suppress(LoginTaken):
                return whole, await self.add(whole, facility=facility, role=role, name=name, by=by, shown=base)
        raise LoginTaken(f"Your facility has the login {base}{login_ending(facility)} already.")

    async def member(self, login: str) -> Member | None:
        """One login, or None."""
        row = await self._records.login(login)
        return _member(row) if row else None

    async def of(self, facility: str) -> list[Member]:
        """Every login of one facility (or ``*``), in order."""
        return sorted(map(_member, await self._records.of(facility)), key=lambda member: member.login)

    async def sign_in(
        self, login: str, password: str, *, address: str, device: str = "", browser: str = ""
    ) -> Answer | CodeDue:
        """Try a login. The answer to an unknown login is the same as to a wrong password, and takes as long."""
        row = await self._prove(login, password, address=address, device=device)
        if not isinstance(row, LoginRow):
            return row
        if row.second_factor:
            reference = await self.sessions.open_waiting(row.login, row.generation, address=address, browser=browser)
            return CodeDue(reference=reference)
        act = Act(kind="sign_in", by=row.login, address=address)
        return await self._welcome(_member(row), address, device, browser, act)

    async def enter_code(
        self, session: Session, typed: str, *, address: str, device: str = "", browser: str = ""
    ) -> Answer:
        """Finish a sign-in by a code of the authenticator app or a recovery code. It counts as a try."""
        wait_s, row = await self._records.take_try(session.login, address=address, device=device, limits=LIMITS)
        if wait_s:
            return TooOften(wait_s)
        code = code_of(row, typed[:CODE_MAX], self._seal, self._clock()) if row else None
        if row is None or code is None:
            await self._record_refused(session.home, session.login, address, "wrong code")
            return Wrong()
        act = Act(kind="sign_in", by=row.login, address=address, why="recovery code" if code.kind == "recovery" else "")
        try:
            return await self._welcome(_member(row), address, device, browser, act, before=session, code=code)
        except CodeUsed:
            await self._record_refused(session.home, session.login, address, "code used before")
            return Wrong()

    async def session(self, reference: str, *, used: bool = True) -> Session | None:
        """The open session behind a cookie, unless it is over, idle, or its login was disabled or signed out."""
        return await self.sessions.read(reference, used=used)

    def new_phone(self, session: Session) -> Phone:
        """A secret for an authenticator app. Nothing is stored until ``set_phone``."""
        return new_phone(session.login, self._seal)

    def shown_phone(self, session: Session, sealed: str) -> Phone | None:
        """The phone that ``new_phone`` sealed for this login; None for any other text."""
        secret = self._seal.open(session.login, sealed)
        return phone_of(session.login, secret, self._seal) if secret else None

    async def set_phone(
        self, session: Session, sealed: str, typed: str, password: str, *, address: str, device: str = "",
        browser: str = "",
    ) -> PhoneSet | Refusal:  # fmt: skip
        """Store the secret when the app shows the right code. Other sessions of the login end.

        The password is needed when another phone is set up already: an open desk must not be enough to replace it.
        """
        if session.second_factor:
            proved = await self._prove(session.login, password, address=address, device=device)
            if not isinstance(proved, LoginRow):
                return proved
        secret = self._seal.open(session.login, sealed)
        step = step_of(secret, typed, self._clock()) if secret else None
        if secret is None or step is None:
            return Wrong()
        codes = new_recovery_codes()
        act = Act(kind="second_factor_set", by=session.login, address=address)
        generation = await self._records.change(
            session.login, session.home, act, end_sessions=True, second_factor=self._seal.close(session.login, secret),
            code_step=step, recovery=" ".join(recovery_digest(session.login, code) for code in codes),
        )  # fmt: skip
        row = await self._records.login(session.login)
        if generation is None or row is None:
            return Wrong()
        return PhoneSet(signed=await self._welcome(_member(row), address, device, browser, UNRECORDED), recovery=codes)

    async def remove_phone(self, session: Session, password: str, *, address: str, device: str = "") -> Refusal | None:
        """Sign in by the password alone again; not for state administrators. None: it is done."""
        if session.home == EVERY_FACILITY:
            return Wrong()
        proved = await self._prove(session.login, password, address=address, device=device)
        if not isinstance(proved, LoginRow):
            return proved
        act = Act(kind="second_factor_removed", by=session.login, address=address)
        await self._records.change(session.login, session.home, act, False, **_NO_SECOND_FACTOR)
        return None

    async def reset_phone(self, login: str, by: Actor) -> Member:
        """For a lost phone: the app and the recovery codes are forgotten, and all sessions end."""
        member = await self.member(login)
        if member is None:
            raise UnknownLogin("There is no such login.")
        act = by.act("second_factor_reset", member.login)
        await self._records.change(member.login, member.facility, act, True, **_NO_SECOND_FACTOR)
        return member

    async def change_password(
        self, session: Session, old: str, new: str, *, address: str, device: str = "", browser: str = ""
    ) -> Answer:
        """Choose a new password. Every session of the login ends; the answer carries a fresh one.

        Raises ``WeakPassword``. The old password counts as a try like any sign-in.
        """
        passwords.judge(new, login=session.login)
        row = await self._prove(session.login, old, address=address, device=device)
        if not isinstance(row, LoginRow):
            return row
        if new == old:
            raise passwords.WeakPassword(passwords.Fault.SAME)
        hashed = await self._hasher.hash(new)
        act = Act(kind="password_changed", by=row.login, address=address)
        generation = await self._records.change(
            row.login, row.facility, act, end_sessions=True, hash=hashed, must_change=0, first_until_s=0
        )
        if generation is None:
            return Wrong()
        member = structs.replace(_member(row), generation=generation, must_change=False)
        return await self._welcome(member, address, device, browser, UNRECORDED)

    async def reset(self, login: str, *, within: str, by: Actor | None = None) -> str:
        """A new generated password, shown once. Open sessions end, and the login's tries begin anew."""
        member = await self._member_within(login, within)
        password = passwords.generated()
        await self._records.change(
            member.login, within, _act(by, "admin_reset", member.login), end_sessions=True,
            hash=await self._hasher.hash(password), must_change=1, first_until_s=self._first_until_s(),
        )  # fmt: skip
        return password

    async def disable(self, login: str, disabled: bool = True, *, within: str, by: Actor | None = None) -> None:
        """Disable or enable a login. Its open sessions end at once."""
        member = await self._member_within(login, within)
        act = _act(by, "admin_disable", member.login)
        await self._records.change(member.login, within, act, end_sessions=True, disabled=int(disabled))

    async def remove(self, login: str, *, within: str, by: Actor) -> None:
        """Remove a login that nobody ever signed in with. Raises LoginUsed, UnknownLogin."""
        login = login.strip().lower()
        removed = await self._records.remove(login, within, by.act("admin_staff-removed", login))
        if removed is None:
            raise UnknownLogin("Nobody of this facility has this login.")
        if not removed:
            raise LoginUsed("Somebody signed in with this login: disable it instead.")

    async def end_sessions(self, login: str, *, within: str, by: Actor | None = None) -> None:
        """End every open session of a login of this facility."""
        member = await self._member_within(login, within)
        act = _act(by, "admin_sign-out", member.login)
        await self._records.change(member.login, within, act, end_sessions=True)

    async def sign_out(self, session: Session, *, address: str) -> None:
        """End this session."""
        await self.sessions.end(session, session.key, act=Act(kind="sign_out", by=session.login, address=address))

    async def sign_out_everywhere(self, session: Session, *, address: str) -> None:
        """End every open session of this login."""
        act = Act(kind="sign_out_everywhere", by=session.login, address=address)
        await self._records.change(session.login, session.home, act, end_sessions=True)

    async def sit_at(self, login: str, counter: str) -> None:
        """Remember the counter for the next sign-in."""
        await self._records.change(login, counter=counter)

    async def choose_language(self, login: str, language: str) -> None:
        """Keep the language of the staff pages with the login."""
        await self._records.change(login, language=language)

    async def _prove(self, login: str, password: str, *, address: str, device: str) -> LoginRow | Refusal:
        wait_s, row = await self._records.take_try(login, address=address, device=device, limits=LIMITS)
        if wait_s:
            return TooOften(wait_s)
        matches = await self._hasher.verify(row.hash if row else None, password[: passwords.MOST])
        if row is None or not matches or row.disabled or len(password) > passwords.MOST:
            await self._record_wrong(row, address)
            return Wrong()
        if row.must_change and 0 < row.first_until_s < self._clock():
            await self._record_refused(row.facility, row.login, address, "first password ended")
            return Ended()
        return row

    async def _record_wrong(self, row: LoginRow | None, address: str) -> None:
        """An unknown login is not recorded: people type their password into that field."""
        hip, by = (row.facility, row.login) if row else (NO_FACILITY, "")
        why = "unknown login" if row is None else "login disabled" if row.disabled else "wrong password"
        await self._record_refused(hip, by, address, why)

    async def _record_refused(self, hip: str, by: str, address: str, why: str) -> None:
        await self._audit.record_of_staff(hip, Act(kind="sign_in_refused", by=by, address=address, why=why))

    async def _welcome(
        self, member: Member, address: str, device: str, browser: str, act: Act, *, before: Session | None = None,
        code: Code = NO_CODE,
    ) -> SignedIn:  # fmt: skip
        reference, mark = await self.sessions.open(
            member.login, member.generation, address=address, device=device, browser=browser,
            facility=member.facility, act=act, before=before.key if before else "", code=code,
        )  # fmt: skip
        return SignedIn(reference=reference, device=mark, member=member)

    def _first_until_s(self) -> int:
        return int(self._clock()) + FIRST_PASSWORD_S

    async def _member_within(self, login: str, facility: str) -> Member:
        member = await self.member(login)
        if member is None or member.facility != facility:
            raise UnknownLogin("Nobody of this facility has this login.")
        return member


class NoSeal:
    """In place of the key ring for commands that sign nobody in."""

    def close(self, login: str, plain: bytes) -> str:
        raise StaffError("The key ring is not open.")

    def open(self, login: str, sealed: str) -> bytes | None:
        return None


def login_ending(facility: str, digits: int = ENDING_DIGITS) -> str:
    """What every login made in the console of this facility ends in, such as ``.4172``."""
    return "." + f"{int(facility_digest(facility), 16) % 10**ENDING_DIGITS_MAX:0{ENDING_DIGITS_MAX}}"[:digits]


def _checked_login(login: str) -> str:
    login = login.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise BadLogin("A login is 2 to 64 small letters, digits and . _ @ -, beginning with a letter or digit.")
    return login


def _act(by: Actor | None, kind: str, login: str) -> Act:
    return by.act(kind, login) if by else UNRECORDED


def _member(row: LoginRow) -> Member:
    return Member(
        login=row.login, name=row.name, facility=row.facility, role="admin" if row.role == "admin" else "clerk",
        must_change=row.must_change, disabled=row.disabled, generation=row.generation, counter=row.counter,
        second_factor=bool(row.second_factor), unused=row.unused,
    )  # fmt: skip
