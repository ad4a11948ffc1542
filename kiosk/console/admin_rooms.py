"""What each room of the administration shows, read from the store when its page is drawn."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response

from kiosk.accounts.service import Staff, login_ending
from kiosk.accounts.sessions import Session
from kiosk.console import guards, messages, room_messages, rooms, templating
from kiosk.console.language import tr, translated
from kiosk.console.rule_effects import effects, tickets_of_today
from kiosk.locales import BOOK, LANGUAGES
from kiosk.posters.texts import left_out
from kiosk.settings import Settings
from queueing.counter_texts import name_in_code
from queueing.day_counts import DayCounts
from queueing.desk import OpdDesk
from queueing.lanes import LANES
from queueing.last_changes import LastChange, LastChanges
from queueing.limits import NUMBERS_A_DAY_MAX
from queueing.models import State
from queueing.outbox import Outbox
from queueing.policy import Policy, PresenceRule
from queueing.registry import Hospital, Registry

PARKED_SHOWN = 100
"""Parked replies on the page, newest first: an outage parks more, and all have the same reason."""


def row_to_change(hospital: Hospital, queue: str, counter: str) -> dict[str, dict[str, str]]:
    """The form of a queue or counter as it stands, for whoever wants to change it; empty for an unknown one."""
    filled: dict[str, dict[str, str]] = {}
    if found := hospital.queue(queue):
        filled["queue"] = {
            "id": found.id, "name": found.name, "prefix": found.prefix, "carry_over_min": str(found.carry_over_min),
            "limit": "" if found.limit == NUMBERS_A_DAY_MAX else str(found.limit),
        }  # fmt: skip
    if here := hospital.counter(counter):
        filled["counter"] = {"name": here.name, "first": here.queues[0] if here.queues else ""} | {
            f"queue.{one}": "1" for one in here.queues
        }
    return filled


class AdminRooms:
    """Draws the rooms."""

    def __init__(
        self, registry: Registry, desk: OpdDesk, staff: Staff, outbox: Outbox, settings: Settings,
        last_changes: LastChanges,
    ) -> None:  # fmt: skip
        self._registry, self._desk, self._staff = registry, desk, staff
        self._outbox, self._settings, self._last_changes = outbox, settings, last_changes

    async def page(
        self, session: Session, room: str, *, message: str = "", trouble: str = "", status: int = 200,
        secret: tuple[str, str] | None = None, typed: dict[str, dict[str, str]] | None = None, field: str = "",
        looked: Policy | None = None, queue: str = "", counter: str = "", remove: str = "",
    ) -> Response[str]:  # fmt: skip
        """``queue``, ``counter``: the row whose form is filled in, to change it.

        ``remove``: kind and id of what the page asks about, such as ``queue:eye``.

        ``typed``: the refused form by its act, so that nothing is lost; ``field``: what is wrong in it.

        ``secret``: a login and its first password, shown once. ``looked``: rules that are not saved, to see what they
        would do.
        """
        hospital, changes = await asyncio.gather(
            self._registry.hospital(session.facility), self._last_changes.of(session.facility)
        )
        if hospital is None:
            raise guards.NoFacilityYet
        facts: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {
            "now": self._now, "queues": self._waiting, "staff": self._logins, "rules": self._rules,
            "facility": self._bare, "posters": self._texts,
        }  # fmt: skip
        looking = {"policy": looked, "is_refused": bool(typed and not looked)} if room == "rules" else {}
        return templating.page(
            f"room_{room}.html", session=session, status=status, facility=hospital.facility, queues=hospital.queues,
            counters=hospital.counters, zone=hospital.zone(self._settings.timezone), message=message, trouble=trouble,
            secret=secret, typed=typed or row_to_change(hospital, queue, counter), field=field, changes=changes,
            asked=remove,
            **await facts[room](hospital, **looking),
        )  # fmt: skip

    async def _bare(self, hospital: Hospital) -> dict[str, Any]:
        return {"name_languages": [BOOK[code] for code in LANGUAGES]}

    async def _now(self, hospital: Hospital) -> dict[str, Any]:
        hip = hospital.facility.hip_id
        counts, parked = await asyncio.gather(self._desk.counts(hip), self._outbox.parked(hip, limit=PARKED_SHOWN))
        counts = counts or DayCounts(ended=0, queues={})
        return {
            "waiting": counts.now(State.WAITING), "at_counters": counts.now(State.CALLED, State.SERVING),
            "expected": counts.now(State.EXPECTED), "ended": counts.ended, "parked": parked,
            "settings": rooms.SETTINGS,
        }  # fmt: skip

    async def _waiting(self, hospital: Hospital) -> dict[str, Any]:
        """How many wait in each queue: an administrator sees whom a closed queue still owes a call."""
        counts = await self._desk.counts(hospital.facility.hip_id)
        return {
            "waiting": {queue: now[State.WAITING] for queue, now in counts.queues.items()} if counts else {},
            "queue_names": {one.id: one.name for one in hospital.queues},
            "no_limit": NUMBERS_A_DAY_MAX,
        }

    async def _logins(self, hospital: Hospital) -> dict[str, Any]:
        hip = hospital.facility.hip_id
        return {"logins": await self._staff.of(hip), "login_ending": login_ending(hip)}

    async def _rules(self, hospital: Hospital, policy: Policy | None, is_refused: bool) -> dict[str, Any]:
        settings, facility = self._settings, hospital.facility
        tickets = await tickets_of_today(self._desk, facility.hip_id, hospital.zone(settings.timezone))
        judged = policy or facility.policy
        return {
            "presence_rules": list(PresenceRule), "own_rate": settings.facility_rate,
            "own_burst": settings.facility_burst, "labels": translated(room_messages.RULES), "tickets": len(tickets),
            "effects": {} if is_refused else effects(tickets, judged, settings.facility_rate, settings.facility_burst),
            "rules_before": rules_before, "lane_rows": LANES, "lane_who": translated(messages.LANE_WHO),
        }  # fmt: skip

    async def _texts(self, hospital: Hospital) -> dict[str, Any]:
        texts = await self._registry.texts(hospital.facility.hip_id)
        nameless = [queue.id for queue in hospital.queues if not name_in_code(hospital, texts, queue)]
        without_hours = [queue.id for queue in left_out(hospital)]
        return {"texts": texts, "nameless": nameless, "without_hours": without_hours}


def rules_before(change: LastChange, policy: Policy) -> list[tuple[str, str]]:
    """Name and earlier value of each rule that the change changed."""
    before = change.policy
    return [
        (tr(label), _rule_words(getattr(before, rule)))
        for rule, label in room_messages.RULES.items()
        if getattr(before, rule) != getattr(policy, rule)
    ]


def _rule_words(value: PresenceRule | float | None) -> str:
    if isinstance(value, PresenceRule):
        return tr(messages.PRESENCE_RULES[value])
    return tr(room_messages.NOT_SET) if value is None else f"{value:.10g}"
