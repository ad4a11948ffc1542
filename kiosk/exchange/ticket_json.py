"""A ticket as other programs get it; docs/hmis.md lists its fields."""

from datetime import date, datetime, tzinfo
from enum import Enum
from typing import Annotated

from msgspec import Meta, Struct

from queueing.day import day_of_ticket
from queueing.models import State, Ticket, UnixMs
from queueing.stops import Stop
from queueing.ticket_source import source_of

Moment = Annotated[datetime, Meta(tz=True)]
"""RFC 3339 with an offset."""


class LinksJson(Struct, frozen=True, kw_only=True):
    """The hospital system's own numbers of a ticket."""

    patient_id: str
    """The hospital's number of the patient (UHID)."""
    visit_id: str | None = None
    url: str | None = None
    """Where the hospital's system shows the record."""


class StopJson(Struct, frozen=True, kw_only=True):
    """A queue from which the ticket was sent on."""

    queue: str
    arrived_at: Moment
    called_at: Moment | None = None
    """When the person was called there and came; null: nobody recorded that they came."""
    ended_at: Moment
    """When it was sent on."""


class TicketJson(Struct, frozen=True, kw_only=True):
    """One ticket without a word of the person. Times carry the facility's offset."""

    id: str
    token_number: str
    facility: str
    """HIP id."""
    queue: str
    counter: str | None = None
    state: str
    """``expected waiting called serving held no_show done cancelled lapsed``."""
    lane: str
    reason: str | None = None
    """Why a clerk let the person go sooner."""
    assurance: str
    nearness: str
    source: str
    """``abha_app camera staff hmis``."""
    service_day: date
    ahead: int | None = None
    """People before it, while it waits."""
    arrived_at: Moment
    called_at: Moment | None = None
    started_at: Moment | None = None
    ended_at: Moment | None = None
    changed_at: Moment | None = None
    """When anything of it changed last."""
    calls: int = 0
    stops: tuple[StopJson, ...] = ()
    """Queues from which it was sent on, oldest first, the last eight. Empty in lists of earlier days."""
    links: LinksJson | None = None


def ticket_json(ticket: Ticket, facility: str, zone: tzinfo, links: LinksJson | None = None) -> TicketJson:
    """The ticket of a facility, named by its HIP id, with its times in the facility's zone."""
    return TicketJson(
        id=ticket.id,
        token_number=ticket.token,
        facility=facility,
        queue=ticket.queue,
        counter=ticket.counter or None,
        state=word_of(ticket.state),
        lane=word_of(ticket.lane),
        reason=word_of(ticket.reason) if ticket.reason else None,
        assurance=word_of(ticket.assurance),
        nearness=word_of(ticket.nearness),
        source=source_of(ticket),
        service_day=day_of_ticket(ticket.id),
        ahead=ticket.ahead if ticket.state is State.WAITING else None,
        arrived_at=local_time(ticket.arrived_ms, zone),
        called_at=_time_or_none(ticket.called_ms, zone),
        started_at=_time_or_none(ticket.started_ms, zone),
        ended_at=_time_or_none(ticket.ended_ms, zone),
        changed_at=_time_or_none(ticket.changed_ms, zone),
        calls=ticket.calls,
        stops=tuple(_stop_json(stop, zone) for stop in ticket.stops),
        links=links,
    )


def _stop_json(stop: Stop, zone: tzinfo) -> StopJson:
    return StopJson(
        queue=stop.queue,
        arrived_at=local_time(stop.arrived_ms, zone),
        called_at=_time_or_none(stop.called_ms, zone),
        ended_at=local_time(stop.ended_ms, zone),
    )


def word_of(member: Enum) -> str:
    """The word by which other programs know a member of an enum."""
    return member.name.lower()


def local_time(at_ms: UnixMs, zone: tzinfo) -> datetime:
    """A moment with the facility's offset, exact to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, zone)  # a float holds milliseconds of our time; it is rounded to them


def _time_or_none(at_ms: UnixMs, zone: tzinfo) -> datetime | None:
    return local_time(at_ms, zone) if at_ms else None
