"""``/``: what this service is, where staff sign in, and the boards of a facility that the visitor names."""

from typing import Annotated, Final

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from kiosk.locales import Messages
from kiosk.settings import Settings
from kiosk.web.templating import messages_for, page
from queueing.hours_now import HoursNow
from queueing.models import Facility, Queue
from queueing.registry import Hospital, Registry

TEXT_MAX: Final = 250
"""Characters of the text that is searched for: no HIP id and no name is longer."""
SEARCHED: Final = 100
"""Facilities whose names are compared. Each is one read of the store, and anybody may ask. An id finds any one."""
SHOWN: Final = 20
"""Facilities in one answer: more do not help on a phone."""
_LANG = QueryParameter(max_length=300)


@get("/", include_in_schema=False)
async def home(
    request: Request[object, object, State],
    registry: NamedDependency[Registry],
    settings: NamedDependency[Settings],
    facility: FromQuery[str] = "",
    lang: Annotated[str, _LANG] = "",
) -> Response[str]:
    """``?facility=`` is a HIP id or a part of a name."""
    messages = messages_for(request, lang)
    wanted = " ".join(facility[:TEXT_MAX].split())
    found = await _facilities(registry, wanted) if wanted else []
    hospital = await registry.hospital(found[0].hip_id) if len(found) == 1 else None
    queues = _with_hours(hospital, settings, messages) if hospital else []
    return page("home.html", messages, wanted=wanted, found=found[:SHOWN], more=len(found) > SHOWN, queues=queues)


def _with_hours(hospital: Hospital, settings: Settings, messages: Messages) -> list[tuple[Queue, str]]:
    """Each queue with what its hours say: when it opens, or until when it is open today."""
    now = HoursNow(hospital, settings.timezone)
    return [(queue, _hours(queue, now, messages)) for queue in hospital.queues]


def _hours(queue: Queue, now: HoursNow, messages: Messages) -> str:
    opening, today = now.opening(queue), now.today(queue)
    if opening:
        return messages.opening(opening)
    return messages.say("common.hours_today", hours=today) if today else ""


async def _facilities(registry: Registry, wanted: str) -> list[Facility]:
    """The facility with this HIP id, else those with the text in a name of theirs, whatever its language."""
    exact = await registry.facility(wanted)
    if exact is not None:
        return [exact]
    text = wanted.casefold()
    return [
        one
        for one in await registry.facilities(limit=SEARCHED)
        if any(text in name.casefold() for name in (one.name, *one.names.values()))
    ]
