"""Open sessions: a random reference in the browser, its digest in the store.

A session ends after twelve hours, or after half an hour without use. The page's own refreshing does not count as use.
"""

import secrets
from collections.abc import Callable
from typing import Final

from msgspec import Struct, structs

from queueing.staff import Digest, LoginRow, OpenSession, StaffRecords, login_digest, session_digest

LONGEST_S: Final = 12 * 3600
"""One long shift."""
IDLE_S: Final = 30 * 60
"""A desk left alone closes within half an hour."""
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

    async def open(self, login: str, generation: int, *, address: str, device: str) -> tuple[str, str]:
        """Open a session; returns the reference for its cookie and the mark for the browser.

        Nothing that a browser sent becomes part of the reference.
        """
        reference = secrets.token_urlsafe(32)
        opened = OpenSession(
            who=login_digest(login), generation=generation, csrf=secrets.token_urlsafe(32),
            ends_s=int(self._clock()) + LONGEST_S,
        )  # fmt: skip
        mark = await self._records.welcome(
            opened, reference=reference, life_s=self._life_s(opened), address=address, device=device,
            new_device=secrets.token_urlsafe(16), known_for_s=DEVICE_S,
        )  # fmt: skip
        return reference, mark

    def end_before(self, moment_s: int) -> None:
        """End all sessions opened up to this second (``kiosk keys revoke --all``)."""
        self._from_s = moment_s

    async def read(self, reference: str, *, used: bool) -> Session | None:
        """The open session behind a cookie. ``used``: a person did something, so it stays open for half an hour."""
        key = session_digest(reference)
        found = await self._records.session(key, now_s=int(self._clock()), idle_s=IDLE_S if used else 0)
        if found is None or found[0].ends_s - LONGEST_S <= self._from_s:
            return None
        return _session(key, *found)

    async def choose_facility(self, session: Session, facility: str) -> None:
        """Set the facility a state administrator works in."""
        opened = structs.replace(session.opened, chosen=facility)
        await self._records.replace_session(session.key, opened, life_s=self._life_s(opened))

    async def close(self, reference: str) -> None:
        """End the session behind a cookie."""
        await self._records.close_session(session_digest(reference))

    def _life_s(self, opened: OpenSession) -> int:
        return max(1, min(IDLE_S, opened.ends_s - int(self._clock())))


def _session(key: Digest, opened: OpenSession, row: LoginRow) -> Session:
    facility = opened.chosen if row.facility == EVERY_FACILITY else row.facility
    return Session(
        key=key, opened=opened, login=row.login, name=row.name, role=row.role, home=row.facility, facility=facility,
        counter=row.counter, must_change=row.must_change,
    )  # fmt: skip
