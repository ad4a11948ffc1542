"""A reply on its way to the gateway."""

from msgspec import Struct

from queueing.models import Outcome, Refusal, ReplyKind
from queueing.opening_hours import ClosedByHours


class PendingReply(Struct, frozen=True, kw_only=True):
    """A reply that the gateway has not got yet. ``envelope`` stays sealed here."""

    id: str
    """Where it stands in the outbox: partition and stream id."""
    kind: ReplyKind
    facility_key: str
    request: str
    """Hex digest of the request; the envelope's seal is bound to it."""
    envelope: bytes
    outcome: Outcome
    refusal: Refusal | None
    token: str
    expires_in_s: int
    created_ms: int
    """When it was written; the thirty seconds run from here."""
    running: str = ""
    """ON_STATUS: the token now being served, ``0`` when none was called yet."""
    pace_min: int = 0
    """ON_STATUS: average minutes a token takes, 0 while unknown."""
    closed: ClosedByHours | None = None
    """The hours that closed the queue."""
    deliveries: int = 1
