"""``GET …/queues``: each queue of a facility as it stands now."""

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from kiosk.api import guards
from kiosk.api.bodies import JSON, answer
from kiosk.api.description import Answer, Doc
from kiosk.api.errors import NotThere
from kiosk.api.guards import Caller
from kiosk.api.shapes import QueueJson, QueueList, WaitEstimate
from queueing.api_keys import Scope
from queueing.desk import OpdDesk
from queueing.models import QueueView, Snapshot
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
        return answer(QueueList(items=tuple(_queue(snapshot, view, codes.get(view.id)) for view in snapshot.queues)))


def _queue(snapshot: Snapshot, view: QueueView, department_code: str | None) -> QueueJson:
    last = next(iter((*view.recent, *view.now)), None)
    return QueueJson(
        id=view.id,
        name=view.name,
        names=view.names,
        department_code=department_code,
        prefix=view.prefix,
        open=view.open,
        waiting=view.waiting,
        expected=view.expected,
        last_called=last.token if last else None,
        wait_estimate=_estimate(view, snapshot.at_ms),
        counters=tuple(counter.name for counter in snapshot.counters if view.id in counter.queues),
    )


def _estimate(view: QueueView, now_ms: int) -> WaitEstimate | None:
    """For somebody who joins now: the range that a ticket page shows, in seconds."""
    found = range_s(view.waiting, view.pace, view.usual, now_ms)
    return WaitEstimate(low_s=round(found[0]), high_s=round(found[1])) if found else None
