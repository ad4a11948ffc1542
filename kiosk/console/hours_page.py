"""The page of opening hours: of each queue as lines that people type, and the holidays of the facility.

A change is shown with a button that takes it back. *Try* saves nothing and says what the hours would have done today.
"""

from typing import Final
from zoneinfo import ZoneInfo

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from msgspec import Struct

from kiosk.accounts.sessions import Session
from kiosk.console import guards, language, templating
from kiosk.console import hours_messages as messages
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.console.lookups import hospital_of
from kiosk.exchange.hours_text import NotUnderstood, date_of, read_holidays, read_hours, write_holidays, write_hours
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_form
from queueing.day_counts import DAY_PAGE
from queueing.desk import OpdDesk
from queueing.hours_now import HoursNow
from queueing.limits import QUEUE_ID_MAX
from queueing.models import Queue
from queueing.opening_hours import DAY_MIN, is_within, local_minute
from queueing.registry import Hospital, Registry

TRIED_MAX: Final = 6 * DAY_PAGE
"""Numbers of today that *Try* looks at: each page of them takes the store a millisecond."""


class Shown(Struct, frozen=True, kw_only=True):
    """What the page says beyond the stored hours."""

    message: str = ""
    trouble: str = ""
    field: str = ""
    """The form that was refused or tried: a queue id, or ``holidays``."""
    typed: str = ""
    undo: tuple[str, str] | None = None
    """Form and text that take the change back."""
    status: int = 200


class HoursPage(Controller):
    path = "/console/admin/hours"

    @get("/", guards=[guards.administrator], include_in_schema=False)
    async def show(
        self,
        session: NamedDependency[Session],
        registry: NamedDependency[Registry],
        settings: NamedDependency[Settings],
    ) -> Response[str]:
        return await _page(session, registry, settings, Shown())

    @post("/{act:str}", guards=[guards.administrator], status_code=200, include_in_schema=False)
    async def change(
        self, request: ConsoleRequest, act: FromPath[str], session: NamedDependency[Session],
        registry: NamedDependency[Registry], desk: NamedDependency[OpdDesk], settings: NamedDependency[Settings],
    ) -> Response[str]:  # fmt: skip
        """``queue`` saves hours, ``try`` says what they would have done today, ``holidays`` saves these."""
        if act not in ("queue", "try", "holidays"):
            raise NotFoundException
        form, hospital = await read_form(request), await hospital_of(session, registry)
        own = registry.acting(guards.actor_of(request, session))
        if act == "holidays":
            return await _page(
                session, registry, settings, await _save_holidays(own, hospital, form.get("holidays", ""))
            )
        queue = hospital.queue(form.get("queue", "")[:QUEUE_ID_MAX])
        if queue is None:
            return await _page(session, registry, settings, Shown(trouble=tr(messages.UNKNOWN), status=404))
        text = form.get("hours", "")
        if act == "queue":
            shown = await _save_hours(own, hospital, queue, text)
        else:
            shown = await _try_hours(desk, hospital, queue, text, ZoneInfo(hospital.zone(settings.timezone)))
        return await _page(session, registry, settings, shown)


async def _save_hours(registry: Registry, hospital: Hospital, queue: Queue, text: str) -> Shown:
    try:
        spans = read_hours(text)
    except NotUnderstood as wrong:
        return Shown(trouble=wrong.words(tr), field=queue.id, typed=text, status=422)
    await registry.set_hours(hospital.facility.hip_id, queue.id, spans)
    hours = write_hours(spans).replace("\n", "; ")
    message = templating.fill(tr(messages.SAVED if spans else messages.ALWAYS), queue=queue.name, hours=hours)
    return Shown(message=message, field=queue.id, undo=("queue", write_hours(queue.hours or ())))


async def _save_holidays(registry: Registry, hospital: Hospital, text: str) -> Shown:
    try:
        holidays = read_holidays(text)
    except NotUnderstood as wrong:
        return Shown(trouble=wrong.words(tr), field="holidays", typed=text, status=422)
    await registry.set_holidays(hospital.facility.hip_id, holidays)
    before = write_holidays(hospital.holidays)
    return Shown(message=tr(messages.HOLIDAYS_SAVED), field="holidays", undo=("holidays", before))


async def _try_hours(desk: OpdDesk, hospital: Hospital, queue: Queue, text: str, zone: ZoneInfo) -> Shown:
    try:
        spans = read_hours(text)
    except NotUnderstood as wrong:
        return Shown(trouble=wrong.words(tr), field=queue.id, typed=text, status=422)
    minutes = await _arrivals(desk, hospital.facility.hip_id, queue.id, zone)
    days = {one.day for one in hospital.holidays}
    refused = sum(not is_within(spans, days, minute) for minute in minutes) if spans else 0
    sentence = messages.TRIED if minutes else messages.TRIED_NOBODY
    message = templating.fill(tr(sentence), queue=queue.name, refused=refused, counted=len(minutes))
    return Shown(message=message, field=queue.id, typed=text)


async def _arrivals(desk: OpdDesk, hip: str, queue: str, zone: ZoneInfo) -> list[int]:
    """When the people of today came to a queue."""
    found: list[int] = []
    for after in range(0, TRIED_MAX, DAY_PAGE):
        page = await desk.day_page(hip, after)
        found += [local_minute(one.arrived_ms, zone) for one in page.tickets if one.queue == queue]
        if after + DAY_PAGE >= page.last:
            break
    return found


async def _page(session: Session, registry: Registry, settings: Settings, shown: Shown) -> Response[str]:
    hospital = await hospital_of(session, registry)
    zone = hospital.zone(settings.timezone)
    now = HoursNow(hospital, settings.timezone)
    minute = now.minute
    rows = [(queue, write_hours(queue.hours or ()), _now(queue, now)) for queue in hospital.queues]
    today = next(
        (one.name or date_of(one).isoformat() for one in hospital.holidays if one.day == minute // DAY_MIN), ""
    )
    return templating.page(
        "hours.html", session=session, status=shown.status, facility=hospital.facility, zone=zone, rows=rows,
        holidays=write_holidays(hospital.holidays), holiday_today=today, shown=shown, message=shown.message,
        trouble=shown.trouble,
    )  # fmt: skip


def _now(queue: Queue, now: HoursNow) -> str:
    """What a queue does at this moment, in one sentence."""
    if not queue.open:
        return tr(messages.BY_HAND)
    if queue.hours is None:
        return tr(messages.NOW_ALWAYS)
    if not now.closes(queue):
        return tr(messages.NOW_OPEN)
    opening = now.opening(queue)
    if opening is None:
        return tr(messages.NOW_LONG)
    return tr(messages.NOW_CLOSED).format(opens=language.book().opening(opening))
