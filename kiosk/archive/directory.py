"""Which facility a key of the event log stands for, with the names that reports show."""

from collections.abc import Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from kiosk.archive.places import Place
from kiosk.archive.schema import facilities
from kiosk.archive.upsert import insert_or_leave
from queueing.audit import NO_FACILITY, facility_digest
from queueing.models import Facility
from queueing.redis_keys import facility_key
from queueing.registry import Registry

PAGE: Final = 500
"""Facilities of one reply of the registry."""


class Directory:
    """All registered facilities. ``zone`` is that of facilities without their own."""

    def __init__(self, registry: Registry, zone: ZoneInfo) -> None:
        self._registry = registry
        self._zone = zone
        self._saved: dict[str, Facility] = {}
        nowhere = Place(NO_FACILITY, zone)
        self.places: dict[str, Place] = {facility_key(NO_FACILITY): nowhere, facility_digest(NO_FACILITY): nowhere}
        """Facility key -> place."""
        self._strange: set[str] = set()
        """Keys that the registry does not know: shares that named no facility of ours."""

    async def refresh(self, unknown: set[str] | None = None) -> list[Facility]:
        """Read the registry; returns what is new or changed since it was saved.

        With ``unknown`` it reads only if one of these keys was never looked for.
        """
        if unknown is not None and unknown <= self._strange | self.places.keys():
            return []
        changed, after = list[Facility](), ""
        while page := await self._registry.facilities(after, PAGE):
            changed += [one for one in page if self._saved.get(one.hip_id) != one]
            after = page[-1].hip_id
        for one in changed:
            zone = ZoneInfo(one.timezone) if one.timezone else self._zone
            for key in (facility_key(one.hip_id), facility_digest(one.hip_id)):
                self.places[key] = Place(one.hip_id, zone)
        self._strange |= (unknown or set()) - self.places.keys()
        return changed

    def save(self, connection: Connection, changed: Sequence[Facility]) -> None:
        """Write names, district and state; first and last day stay. A district has one spelling: see
        ``one_spelling``.
        """
        for one in changed:
            row: dict[str, Any] = {
                "hip_id": one.hip_id,
                "key": facility_key(one.hip_id),
                "name": one.name,
                "district": one.district,
                "state": one.state,
                "timezone": one.timezone,
            }
            if not insert_or_leave(connection, facilities, row):
                connection.execute(sa.update(facilities).where(facilities.c.hip_id == one.hip_id).values(**row))
        if changed:
            one_spelling(connection)
        self._saved |= {one.hip_id: one for one in changed}


def one_spelling(connection: Connection) -> None:
    """Registers write SRINAGAR, hospitals Srinagar: the state's review must not count two districts. Of spellings that
    differ in capitals and spaces alone, one that is not all capitals stands for all.
    """
    column = facilities.c.district
    spellings: dict[str, list[str]] = {}
    for name in connection.execute(sa.select(column).distinct().order_by(column)).scalars():
        if name:
            spellings.setdefault(" ".join(name.split()).casefold(), []).append(name)
    for variants in spellings.values():
        best = min(variants, key=lambda name: (name.isupper(), len(name), name))
        if others := [name for name in variants if name != best]:
            connection.execute(sa.update(facilities).where(column.in_(others)).values(district=best))
