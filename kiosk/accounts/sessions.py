"""Open sessions: a random reference in the browser, its digest in the store.

A session ends after twelve hours, or after half an hour without use. The page's own refreshing does not count as use.
"""

import secrets
from collections.abc import Callable
from typing import Final

from msgspec import Struct, structs

from queueing.audit import UNRECORDED, Act
from queueing.staff import (
    NO_CODE,
    Code,
    Digest,
    LoginRow,
    OpenSession,
    SessionRow,
    StaffRecords,
    login_digest,
    session_digest,
)

LONGEST_S: Final = 12 * 3600
"""One long shift."""
IDLE_S: Final = 30 * 60
"""A desk left alone closes within half an hour."""
USED_EVERY_S: Final = 30
"""A worker writes the use of a session down so often: each key press would write to the disk once more. The half hour
may end this much earlier.
"""
USES_KNOWN: Final = 4096
"""Sessions of one worker: more than its connections. When there are more, each use is written down anew."""
CODE_WITHIN_S: Final = 10 * 60
"""Time to fetch the phone or the recovery codes after the password."""
DEVICE_S: Final = 90 * 86_400
"""How long a browser and an address are remembered as those this login signed in from: a quarter of a year."""
EVERY_FACILITY: Final = "*"
"""The facility of a state administrator."""


class Session(Struct, frozen=True, kw_only=True):
    """An open session, as guards hand it to a controller. A request may touch this facility alone."""

    key: Digest
    opened: OpenSession
    """As it stands in the store."""
    login: str
    name: str
    role: str
    home: str
    """HIP id this login belongs to, or ``*``."""
    facility: str
    """HIP id of the facility worked in; empty while a state administrator has not chosen one."""
    counter: str
    must_change: bool
    waits_for_code: bool
    """The password was right, the code of the authenticator app is still missing."""
    second_factor: bool
    """The login has an authenticator app."""
    language: str = ""
    """Code of the language of the staff pages; empty: as the browser asks."""

    @property
    def must_have_phone(self) -> bool:
        """A state administrator sees every facility, so the password alone is not enough."""
        return self.home == EVERY_FACILITY

    @property
    def must_enrol(self) -> bool:
        """The authenticator app must be set up first."""
        return self.must_have_phone and not self.second_factor

    @property
    def is_complete(self) -> bool:
        """Password chosen, code entered, and an authenticator app where there must be one."""
        return not (self.must_change or self.waits_for_code or self.must_enrol)

    @property
    def ends_s(self) -> int:
        """Unix time after which it is over."""
        return self.opened.ends_s

    @property
    def csrf(self) -> str:
        """CSRF token of every form of this session."""
        return self.opened.csrf


class Sessions:
    """Opens, reads and ends sessions."""

    def __init__(self, records: StaffRecords, clock: Callable[[], float]) -> None:
        self._records = records
        self._clock = clock
        self._from_s = 0
        self._used_s: dict[Digest, int] = {}

    async def open(
        self, login: str, generation: int, *, address: str, device: str, browser: str = "", facility: str = "",
        act: Act = UNRECORDED, before: Digest | str = "", code: Code = NO_CODE,
    ) -> tuple[str, str]:  # fmt: skip
        """Open a session; returns the reference for its cookie and the mark for the browser. Raises CodeUsed.

        ``before``: the session that ends. Nothing that a browser sent becomes part of the reference.
        """
        reference, opened = self._new(login, generation, address, browser)
        mark = await self._records.open_session(
            opened, reference=reference, life_s=self._life_s(opened), address=address, device=device,
            new_device=secrets.token_urlsafe(16), known_for_s=DEVICE_S, facility=facility, act=act,
            now_s=int(self._clock()), before=before, code=code,
        )  # fmt: skip
        return reference, mark

    async def open_waiting(self, login: str, generation: int, *, address: str, browser: str) -> str:
        """Open a session that can do nothing but enter the code; returns the reference for its cookie."""
        reference, opened = self._new(login, generation, address, browser)
        await self._records.open_waiting(
            structs.replace(opened, waits_for_code=True), reference=reference, life_s=CODE_WITHIN_S
        )
        return reference

    def _new(self, login: str, generation: int, address: str, browser: str) -> tuple[str, OpenSession]:
        now_s = int(self._clock())
        return secrets.token_urlsafe(32), OpenSession(
            who=login_digest(login), generation=generation, csrf=secrets.token_urlsafe(32), ends_s=now_s + LONGEST_S,
            since_s=now_s, address=address, browser=browser,
        )  # fmt: skip

    def end_before(self, moment_s: int) -> None:
        """End all sessions opened up to this second (``kiosk keys revoke --all``)."""
        self._from_s = moment_s

    async def read(self, reference: str, *, used: bool) -> Session | None:
        """The open session behind a cookie. ``used``: a person did something, so it stays open for half an hour."""
        key, now_s = session_digest(reference), int(self._clock())
        is_due = used and not 0 <= now_s - self._used_s.get(key, 0) < USED_EVERY_S
        found = await self._records.session(key, now_s=now_s, idle_s=IDLE_S if is_due else 0)
        if found is None or found[0].ends_s - LONGEST_S <= self._from_s:
            return None
        if is_due:
            self._note_use(key, now_s)
        return _session(key, *found)

    def _note_use(self, key: Digest, now_s: int) -> None:
        if len(self._used_s) >= USES_KNOWN:
            self._used_s.clear()
        self._used_s[key] = now_s

    async def choose_facility(self, session: Session, facility: str) -> None:
        """Set the facility a state administrator works in."""
        opened = structs.replace(session.opened, chosen=facility)
        await self._records.replace_session(session.key, opened, life_s=self._life_s(opened))

    async def of(self, session: Session) -> list[SessionRow]:
        """Every open session of the same login, the last used first."""
        return await self._records.sessions(session.login, now_s=int(self._clock()))

    async def end(self, session: Session, key: str, *, act: Act) -> bool:
        """End one session of the same login. False: there is none of this key."""
        return await self._records.end_session(session.login, Digest(key), session.home, act)

    async def end_others(self, session: Session, *, act: Act) -> bool:
        """End every session of the same login but this one."""
        return await self._records.end_other_sessions(session.login, session.key, session.home, act)

    def _life_s(self, opened: OpenSession) -> int:
        return max(1, min(IDLE_S, opened.ends_s - int(self._clock())))


def _session(key: Digest, opened: OpenSession, row: LoginRow) -> Session:
    facility = opened.chosen if row.facility == EVERY_FACILITY else row.facility
    return Session(
        key=key, opened=opened, login=row.login, name=row.name, role=row.role, home=row.facility, facility=facility,
        counter=row.counter, must_change=row.must_change, waits_for_code=opened.waits_for_code,
        second_factor=bool(row.second_factor), language=row.language,
    )  # fmt: skip
