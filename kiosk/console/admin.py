"""The administrator's own pages: the day now, queues and counters, rules, posters, logins, and the facility itself."""

from typing import Final
from urllib.parse import quote

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from kiosk.accounts.service import Staff, StaffError
from kiosk.accounts.sessions import Session
from kiosk.console import guards, messages, room_messages, rooms, templating
from kiosk.console.admin_acts import ACTS, NEW_PASSWORDS, Sent
from kiosk.console.admin_rooms import AdminRooms
from kiosk.console.forms import NotFilledIn, policy_of, refusal
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.posters.drawing import NotDrawn, PosterPictures, drawn
from kiosk.posters.sheet import SIZES
from kiosk.posters.texts import Which, posters_of
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_form
from kiosk.web.security_headers import PAGE
from queueing.desk import OpdDesk
from queueing.last_changes import ChangedSince, LastChanges
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
        sent = Sent(
            hip=session.facility, form=form, actor=actor, registry=registry.acting(actor), staff=staff, outbox=outbox,
            desk=desk,
        )  # fmt: skip
        room, section = _place_of_change(form) if act == "take-back" else rooms.OF_ACT[act]
        try:
            if act == "policy" and form.get("look"):
                looked, message = policy_of(form), tr(room_messages.DONE["look"])
                return await admin_rooms.page(session, room, message=message, typed={act: form}, looked=looked)
            if act in NEW_PASSWORDS:
                return await admin_rooms.page(session, room, secret=await NEW_PASSWORDS[act](sent))
            if act == "take-back":
                await last_changes.take_back(session.facility, form["kind"], form.get("mark", "")[:MARK_MAX], actor)
                done = act
            else:
                done = await ACTS[act](sent)
        except (NotFilledIn, DoesNotFit) as wrong:
            unfit = refusal(act, wrong) if isinstance(wrong, DoesNotFit) else wrong
            return await admin_rooms.page(
                session, room, trouble=str(unfit), status=422, typed={act: form}, field=unfit.field
            )
        except (StaffError, ChangedSince, RegistryError) as wrong:
            trouble, status, field = _trouble_of(wrong)
            return await admin_rooms.page(session, room, trouble=trouble, status=status, typed={act: form}, field=field)
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


def _trouble_of(wrong: StaffError | ChangedSince | RegistryError) -> tuple[str, int, str]:
    """Why a change was not made: the sentence for the administrator, the status of the answer, and the wrong field."""
    match wrong:
        case StaffError():
            return tr(room_messages.STAFF_TROUBLE.get(type(wrong).__name__, str(wrong))), 422, "login"
        case ChangedSince():
            return tr(room_messages.CHANGED_SINCE), 409, ""
        case StillUsed():
            return tr(room_messages.STILL_USED[wrong.use]), 409, ""
        case PrefixTaken():
            return tr(messages.ADMIN_TROUBLE["prefix"]), 409, "prefix"
        case _:
            return tr(messages.ADMIN_TROUBLE["unknown"]), 404, ""
