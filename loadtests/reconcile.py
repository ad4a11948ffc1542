"""Checks every promise of a run, only from the gateway's ledger.

``audit`` is a pure function of the rows of ``GET /_sim/ledger``. Each finding is one sentence; no finding means
success.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

Row = dict[str, Any]
MOST_NAMED = 20
"""How many findings of one kind are printed. The others are only counted."""


class Findings(Struct, frozen=True, kw_only=True):
    """Broken promises, by kind."""

    unanswered: list[str]
    """Accepted with a 2xx and not answered while the phone waited."""
    repeated: list[str]
    """Answered more often than it was delivered, although no reply was lost."""
    number_twice: list[str]
    """One number of one facility and day for two people."""
    person_twice: list[str]
    """One person with two numbers in one queue of one day."""
    taken: int
    """Shares that were accepted."""
    patients: int
    numbers: int

    @property
    def good(self) -> bool:
        """Whether there is no finding."""
        return not (self.unanswered or self.repeated or self.number_twice or self.person_twice)


def audit(
    rows: Iterable[Row], *, timezone: str = "Asia/Kolkata", called: Collection[tuple[str, str]] = frozenset()
) -> Findings:
    """Check every promise. ``called``: HIP id and token of each called patient, who may get a new number after that."""
    unanswered, repeated = [], []
    owners: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    numbers: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    taken = 0
    for row in rows:
        good = [delivery for delivery in row["deliveries"] if 200 <= delivery["status"] < 300]
        taken += bool(good)
        if good and not row["settled_ms"]:
            unanswered.append(f"{row['request_id']} was taken and never answered")
        if row["clean"] > max(1, len(row["deliveries"])):
            repeated.append(f"{row['request_id']} was answered {row['clean']} times")
        if len(row["token"]) > 1:
            day = service_day(row["settled_ms"], timezone)
            owners[row["hip_id"], day, row["token"]].add(row["abha_address"])
            numbers[row["hip_id"], day, prefix(row["token"]), row["abha_address"]].add(row["token"])
    return Findings(
        unanswered=_short(unanswered),
        repeated=_short(repeated),
        number_twice=_short(
            f"{token} of {hip} on {day} belongs to {len(who)} people"
            for (hip, day, token), who in owners.items()
            if len(who) > 1
        ),
        person_twice=_short(
            f"one person holds {sorted(held)} at {hip} on {day}"
            for (hip, day, _, _), held in numbers.items()
            if any((hip, token) not in called for token in sorted(held, key=_running)[:-1])
        ),
        taken=taken,
        patients=len({key[3] for key in numbers}),
        numbers=len(owners),
    )


def holes(rows: Iterable[Row], *, timezone: str = "Asia/Kolkata") -> Counter[str]:
    """How many numbers below the highest one no phone got, by facility, day and queue."""
    shown: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        if len(row["token"]) > 1:
            day = service_day(row["settled_ms"], timezone)
            shown[f"{row['hip_id']} {day} {prefix(row['token'])}"].add(_running(row["token"]))
    missing = {line: max(numbers) - len(numbers) for line, numbers in shown.items()}
    return Counter({line: count for line, count in missing.items() if count})


def prefix(token: str) -> str:
    """The queue's letters before the number."""
    return token.rpartition("-")[0]


def _running(token: str) -> int:
    return int(token.rpartition("-")[2])


def service_day(at_ms: int, timezone: str) -> str:
    """The facility's local day."""
    return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(timezone)).date().isoformat()


def _short(found: Iterable[str]) -> list[str]:
    listed = list(found)
    rest = len(listed) - MOST_NAMED
    return listed[:MOST_NAMED] + ([f"and {rest} more"] if rest > 0 else [])
