"""Tickets of one queue that may be one person's: the clerk sees a mark and asks.

A form without an ABHA app proves nobody. Alike are two with the same year of birth and the same phone, or the same name
and year of birth. Two tickets of one ABHA number are no look-alikes: the store knows that person already.
"""

from collections.abc import Iterable
from typing import NamedTuple

from kiosk.patient.person import Patient
from queueing.models import State, Ticket

STANDING = frozenset({State.EXPECTED, State.WAITING, State.CALLED, State.SERVING, State.HELD})


class _Seen(NamedTuple):
    token: str
    abha_number: str


def look_alikes(tickets: Iterable[tuple[Ticket, Patient]]) -> dict[str, str]:
    """Ticket id → token of the earlier ticket in the same queue that looks alike."""
    seen: dict[tuple[str, ...], _Seen] = {}
    found: dict[str, str] = {}
    standing = (pair for pair in tickets if pair[0].state in STANDING)
    for ticket, patient in sorted(standing, key=lambda pair: (pair[0].arrived_ms, pair[0].token)):
        own = _Seen(ticket.token, patient.abha_number)
        for marks in _marks(ticket, patient):
            earlier = seen.setdefault(marks, own)
            if earlier.token != own.token and not (own.abha_number and own.abha_number == earlier.abha_number):
                found.setdefault(ticket.id, earlier.token)
    return found


def _marks(ticket: Ticket, patient: Patient) -> list[tuple[str, ...]]:
    """What this person has in common with a look-alike. Names are compared without case and extra spaces."""
    name, year = " ".join(patient.name.casefold().split()), str(patient.year_of_birth or "")
    if not year:
        return []
    pairs = (("phone", patient.phone), ("name", name))
    return [(ticket.queue, year, kind, text) for kind, text in pairs if text]
