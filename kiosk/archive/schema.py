"""The tables of the archive, the same in SQLite and PostgreSQL. ``docs/records.md`` explains them to their readers.

No table holds a name, a number or an address of a patient. Enumerations are stored as words, so that a report needs no
list of numbers. Times are unix milliseconds; 0 means that it has not happened. Days and hours are the facility's own.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    false,
)

from queueing.lanes import Lane
from queueing.limits import HIP_ID_MAX
from queueing.models import Assurance, Refusal, State
from queueing.reasons import Reason

metadata: Final = MetaData()

REQUEST_ID_MAX: Final = 250
"""Characters. The gateway sends a UUID of 36."""
PILLAR_MAX: Final = 64
"""Characters of a pillar's name."""
SOURCES: Final = ("abha_app", "camera", "staff", "hmis")
"""Who brought a patient: the ABHA app, the form for phones without one, a clerk, the hospital's own system."""
WAIT_MINUTES: Final = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240)
"""Upper ends of the classes of waits; the last class has none. Half an hour is what hospitals are measured by."""
SERVICE_MINUTES: Final = (0.5, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 60)
"""Upper ends of the classes of service times: a registration takes two minutes, a consultation five to ten."""
ACK_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60)
"""Upper ends of the classes of acknowledgement times. The phone waits thirty seconds."""


def words(kind: type[State] | type[Lane] | type[Assurance] | type[Refusal]) -> tuple[str, ...]:
    """The members of an enumeration as the archive writes them."""
    return tuple(member.name.lower() for member in kind)


REASONS: Final = tuple(f"reason_{reason.name.lower()}" for reason in Reason if reason)
"""Tickets by the reason that a clerk gave for letting them go sooner."""
WAIT_COLUMNS: Final = tuple(f"wait_{number}" for number in range(len(WAIT_MINUTES) + 1))
SERVICE_COLUMNS: Final = tuple(f"service_{number}" for number in range(len(SERVICE_MINUTES) + 1))
ACK_COLUMNS: Final = tuple(f"ack_{number}" for number in range(len(ACK_SECONDS) + 1))

PRIORITY: Final = (*(f"lane_{word}" for word in words(Lane)), *REASONS)

SUMS: Final = (
    "tokens",
    *(f"source_{word}" for word in SOURCES),
    *(f"assurance_{word}" for word in words(Assurance)),
    "far",
    *(f"lane_{word}" for word in words(Lane)),
    *(f"state_{word}" for word in words(State)),
    "called",
    "refused",
    *(f"refused_{word}" for word in words(Refusal)),
    "refused_by_hours",
    "repeated",
    "redelivered",
    "people_day",
    "people_month",
    "people_state",
    "people_unknown",
    "wait_s",
    *WAIT_COLUMNS,
    "service_s",
    *SERVICE_COLUMNS,
    "acks_delivered",
    "acks_parked",
    "ack_ms",
    *ACK_COLUMNS,
    *REASONS,
)
"""What is summed. Each is a count, but for ``wait_s``, ``service_s`` and ``ack_ms``: totals of a duration.

``people_day``, ``people_month`` and ``people_state`` count the tickets that were the first of their person in this
facility on this day, in this facility in this month, and in the whole service in this month. ``refused_by_hours`` is
a part of ``refused_closed_queue``.
"""

tickets: Final = Table(
    "tickets",
    metadata,
    Column("service_day", Date, primary_key=True),
    Column("hip_id", String(HIP_ID_MAX), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("token", String(16), nullable=False),
    Column("queue", String(64), nullable=False),
    Column("counter", String(64), nullable=False),
    Column("lane", String(16), nullable=False),
    Column("assurance", String(16), nullable=False),
    Column("nearness", String(16), nullable=False),
    Column("source", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("hour", SmallInteger, nullable=False),
    Column("arrived_ms", BigInteger, nullable=False),
    Column("checked_in_ms", BigInteger, nullable=False),
    Column("called_first_ms", BigInteger, nullable=False),
    Column("called_last_ms", BigInteger, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("request", String(24), nullable=False),
    Column("request_id", String(REQUEST_ID_MAX), nullable=False),
    Column("person", LargeBinary(16)),
    Column("first_day", Boolean, nullable=False),
    Column("first_month", Boolean, nullable=False),
    Column("first_state", Boolean, nullable=False),
    Column("ack", String(16), nullable=False),
    Column("ack_at_ms", BigInteger, nullable=False),
    Column("cursor", String(32), nullable=False),
    Column("reason", String(16), nullable=False, server_default=""),
    sqlite_with_rowid=False,
)
"""One row a ticket. Its id in the store is the service day's number since 1970, a dash and ``number``.

``request`` is the digest of the share (``queueing.redis_keys.request_digest``). ``request_id`` is the gateway's
REQUEST-ID; it is empty when no share made the place or its envelope was gone. ``ack``: empty, ``delivered`` or
``parked``. ``cursor`` is the event that wrote the row last. ``reason``: why a clerk let it go sooner, or empty.
"""

shares: Final = Table(
    "shares",
    metadata,
    Column("service_day", Date, primary_key=True),
    Column("hip_id", String(HIP_ID_MAX), primary_key=True),
    Column("event", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("refusal", String(24), nullable=False),
    Column("queue", String(64), nullable=False),
    Column("ticket", String(24), nullable=False),
    Column("hour", SmallInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("request", String(24), nullable=False),
    Column("ack", String(16), nullable=False),
    Column("ack_at_ms", BigInteger, nullable=False),
    Column("cursor", String(32), nullable=False),
    Column("by_hours", Boolean, nullable=False, server_default=false()),
    sqlite_with_rowid=False,
)
"""One row a share that gave no new place. ``kind``: ``refused`` (``refusal`` says why), ``repeated`` (the person had a
place) or ``redelivered`` (the gateway sent it again). ``by_hours``: the queue that refused it was closed by its opening
hours or a holiday; false in rows of releases before 0006. ``hip_id`` is empty when the share named no facility of
ours."""


def _sums(name: str, *keys: "Column[Any]") -> Table:
    counted = (Column(column, BigInteger, nullable=False, server_default="0") for column in SUMS)
    return Table(name, metadata, *keys, *counted, sqlite_with_rowid=False)


def _key(name: str, kind: Any) -> "Column[Any]":
    return Column(name, kind, primary_key=True, autoincrement=False)


hourly_sums: Final = _sums(
    "hourly_sums",
    _key("hip_id", String(HIP_ID_MAX)),
    _key("service_day", Date),
    _key("hour", SmallInteger),
    _key("queue", String(64)),
)
daily_sums: Final = _sums(
    "daily_sums", _key("hip_id", String(HIP_ID_MAX)), _key("service_day", Date), _key("queue", String(64))
)
monthly_sums: Final = _sums(
    "monthly_sums", _key("month", Date), _key("hip_id", String(HIP_ID_MAX)), _key("queue", String(64))
)
"""``month`` is the first day of the month."""
state_sums: Final = _sums("state_sums", _key("service_day", Date), _key("hour", SmallInteger))
"""All facilities together, so that a page over a state and a year reads a few thousand rows."""
Index("daily_sums_by_day", daily_sums.c.service_day)

imported_totals: Final = Table(
    "imported_totals",
    metadata,
    _key("hip_id", String(HIP_ID_MAX)),
    _key("day", Date),
    _key("source", String(64)),
    Column("tokens", BigInteger, nullable=False),
    Column("imported_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Totals of the time before this service. They are shown apart and added up, and never mixed into our own sums."""

pillars: Final = Table(
    "pillars",
    metadata,
    _key("pillar", String(PILLAR_MAX)),
    _key("day", Date),
    Column("value", BigInteger),
    Column("target", BigInteger),
    Column("source", String(64), nullable=False),
    Column("imported_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What the state's pillars reached on a day and should reach: imported, never counted here. NULL: not known."""

incentive_counts: Final = Table(
    "incentive_counts",
    metadata,
    _key("month", Date),
    _key("hip_id", String(HIP_ID_MAX)),
    Column("shares", BigInteger, nullable=False),
    Column("counted", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("acks_delivered", BigInteger, nullable=False),
    Column("counted_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What the incentive pays for, counted from the rows of a facility and month. ``tokens`` and ``acks_delivered`` are the
month's sums at that moment: when they have changed, the rows are counted again."""

events: Final = Table(
    "events",
    metadata,
    _key("hip_id", String(HIP_ID_MAX)),
    _key("cursor_ms", BigInteger),
    _key("cursor_number", BigInteger),
    _key("place", Integer),
    Column("kind", String(32), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("ticket", String(2000), nullable=False),
    Column("request", String(24), nullable=False),
    Column("outcome", String(24), nullable=False),
    Column("refusal", String(24), nullable=False),
    sqlite_with_rowid=False,
)
"""One row an event that other programs may get (``public_events.py``), some weeks long.

A cursor of the event log is two numbers with a dash; as text ``9-10`` would stand before ``9-9``. ``place`` is the
event's number among those of one cursor. ``ticket``: the ticket after the event as a JSON list, or empty. ``request``
is empty where it is the ticket's own.
"""

facilities: Final = Table(
    "facilities",
    metadata,
    _key("hip_id", String(HIP_ID_MAX)),
    Column("key", String(16), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("district", String(100), nullable=False),
    Column("state", String(100), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("first_day", Date),
    Column("last_day", Date),
)
"""As the registry knows them, read again every minute. ``first_day`` and ``last_day`` are of their tickets."""

cursors: Final = Table(
    "cursors",
    metadata,
    _key("partition", String(16)),
    Column("cursor", String(32), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
"""How far each partition of the event log has been read. Written in one transaction with what was read."""

leases: Final = Table(
    "leases",
    metadata,
    _key("name", String(16)),
    Column("holder", String(128), nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)
"""Which archive role works. The others wait."""

person_keys: Final = Table(
    "person_keys",
    metadata,
    _key("month", Date),
    Column("wrapped", LargeBinary(64), nullable=False),
)
"""The key of each month's person digests, wrapped by the key ring. A key is deleted a month after its month."""

persons: Final = Table(
    "persons",
    metadata,
    _key("digest", LargeBinary(16)),
    _key("hip_id", String(HIP_ID_MAX)),
    Column("month", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    sqlite_with_rowid=False,
)
"""Which person digests of the present months were seen where. Deleted with the key of their month."""

audit_lines: Final = Table(
    "audit_lines",
    metadata,
    _key("hip_id", String(HIP_ID_MAX)),
    _key("seq", BigInteger),
    Column("at_ms", BigInteger, nullable=False),
    Column("act", String(64), nullable=False),
    Column("by", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("ticket", String(24), nullable=False),
    Column("why", String(200), nullable=False),
    Column("entry", String(96), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)
"""Who did what, from where, on which ticket, and why. ``hash`` chains the lines of a facility (audit_chain.py)."""

audit_heads: Final = Table(
    "audit_heads",
    metadata,
    _key("hip_id", String(HIP_ID_MAX)),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)
"""The newest line of each chain."""

audit_day_heads: Final = Table(
    "audit_day_heads",
    metadata,
    _key("day", Date),
    _key("hip_id", String(HIP_ID_MAX)),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)
"""The newest line of each chain that grew since the seal before."""
Index("audit_day_heads_of_a_facility", audit_day_heads.c.hip_id, audit_day_heads.c.seq)

audit_seals: Final = Table(
    "audit_seals",
    metadata,
    _key("day", Date),
    Column("heads", LargeBinary(32), nullable=False),
    Column("seal", LargeBinary(32), nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("signature", LargeBinary(32), nullable=False),
)
"""One row a UTC day."""
