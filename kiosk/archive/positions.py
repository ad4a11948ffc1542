"""Where the phones of a day were: facilities where nearly every phone was far have the coordinates of another place."""

from datetime import date
from typing import Final

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from kiosk.archive.schema import daily_sums, tickets

FAR_AT_LEAST: Final = 20
"""Phones. Among fewer, all may have shared from home."""
FAR_SHARE: Final = 0.9
"""Of the phones with a position. Where the coordinates are right, most people share in the hospital; with wrong ones
hardly one is near."""
NAMED_AT_MOST: Final = 500
"""Facilities that are looked at, the most phones far away first. A state has a few."""


class Positions(Struct, frozen=True, kw_only=True):
    """What the phones of one facility said about where they are."""

    refused: int
    """Shares that were refused because the phone was far away."""
    far: int
    """Tickets whose phone was far away."""
    near: int

    @property
    def all_far(self) -> int:
        """Phones that were far away, whatever the rule made of it."""
        return self.refused + self.far

    @property
    def known(self) -> int:
        """Phones that said where they are."""
        return self.all_far + self.near

    @property
    def nearly_all_refused(self) -> bool:
        """Whether the rule refused all but a few, and enough to tell."""
        return self.refused >= FAR_AT_LEAST and self.refused >= FAR_SHARE * self.known

    @property
    def nearly_all_far(self) -> bool:
        """Whether all but a few were far away, and were enough to tell."""
        return self.all_far >= FAR_AT_LEAST and self.all_far >= FAR_SHARE * self.known


def positions(connection: Connection, first: date, last: date, *, hip_id: str = "") -> dict[str, Positions]:
    """HIP id -> positions of these days, of each facility with enough phones far away to tell; or of this one."""
    key, refused, far = daily_sums.c, sa.func.sum(daily_sums.c.refused_far), sa.func.sum(daily_sums.c.far)
    query = sa.select(key.hip_id, refused, far).where(key.service_day.between(first, last)).group_by(key.hip_id)
    if hip_id:
        query = query.where(key.hip_id == hip_id)
    query = query.having(refused + far >= FAR_AT_LEAST).order_by((refused + far).desc()).limit(NAMED_AT_MOST)
    found = {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(query)}
    near = _near(connection, first, last, list(found)) if found else {}
    return {
        hip: Positions(refused=refused_here, far=far_here, near=near.get(hip, 0))
        for hip, (refused_here, far_here) in found.items()
    }


def _near(connection: Connection, first: date, last: date, hips: list[str]) -> dict[str, int]:
    key = tickets.c
    where = (key.service_day.between(first, last), key.hip_id.in_(hips), key.nearness == "near")
    found = connection.execute(sa.select(key.hip_id, sa.func.count()).where(*where).group_by(key.hip_id))
    return {hip: int(count) for hip, count in found}
