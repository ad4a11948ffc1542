"""A facility with its counters from a template: an administrator of all facilities sees what would be made, then makes
it.
"""

from typing import Any, Final
from urllib.parse import urlencode

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from kiosk.accounts.sessions import Session
from kiosk.console import facility_copy_messages as messages
from kiosk.console import guards, templating
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.web.page_bodies import read_form
from queueing import facility_copy
from queueing.facility_copy import CopyPlan
from queueing.limits import HIP_ID_MAX
from queueing.registry import Registry

PAGE: Final = "/console/facility/copy"


class CannotCopy(Exception):
    """The key of the sentence that says why (``facility_copy_messages.TROUBLE``)."""


class FacilityCopyPage(Controller):
    path = PAGE

    @get("/", guards=[guards.state_administrator], include_in_schema=False)
    async def show(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry],
        template: FromQuery[str] = "", to: FromQuery[str] = "", done: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        """``?template=`` and ``?to=`` are HIP ids: what a copy would make now."""
        template, to = _hip(template), _hip(to)
        if not template:
            return _page(session, template, to or session.facility)
        try:
            plan = await _plan(registry, template, to)
        except CannotCopy as cannot:
            return _page(session, template, to, trouble=tr(messages.TROUBLE[str(cannot)]), status=_status(cannot))
        return _page(session, template, to, plan=plan, message=tr(messages.DONE) if done else "")

    @post("/", guards=[guards.state_administrator], include_in_schema=False)
    async def make(
        self, request: ConsoleRequest, session: NamedDependency[Session], registry: NamedDependency[Registry]
    ) -> Response[str] | Response[None]:
        """Make what is missing now. The audit of the new facility has a line with the template's id."""
        form = await read_form(request)
        template, to = _hip(form.get("template", "")), _hip(form.get("to", ""))
        try:
            plan = await _plan(registry, template, to)
        except CannotCopy as cannot:
            return _page(session, template, to, trouble=tr(messages.TROUBLE[str(cannot)]), status=_status(cannot))
        await facility_copy.make(registry.acting(guards.actor_of(request, session)), plan)
        return templating.go(f"{PAGE}?{urlencode({'template': template, 'to': to, 'done': 1})}")


async def _plan(registry: Registry, template: str, to: str) -> CopyPlan:
    """Raises CannotCopy."""
    if template == to:
        raise CannotCopy("same")
    source = await registry.hospital(template)
    if source is None:
        raise CannotCopy("from")
    target = await registry.hospital(to)
    if target is None:
        raise CannotCopy("to")
    return facility_copy.plan(source, target)


def _hip(text: str) -> str:
    return text.strip()[:HIP_ID_MAX]


def _status(cannot: CannotCopy) -> int:
    return 422 if str(cannot) == "same" else 404


def _page(session: Session, template: str, to: str, *, status: int = 200, **values: Any) -> Response[str]:
    empty: dict[str, Any] = {"plan": None, "message": "", "trouble": ""}
    return templating.page(
        "facility_copy.html", session=session, status=status, source=template, to=to, left=messages.LEFT,
        most=HIP_ID_MAX, **(empty | values),
    )  # fmt: skip
