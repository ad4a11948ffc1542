"""A ticket as the store's functions pack it."""

import msgspec

from queueing.lanes import Lane
from queueing.models import Assurance, Nearness, State, Ticket, UnixMs
from queueing.reasons import Reason
from queueing.stops import Stop


class _PackedTicket(msgspec.Struct, frozen=True, array_like=True):
    """A ticket as the functions pack it: ``T`` in functions/shared/ticket.lua, in its order."""

    queue: str
    state: State
    lane: Lane
    assurance: Assurance
    nearness: Nearness
    token: str
    arrived_ms: UnixMs
    score: float
    counter: str
    called_ms: UnixMs
    started_ms: UnixMs
    ended_ms: UnixMs
    calls: int
    request: str
    shown_until_ms: UnixMs
    revision: int
    lapsed_from: int = 0
    """State before it lapsed. This field and the next are missing from most tickets."""
    parked: int = 0
    changed_ms: UnixMs = 0
    """Missing before the first move, or 0."""
    reason: Reason = Reason.NONE
    stops: tuple[Stop, ...] = ()
    """Missing before the first transfer."""


_read_ticket = msgspec.msgpack.Decoder(_PackedTicket).decode


def ticket_of(ticket_id: bytes, packed: bytes, ahead: int = 0) -> Ticket:
    """A ticket as the functions pack it."""
    fields = _read_ticket(packed)
    return Ticket(
        id=ticket_id.decode(),
        token=fields.token,
        queue=fields.queue,
        state=fields.state,
        lane=fields.lane,
        assurance=fields.assurance,
        nearness=fields.nearness,
        counter=fields.counter,
        arrived_ms=fields.arrived_ms,
        called_ms=fields.called_ms,
        started_ms=fields.started_ms,
        ended_ms=fields.ended_ms,
        calls=fields.calls,
        ahead=ahead,
        request=fields.request,
        reply_parked=bool(fields.parked),
        changed_ms=fields.changed_ms or max(fields.arrived_ms, fields.called_ms, fields.started_ms, fields.ended_ms),
        reason=fields.reason,
        stops=fields.stops,
    )
