"""What each room of the administration shows, read from the store when its page is drawn."""

import asyncio
from typing import Any

from litestar import Response

from kiosk.accounts.service import Staff, login_ending
from kiosk.accounts.sessions import Session
from kiosk.console import guards, templating
from kiosk.settings import Settings
from queueing.day_counts import DayCounts
from queueing.desk import OpdDesk
from queueing.models import PresenceRule, State
from queueing.outbox import Outbox
from queueing.registry import Hospital, Registry

PARKED_SHOWN = 100
"""Parked replies on the page, newest first: an outage parks more, and all have the same reason."""


class AdminRooms:
    """Draws the rooms."""

    def __init__(self, registry: Registry, desk: OpdDesk, staff: Staff, outbox: Outbox, settings: Settings) -> None:
        self._registry, self._desk, self._staff = registry, desk, staff
        self._outbox, self._settings = outbox, settings

    async def page(
        self, session: Session, room: str, *, message: str = "", trouble: str = "", status: int = 200,
        secret: tuple[str, str] | None = None, typed: dict[str, dict[str, str]] | None = None, field: str = "",
    ) -> Response[str]:  # fmt: skip
        """``typed``: the refused form by its act, so that nothing is lost; ``field``: what is wrong in it.

        ``secret``: a login and its first password, shown once.
        """
        hospital = await self._registry.hospital(session.facility)
        if hospital is None:
            raise guards.NoFacilityYet
        facts = {
            "now": self._now, "queues": self._bare, "staff": self._logins, "rules": self._rules,
            "facility": self._bare, "posters": self._texts,
        }[room]  # fmt: skip
        return templating.page(
            f"room_{room}.html", session=session, status=status, facility=hospital.facility, queues=hospital.queues,
            counters=hospital.counters, zone=hospital.zone(self._settings.timezone), message=message, trouble=trouble,
            secret=secret, typed=typed or {}, field=field, **await facts(hospital),
        )  # fmt: skip

    async def _bare(self, hospital: Hospital) -> dict[str, Any]:
        return {}

    async def _now(self, hospital: Hospital) -> dict[str, Any]:
        hip = hospital.facility.hip_id
        counts, parked = await asyncio.gather(self._desk.counts(hip), self._outbox.parked(hip, limit=PARKED_SHOWN))
        counts = counts or DayCounts(ended=0, queues={})
        return {
            "waiting": counts.now(State.WAITING), "at_counters": counts.now(State.CALLED, State.SERVING),
            "expected": counts.now(State.EXPECTED), "ended": counts.ended, "parked": parked,
        }  # fmt: skip

    async def _logins(self, hospital: Hospital) -> dict[str, Any]:
        hip = hospital.facility.hip_id
        return {"logins": await self._staff.of(hip), "login_ending": login_ending(hip)}

    async def _rules(self, hospital: Hospital) -> dict[str, Any]:
        return {
            "presence_rules": list(PresenceRule), "own_rate": self._settings.facility_rate,
            "own_burst": self._settings.facility_burst,
        }  # fmt: skip

    async def _texts(self, hospital: Hospital) -> dict[str, Any]:
        return {"texts": await self._registry.texts(hospital.facility.hip_id)}
