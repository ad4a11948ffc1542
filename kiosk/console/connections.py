"""The page *Connections*: which programs are told of this facility's tickets, and what became of the deliveries.

A webhook's secret is shown once, in the answer that made it. Profiles go to a program only after an administrator of
the facility switched them on here. Every act stands in the audit.
"""

import time
from typing import Final

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from kiosk.accounts.sessions import Session
from kiosk.console import connection_messages, guards, templating
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr, translated
from kiosk.console.lookups import facility_of
from kiosk.exchange.target_setup import EVENT_TYPES, TargetWrong, host_of, new_hl7, new_webhook
from kiosk.security.encryption import LastingSeal
from kiosk.settings import Settings
from kiosk.web.limits import ID_MAX
from kiosk.web.page_bodies import read_form
from queueing.audit import Audit
from queueing.models import Facility
from queueing.registry import Registry
from queueing.targets import (
    EVERY_FACILITY,
    TARGETS_OF_FACILITY,
    EventRef,
    NoSuchTarget,
    Target,
    TargetFormat,
    Targets,
    TargetState,
    TooManyTargets,
)

PLACE: Final = "/console/connections"
EVENT_MAX: Final = 100
"""Characters of an event's id: a facility's key and a cursor."""
PARKED_SHOWN: Final = 100


class Row(Struct, frozen=True, kw_only=True):
    """One target as the page shows it."""

    state: TargetState
    mark: str
    """A key of ``connection_messages.STATES``."""
    waiting: int
    of_all: bool
    """It belongs to the whole service; only profiles are this facility's to allow."""
    profiles_by: str
    """Login of who switched profiles on; empty while they are off."""


class Connections(Controller):
    path = PLACE

    @get("/", guards=[guards.administrator], include_in_schema=False)
    async def show(
        self, session: NamedDependency[Session], registry: NamedDependency[Registry],
        targets: NamedDependency[Targets], settings: NamedDependency[Settings], done: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        return await _Page(session, registry, targets, settings).answer(
            message=tr(connection_messages.DONE.get(done, ""))
        )

    @post("/webhook", guards=[guards.administrator], include_in_schema=False)
    async def add_webhook(
        self, request: ConsoleRequest, session: NamedDependency[Session], registry: NamedDependency[Registry],
        targets: NamedDependency[Targets], settings: NamedDependency[Settings], audit: NamedDependency[Audit],
        target_seal: NamedDependency[LastingSeal],
    ) -> Response[str]:  # fmt: skip
        """Add a webhook. The answer shows its secret, once."""
        form, page = await read_form(request), _Page(session, registry, targets, settings)
        try:
            target, secret = new_webhook(
                form.get("url", "").strip(), session.facility, target_seal, events=form.get("events", "").split(","),
                profiles="profiles" in form, allowed_by=session.login, by=session.login,
                format_=TargetFormat.FHIR if form.get("format") == "fhir" else TargetFormat.JSON,
            )  # fmt: skip
            await _add(request, session, targets, audit, target)
        except (TargetWrong, TooManyTargets) as wrong:
            return await page.answer(
                trouble=tr(connection_messages.REFUSED).format(fault=wrong), status=422, typed=form
            )
        return await page.answer(message=tr(connection_messages.DONE["webhook"]), secret=secret, made=target.id)

    @post("/hl7", guards=[guards.administrator], include_in_schema=False)
    async def add_hl7(
        self, request: ConsoleRequest, session: NamedDependency[Session], registry: NamedDependency[Registry],
        targets: NamedDependency[Targets], settings: NamedDependency[Settings], audit: NamedDependency[Audit],
    ) -> Response[str] | Response[None]:  # fmt: skip
        form, page = await read_form(request), _Page(session, registry, targets, settings)
        try:
            target = new_hl7(
                form.get("address", "").strip(), session.facility, tls="tls" in form, by=session.login,
                allowed_by=session.login if "profiles" in form else "",
            )  # fmt: skip
            await _add(request, session, targets, audit, target)
        except (TargetWrong, TooManyTargets) as wrong:
            return await page.answer(
                trouble=tr(connection_messages.REFUSED).format(fault=wrong), status=422, typed=form
            )
        return templating.go(f"{PLACE}?done=hl7")

    @post("/{target:str}/{act:str}", guards=[guards.administrator], include_in_schema=False)
    async def change(
        self, request: ConsoleRequest, target: FromPath[str], act: FromPath[str], session: NamedDependency[Session],
        targets: NamedDependency[Targets], audit: NamedDependency[Audit],
    ) -> Response[None]:  # fmt: skip
        """Remove, switch on or off, allow or stop profiles, or send an event again."""
        form = await read_form(request)
        try:
            state = await targets.one(target[:ID_MAX])
        except NoSuchTarget:
            raise NotFoundException from None
        mine = state.target.facility == session.facility
        if act not in _ACTS or not (mine or (act in _PROFILES and state.target.facility == EVERY_FACILITY)):
            raise NotFoundException
        ref = _event_of(state, form.get("event", "")[:EVENT_MAX]) if act == "again" else None
        why = f"{state.target.id} {host_of(state.target)}"
        await audit.record(
            session.facility, f"admin_target-{act}", by=session.login, address=guards.address_of(request), why=why
        )
        await _do(targets, state.target, act, session, ref)
        return templating.go(f"{PLACE}?done={act}#{state.target.id}")


_PROFILES: Final = ("profiles-on", "profiles-off")
_ACTS: Final = ("remove", "on", "off", "again", *_PROFILES)


async def _do(targets: Targets, target: Target, act: str, session: Session, ref: EventRef | None) -> None:
    if act == "remove":
        await targets.remove(target.id)
    elif act == "on":
        await targets.switch_on(target.id)
    elif act == "off":
        await targets.switch_off(target.id, f"by {session.login}")
    elif ref is not None:
        await targets.send_again(target.id, ref, time.time_ns() // 1_000_000)
    else:
        await targets.allow_profiles(target.id, session.facility, session.login if act == "profiles-on" else "")


async def _add(
    request: ConsoleRequest, session: Session, targets: Targets, audit: Audit, target: Target
) -> None:  # fmt: skip
    await targets.add(target)
    kinds = ["add", *(["profiles-on"] if target.profiles_on else [])]
    for kind in kinds:
        await audit.record(
            session.facility, f"admin_target-{kind}", by=session.login, address=guards.address_of(request),
            why=f"{target.id} {host_of(target)}",
        )  # fmt: skip


def _event_of(state: TargetState, event_id: str) -> EventRef:
    """The event of a delivery that the page shows. Raises NotFoundException."""
    refs = [*(one.ref for one in state.deliveries), *(one.ref for one in state.progress.parked)]
    found = next((ref for ref in refs if ref.id == event_id), None)
    if found is None:
        raise NotFoundException
    return found


def row_of(state: TargetState, hip: str) -> Row:
    """One target, for an administrator of this facility."""
    target, progress, of_all = state.target, state.progress, state.target.facility == EVERY_FACILITY
    mark = "off" if target.off else "down" if progress.down_since_ms else "late" if progress.failed else "ok"
    waiting = sum(len(one.events) for one in progress.failed) + progress.behind
    return Row(
        state=state, mark=mark, waiting=0 if of_all else waiting, of_all=of_all,
        profiles_by=target.profiles_on.get(hip, ""),
    )  # fmt: skip


class _Page:
    """The whole page, for one request."""

    def __init__(self, session: Session, registry: Registry, targets: Targets, settings: Settings) -> None:
        self.session = session
        self.registry = registry
        self.targets = targets
        self.settings = settings

    async def answer(
        self, *, message: str = "", trouble: str = "", status: int = 200, typed: dict[str, str] | None = None,
        secret: str = "", made: str = "",
    ) -> Response[str]:  # fmt: skip
        """``typed``: the refused form, so that nothing is lost. ``secret``, ``made``: of the webhook just added."""
        hip = self.session.facility
        facility = await facility_of(self.session, self.registry)
        rows = [row_of(await self.targets.one(one.id), hip) for one in await self._shown(hip)]
        return templating.page(
            "connections.html", session=self.session, status=status, facility=facility, rows=rows, message=message,
            trouble=trouble, typed=typed or {}, secret=secret, made=made, zone=self._zone(facility),
            most=TARGETS_OF_FACILITY, states=translated(connection_messages.STATES),
            results=translated(connection_messages.RESULTS),
            types=sorted(EVENT_TYPES), private_allowed=self.settings.private_targets, parked_shown=PARKED_SHOWN,
        )  # fmt: skip

    async def _shown(self, hip: str) -> list[Target]:
        """The facility's own, and those of the whole service that want profiles."""
        return [one for one in await self.targets.of(hip) if one.facility == hip or one.wants_profiles]

    def _zone(self, facility: Facility) -> str:
        return facility.timezone or self.settings.timezone
