"""Who works here: logins, passwords and roles, kept in the store; and the story of signing in.

Promise: a login that is disabled, reset or signed out everywhere is out on every worker at its next request, because
each request compares the session's generation with the member's.
"""

import re
import secrets
import time
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from kiosk.accounts import passwords, redis_keys
from kiosk.accounts.login_throttle import PER_ADDRESS, PER_LOGIN, Tries
from kiosk.accounts.redis_keys import Digest
from kiosk.accounts.sessions import Session, Sessions
from queueing.store.store import Store

Role = Literal["clerk", "admin"]
EVERY_FACILITY = "*"
"""The facility of a state administrator."""

DEVICE_DAYS = 90
"""How long a browser is remembered as one this login signed in from."""

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
_FIELDS = ("login", "name", "facility", "role", "hash", "must_change", "disabled", "generation", "counter")


class Member(Struct, frozen=True, kw_only=True):
    """One member of staff as the store knows it, without the password."""

    login: str
    name: str
    facility: str
    """HIP id, or ``*`` for a state administrator."""
    role: Role
    must_change: bool
    disabled: bool
    generation: int
    """Grows when every open session of this login must end."""
    counter: str
    """Where this person sat last."""


class SignedIn(Struct, frozen=True, kw_only=True):
    reference: str
    """256 bits for the cookie; the store knows only its digest."""
    device: str
    """Marks this browser as known, for the count of tries alone; it opens nothing."""
    member: Member


class Wrong(Struct, frozen=True):
    """No such login and password, or it is disabled: nobody is told which."""


class TooOften(Struct, frozen=True):
    wait_s: int


Answer = SignedIn | Wrong | TooOften


class StaffError(Exception):
    """Base of what an administrator can do wrong; the text is for people."""


class BadLogin(StaffError):
    """A login is 2 to 64 small envelopes, digits and ``. _ @ -``, beginning with a envelope or digit."""


class LoginTaken(StaffError):
    """Somebody has this login."""


class UnknownLogin(StaffError):
    """Nobody of this facility has this login."""


class Staff:
    """The staff of all facilities. One per worker; call ``close`` at the end."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._hasher = passwords.Hasher()
        self.sessions = Sessions(store, clock)
        self.tries = Tries(store)

    def close(self) -> None:
        self._hasher.close()

    async def add(self, login: str, *, facility: str, role: Role, name: str = "") -> str:
        """Make a login and return its first password: shown once, kept nowhere, to be changed at the first sign-in."""
        login = login.strip().lower()
        if not _LOGIN.fullmatch(login):
            raise BadLogin(BadLogin.__doc__)
        if role not in ("clerk", "admin") or (facility == EVERY_FACILITY and role != "admin"):
            raise StaffError("The role is clerk or admin; a login for every facility is an admin.")
        key = redis_keys.login(redis_keys.login_digest(login))
        password = passwords.generated()
        hashed = await self._hasher.hash(password)
        if not await self._store.call(key, "HSETNX", key, "login", login) and await self._has_password(key):
            raise LoginTaken(f"The login {login} exists already.")
        await self._write(
            key, login=login, name=name.strip()[:80] or login, facility=facility, role=role, must_change=1, disabled=0,
            generation=secrets.randbits(40), counter="", hash=hashed,
        )  # fmt: skip
        await self._store.call(
            redis_keys.roll(facility), "SADD", redis_keys.roll(facility), redis_keys.login_digest(login)
        )
        await self._store.durable(key)
        return password

    async def member(self, login: str) -> Member | None:
        found = await self._load(redis_keys.login_digest(login))
        return found[0] if found else None

    async def of(self, facility: str) -> list[Member]:
        """Everybody of one facility (or ``*``), by login."""
        roll = await self._store.call(redis_keys.roll(facility), "SMEMBERS", redis_keys.roll(facility))
        found = [await self._load(Digest(_text(one))) for one in (roll if isinstance(roll, list | set) else ())]
        return sorted((one[0] for one in found if one), key=lambda member: member.login)

    async def sign_in(self, login: str, password: str, *, address: str, device: str = "") -> Answer:
        """Try a login. The answer to an unknown login is the same as to a wrong password, and takes as long."""
        proved = await self._prove(login, password, address=address, device=device)
        return await self._welcome(proved, device) if isinstance(proved, Member) else proved

    async def session(self, reference: str) -> Session | None:
        """The open session behind a cookie, unless it is over, idle, or its member was disabled or signed out."""
        opened = await self.sessions.read(reference)
        found = await self._load(opened.who) if opened else None
        if opened is None or found is None:
            return None
        member = found[0]
        if member.disabled or member.generation != opened.generation:
            return None
        facility = opened.chosen if member.facility == EVERY_FACILITY else member.facility
        return Session(
            key=self.sessions.key_of(reference), ends_s=opened.ends_s, csrf=opened.csrf, login=member.login,
            name=member.name, role=member.role, home=member.facility, facility=facility, counter=member.counter,
            must_change=member.must_change,
        )  # fmt: skip

    async def change_password(self, session: Session, old: str, new: str, *, address: str) -> Answer:
        """Choose a new password. Every session of the login ends; the answer carries a fresh one.

        Raises ``WeakPassword``. The old password counts as a try like any sign-in.
        """
        passwords.judge(new, login=session.login)
        proved = await self._prove(session.login, old, address=address)
        if not isinstance(proved, Member):
            return proved
        if new == old:
            raise passwords.WeakPassword("The new password must differ from the old one.")
        key = redis_keys.login(redis_keys.login_digest(session.login))
        await self._write(key, hash=await self._hasher.hash(new), must_change=0)
        await self.sign_out_everywhere(session.login)
        member = await self.member(session.login)
        return await self._welcome(member, "") if member else Wrong()

    async def reset(self, login: str, *, within: str) -> str:
        """A new generated password, shown once; open sessions end and the count of tries begins anew."""
        member = await self._within(login, within)
        key = redis_keys.login(redis_keys.login_digest(member.login))
        password = passwords.generated()
        await self._write(key, hash=await self._hasher.hash(password), must_change=1)
        await self.sign_out_everywhere(member.login)
        await self.tries.forget("login", redis_keys.login_digest(member.login))
        await self._store.durable(key)
        return password

    async def disable(self, login: str, disabled: bool = True, *, within: str) -> None:
        """Take the login away, or give it back. Open sessions end at once."""
        member = await self._within(login, within)
        key = redis_keys.login(redis_keys.login_digest(member.login))
        await self._write(key, disabled=int(disabled))
        await self.sign_out_everywhere(member.login)
        await self._store.durable(key)

    async def sign_out_everywhere(self, login: str) -> None:
        key = redis_keys.login(redis_keys.login_digest(login))
        await self._store.call(key, "HINCRBY", key, "generation", 1)

    async def sit_at(self, login: str, counter: str) -> None:
        """Remember the counter for the next sign-in."""
        await self._write(redis_keys.login(redis_keys.login_digest(login)), counter=counter)

    async def _prove(self, login: str, password: str, *, address: str, device: str = "") -> Member | Wrong | TooOften:
        who = redis_keys.login_digest(login)
        count = ("device", device) if await self._knows_device(device, who) else ("login", str(who))
        for kind, whose, most in (("address", address, PER_ADDRESS), (*count, PER_LOGIN)):
            if wait_s := await self.tries.take(kind, whose, most):
                return TooOften(wait_s)
        found = await self._load(who)
        matches = await self._hasher.verify(found[1] if found else None, password[: passwords.MOST])
        if not found or not matches or found[0].disabled or len(password) > passwords.MOST:
            return Wrong()
        await self.tries.forget(*count)
        await self.tries.give_back("address", address)
        return found[0]

    async def _welcome(self, member: Member, device: str) -> SignedIn:
        who = redis_keys.login_digest(member.login)
        if not await self._knows_device(device, who):
            device = secrets.token_urlsafe(16)
        await self._store.call(
            redis_keys.device(device), "SET", redis_keys.device(device), who, "EX", DEVICE_DAYS * 86_400
        )
        return SignedIn(reference=await self.sessions.open(who, member.generation), device=device, member=member)

    async def _knows_device(self, device: str, who: Digest) -> bool:
        return (
            bool(device)
            and _text(await self._store.call(redis_keys.device(device), "GET", redis_keys.device(device))) == who
        )

    async def _within(self, login: str, facility: str) -> Member:
        member = await self.member(login)
        if member is None or member.facility != facility:
            raise UnknownLogin(UnknownLogin.__doc__)
        return member

    async def _has_password(self, key: str) -> bool:
        return await self._store.call(key, "HGET", key, "hash") is not None

    async def _write(self, key: str, **fields: str | int) -> None:
        await self._store.call(key, "HSET", key, *(part for pair in fields.items() for part in pair))

    async def _load(self, who: Digest) -> tuple[Member, str] | None:
        key = redis_keys.login(who)
        values = await self._store.call(key, "HMGET", key, *_FIELDS)
        row = dict(zip(_FIELDS, map(_text, values if isinstance(values, list) else ()), strict=False))
        if not row.get("hash"):
            return None
        member = Member(
            login=row["login"], name=row["name"], facility=row["facility"],
            role="admin" if row["role"] == "admin" else "clerk", must_change=row["must_change"] == "1",
            disabled=row["disabled"] != "0", generation=int(row["generation"] or 0), counter=row["counter"],
        )  # fmt: skip
        return member, row["hash"]


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) if value is not None else ""
