"""Which events are lines of the audit: acts, and moves of tickets by somebody."""

from collections.abc import Iterable, Iterator

from kiosk.archive.audit_chain import AuditLine
from kiosk.archive.places import Places, hip_id_of
from queueing.event_log import Event, EventKind
from queueing.models import Ticket
from queueing.reasons import word_of


def lines_of(happened: Iterable[Event], places: Places) -> Iterator[AuditLine]:
    """What somebody did."""
    for event in happened:
        hip_id = hip_id_of(event, places)
        if event.kind is EventKind.ACT and event.act is not None:
            act = event.act
            yield _line(hip_id, event, act.kind, act.ticket, act.why, act.address)
        elif event.by and event.ticket is not None:
            yield _line(hip_id, event, event.kind.type, event.ticket.id, _why(event.kind, event.ticket), "")


def _why(kind: EventKind, ticket: Ticket) -> str:
    """At which counter a move was made; of a change of priority, the reason."""
    if kind is EventKind.LANE_CHANGED:
        return word_of(ticket.reason) or ticket.lane.word
    return ticket.counter


def _line(hip_id: str, event: Event, act: str, ticket: str, why: str, address: str) -> AuditLine:
    return AuditLine(
        hip_id=hip_id, at_ms=event.at_ms, act=act, by=event.by, address=address, ticket=ticket, why=why, entry=event.id
    )
