"""The administrator's own pages: the day now, queues and counters, rules, posters, logins, and the facility itself."""

from typing import Final
from urllib.parse import quote

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from kiosk.accounts.outcomes import Role
from kiosk.accounts.service import Staff, StaffError
from kiosk.accounts.sessions import Session
from kiosk.console import guards, messages, room_messages, rooms, templating
from kiosk.console.admin_rooms import AdminRooms
from kiosk.console.forms import NotFilledIn, counter_of, facility_of, policy_of, queue_of, refusal
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.posters.drawing import NotDrawn, PosterPictures, drawn
from kiosk.posters.sheet import SIZES
from kiosk.posters.texts import Which, posters_of
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_form
from kiosk.web.security_headers import PAGE
from queueing.audit import Actor
from queueing.desk import OpdDesk
from queueing.last_changes import ChangedSince, LastChanges
from queueing.limits import COUNTER_NAME_MAX, QUEUE_ID_MAX
from queueing.outbox import Outbox
from queueing.registry import DoesNotFit, PrefixTaken, Registry, RegistryError
from queueing.removal import StillUsed

MARK_MAX: Final = 64
"""Characters of the mark of a change."""
REMOVE_MAX: Final = 80
"""Characters of the name of what is to be removed; a login has 64."""


class Admin(Controller):
    path = "/console/admin"

    @get("/", guards=[guards.administrator], include_in_schema=False)
    async def show(
        self, session: NamedDependency[Session], admin_rooms: NamedDependency[AdminRooms], done: FromQuery[str] = ""
    ) -> Response[str]:
        """The first room: the facility now."""
        return await admin_rooms.page(session, "now", message=_done(done))

    @get("/rooms/{room:str}", guards=[guards.administrator], include_in_schema=False)
    async def show_room(
        self, room: FromPath[str], session: NamedDependency[Session], admin_rooms: NamedDependency[AdminRooms],
        done: FromQuery[str] = "", queue: FromQuery[str] = "", counter: FromQuery[str] = "",
        remove: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        """Another room, by its key: queues, staff, rules, facility or posters. ``queue``, ``counter``: to change it.

        ``remove``: ask whether to remove ``queue:``, ``counter:`` or ``staff:`` and an id; nothing happens yet.
        """
        if room not in rooms.OWN:
            raise NotFoundException
        return await admin_rooms.page(
            session, room, message=_done(done), queue=queue, counter=counter, remove=remove[:REMOVE_MAX]
        )

    @post("/{act:str}", guards=[guards.administrator], include_in_schema=False)
    async def change(
        self, request: ConsoleRequest, act: FromPath[str], session: NamedDependency[Session],
        registry: NamedDependency[Registry], staff: NamedDependency[Staff], outbox: NamedDependency[Outbox],
        admin_rooms: NamedDependency[AdminRooms], last_changes: NamedDependency[LastChanges],
        desk: NamedDependency[OpdDesk],
    ) -> Response[str] | Response[None]:  # fmt: skip
        """Do what one form says. An error is shown in the room of the form, a success after a redirect there."""
        if act not in rooms.OF_ACT:
            raise NotFoundException
        form, actor = await read_form(request), guards.actor_of(request, session)
        room, section = rooms.OF_ACT[act]
        try:
            if act == "take-back":
                room, section = _place_of_change(form)
                mark = form.get("mark", "")[:MARK_MAX]
                await last_changes.take_back(session.facility, form["kind"], mark, actor)
                return templating.go(f"{rooms.PATHS[room]}?done=take-back#{section}")
            if act == "policy" and form.get("look"):
                looked, message = policy_of(form), tr(room_messages.DONE["look"])
                return await admin_rooms.page(session, room, message=message, typed={act: form}, looked=looked)
            if act in ("staff", "reset"):
                secret = await _password(act, form, session, staff, actor)
                return await admin_rooms.page(session, room, secret=secret)
            if act in rooms.REMOVALS:
                done = await _remove(act, form, session.facility, desk, staff, actor)
            else:
                done = await _change(act, form, session.facility, registry.acting(actor), staff, outbox, actor)
        except (NotFilledIn, DoesNotFit) as wrong:
            unfit = refusal(act, wrong) if isinstance(wrong, DoesNotFit) else wrong
            return await admin_rooms.page(
                session, room, trouble=str(unfit), status=422, typed={act: form}, field=unfit.field
            )
        except StaffError as wrong:
            return await admin_rooms.page(session, room, trouble=_staff_trouble(wrong), status=422)
        except ChangedSince:
            return await admin_rooms.page(session, room, trouble=tr(room_messages.CHANGED_SINCE), status=409)
        except StillUsed as wrong:
            sentence = room_messages.STILL_USED[wrong.use]
            return await admin_rooms.page(session, room, trouble=tr(sentence), status=409)
        except PrefixTaken:
            return await admin_rooms.page(session, room, trouble=tr(messages.ADMIN_TROUBLE["prefix"]), status=409)
        except RegistryError:
            return await admin_rooms.page(session, room, trouble=tr(messages.ADMIN_TROUBLE["unknown"]), status=404)
        return templating.go(f"{rooms.PATHS[room]}?done={done}#{section}")

    @get("/posters", guards=[guards.administrator], include_in_schema=False)
    async def posters(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry],
        settings: NamedDependency[Settings], paper: FromQuery[str] = "A4", of: FromQuery[str] = Which.COUNTERS,
    ) -> Response[bytes] | Response[str]:  # fmt: skip
        """Posters as one PDF, a page for each. ``?paper=A3``; ``?of=queues`` or ``all``."""
        hospital = await registry.hospital(session.facility)
        if hospital is None or paper not in SIZES or of not in set(Which):
            raise NotFoundException
        printed = await registry.texts(session.facility)
        pages = posters_of(hospital, settings.qr_host, printed, which=Which(of))
        if not pages:
            raise NotFoundException
        try:
            pdf = await drawn(pages, paper)
        except NotDrawn as cannot:
            return templating.page("trouble.html", session=session, status=503, text=str(cannot))
        name = f'inline; filename="posters-{quote(session.facility, safe="")}-{of}-{paper}.pdf"'
        return Response(pdf, media_type="application/pdf", headers={**PAGE, "Content-Disposition": name})

    @get("/poster/{counter:str}", guards=[guards.administrator], include_in_schema=False)
    async def poster(
        self, counter: FromPath[str], session: NamedDependency[Session], registry: NamedDependency[Registry],
        settings: NamedDependency[Settings], poster_pictures: NamedDependency[PosterPictures],
    ) -> Response[bytes] | Response[str]:  # fmt: skip
        """The counter's poster as PNG, the page of the PDF."""
        hospital = await registry.hospital(session.facility)
        pages = posters_of(hospital, settings.qr_host, {}, only=counter) if hospital else []
        if not pages:
            raise NotFoundException
        try:
            picture = await poster_pictures.drawn(pages[0])
        except NotDrawn as cannot:
            return templating.page("trouble.html", session=session, status=503, text=str(cannot))
        name = f'inline; filename="poster-{quote(counter, safe="")}.png"'
        return Response(picture, media_type="image/png", headers={**PAGE, "Content-Disposition": name})


def _place_of_change(form: dict[str, str]) -> tuple[str, str]:
    """Room and section of the setting whose last change is taken back. Raises NotFoundException for no setting."""
    kind = form.get("kind", "")
    if kind not in rooms.SETTINGS:
        raise NotFoundException
    return rooms.OF_ACT.get(kind, ("now", "changes"))


def _done(done: str) -> str:
    return tr(messages.ADMIN_DONE.get(done) or room_messages.DONE.get(done, ""))


def _staff_trouble(wrong: StaffError) -> str:
    return tr(room_messages.STAFF_TROUBLE.get(type(wrong).__name__, str(wrong)))


async def _change(
    act: str, form: dict[str, str], hip: str, registry: Registry, staff: Staff, outbox: Outbox, actor: Actor
) -> str:
    """Do what one form says. Returns the key of the sentence that confirms it (``messages.ADMIN_DONE``).

    Each change writes its audit entry in its own step. Of the form the entry has only the name of the changed thing.
    """
    if act == "queue":
        await registry.put_queue(hip, queue_of(form, await registry.queues(hip)))
    elif act == "queue-open":
        is_open = form.get("open") == "1"
        await registry.open_queue(hip, form.get("id", ""), is_open)
        return "queue-opened" if is_open else "queue-closed"
    elif act == "default":
        await registry.set_default_queue(hip, form.get("id", ""))
    elif act == "counter":
        await registry.put_counter(hip, counter_of(form, await registry.queues(hip), await registry.counters(hip)))
    elif act == "counter-open":
        await registry.open_counter(hip, form.get("name", ""), form.get("open") == "1")
        return "counter"
    elif act == "policy":
        await registry.set_policy(hip, policy_of(form))
    elif act == "text":
        await registry.map_text(hip, form.get("text", ""), form.get("counter", ""))
    elif act == "facility":
        await registry.put_facility(facility_of(form, await registry.facility(hip)))
    elif act == "disable":
        await staff.disable(form.get("login", ""), form.get("disabled") == "1", within=hip, by=actor)
        return "disabled" if form.get("disabled") == "1" else "enabled"
    elif act == "sign-out":
        await staff.end_sessions(form.get("login", ""), within=hip, by=actor)
    else:
        parked = form.get("id", "")[:200]
        return "resent" if await outbox.resend(hip, parked, actor.act("admin_resend", parked)) else "not_resent"
    return act


async def _remove(act: str, form: dict[str, str], hip: str, desk: OpdDesk, staff: Staff, actor: Actor) -> str:
    """Remove what was never used. Returns the key of the sentence that confirms it. Raises StillUsed, StaffError,
    RegistryError.
    """
    if act == "remove-queue":
        queue = form.get("id", "")[:QUEUE_ID_MAX]
        await desk.remove(hip, "queue", queue, actor.act("admin_queue-removed", queue))
    elif act == "remove-counter":
        counter = form.get("name", "")[:COUNTER_NAME_MAX]
        await desk.remove(hip, "counter", counter, actor.act("admin_counter-removed", counter))
    else:
        await staff.remove(form.get("login", ""), within=hip, by=actor)
    return act


async def _password(act: str, form: dict[str, str], session: Session, staff: Staff, actor: Actor) -> tuple[str, str]:
    """Make a login or a new password. Returns ``(login, password)``, which the page shows once."""
    login = form.get("login", "").strip().lower()[:64]
    if act == "reset":
        return login, await staff.reset(login, within=session.facility, by=actor)
    role: Role = "admin" if form.get("role") == "admin" else "clerk"
    return await staff.add_here(login, facility=session.facility, role=role, name=form.get("name", ""), by=actor)
