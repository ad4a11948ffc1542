"""A facility whose people are invented: they come, are called, served, held or do not come, for a vendor to look at.

No number here belongs to a person: ABHA numbers begin with 99 (real ones with 91), phones with 555 (no Indian mobile
does). Names stand in the scripts of the region, because a receiver must keep them whole.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from msgspec import Struct

from kiosk.checkin import CheckIn
from kiosk.patient.person import Patient
from queueing.desk import OpdDesk
from queueing.models import Facility, Outcome, Queue
from queueing.reasons import Reason
from queueing.registry import Registry

MARK: Final = {"people": "invented"}
"""In ``Facility.extra``: of no other facility are people invented."""
HIP_ID: Final = "SANDBOX0001"
QUEUES: Final = (
    (Queue(id="medicine", name="Medicine (invented)", prefix="M"), 2),
    (Queue(id="pharmacy", name="Pharmacy (invented)", prefix="P"), 1),
)
BY: Final = "sandbox"
"""Who moves the tickets, in events and in the audit. No login has this name: logins end in their facility."""

_NAMES: Final = (
    ("Zooni Dar", "F"), ("Mohammad Ashraf Bhat", "M"), ("अनीता देवी", "F"), ("राम प्रसाद शर्मा", "M"),
    ("محمد اقبال وانی", "M"), ("پروینہ اختر", "F"), ("ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ", "M"), ("Baby of Rafiqa", "F"),
    ("Tsering Dolma", "F"),
    ("O'Brien & Sons Test", "O"),
)  # fmt: skip
_PLACES: Final = (("House 7, Lal Chowk", "Srinagar", "190001"), ("गली 3, रघुनाथ बाज़ार", "Jammu", "180001"),
                  ("محلہ خواجہ باغ", "Baramulla", "193101"))  # fmt: skip


class NotASandbox(Exception):
    """The facility exists, and its people are not invented."""


class Step(Struct, frozen=True, kw_only=True):
    """One thing that happened, without a word of the person."""

    token: str
    what: str


def invent(number: int, seed: int) -> Patient:
    """A person; the same for the same number and seed. Some have no ABHA, no phone, or a year of birth alone."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 - invented people need no secrets
    name, gender = chance.choice(_NAMES)
    line, district, pincode = chance.choice(_PLACES)
    exact = chance.random() < 0.7
    digits = f"{seed % 1000:03}{number % 1_000_000:06}"
    has_abha = chance.random() < 0.8
    return Patient(
        name=name, gender=gender, abha_number=f"99000{digits}" if has_abha else "",
        abha_address=f"sandbox{digits}@sbx" if has_abha else "", year_of_birth=chance.randint(1936, 2024),
        month_of_birth=chance.randint(1, 12) if exact else None, day_of_birth=chance.randint(1, 28) if exact else None,
        phone=f"555{number % 10_000_000:07}" if chance.random() < 0.9 else "", line=line, district=district,
        state="Jammu and Kashmir", pincode=pincode,
    )  # fmt: skip


async def prepare(registry: Registry, hip_id: str) -> None:
    """Make the facility, or find it. Raises NotASandbox."""
    facility = await registry.facility(hip_id)
    if facility is not None and not is_sandbox(facility):
        raise NotASandbox
    if facility is None:
        name = "Sandbox: every person is invented"
        await registry.put_facility(Facility(hip_id=hip_id, name=name, extra=dict(MARK)))
    known = {queue.id for queue in await registry.queues(hip_id)}
    for queue, counters in QUEUES:
        if queue.id not in known:
            await registry.put_queue(hip_id, queue, counters)


def is_sandbox(facility: Facility) -> bool:
    return MARK.items() <= facility.extra.items()


class Sandbox:
    """The invented day of one facility."""

    def __init__(self, hip_id: str, desk: OpdDesk, check_in: CheckIn, seed: int) -> None:
        self._hip, self._desk, self._check_in, self._seed = hip_id, desk, check_in, seed
        self._chance = random.Random(seed)  # noqa: S311 - an invented day needs no secrets

    async def run(self, patients: int, every_s: float, refresh: Callable[[], Awaitable[None]]) -> AsyncIterator[Step]:
        """So many people, one each ``every_s`` seconds; each visit ends before the next person comes.

        ``refresh``: called before each person, so that a new day's key is known.
        """
        for number in range(patients):
            await refresh()
            async for step in self._person(number):
                yield step
            await asyncio.sleep(every_s)

    async def _person(self, number: int) -> AsyncIterator[Step]:
        patient = invent(number, self._seed)
        place = await self._check_in.walked_in(self._hip, "medicine", patient, self._chance.choice(list(Reason)), by=BY)
        if place.outcome is not Outcome.NEW:
            return
        yield Step(token=place.token, what="created")
        for what in self._visit():
            moved = await self._move(what, place.ticket)
            if moved:
                yield Step(token=place.token, what=what)

    def _visit(self) -> tuple[str, ...]:
        """What becomes of one person. Most are served; one in ten each is held, moved on, missed, or cancelled."""
        ways = [("called", "serving", "done")] * 6 + [
            ("called", "serving", "held", "returned", "called", "serving", "done"),
            ("called", "serving", "transferred"), ("called", "no_show"), ("cancelled",),
        ]  # fmt: skip
        return self._chance.choice(ways)

    async def _move(self, what: str, ticket: str) -> bool:
        desk, hip = self._desk, self._hip
        moves = {
            "called": lambda: desk.call_this(hip, "M1", ticket, by=BY),
            "serving": lambda: desk.start(hip, ticket, by=BY),
            "held": lambda: desk.hold(hip, ticket, by=BY),
            "returned": lambda: desk.bring_back(hip, ticket, by=BY),
            "transferred": lambda: desk.transfer(hip, ticket, to="pharmacy", by=BY),
            "no_show": lambda: desk.no_show(hip, ticket, by=BY),
            "cancelled": lambda: desk.cancel(hip, ticket, by=BY),
            "done": lambda: desk.finish(hip, ticket, by=BY),
        }
        return (await moves[what]()).outcome is Outcome.MOVED
