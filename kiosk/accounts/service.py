"""Staff: the rules of logins, passwords, roles and signing in. ``queueing.staff`` stores the records.

A login that is disabled, reset or signed out everywhere loses its sessions on every worker at the next request:
each request compares the session's generation with the login's.
"""

import re
import secrets
import time
from collections.abc import Callable
from typing import Literal

from msgspec import Struct, structs

from kiosk.accounts import passwords
from kiosk.accounts.login_throttle import LIMITS
from kiosk.accounts.sessions import EVERY_FACILITY, Session, Sessions
from queueing.audit import NO_FACILITY, Audit
from queueing.display_text import shown_name
from queueing.limits import STAFF_NAME_MAX
from queueing.staff import LoginRow, StaffRecords
from queueing.store.store import Store

Role = Literal["clerk", "admin"]

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")


class Member(Struct, frozen=True, kw_only=True):
    """One member of staff, without the password."""

    login: str
    name: str
    facility: str
    """HIP id, or ``*`` for a state administrator."""
    role: Role
    must_change: bool
    disabled: bool
    generation: int
    """One more each time all sessions of this login end."""
    counter: str
    """Counter this login used last."""


class SignedIn(Struct, frozen=True, kw_only=True):
    """A successful sign-in."""

    reference: str
    """256 random bits for the cookie; the store has only their digest."""
    device: str
    """Marks this browser as known to the limits of tries; it gives no access."""
    member: Member


class Wrong(Struct, frozen=True):
    """Unknown login, wrong password or disabled login. The answer does not say which."""


class TooOften(Struct, frozen=True):
    """Too many tries; the next one is allowed after ``wait_s``."""

    wait_s: int


Answer = SignedIn | Wrong | TooOften


class StaffError(Exception):
    """Base of errors in what an administrator entered; the text is a sentence for the administrator."""


class BadLogin(StaffError):
    """The login has characters that are not allowed, or is too short or too long."""


class LoginTaken(StaffError):
    """The login exists already."""


class UnknownLogin(StaffError):
    """The facility has no such login."""


class Staff:
    """The staff of all facilities. One per worker; call ``close`` at the end."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._records = StaffRecords(store)
        self._audit = Audit(store)
        self._hasher = passwords.Hasher()
        self.sessions = Sessions(self._records, clock)

    def close(self) -> None:
        """Stop the hashing thread."""
        self._hasher.close()

    async def add(self, login: str, *, facility: str, role: Role, name: str = "") -> str:
        """Make a login and return its first password. It is shown once and must be changed at the first sign-in."""
        login = login.strip().lower()
        if not _LOGIN.fullmatch(login):
            raise BadLogin("A login is 2 to 64 small letters, digits and . _ @ -, beginning with a letter or digit.")
        if role not in ("clerk", "admin") or (facility == EVERY_FACILITY and role != "admin"):
            raise StaffError("The role is clerk or admin; a login for every facility is an admin.")
        password = passwords.generated()
        added = await self._records.add(
            login, facility, name=shown_name(name, STAFF_NAME_MAX, login), role=role, must_change=1, disabled=0,
            generation=secrets.randbits(40), counter="", hash=await self._hasher.hash(password),
        )  # fmt: skip
        if not added:
            raise LoginTaken(f"The login {login} exists already.")
        return password

    async def member(self, login: str) -> Member | None:
        """One login, or None."""
        row = await self._records.login(login)
        return _member(row) if row else None

    async def of(self, facility: str) -> list[Member]:
        """Every login of one facility (or ``*``), in order."""
        return sorted(map(_member, await self._records.of(facility)), key=lambda member: member.login)

    async def sign_in(self, login: str, password: str, *, address: str, device: str = "") -> Answer:
        """Try a login. The answer to an unknown login is the same as to a wrong password, and takes as long."""
        proved = await self._prove(login, password, address=address, device=device)
        if not isinstance(proved, Member):
            return proved
        await self._audit.record(proved.facility, "sign_in", by=proved.login, address=address)
        return await self._welcome(proved, address, device)

    async def session(self, reference: str, *, used: bool = True) -> Session | None:
        """The open session behind a cookie, unless it is over, idle, or its login was disabled or signed out."""
        return await self.sessions.read(reference, used=used)

    async def change_password(self, session: Session, old: str, new: str, *, address: str, device: str = "") -> Answer:
        """Choose a new password. Every session of the login ends; the answer carries a fresh one.

        Raises ``WeakPassword``. The old password counts as a try like any sign-in.
        """
        passwords.judge(new, login=session.login)
        proved = await self._prove(session.login, old, address=address, device=device)
        if not isinstance(proved, Member):
            return proved
        if new == old:
            raise passwords.WeakPassword(passwords.Fault.SAME)
        hashed = await self._hasher.hash(new)
        generation = await self._records.change(session.login, end_sessions=True, hash=hashed, must_change=0)
        if generation is None:
            return Wrong()
        await self._audit.record(proved.facility, "password_changed", by=proved.login, address=address)
        return await self._welcome(structs.replace(proved, generation=generation, must_change=False), address, device)

    async def reset(self, login: str, *, within: str) -> str:
        """A new generated password, shown once. Open sessions end, and the login's tries begin anew."""
        member = await self._member_within(login, within)
        password = passwords.generated()
        hashed = await self._hasher.hash(password)
        await self._records.change(member.login, end_sessions=True, hash=hashed, must_change=1)
        return password

    async def disable(self, login: str, disabled: bool = True, *, within: str) -> None:
        """Disable or enable a login. Its open sessions end at once."""
        member = await self._member_within(login, within)
        await self._records.change(member.login, end_sessions=True, disabled=int(disabled))

    async def sign_out_everywhere(self, login: str) -> None:
        """End every open session of a login."""
        await self._records.change(login, end_sessions=True)

    async def sit_at(self, login: str, counter: str) -> None:
        """Remember the counter for the next sign-in."""
        await self._records.change(login, counter=counter)

    async def _prove(self, login: str, password: str, *, address: str, device: str) -> Member | Wrong | TooOften:
        wait_s, row = await self._records.take_try(login, address=address, device=device, limits=LIMITS)
        if wait_s:
            # Not in the facility's audit: many tries would push all other entries out of it.
            await self._audit.record(NO_FACILITY, "sign_in_refused", by="", address=address, why="too often")
            return TooOften(wait_s)
        matches = await self._hasher.verify(row.hash if row else None, password[: passwords.MOST])
        if row is None or not matches or row.disabled or len(password) > passwords.MOST:
            await self._record_wrong(row, address)
            return Wrong()
        return _member(row)

    async def _record_wrong(self, row: LoginRow | None, address: str) -> None:
        """An unknown login is not recorded: people type their password into that field."""
        hip, by = (row.facility, row.login) if row else (NO_FACILITY, "")
        why = "unknown login" if row is None else "login disabled" if row.disabled else "wrong password"
        await self._audit.record(hip, "sign_in_refused", by=by, address=address, why=why)

    async def _welcome(self, member: Member, address: str, device: str) -> SignedIn:
        reference, mark = await self.sessions.open(member.login, member.generation, address=address, device=device)
        return SignedIn(reference=reference, device=mark, member=member)

    async def _member_within(self, login: str, facility: str) -> Member:
        member = await self.member(login)
        if member is None or member.facility != facility:
            raise UnknownLogin("Nobody of this facility has this login.")
        return member


def _member(row: LoginRow) -> Member:
    return Member(
        login=row.login, name=row.name, facility=row.facility, role="admin" if row.role == "admin" else "clerk",
        must_change=row.must_change, disabled=row.disabled, generation=row.generation, counter=row.counter,
    )  # fmt: skip
