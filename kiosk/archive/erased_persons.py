"""Takes the digest of an erased person out of the archive.

A digest leads from one ticket to another, and whoever knows the ABHA number and the key of the month can compute it.
Random bytes take its place, the same on all of the person's tickets of that month in the hospital: counts of people
stay right, and nothing leads to anybody.
"""

import secrets
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kiosk.archive.person_digests import DIGEST_BYTES, month_of
from kiosk.archive.places import Places, hip_id_of
from kiosk.archive.schema import persons, tickets
from queueing.day import day_and_number
from queueing.event_log import Event

ERASED: Final = "person_erased"
"""The act's kind in ``functions/person.lua``."""
LONGEST_MONTH: Final = 31


def forget(connection: Connection, events: Iterable[Event], places: Places) -> None:
    """Replace the digest of each person that these events say was erased."""
    for event in events:
        if event.act is None or event.act.kind != ERASED:
            continue
        day, number = day_and_number(event.act.ticket)
        _forget_one(connection, hip_id_of(event, places), day, number)


def _forget_one(connection: Connection, hip_id: str, day: date, number: int) -> None:
    own = (tickets.c.service_day == day, tickets.c.hip_id == hip_id, tickets.c.number == number)
    digest = connection.execute(sa.select(tickets.c.person).where(*own)).scalar()
    if digest is None:
        return
    month = month_of(day)
    days = [month + timedelta(days=n) for n in range(LONGEST_MONTH) if month_of(month + timedelta(days=n)) == month]
    of_person = (tickets.c.service_day.in_(days), tickets.c.hip_id == hip_id, tickets.c.person == digest)
    connection.execute(sa.update(tickets).where(*of_person).values(person=secrets.token_bytes(DIGEST_BYTES)))
    connection.execute(sa.delete(persons).where(persons.c.digest == digest, persons.c.hip_id == hip_id))
