"""What the API reads and writes beside tickets, profiles and events (``kiosk.exchange``)."""

from datetime import date, datetime
from typing import Annotated, Final, Literal, get_args

from msgspec import UNSET, Meta, Struct, UnsetType

from kiosk.exchange.event_json import EventJson
from kiosk.exchange.ticket_json import Moment, TicketJson

LIMIT_MAX: Final = 200
WAIT_MAX_S: Final = 25
"""Proxies cut a silent answer after 30 s and more."""
TEXT_MAX: Final = 128
"""Characters of a line of an address, as other entrances take them."""

Move = Literal[
    "call", "recall", "start", "finish", "hold", "no_show", "bring_back", "check_in", "transfer", "cancel"
]  # fmt: skip
StateWord = Literal["expected", "waiting", "called", "serving", "held", "no_show", "done", "cancelled", "lapsed"]
LaneWord = Literal["ordinary", "senior", "pregnant", "disabled", "emergency", "priority"]
Day = date
"""Under another name: a field of a class below has this one."""
Limit = Annotated[int, Meta(ge=1, le=LIMIT_MAX, description="At most so many items.")]
Id = Annotated[str, Meta(min_length=1, max_length=64)]
STATES: Final[tuple[str, ...]] = get_args(StateWord)


class WaitEstimate(Struct, frozen=True, kw_only=True):
    """How long somebody who joins now may wait."""

    low_s: int
    high_s: int


class SpanJson(Struct, frozen=True, kw_only=True):
    """A time range of a weekday, by the facility's wall clock."""

    weekday: str
    """``mon`` to ``sun``: the day on which it begins."""
    opens: str
    """``HH:MM``."""
    closes: str
    """``HH:MM``; not after ``opens``: on the next day. ``24:00`` ends the day."""


class QueueJson(Struct, frozen=True, kw_only=True):
    """One queue now."""

    id: str
    name: str
    names: dict[str, str]
    """By language, where set."""
    department_code: str | None
    """SNOMED CT, where set."""
    prefix: str
    open: bool
    """Whether it takes people now: neither closed by hand nor by its hours."""
    hours: tuple[SpanJson, ...] | None
    """Null: at any hour."""
    opens_at: Moment | None
    """When it opens next, while its hours keep it closed."""
    waiting: int
    expected: int
    last_called: str | None
    """Token number."""
    wait_estimate: WaitEstimate | None
    """Null while fewer than two people were called."""
    counters: tuple[str, ...]


class FacilityJson(Struct, frozen=True, kw_only=True):
    """A facility by its names."""

    id: str
    """HIP id."""
    name: str
    """As registered."""
    names: dict[str, str]
    """By language, where set."""


class QueueList(Struct, frozen=True, kw_only=True):
    """The queues of a facility."""

    facility: FacilityJson
    items: tuple[QueueJson, ...]
    next: str | None = None


class TicketsQuery(Struct, frozen=True, kw_only=True):
    """Which tickets are listed."""

    date: (
        Annotated[Day, Meta(description="Service day; today unless told. Earlier days come from the archive.")] | None
    ) = None
    queue: Annotated[Id, Meta(description="Queue id.")] | None = None
    state: StateWord | None = None
    counter: Annotated[Id, Meta(description="Counter that called them last.")] | None = None
    changed_after: (
        Annotated[
            datetime,
            Meta(
                tz=True,
                description="Arrived, moved in any way, or got other `links` after this. Times are compared in whole "
                "milliseconds, and a change in the same millisecond is listed.",
            ),
        ]
        | None
    ) = None
    limit: Limit = LIMIT_MAX
    cursor: (
        Annotated[str, Meta(pattern=r"^[0-9]{1,9}-[0-9]{1,9}$", description="`next` of the page before.")] | None
    ) = None


class TicketList(Struct, frozen=True, kw_only=True):
    """One page of tickets, in the order of their numbers."""

    items: tuple[TicketJson, ...]
    next: str | None
    counts: dict[str, int]
    """Tickets of the day by state, of the queue and counter that the query names; paging does not change them."""


class AddressIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the person lives."""

    line: Annotated[str, Meta(max_length=TEXT_MAX)] | None = None
    district: Annotated[str, Meta(max_length=TEXT_MAX)] | None = None
    state: Annotated[str, Meta(max_length=TEXT_MAX)] | None = None
    pincode: Annotated[str, Meta(max_length=10)] | None = None


class PatientIn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person whom the hospital's system registered, as a profile is given out."""

    name: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]
    abha_number: (
        Annotated[str, Meta(max_length=40, description="Fourteen digits, however they are grouped.")] | None
    ) = None
    abha_address: Annotated[str, Meta(max_length=255)] | None = None
    gender: Literal["M", "F", "O", "D", "T", "U"] | None = None
    year_of_birth: Annotated[int, Meta(ge=1900, le=2299)] | None = None
    month_of_birth: Annotated[int, Meta(ge=1, le=12)] | None = None
    day_of_birth: Annotated[int, Meta(ge=1, le=31)] | None = None
    phone: Annotated[str, Meta(max_length=40)] | None = None
    address: AddressIn | None = None


class RegisterBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person takes a place in a queue."""

    queue: Id
    lane: LaneWord | None = None
    """The age decides unless told."""
    patient: PatientIn


class MoveBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One move of a ticket."""

    move: Move
    counter: Id | None = None
    """Needed for `call`."""
    queue: Id | None = None
    """Needed for `transfer`."""


class EventsQuery(Struct, frozen=True, kw_only=True):
    """Which events are read."""

    after: (
        Annotated[
            str,
            Meta(
                pattern=r"^([0-9]{1,15}(-[0-9]{1,15})?|latest)$",
                description="Cursor to go on after; without it from the oldest kept; `latest`: none of the past.",
            ),
        ]
        | None
    ) = None
    wait: Annotated[int, Meta(ge=0, le=WAIT_MAX_S, description="Seconds to wait for an event when there is none.")] = 0
    limit: Limit = LIMIT_MAX


class EventList(Struct, frozen=True, kw_only=True):
    """Events in their order. Ask again after `next`, also when there were none."""

    items: tuple[EventJson, ...]
    next: str


class WrongField(Struct, frozen=True, kw_only=True):
    """One value that is not allowed."""

    field: str
    message: str


class ProblemJson(Struct, frozen=True, kw_only=True):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    id: str | UnsetType = UNSET
    """Under this the failure stands in the service's log."""
    errors: tuple[WrongField, ...] | UnsetType = UNSET
    state: str | UnsetType = UNSET
    """Of a conflict: the ticket's state."""
    ticket: TicketJson | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    """Why the queue takes nobody now."""
    begin: str | UnsetType = UNSET
    """The cursor where events can be read from."""
    patient_id: str | UnsetType = UNSET
    """The number under which the hospital's system has this person."""
