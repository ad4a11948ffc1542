"""The administrator's page: queues, counters, rules, printed texts, logins, parked replies and the facility itself."""

import asyncio
from urllib.parse import quote

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from kiosk.accounts.service import Role, Staff, StaffError
from kiosk.accounts.sessions import Session
from kiosk.console import guards, messages, templating
from kiosk.console.forms import NotFilledIn, counter_of, facility_of, policy_of, queue_of, refusal
from kiosk.console.guards import ConsoleRequest
from kiosk.settings import Settings
from kiosk.web.page_bodies import read_form
from kiosk.web.security_headers import PAGE
from queueing.audit import Audit
from queueing.models import PresenceRule
from queueing.outbox import Outbox
from queueing.registry import DoesNotFit, PrefixTaken, Registry, RegistryError
from tokens import qr
from tokens.errors import PictureError

PARKED_SHOWN = 100
"""Parked replies on the page, newest first: an outage parks more, and all have the same reason."""


class Admin(Controller):
    path = "/console/admin"

    @get("/", guards=[guards.administrator], include_in_schema=False)
    async def show(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry],
        staff: NamedDependency[Staff], outbox: NamedDependency[Outbox], settings: NamedDependency[Settings],
        done: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        return await _page(session, registry, staff, outbox, settings, message=messages.ADMIN_DONE.get(done, ""))

    @post("/{act:str}", guards=[guards.administrator], include_in_schema=False)
    async def change(
        self, request: ConsoleRequest, act: FromPath[str], session: NamedDependency[Session],
        registry: NamedDependency[Registry], staff: NamedDependency[Staff], outbox: NamedDependency[Outbox],
        settings: NamedDependency[Settings], audit: NamedDependency[Audit],
    ) -> Response[str] | Response[None]:  # fmt: skip
        """Do what one form of the page says. An error is shown on the same page, a success after a redirect."""
        form = await read_form(request)
        try:
            if act in ("staff", "reset"):
                secret = await _password(act, form, session, staff)
                await _record(act, form, session, audit, guards.address_of(request))
                return await _page(session, registry, staff, outbox, settings, secret=secret)
            done = await _change(act, form, session.facility, registry, staff, outbox)
            await _record(act, form, session, audit, guards.address_of(request))
        except (NotFilledIn, DoesNotFit) as wrong:
            sentence = refusal(act, wrong) if isinstance(wrong, DoesNotFit) else wrong
            return await _page(
                session, registry, staff, outbox, settings, trouble=str(sentence), status=422, typed={act: form},
                field=sentence.field,
            )  # fmt: skip
        except StaffError as wrong:
            return await _page(session, registry, staff, outbox, settings, trouble=str(wrong), status=422)
        except PrefixTaken:
            trouble = messages.ADMIN_TROUBLE["prefix"]
            return await _page(session, registry, staff, outbox, settings, trouble=trouble, status=409)
        except RegistryError:
            trouble = messages.ADMIN_TROUBLE["unknown"]
            return await _page(session, registry, staff, outbox, settings, trouble=trouble, status=404)
        return templating.go(f"/console/admin?done={done}#{act}")

    @get("/poster/{counter:str}", guards=[guards.administrator], include_in_schema=False)
    async def poster(
        self, counter: FromPath[str], session: NamedDependency[Session], registry: NamedDependency[Registry],
        settings: NamedDependency[Settings],
    ) -> Response[bytes] | Response[str]:  # fmt: skip
        """The counter's printed QR, an A4 page."""
        hospital = await registry.hospital(session.facility)
        if hospital is None or hospital.counter(counter) is None:
            raise NotFoundException
        facility = hospital.facility
        address = qr.facility_url(settings.qr_host, facility.hip_id, counter)
        try:
            picture = await asyncio.to_thread(
                qr.poster, address, title=facility.name, subtitle=messages.POSTER, counter=counter
            )
        except PictureError as cannot:
            return templating.page("trouble.html", session=session, status=422, text=str(cannot))
        name = f'inline; filename="poster-{quote(counter, safe="")}.png"'
        return Response(picture, media_type="image/png", headers={**PAGE, "Content-Disposition": name})


async def _change(act: str, form: dict[str, str], hip: str, registry: Registry, staff: Staff, outbox: Outbox) -> str:
    """Do what one form says. Returns the key of the sentence that confirms it (``messages.ADMIN_DONE``)."""
    if act == "queue":
        await registry.put_queue(hip, queue_of(form, await registry.queues(hip)))
    elif act == "queue-open":
        await registry.open_queue(hip, form.get("id", ""), form.get("open") == "1")
        return "queue"
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
        await staff.disable(form.get("login", ""), form.get("disabled") == "1", within=hip)
        return "disabled" if form.get("disabled") == "1" else "enabled"
    elif act == "resend":
        return "resent" if await outbox.resend(hip, form.get("id", "")[:200]) else "not_resent"
    else:
        raise NotFoundException
    return act


_NAMED_BY = ("login", "id", "name")
"""Fields of the forms that name a login, a queue, or a counter."""


async def _record(act: str, form: dict[str, str], session: Session, audit: Audit, address: str) -> None:
    """Record who changed what, and from where. Of the form only the name of the changed thing is recorded."""
    named = "" if act == "facility" else next((form[field] for field in _NAMED_BY if form.get(field)), "")
    await audit.record(session.facility, f"admin_{act}", by=session.login, address=address, why=named[:64])


async def _password(act: str, form: dict[str, str], session: Session, staff: Staff) -> tuple[str, str]:
    """Make a login or a new password. Returns ``(login, password)``, which the page shows once."""
    login = form.get("login", "").strip().lower()[:64]
    if act == "reset":
        return login, await staff.reset(login, within=session.facility)
    role: Role = "admin" if form.get("role") == "admin" else "clerk"
    name = form.get("name", "")
    return login, await staff.add(login, facility=session.facility, role=role, name=name)


async def _page(
    session: Session, registry: Registry, staff: Staff, outbox: Outbox, settings: Settings, *, message: str = "",
    trouble: str = "", secret: tuple[str, str] | None = None, status: int = 200,
    typed: dict[str, dict[str, str]] | None = None, field: str = "",
) -> Response[str]:  # fmt: skip
    """The whole page. ``typed``: the refused form by its act, so that nothing is lost; ``field``: what is wrong."""
    hip = session.facility
    facility, queues, counters, texts, logins, parked = await asyncio.gather(
        registry.facility(hip), registry.queues(hip), registry.counters(hip), registry.texts(hip), staff.of(hip),
        outbox.parked(hip, limit=PARKED_SHOWN),
    )  # fmt: skip
    if facility is None:
        raise guards.NoFacilityYet
    zone = facility.timezone or settings.timezone
    return templating.page(
        "admin.html", session=session, status=status, facility=facility, queues=queues, counters=counters, texts=texts,
        logins=logins, parked=parked, presence_rules=list(PresenceRule), message=message, trouble=trouble,
        secret=secret, zone=zone, typed=typed or {}, field=field, own_rate=settings.facility_rate,
        own_burst=settings.facility_burst,
    )  # fmt: skip
