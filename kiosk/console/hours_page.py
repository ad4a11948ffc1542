"""The page of opening hours: of each queue as a form for the days of a week, and the holidays of the facility.

A change is shown with a button that takes it back. *Try* saves nothing and says what the hours would have done today.
"""

from typing import Final
from zoneinfo import ZoneInfo

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from markupsafe import Markup
from msgspec import Struct

from kiosk.accounts.sessions import Session
from kiosk.console import guards, language, templating
from kiosk.console import hours_messages as messages
from kiosk.console.forms import Form, NotFilledIn
from kiosk.console.guards import ConsoleRequest
from kiosk.console.hours_form import Week, columns_of, day_names, spans_of, stored_week, typed_week, with_monday_copied
from kiosk.console.language import tr
from kiosk.console.lookups import hospital_of
from kiosk.exchange.hours_text import (
    NotUnderstood,
    date_of,
    days_and_ranges,
    read_holidays,
    read_hours,
    write_holidays,
    write_hours,
)  # fmt: skip
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_form
from queueing.day_counts import DAY_PAGE
from queueing.desk import OpdDesk
from queueing.hours_now import HoursNow
from queueing.limits import QUEUE_ID_MAX
from queueing.models import Queue
from queueing.opening_hours import DAY_MIN, HOLIDAY_NAME_MAX, HOLIDAYS_MAX, Holiday, is_within, local_minute
from queueing.registry import Hospital, Registry

TRIED_MAX: Final = 6 * DAY_PAGE
"""Numbers of today that *Try* looks at: each page of them takes the store a millisecond."""


class Shown(Struct, frozen=True, kw_only=True):
    """What the page says beyond the stored hours."""

    message: str = ""
    trouble: str = ""
    field: str = ""
    """The form that was refused or tried: a queue id, or ``holidays``."""
    wrong: str = ""
    """Its field that is wrong."""
    week: Week | None = None
    """The hours that were typed and are not saved."""
    typed: str = ""
    """The holidays, or the name of one, that were typed and are not saved."""
    date: str = ""
    """The date of one."""
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
        """``queue`` saves hours, ``try`` says what they would have done today, ``copy`` fills the working days in.
        ``holiday`` adds one, ``no-holiday`` takes one away, ``holidays`` saves a list in place of all.
        """
        form, hospital = await read_form(request), await hospital_of(session, registry)
        own = registry.acting(guards.actor_of(request, session))
        if act in HOLIDAY_ACTS:
            return await _page(session, registry, settings, await HOLIDAY_ACTS[act](own, hospital, form))
        if act not in ("queue", "try", "copy"):
            raise NotFoundException
        queue = hospital.queue(form.get("queue", "")[:QUEUE_ID_MAX])
        if queue is None:
            return await _page(session, registry, settings, Shown(trouble=tr(messages.UNKNOWN), status=404))
        if act == "queue":
            shown = await _save_hours(own, hospital, queue, form)
        elif act == "try":
            shown = await _try_hours(desk, hospital, queue, form, ZoneInfo(hospital.zone(settings.timezone)))
        else:
            shown = Shown(message=tr(messages.COPIED), field=queue.id, week=with_monday_copied(typed_week(form)))
        return await _page(session, registry, settings, shown)


def _spans_of(form: Form) -> tuple[int, ...]:
    """The week that was typed. The button that takes a change back, and that of any hour, send a text."""
    return read_hours(form["hours"]) if "hours" in form else spans_of(typed_week(form))


async def _save_hours(registry: Registry, hospital: Hospital, queue: Queue, form: Form) -> Shown:
    try:
        spans = _spans_of(form)
    except (NotFilledIn, NotUnderstood) as wrong:
        return _refused(queue, form, wrong)
    await registry.set_hours(hospital.facility.hip_id, queue.id, spans)
    lines = days_and_ranges(spans, day_names())
    hours = Markup("; ").join(Markup('{} <bdi dir="ltr">{}</bdi>').format(*line) for line in lines)
    message = templating.fill(tr(messages.SAVED if spans else messages.ALWAYS), queue=queue.name, hours=hours)
    return Shown(message=message, field=queue.id, undo=("queue", write_hours(queue.hours or ())))


def _refused(queue: Queue, form: Form, wrong: NotFilledIn | NotUnderstood) -> Shown:
    """Nothing that was typed is lost."""
    trouble, field = (wrong.words(tr), "") if isinstance(wrong, NotUnderstood) else (str(wrong), wrong.field)
    return Shown(trouble=trouble, field=queue.id, wrong=field, week=typed_week(form), status=422)


async def _try_hours(desk: OpdDesk, hospital: Hospital, queue: Queue, form: Form, zone: ZoneInfo) -> Shown:
    try:
        spans = _spans_of(form)
    except (NotFilledIn, NotUnderstood) as wrong:
        return _refused(queue, form, wrong)
    minutes = await _arrivals(desk, hospital.facility.hip_id, queue.id, zone)
    days = {one.day for one in hospital.holidays}
    refused = sum(not is_within(spans, days, minute) for minute in minutes) if spans else 0
    sentence = messages.TRIED if minutes else messages.TRIED_NOBODY
    message = templating.fill(tr(sentence), queue=queue.name, refused=refused, counted=len(minutes))
    return Shown(message=message, field=queue.id, week=typed_week(form))


async def _save_holidays(registry: Registry, hospital: Hospital, form: Form) -> Shown:
    text = form.get("holidays", "")
    try:
        holidays = read_holidays(text)
    except NotUnderstood as wrong:
        return Shown(trouble=wrong.words(tr), field="holidays", typed=text, status=422)
    return await _put_holidays(registry, hospital, holidays, tr(messages.HOLIDAYS_SAVED))


async def _add_holiday(registry: Registry, hospital: Hospital, form: Form) -> Shown:
    """One more; a date that is there already gets the new name."""
    text = f"{form.get('date', '').strip()} {form.get('name', '').strip()}"
    try:
        added = read_holidays(" ".join(text.split(";")))
    except NotUnderstood:
        added = []
    if len(added) != 1:
        return _refused_holiday(form, tr(messages.HOLIDAY_DATE))
    others = [one for one in hospital.holidays if one.day != added[0].day]
    if len(others) >= HOLIDAYS_MAX:
        return _refused_holiday(form, NotUnderstood("holidays", most=HOLIDAYS_MAX).words(tr))
    message = templating.fill(tr(messages.HOLIDAY_SAVED), date=_in_words(added[0]))
    return await _put_holidays(registry, hospital, [*others, *added], message)


def _refused_holiday(form: Form, trouble: str) -> Shown:
    name, date = form.get("name", ""), form.get("date", "")
    return Shown(trouble=trouble, field="holiday", typed=name, date=date, status=422)


async def _take_holiday(registry: Registry, hospital: Hospital, form: Form) -> Shown:
    gone = [one for one in hospital.holidays if date_of(one).isoformat() == form.get("date")]
    if not gone:
        return Shown(trouble=tr(messages.HOLIDAY_DATE), field="holiday", status=404)
    left = [one for one in hospital.holidays if one not in gone]
    message = templating.fill(tr(messages.HOLIDAY_AWAY), date=_in_words(gone[0]))
    return await _put_holidays(registry, hospital, left, message)


async def _put_holidays(registry: Registry, hospital: Hospital, holidays: list[Holiday], message: str) -> Shown:
    await registry.set_holidays(hospital.facility.hip_id, sorted(holidays, key=lambda one: one.day))
    return Shown(message=message, field="holidays", undo=("holidays", write_holidays(hospital.holidays)))


HOLIDAY_ACTS: Final = {"holidays": _save_holidays, "holiday": _add_holiday, "no-holiday": _take_holiday}


def _in_words(holiday: Holiday) -> str:
    """Weekday, day, month and year in the clerk's language."""
    day = date_of(holiday)
    return f"{language.book().day(day.isoformat())} {day.year}"


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
    today = next(
        (one.name or date_of(one).isoformat() for one in hospital.holidays if one.day == minute // DAY_MIN), ""
    )
    return templating.page(
        "hours.html", session=session, status=shown.status, facility=hospital.facility, zone=zone,
        rows=[_row(queue, now, shown) for queue in hospital.queues], days=day_names(),
        listed=[(date_of(one), _in_words(one), one.name) for one in hospital.holidays],
        holidays=write_holidays(hospital.holidays), holiday_today=today, shown=shown, message=shown.message,
        trouble=shown.trouble, name_max=HOLIDAY_NAME_MAX,
    )  # fmt: skip


class Row(Struct, frozen=True, kw_only=True):
    """A queue on the page."""

    queue: Queue
    hours: list[tuple[str, str]]
    """What is stored: days in the clerk's words, and their ranges."""
    now: str
    week: Week
    """What the form holds."""
    columns: int
    is_open: bool
    """Whether its form is unfolded."""


def _row(queue: Queue, now: HoursNow, shown: Shown) -> Row:
    is_here = shown.field == queue.id
    week = (shown.week if is_here else None) or stored_week(queue.hours or ())
    return Row(
        queue=queue, hours=days_and_ranges(queue.hours or (), day_names()), now=_now(queue, now), week=week,
        columns=columns_of(week), is_open=is_here,
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
