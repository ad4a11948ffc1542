"""Records of staff: logins, open sessions and tries to sign in. Each method is one call to the store.

The rules (what a password must be, how many tries a login has) are the caller's. Keys hold digests of logins,
sessions and addresses, so a reader of the store's keys can neither name a login nor use a session.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, Literal, NewType

import msgspec
from msgspec import Struct

from queueing import library
from queueing.audit import NO_FACILITY, UNRECORDED, Act, facility_digest
from queueing.display_text import shown_name
from queueing.limits import STAFF_NAME_MAX
from queueing.redis_keys import STAFF_SLOT as SLOT
from queueing.redis_keys import text_digest
from queueing.store.store import Store

Digest = NewType("Digest", str)
"""Hex digest; stands in keys and fields for a text that must not be readable there."""


class LoginRow(Struct, frozen=True, kw_only=True):
    """One login as the store has it; ``STAFF_FIELDS`` in functions/shared/staff.lua, in its order."""

    login: str
    name: str
    facility: str
    role: str
    hash: str
    must_change: bool
    disabled: bool
    generation: int
    """One more each time all sessions of this login end."""
    counter: str
    first_until_s: int = 0
    """Unix time after which a first password is refused; 0 when it has no end (made by an earlier release)."""
    second_factor: str = ""
    """Sealed secret of the authenticator app; empty without one."""
    code_step: int = 0
    """Time step of the last code that was accepted; this one and earlier ones are refused."""
    recovery: tuple[str, ...] = ()
    """Digests of the recovery codes that are left."""
    language: str = ""
    """Code of the language of the staff pages; empty: as the browser asks."""
    unused: bool = False
    """Nobody ever signed in with it. False as well for a login of a release that did not note it."""


class OpenSession(Struct, frozen=True, kw_only=True):
    """One session as the store has it, in JSON."""

    who: Digest
    generation: int
    csrf: str
    ends_s: int
    chosen: str = ""
    """HIP id a state administrator works in now."""
    waits_for_code: bool = False
    """The password was right, the code of the authenticator app is still missing."""
    since_s: int = 0
    browser: str = ""
    """The browser in words, for the person's own list of sessions."""
    address: str = ""


class SessionRow(Struct, frozen=True, kw_only=True):
    """One open session of a login."""

    key: Digest
    opened: OpenSession
    used_s: int
    """Unix time of the last use by a person."""


class Code(Struct, frozen=True, kw_only=True):
    """A code that proved to be right. It is used up in the step that opens the session."""

    kind: Literal["", "step", "recovery"] = ""
    value: str = ""


NO_CODE: Final = Code()


class CodeUsed(Exception):
    """This code was accepted before, here or on another machine."""


class TryLimits(Struct, frozen=True, kw_only=True):
    """Sign-in tries allowed in one window."""

    window_s: int
    per_device: int
    per_login_and_address: int
    per_login: int
    per_address: int


_write_session = msgspec.json.Encoder().encode
_read_session = msgspec.json.Decoder(OpenSession).decode


def _digest(text: str) -> Digest:
    return Digest(text_digest(text))


def login_digest(login: str) -> Digest:
    """Digest of a login; capitals do not matter."""
    return _digest("login\0" + login.strip().lower())


def session_digest(reference: str) -> Digest:
    """Digest of the reference in a browser's cookie."""
    return _digest("session\0" + reference)


def device_digest(reference: str) -> str:
    """Digest of the mark of a browser that signed in before; empty for a browser without one."""
    return _digest("device\0" + reference) if reference else ""


def address_digest(address: str) -> Digest:
    """Digest of the address that a try came from."""
    return _digest("address\0" + address)


def recovery_digest(login: str, code: str) -> str:
    """Digest of a recovery code; capitals, spaces and hyphens do not matter. The code has 63 bits of chance."""
    return _digest("recovery\0" + login + "\0" + re.sub(r"[\s-]", "", code).lower())


def login_key(who: Digest) -> str:
    """Hash: one login."""
    return f"{SLOT}:login:{who}"


def session_key(session: Digest) -> str:
    """String: one open session."""
    return f"{SLOT}:session:{session}"


def _row(values: Sequence[bytes | None]) -> LoginRow:
    texts = [(value or b"").decode("utf-8", "replace") for value in values]
    login, name, facility, role, hashed, must_change, disabled, generation, counter = texts[:9]
    first_until_s, second_factor, code_step, recovery, language, unused = texts[9:]
    return LoginRow(
        login=login, name=shown_name(name, STAFF_NAME_MAX, login), facility=facility, role=role, hash=hashed,
        must_change=must_change == "1",
        disabled=disabled != "0", generation=int(generation or 0), counter=counter,
        first_until_s=int(first_until_s or 0), second_factor=second_factor, code_step=int(code_step or 0),
        recovery=tuple(recovery.split()), language=language, unused=unused == "1",
    )  # fmt: skip


def _act(facility: str, act: Act) -> tuple[str, ...]:
    return (facility_digest(facility), *act.parts())


def _fields(values: dict[str, str | int]) -> list[str | int]:
    return [part for pair in values.items() for part in pair]


class StaffRecords:
    """Reads and writes the records of staff. Raises ``QueueingError`` when the store cannot answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, login: str, facility: str, act: Act, **values: str | int) -> bool:
        """Make a login. False: it exists. Durable when it returns, like every change here."""
        who = login_digest(login)
        parts = _fields({"login": login, "facility": facility, **values})
        added = await self._call("staff_add", who, *_act(facility, act), *parts)
        await self._store.durable(SLOT)
        return bool(added)

    async def remove(self, login: str, facility: str, act: Act) -> bool | None:
        """Remove a login that was never used. False: it was; None: the facility has no such login."""
        reply = await self._call("staff_remove", login_digest(login), *_act(facility, act))
        await self._store.durable(SLOT)
        return None if reply < 0 else bool(reply)

    async def change(
        self, login: str, facility: str = NO_FACILITY, act: Act = UNRECORDED, end_sessions: bool = False,
        **values: str | int,
    ) -> int | None:  # fmt: skip
        """Set some fields. Returns the login's generation, or None for an unknown login."""
        reply = await self._call(
            "staff_change", login_digest(login), int(end_sessions), *_act(facility, act), *_fields(values)
        )
        await self._store.durable(SLOT)
        return None if reply < 0 else int(reply)

    async def login(self, login: str) -> LoginRow | None:
        """One login, or None."""
        key = login_key(login_digest(login))
        values: Any = await self._store.call(key, "HMGET", key, *LoginRow.__struct_fields__)
        return _row(values) if values[LoginRow.__struct_fields__.index("hash")] else None

    async def of(self, facility: str) -> list[LoginRow]:
        """Every login of a facility, in no order."""
        return [_row(values) for values in await self._call("staff_list", facility_digest(facility))]

    async def take_try(
        self, login: str, *, address: str, device: str, limits: TryLimits
    ) -> tuple[int, LoginRow | None]:
        """Count one try. Returns the seconds until the next try is allowed (0: go ahead) and the login, if any.

        A try that must wait is recorded, but not in the facility's audit: many tries would push all other entries out.
        """
        too_often = Act(kind="sign_in_refused", by="", address=address, why="too often")
        wait_s, *values = await self._call(
            "staff_try", login_digest(login), address_digest(address), device_digest(device), limits.window_s,
            limits.per_device, limits.per_login_and_address, limits.per_login, limits.per_address,
            *_act(NO_FACILITY, too_often),
        )  # fmt: skip
        return wait_s, _row(values) if values else None

    async def open_session(
        self, opened: OpenSession, *, reference: str, life_s: int, address: str, device: str, new_device: str,
        known_for_s: int, facility: str, act: Act, now_s: int, before: Digest | str = "", code: Code = NO_CODE,
    ) -> str:  # fmt: skip
        """Open a session after a good try: the try does not count, and browser and address are known from now on.

        ``before``: the session that ends. Returns the mark of the browser: ``device`` when it was known, otherwise
        ``new_device``. Raises CodeUsed.
        """
        is_known = await self._call(
            "staff_open_session", opened.who, address_digest(address), device_digest(device), device_digest(new_device),
            known_for_s, session_digest(reference), _write_session(opened), life_s, now_s, 2 if code.kind else 1,
            before, code.kind, code.value, *_act(facility, act),
        )  # fmt: skip
        await self._store.durable(SLOT)
        if is_known < 0:
            raise CodeUsed
        return device if is_known else new_device

    async def session(self, session: Digest, *, now_s: int, idle_s: int) -> tuple[OpenSession, LoginRow] | None:
        """An open session with its login, unless it is over or its login was disabled or signed out.

        With ``idle_s`` it lives that long from now, never past its end; 0 leaves its end as it is.
        """
        reply = await self._call("staff_session", session, now_s, idle_s)
        return (_read_session(reply[0]), _row(reply[1:])) if reply else None

    async def replace_session(self, session: Digest, opened: OpenSession, *, life_s: int) -> None:
        """Write an open session anew; one that ended meanwhile stays ended."""
        key = session_key(session)
        await self._store.call(key, "SET", key, _write_session(opened), "EX", life_s, "XX")

    async def open_waiting(self, opened: OpenSession, *, reference: str, life_s: int) -> None:
        """Open a session that still waits for its code. Nothing else is known from now on."""
        key = session_key(session_digest(reference))
        await self._store.call(key, "SET", key, _write_session(opened), "EX", life_s)

    async def sessions(self, login: str, *, now_s: int) -> list[SessionRow]:
        """The open sessions of a login, the last used first."""
        flat = await self._call("staff_sessions_list", login_digest(login), now_s)
        return [
            SessionRow(key=Digest(key.decode()), opened=_read_session(packed), used_s=used_s)
            for key, packed, used_s in zip(flat[::3], flat[1::3], flat[2::3], strict=True)
        ]

    async def end_session(self, login: str, session: Digest, facility: str, act: Act) -> bool:
        """End one session. False: this login has no such session."""
        ended = await self._call("staff_sessions_end", login_digest(login), session, *_act(facility, act))
        await self._store.durable(SLOT)
        return bool(ended)

    async def end_other_sessions(self, login: str, session: Digest, facility: str, act: Act) -> bool:
        """End every session of a login but this one."""
        ended = await self._call("staff_sessions_end_others", login_digest(login), session, *_act(facility, act))
        await self._store.durable(SLOT)
        return bool(ended)

    async def _call(self, operation: str, *arguments: str | bytes | int) -> Any:
        return await library.call(self._store, operation, SLOT, *arguments)
