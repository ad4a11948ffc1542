"""The page of one queue: its names in the languages of patients, and the SNOMED CT code of its department."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from msgspec import Struct
from msgspec.structs import replace

from kiosk.accounts.sessions import Session
from kiosk.console import guards, messages, templating
from kiosk.console.guards import ConsoleRequest
from kiosk.console.language import tr
from kiosk.console.lookups import hospital_of
from kiosk.exchange.clinics import CLINICS, clinic_of
from kiosk.locales import BOOK, LANGUAGES
from kiosk.web.page_bodies import read_form
from kiosk.web.path_prefix import url
from queueing.concept_ids import is_concept_id
from queueing.display_text import shown_names
from queueing.limits import QUEUE_NAME_MAX
from queueing.models import Facility, Queue
from queueing.registry import Registry

CODE_WRONG: Final = "This is no code of SNOMED CT: 6 to 18 digits, of which the last one checks the others."
CODE_MAX: Final = 18


class Shown(Struct, frozen=True, kw_only=True):
    """What stands in the form."""

    names: Mapping[str, str]
    code: str
    clinic: str = ""
    """Key of the usual clinic whose names are proposed; empty when these are the queue's own."""


class QueuePage(Controller):
    path = "/console/admin/queues"

    @get("/{queue:str}", guards=[guards.administrator], include_in_schema=False)
    async def show(
        self, queue: FromPath[str], session: NamedDependency[Session], registry: NamedDependency[Registry],
        clinic: FromQuery[str] = "", done: FromQuery[str] = "",
    ) -> Response[str]:  # fmt: skip
        """``?clinic=``: propose the names of a usual clinic. A queue without names gets the proposals of its name."""
        facility, found = await _find(registry, session, queue)
        message = tr(messages.ADMIN_DONE["queue"]) if done else ""
        return _page(session, facility, found, _shown(found, clinic, is_saved=bool(done)), message=message)

    @post("/{queue:str}", guards=[guards.administrator], include_in_schema=False)
    async def save(
        self, request: ConsoleRequest, queue: FromPath[str], session: NamedDependency[Session],
        registry: NamedDependency[Registry],
    ) -> Response[str] | Response[None]:  # fmt: skip
        form = await read_form(request)
        facility, found = await _find(registry, session, queue)
        names = shown_names({language: form.get(language, "") for language in LANGUAGES}, QUEUE_NAME_MAX)
        code = form.get("department_code", "").strip()
        if code and not is_concept_id(code):
            typed = Shown(names=names, code=code[:CODE_MAX])
            return _page(session, facility, found, typed, trouble=tr(CODE_WRONG), field="department_code", status=422)
        changed = replace(found, names=names, department_code=code)
        await registry.acting(guards.actor_of(request, session)).put_queue(session.facility, changed)
        return templating.go(f"/console/admin/queues/{quote(found.id, safe='')}?done=1")


async def _find(registry: Registry, session: Session, queue_id: str) -> tuple[Facility, Queue]:
    hospital = await hospital_of(session, registry)
    found = hospital.queue(queue_id)
    if found is None:
        raise NotFoundException
    return hospital.facility, found


def _shown(queue: Queue, wanted: str, *, is_saved: bool) -> Shown:
    clinic = CLINICS.get(wanted)
    if clinic is None and not (is_saved or queue.names or queue.department_code):
        clinic = clinic_of(queue.id, queue.name)
    if clinic is None:
        return Shown(names=queue.names, code=queue.department_code)
    key = next(key for key, one in CLINICS.items() if one is clinic)
    return Shown(names=clinic.names, code=clinic.code, clinic=key)


def _page(
    session: Session, facility: Facility, queue: Queue, shown: Shown, *, message: str = "", trouble: str = "",
    field: str = "", status: int = 200,
) -> Response[str]:  # fmt: skip
    """``field``: what is wrong in a refused form."""
    name_languages = [BOOK[code] for code in LANGUAGES]
    return templating.page(
        "queue.html", session=session, status=status, facility=facility, queue=queue, names=shown.names,
        code=shown.code, clinic=shown.clinic, clinics=CLINICS, name_languages=name_languages, name_max=QUEUE_NAME_MAX,
        message=message, trouble=trouble, field=field,
        here=url(f"/console/admin/queues/{quote(queue.id, safe='')}"),
    )  # fmt: skip
