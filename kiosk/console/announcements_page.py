"""The page of announcements: a sentence for a queue or the whole hospital, until a time. Every clerk may write one.

An administrator also says there when boards are silent and dark.
"""

import secrets
import time
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from kiosk.accounts.sessions import Session
from kiosk.console import announcement_messages as messages
from kiosk.console import guards, templating
from kiosk.console.forms import NotFilledIn
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.console.lookups import hospital_of
from kiosk.locales import BOOK
from kiosk.settings import Settings
from kiosk.web.limits import ID_MAX
from kiosk.web.page_bodies import read_form
from queueing.announcement import ANNOUNCEMENT_MAX, ANNOUNCEMENTS_MAX, Announcement, BoardHours
from queueing.announcements import Announcements, TooManyAnnouncements
from queueing.desk import OpdDesk
from queueing.display_text import display_text
from queueing.registry import DoesNotFit, Hospital, Registry

LONGEST_H: Final = 14
"""A clerk who types an hour that has passed means no announcement until tomorrow."""


class AnnouncementsPage(Controller):
    path = "/console/announcements"

    @get("/", guards=[guards.clerk], include_in_schema=False)
    async def show(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry], desk: NamedDependency[OpdDesk],
        settings: NamedDependency[Settings], done: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        return await _page(session, registry, desk, settings, message=tr(messages.DONE.get(done, "")))

    @post("/hours", guards=[guards.administrator], include_in_schema=False)
    async def set_hours(
        self, request: ConsoleRequest, session: NamedDependency[Session], registry: NamedDependency[Registry],
        desk: NamedDependency[OpdDesk], settings: NamedDependency[Settings],
        announcements: NamedDependency[Announcements],
    ) -> Response[str] | Response[None]:  # fmt: skip
        """When boards are silent and dark, and whether their picture moves."""
        form = await read_form(request)
        act = guards.actor_of(request, session).act("admin_board-hours")
        try:
            await announcements.set_hours(session.facility, _hours_of(form), act=act)
        except DoesNotFit:
            return await _page(session, registry, desk, settings, trouble=tr(messages.TROUBLE["hours"]), status=422)
        return templating.go("/console/announcements?done=hours")

    @post("/{act:str}", guards=[guards.clerk], include_in_schema=False)
    async def change(
        self, request: ConsoleRequest, act: FromPath[str], session: NamedDependency[Session],
        registry: NamedDependency[Registry], desk: NamedDependency[OpdDesk], settings: NamedDependency[Settings],
        announcements: NamedDependency[Announcements],
    ) -> Response[str] | Response[None]:  # fmt: skip
        """Announce, or take an announcement back."""
        form, actor = await read_form(request), guards.actor_of(request, session)
        if act == "end":
            standing = await _standing(desk, session.facility, form.get("id", "")[:ID_MAX])
            ended = actor.act("announcement_ended", standing.queue)
            await announcements.end(session.facility, standing.id, act=ended)
            return templating.go("/console/announcements?done=end")
        if act != "announce":
            raise NotFoundException
        try:
            hospital = await hospital_of(session, registry)
            one = _announcement_of(form, hospital, ZoneInfo(hospital.zone(settings.timezone)))
            await announcements.announce(session.facility, one, act=actor.act("announced", one.queue))
        except NotFilledIn as wrong:
            return await _page(
                session, registry, desk, settings, trouble=str(wrong), status=422, typed=form, field=wrong.field
            )
        except TooManyAnnouncements:
            trouble = tr(messages.TROUBLE["full"])
            return await _page(session, registry, desk, settings, trouble=trouble, status=409, typed=form)
        return templating.go("/console/announcements?done=announce")


async def _standing(desk: OpdDesk, hip: str, identifier: str) -> Announcement:
    """The announcement of this facility with this id. Raises NotFoundException."""
    snapshot = await desk.snapshot(hip)
    found = next((one for one in snapshot.announcements if one.id == identifier), None) if snapshot else None
    if found is None:
        raise NotFoundException
    return found


def _announcement_of(form: dict[str, str], hospital: Hospital, zone: ZoneInfo) -> Announcement:
    """What was typed. Raises NotFilledIn."""
    text = display_text(form.get("text", ""), ANNOUNCEMENT_MAX + 1)
    if not 1 <= len(text) <= ANNOUNCEMENT_MAX:
        raise NotFilledIn(messages.TROUBLE["text"], "text")
    queue = form.get("queue", "")
    if queue and hospital.queue(queue) is None:
        raise NotFilledIn(messages.TROUBLE["queue"], "queue")
    language = form.get("language", "")
    if language not in BOOK:
        raise NotFilledIn(messages.TROUBLE["language"], "language")
    return Announcement(
        id=secrets.token_hex(8), text=text, language=language, queue=queue, at_ms=time.time_ns() // 1_000_000,
        until_ms=_until_ms(form.get("until", ""), zone),
    )  # fmt: skip


def _until_ms(text: str, zone: ZoneInfo) -> int:
    """The next moment with this time of day. Raises NotFilledIn when it cannot be read or is far away."""
    now = datetime.now(zone)
    try:
        typed = datetime.strptime(text.strip(), "%H:%M").time()
    except ValueError:
        raise NotFilledIn(messages.TROUBLE["until"], "until") from None
    until = datetime.combine(now.date(), typed, zone)
    if until <= now:
        until = datetime.combine(now.date() + timedelta(days=1), typed, zone)
    if until - now > timedelta(hours=LONGEST_H):
        raise NotFilledIn(tr(messages.TROUBLE["far"]).format(hours=LONGEST_H), "until")
    return int(until.timestamp() * 1000)


def _hours_of(form: dict[str, str]) -> BoardHours:
    times = {name: form.get(name, "").strip() for name in ("quiet_from", "quiet_to", "night_from", "night_to")}
    return BoardHours(**times, moves="moves" in form)


async def _page(
    session: Session, registry: Registry, desk: OpdDesk, settings: Settings, *, message: str = "", trouble: str = "",
    status: int = 200, typed: dict[str, str] | None = None, field: str = "",
) -> Response[str]:  # fmt: skip
    """``typed``: the refused form, so that nothing is lost; ``field``: what is wrong in it."""
    hospital, snapshot = await hospital_of(session, registry), await desk.snapshot(session.facility)
    queues = {queue.id: queue.name for queue in hospital.queues}
    return templating.page(
        "announcements.html", session=session, status=status, facility=hospital.facility, queues=queues,
        announcements=snapshot.announcements if snapshot else (), hours=snapshot.hours if snapshot else BoardHours(),
        tongues={code: book.name for code, book in BOOK.items()}, zone=hospital.zone(settings.timezone),
        message=message, trouble=trouble, typed=typed or {}, field=field, longest=ANNOUNCEMENT_MAX,
        most=ANNOUNCEMENTS_MAX,
    )  # fmt: skip
