"""Invented tickets of one facility and day, in the columns of the archive's tables, and what they add to its sums.

Written apart from the program: a test compares these sums with the program's own.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from random import Random
from typing import Any, Final

from loadtests.simulator.people.morning import arrivals

Row = dict[str, Any]

WAIT_S: Final = tuple(60 * minutes for minutes in (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240))
SERVICE_S: Final = (30, 60, 120, 180, 240, 300, 420, 600, 900, 1200, 1800, 3600)
ACK_MS: Final = (100, 250, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000)
QUEUES: Final = (("registration", "R", 0.55), ("medicine", "M", 0.25), ("orthopaedics", "O", 0.1), ("eye", "E", 0.1))
"""Queue, prefix, and part of the patients. A facility with fewer than so many tokens a day has the first alone."""
SMALL: Final = 20
ASSURANCES: Final = (("poster", 0.62), ("screen", 0.88), ("stale", 0.91), ("staff", 0.97), ("camera", 1.0))
"""How people came, each with the part up to it: most scan a printed poster."""
STATES: Final = (("done", 0.88), ("no_show", 0.95), ("cancelled", 0.97), ("lapsed", 1.0))
LANES: Final = (("senior", 0.12), ("pregnant", 0.14), ("disabled", 0.15), ("emergency", 0.155), ("ordinary", 1.0))
OFFSET_MS: Final = 19_800_000
"""Of Asia/Kolkata."""


def _pick(parts: Sequence[tuple[str, float]], chance: float) -> str:
    return next(name for name, below in parts if chance <= below)


class Facility:
    """One hospital: who came this month is known, so that people and tokens differ as they do."""

    def __init__(self, hip_id: str, seed: int) -> None:
        self.hip_id = hip_id
        self._random = Random(f"{seed}:{hip_id}")
        self._month: date | None = None
        self._persons: dict[bytes, date] = {}
        self._list: list[bytes] = []

    def day(self, on: date, tokens: int) -> tuple[list[Row], list[Row]]:
        """The tickets of one day, and the shares that gave no place."""
        if self._month != on.replace(day=1):
            self._month, self._persons, self._list = on.replace(day=1), {}, []
        midnight_ms = int(datetime.combine(on, time(), UTC).timestamp() * 1000) - OFFSET_MS
        moments = arrivals(self._random.randrange(1 << 30), tokens)
        tickets, shares = [], []
        for number, moment in enumerate(moments, 1):
            arrived_ms = midnight_ms + int(moment * 1000)
            ticket = self._ticket(on, number, arrived_ms, tokens)
            tickets.append(ticket)
            if self._random.random() < 0.06:
                shares.append(self._share(ticket, number))
        return tickets, shares

    def _ticket(self, on: date, number: int, arrived_ms: int, tokens: int) -> Row:
        draw = self._random.random
        queue, prefix = QUEUES[0][:2] if tokens < SMALL else self._queue(draw())
        assurance, state = _pick(ASSURANCES, draw()), _pick(STATES, draw())
        source = {"staff": "staff", "camera": "camera"}.get(assurance, "abha_app")
        called_ms = (
            arrived_ms + int(self._random.lognormvariate(6.6, 0.9) * 1000) if state in ("done", "no_show") else 0
        )
        started_ms = called_ms + 20_000 if state == "done" and draw() < 0.5 else 0
        ended_ms = called_ms + 20_000 + int(self._random.lognormvariate(5.0, 0.6) * 1000) if state == "done" else 0
        person = self._person()
        acked = source == "abha_app"
        return {
            "service_day": on, "hip_id": self.hip_id, "number": number, "token": f"{prefix}-{number:03d}",
            "queue": queue, "counter": f"{prefix}{1 + number % 4}" if called_ms else "", "lane": _pick(LANES, draw()),
            "assurance": assurance, "nearness": "far" if draw() < 0.05 else "unknown", "source": source, "state": state,
            "hour": ((arrived_ms + OFFSET_MS) // 3_600_000) % 24, "arrived_ms": arrived_ms, "checked_in_ms": 0,
            "called_first_ms": called_ms, "called_last_ms": called_ms, "started_ms": started_ms, "ended_ms": ended_ms,
            "calls": int(called_ms > 0), "request": f"{self._random.getrandbits(96):024x}",
            "request_id": _uuid(self._random) if acked else "", "person": person, **self._firsts(person, on),
            "ack": ("delivered" if draw() < 0.997 else "parked") if acked else "",
            "ack_at_ms": arrived_ms + int(self._random.lognormvariate(6.2, 0.7)) if acked else 0,
            "cursor": f"{arrived_ms}-0", "reason": "",
        }  # fmt: skip

    def _queue(self, chance: float) -> tuple[str, str]:
        for name, prefix, part in QUEUES:
            chance -= part
            if chance <= 0:
                return name, prefix
        return QUEUES[0][:2]

    def _person(self) -> bytes | None:
        chance = self._random.random()
        if chance < 0.02:
            return None
        if chance < 0.15 and self._list:
            return self._random.choice(self._list)
        return self._random.randbytes(16)

    def _firsts(self, person: bytes | None, on: date) -> dict[str, bool]:
        if person is None:
            return {"first_day": False, "first_month": False, "first_state": False}
        is_new = person not in self._persons
        firsts = {"first_day": self._persons.get(person) != on, "first_month": is_new, "first_state": is_new}
        if is_new:
            self._list.append(person)
        self._persons[person] = on
        return firsts

    def _share(self, ticket: Row, number: int) -> Row:
        chance = self._random.random()
        kind = "repeated" if chance < 0.5 else "redelivered" if chance < 0.7 else "refused"
        refusal = self._random.choice(("far", "closed_queue", "stale", "busy", "profile")) if kind == "refused" else ""
        at_ms = ticket["arrived_ms"] + 60_000
        return {
            "service_day": ticket["service_day"], "hip_id": self.hip_id, "event": f"{at_ms}-{number}", "kind": kind,
            "refusal": refusal, "by_hours": False, "queue": "" if refusal else ticket["queue"],
            "ticket": "" if refusal else f"{number}",
            "hour": ((at_ms + OFFSET_MS) // 3_600_000) % 24, "at_ms": at_ms,
            "request": f"{self._random.getrandbits(96):024x}", "ack": "" if kind == "redelivered" else "delivered",
            "ack_at_ms": 0 if kind == "redelivered" else at_ms + 400, "cursor": f"{at_ms}-{number}",
        }  # fmt: skip


def _uuid(random: Random) -> str:
    text = f"{random.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def of_ticket(row: Row) -> dict[str, int]:
    """What a ticket adds to each sum."""
    found = {f"{name}_{row[name]}": 1 for name in ("source", "assurance", "lane", "state")} | {"tokens": 1}
    found |= {f"people_{name}": 1 for name in ("day", "month", "state") if row[f"first_{name}"]}
    if row["nearness"] == "far":
        found["far"] = 1
    if row["person"] is None:
        found["people_unknown"] = 1
    if row["called_first_ms"]:
        wait_ms = row["called_first_ms"] - row["arrived_ms"]
        found |= {"called": 1, "wait_s": wait_ms // 1000, f"wait_{bisect_left(WAIT_S, wait_ms / 1000)}": 1}
    if row["state"] == "done":
        service_ms = row["ended_ms"] - (row["started_ms"] or row["called_last_ms"])
        found |= {"service_s": service_ms // 1000, f"service_{bisect_left(SERVICE_S, service_ms / 1000)}": 1}
    return found | _of_ack(row, row["arrived_ms"])


def of_share(row: Row) -> dict[str, int]:
    """What a share without a place adds to each sum."""
    found = {row["kind"]: 1} | ({f"refused_{row['refusal']}": 1} if row["refusal"] else {})
    return found | _of_ack(row, row["at_ms"])


def _of_ack(row: Row, shared_ms: int) -> dict[str, int]:
    if row["ack"] != "delivered":
        return {"acks_parked": 1} if row["ack"] else {}
    ms = row["ack_at_ms"] - shared_ms
    return {"acks_delivered": 1, "ack_ms": ms, f"ack_{bisect_left(ACK_MS, ms)}": 1}
