"""``GET …/events``: what happened in a facility, in order, from a cursor; as a list, or as a stream."""

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency

from kiosk.api import guards
from kiosk.api.bodies import JSON, answer, read_query, wrong_field
from kiosk.api.description import Answer, Doc
from kiosk.api.event_pages import Events
from kiosk.api.event_stream import EVENT_STREAM, EventStream
from kiosk.api.guards import ApiRequest, Caller
from kiosk.api.shapes import LIMIT_MAX, EventList, EventsQuery
from queueing.api_keys import Scope


class EventsController(Controller):
    path = "/facilities/{hip_id:str}/events"

    @get(
        "/",
        guards=[guards.reads_tickets],
        opt={
            "doc": Doc(
                summary="What happened, in order, from a cursor; waits up to 25 s, or streams.",
                scope=Scope.TICKETS_READ,
                query=EventsQuery,
                headers={"Last-Event-ID": "Of a stream: the cursor to go on after. It wins over `after`."},
                answers={200: Answer(words="Events.", bodies={JSON: EventList, EVENT_STREAM: str})},
                problems=(410,),
            )
        },
    )
    async def list_events(
        self, request: ApiRequest, caller: NamedDependency[Caller], events: NamedDependency[Events]
    ) -> Response[bytes]:
        query = read_query(request, EventsQuery)
        if EVENT_STREAM in request.headers.get("accept", ""):
            query = resumed(query, request.headers.get("last-event-id", ""))
            after = await events.begin(caller, query.after)
            return EventStream(events, caller, *await events.read(caller, after, LIMIT_MAX))
        after = await events.begin(caller, query.after)
        if not query.wait:
            found, following = await events.read(caller, after, query.limit)
        else:
            with events.counted(caller):
                found, following = await events.wait(caller, after, query.limit, query.wait)
        return answer(EventList(items=tuple(found), next=following))


def resumed(query: EventsQuery, last_event_id: str) -> EventsQuery:
    """The query of a reader that comes back: it goes on after the last event that it got. Raises WrongValue."""
    if not last_event_id:
        return query
    try:
        return msgspec.convert({"after": last_event_id}, EventsQuery)
    except msgspec.ValidationError:
        raise wrong_field("Last-Event-ID", "is no cursor") from None
