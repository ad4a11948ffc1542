"""An event as other programs get it: by pull, by stream and by webhook."""

from datetime import tzinfo

from msgspec import UNSET, Struct, UnsetType, structs

from kiosk.exchange.profile_json import ProfileJson
from kiosk.exchange.ticket_json import LinksJson, Moment, TicketJson, local_time, ticket_json, word_of
from queueing.event_log import Event
from queueing.models import Ticket


class EventData(Struct, frozen=True, kw_only=True):
    """What the event is about."""

    ticket: TicketJson | None = None
    """The ticket after the event. None for a refused share of somebody without a place, and for a reply about no place.
    ``ahead`` is null: an event does not know it."""
    profile: ProfileJson | UnsetType = UNSET
    """Only for receivers that may have it."""
    reason: str | UnsetType = UNSET
    """Why a share was refused, such as ``closed_queue``."""


class EventJson(Struct, frozen=True, kw_only=True):
    """One event of one facility."""

    id: str
    """The same in every delivery."""
    type: str
    timestamp: Moment
    facility: str
    """HIP id."""
    cursor: str
    """Events after it are those behind this one."""
    data: EventData


def event_json(
    event: Event,
    facility: str,
    zone: tzinfo,
    *,
    profile: ProfileJson | None = None,
    links: LinksJson | None = None,
) -> EventJson:
    """An event of a facility, named by its HIP id, with its times in the facility's zone."""
    return EventJson(
        id=event.id,
        type=event.kind.type,
        timestamp=local_time(event.at_ms, zone),
        facility=facility,
        cursor=event.cursor,
        data=EventData(
            ticket=event_ticket_json(event.ticket, facility, zone, links) if event.ticket else None,
            profile=UNSET if profile is None else profile,
            reason=UNSET if event.refusal is None else word_of(event.refusal),
        ),
    )


def event_ticket_json(ticket: Ticket, facility: str, zone: tzinfo, links: LinksJson | None) -> TicketJson:
    """The ticket of an event. The log does not hold how many people are before it."""
    return structs.replace(ticket_json(ticket, facility, zone, links), ahead=None)
