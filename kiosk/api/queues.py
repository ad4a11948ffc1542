"""``GET …/queues``: each queue of a facility as it stands now."""

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from kiosk.api import guards
from kiosk.api.bodies import JSON, answer
from kiosk.api.description import Answer, Doc
from kiosk.api.errors import NotThere
from kiosk.api.guards import Caller
from kiosk.api.shapes import FacilityJson, QueueJson, QueueList, SpanJson, WaitEstimate
from kiosk.exchange.hours_text import WEEKDAYS
from queueing.api_keys import Scope
from queueing.desk import OpdDesk
from queueing.facility_view import QueueView, Snapshot
from queueing.opening_hours import DAY_MIN, Opening, clock
from queueing.waiting import range_s


class Queues(Controller):
    path = "/facilities/{hip_id:str}/queues"

    @get(
        "/",
        guards=[guards.reads_tickets],
        opt={
            "doc": Doc(
                summary="The queues of a facility: who waits, who was called last, how long it takes.",
                scope=Scope.TICKETS_READ,
                answers={200: Answer(words="The queues.", bodies={JSON: QueueList})},
            )
        },
    )
    async def list_queues(self, caller: NamedDependency[Caller], desk: NamedDependency[OpdDesk]) -> Response[bytes]:
        snapshot = await desk.snapshot(caller.hip)
        if snapshot is None:
            raise NotThere("There is no facility with this HIP id.")
        codes = {queue.id: queue.department_code or None for queue in caller.hospital.queues}
        items = tuple(_queue(snapshot, view, codes.get(view.id), caller.zone) for view in snapshot.queues)
        facility = FacilityJson(id=snapshot.facility, name=snapshot.name, names=snapshot.names)
        return answer(QueueList(facility=facility, items=items))


def _queue(snapshot: Snapshot, view: QueueView, department_code: str | None, zone: tzinfo) -> QueueJson:
    last = next(iter((*view.recent, *view.now)), None)
    return QueueJson(
        id=view.id,
        name=view.name,
        names=view.names,
        department_code=department_code,
        prefix=view.prefix,
        open=view.open,
        hours=tuple(_spans(view.hours)) if view.hours is not None else None,
        opens_at=_moment(view.opens, zone) if view.opens else None,
        waiting=view.waiting,
        expected=view.expected,
        last_called=last.token if last else None,
        wait_estimate=_estimate(view, snapshot.at_ms),
        counters=tuple(counter.name for counter in snapshot.counters if view.id in counter.queues),
    )


async def opens_at(desk: OpdDesk, caller: Caller, queue: str) -> datetime | None:
    """When a queue opens that its hours keep closed."""
    snapshot = await desk.snapshot(caller.hip)
    view = next((one for one in snapshot.queues if one.id == queue), None) if snapshot else None
    return _moment(view.opens, caller.zone) if view and view.opens else None


def _spans(hours: Sequence[int]) -> Iterator[SpanJson]:
    for opens, closes in zip(hours[::2], hours[1::2], strict=True):
        weekday = WEEKDAYS[opens // DAY_MIN].lower()
        yield SpanJson(weekday=weekday, opens=clock(opens), closes=clock(closes, is_end=True))


def _moment(opening: Opening, zone: tzinfo) -> datetime:
    return datetime.fromisoformat(f"{opening.date}T{opening.time}").replace(tzinfo=zone)


def _estimate(view: QueueView, now_ms: int) -> WaitEstimate | None:
    """For somebody who joins now: the range that a ticket page shows, in seconds."""
    found = range_s(view.waiting, view.pace, view.usual, now_ms)
    return WaitEstimate(low_s=round(found[0]), high_s=round(found[1])) if found else None
