"""Fast registration without an integration: a profile is copied in the order of another program's form.

A clerk copies on the desk. An administrator says on a page of its own which forms there are and what their order is.
Every copy is a reading of the profile, and the audit has a line of it.
"""

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from kiosk.accounts.sessions import Session
from kiosk.console import copying_messages, guards, messages, templating
from kiosk.console.desk_view import DeskViews, age
from kiosk.console.forms import NotFilledIn
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.console.lookups import facility_of, ticket_of
from kiosk.exchange import copy_text
from kiosk.exchange.copy_text import CopyTemplate
from kiosk.patient.person import Patient
from kiosk.web.page_bodies import read_form, read_json
from kiosk.web.security_headers import PAGE
from kiosk.web.static_files import static_text
from queueing.audit import Audit
from queueing.desk import OpdDesk
from queueing.display_text import display_text
from queueing.models import Reader
from queueing.registry import Registry

INVENTED: Final = Patient(
    name="Zooni Dar", gender="F", year_of_birth=1981, month_of_birth=4, day_of_birth=9, phone="9419012345",
    abha_number="91000044441111", abha_address="zooni@sbx", line="House 7, Lal Chowk", district="Srinagar",
    state="Jammu and Kashmir", pincode="190001",
)  # fmt: skip
"""Nobody: the page shows what would be copied."""
_NEW: Final = {"name": "", "fields": "", "date": "DD/MM/YYYY", "gender": "M/F/O", "separator": "tab"}
"""A form before anybody typed into it."""


class CopyRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ticket: str
    template: str


class Copied(Struct, frozen=True, kw_only=True):
    text: str
    """For the clipboard."""
    words: str


_COPY_REQUEST = msgspec.json.Decoder(CopyRequest)


class Copying(Controller):
    path = "/console"

    @post("/desk/copy", guards=[guards.clerk], status_code=200, include_in_schema=False)
    async def copy(
        self, request: ConsoleRequest, session: NamedDependency[Session], desk: NamedDependency[OpdDesk],
        registry: NamedDependency[Registry], desk_views: NamedDependency[DeskViews], reader: NamedDependency[Reader],
        audit: NamedDependency[Audit],
    ) -> Response[Copied]:  # fmt: skip
        """One profile as text for one form. The audit has the reading before the text is given out."""
        form = await read_json(request, _COPY_REQUEST)
        ticket = await ticket_of(session, desk, form.ticket)
        template = _named(form.template, await templates_of(registry, session.facility))
        if template is None:
            raise NotFoundException
        patient = await desk_views.patient(session.facility, ticket, reader)
        await audit.record(
            session.facility, "profile_copied", by=session.login, address=reader.address, ticket=ticket.id,
            why=template.name,
        )  # fmt: skip
        sentence = tr(copying_messages.COPIED).format(token=ticket.token, form=template.name)
        return Response(Copied(text=_text_of(template, patient, ticket.token), words=sentence), headers=PAGE)

    @get("/admin/copying", guards=[guards.administrator], include_in_schema=False)
    async def show(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry], done: FromQuery[str] = ""
    ) -> Response[str]:
        return await _page(session, registry, message=tr(copying_messages.DONE.get(done, "")))

    @post("/admin/copying/{act:str}", guards=[guards.administrator], include_in_schema=False)
    async def change(
        self, request: ConsoleRequest, act: FromPath[str], session: NamedDependency[Session],
        registry: NamedDependency[Registry],
    ) -> Response[str] | Response[None]:  # fmt: skip
        """Save or remove one form, or go back to the program's own."""
        form = await read_form(request)
        try:
            changed = _changed(act, form, await templates_of(registry, session.facility))
        except NotFilledIn as wrong:
            return await _page(session, registry, trouble=str(wrong), status=422, typed=form, field=wrong.field)
        acting = registry.acting(guards.actor_of(request, session))
        await acting.set_copy_templates(session.facility, copy_text.pack_templates(changed))
        return templating.go(f"/console/admin/copying?done={act}")


async def templates_of(registry: Registry, hip: str) -> tuple[CopyTemplate, ...]:
    """The forms of a facility, in the order in which the desk offers them."""
    return copy_text.unpack_templates(await registry.copy_templates(hip))


def template_of(form: dict[str, str]) -> CopyTemplate:
    """The template that an administrator typed. Raises NotFilledIn."""
    fields = [display_text(field, copy_text.FIELD_MAX + 1) for field in re.split(r"[,\n\t]", form.get("fields", ""))]
    typed: dict[str, object] = {
        "name": display_text(form.get("name", ""), copy_text.NAME_MAX + 1),
        "fields": [field if field.startswith(copy_text.FIXED) else field.lower() for field in fields if field],
        **{part: form[part] for part in ("date", "gender", "separator") if part in form},
    }
    try:
        template = msgspec.convert(typed, CopyTemplate)
    except msgspec.ValidationError as error:
        found = re.search(r"\$\.(\w+)", str(error))
        field = found[1] if found else ""
        raise NotFilledIn(copying_messages.FIELDS.get(field, messages.TROUBLE["unreadable"]), field) from None
    if unknown := copy_text.unknown_fields(template):
        raise NotFilledIn(tr(copying_messages.FIELDS["unknown"]).format(fields=", ".join(unknown)), "fields")
    return template


def _changed(act: str, form: dict[str, str], before: tuple[CopyTemplate, ...]) -> tuple[CopyTemplate, ...]:
    """The templates after one form of the page. Raises NotFilledIn."""
    if act == "reset":
        return copy_text.BUILT_IN
    old = form.get("before", "")
    if act == "remove":
        return tuple(one for one in before if one.name != old)
    if act != "save":
        raise NotFoundException
    template = template_of(form)
    if any(one.name == template.name != old for one in before):
        raise NotFilledIn(copying_messages.FIELDS["twice"], "name")
    if _named(old, before):
        return tuple(template if one.name == old else one for one in before)
    if len(before) >= copy_text.TEMPLATES_MAX:
        raise NotFilledIn(copying_messages.FIELDS["full"], "name")
    return (*before, template)


def _named(name: str, templates: tuple[CopyTemplate, ...]) -> CopyTemplate | None:
    return next((one for one in templates if one.name == name), None)


def _text_of(template: CopyTemplate, patient: Patient, token: str) -> str:
    source = copy_text.Source(patient=patient, token=token, age=age(patient, datetime.now(UTC)))
    return copy_text.text_of(template, source)


def _bookmark() -> str:
    """The helper for browser forms as the address of a bookmark, without the remark at its head."""
    text = static_text("console/paste_helper.js")
    return "javascript:" + quote(text[text.index("(() =>") :], safe=" ()[]{}=>,;:'!?.*/+&|")


async def _page(
    session: Session, registry: Registry, *, message: str = "", trouble: str = "", status: int = 200,
    typed: dict[str, str] | None = None, field: str = "",
) -> Response[str]:  # fmt: skip
    """``typed``: the refused form, so that nothing is lost; ``field``: what is wrong in it."""
    facility = await facility_of(session, registry)
    templates = await templates_of(registry, session.facility)
    samples = {one.name: _text_of(one, INVENTED, "M-042") for one in templates}
    return templating.page(
        "copying.html", session=session, status=status, facility=facility, templates=templates, samples=samples,
        fields=(*copy_text.FIELDS, copy_text.BLANK), message=message, trouble=trouble, field=field, new=_NEW,
        typed=_NEW | typed if typed else {}, most=copy_text.TEMPLATES_MAX, helper=_bookmark(),
    )  # fmt: skip
