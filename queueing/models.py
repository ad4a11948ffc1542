"""Plain data that passes between the functions in the store and the rest of the program.

The store uses small numbers. The enums below name them; ``tests/queueing/test_enums.py`` compares them with
``functions/shared/enums.lua``.
"""

from enum import IntEnum

from msgspec import Struct

from queueing import limits
from queueing.corrections import NO_CORRECTIONS, Corrections
from queueing.lanes import Lane
from queueing.opening_hours import Spans
from queueing.policy import Policy
from queueing.reasons import Reason
from queueing.stops import Stop

UnixMs = int
"""Milliseconds since 1970-01-01 UTC, by the store's clock."""


class Outcome(IntEnum):
    """What a call to the desk came to. Outcomes are values; only a store that cannot answer is an exception."""

    NEW = 1
    """A new place was given."""
    SAME_REQUEST = 2
    """This request id was answered before: the same answer, and nothing was written."""
    SAME_PERSON = 3
    """This person holds a living place in this queue: the same number."""
    REFUSED = 4
    """No place; ``refusal`` says why, and a reply to the gateway is pending."""
    MOVED = 5
    EMPTY = 6
    TAKEN = 7
    """Somebody else moved first; the reply shows how things stand now."""
    NOT_ALLOWED = 8
    """The ticket's state does not admit this move."""
    UNKNOWN_TICKET = 9
    UNKNOWN_COUNTER = 10
    UNKNOWN_QUEUE = 11
    UNKNOWN_FACILITY = 12
    NOTHING_TO_UNDO = 13
    CONFLICT = 14
    """The request id came again with another body: the first answer stands, nothing was written."""
    OTHER_ZONE = 15
    """The facility keeps another time zone than the caller assumed; the desk asks again. Never leaves the desk."""
    UNANSWERED = 16
    """The person at the counter was called and never started: the clerk must say whether they came. Nothing changed."""


class State(IntEnum):
    """Where a ticket stands."""

    EXPECTED = 1
    """Has a number, is not here yet: the place counts from check-in."""
    WAITING = 2
    CALLED = 3
    SERVING = 4
    HELD = 5
    NO_SHOW = 6
    DONE = 7
    CANCELLED = 8
    LAPSED = 9
    """The service day ended over it."""


class Assurance(IntEnum):
    """What is proved about where the counter text was read."""

    SCREEN = 1
    """A signed code of a live screen, still fresh."""
    STALE = 2
    """A signed code whose slot has passed."""
    POSTER = 3
    """A bare counter name or a mapped printed text."""
    UNKNOWN = 4
    """Text that names no counter."""
    STAFF = 5
    """Registered by a clerk who sees the person."""
    CAMERA = 6
    """Came by the short-lived camera link of a screen."""


class Nearness(IntEnum):
    """Where the phone was, when it said."""

    UNKNOWN = 0
    NEAR = 1
    FAR = 2


class Refusal(IntEnum):
    """Why somebody got no number. The texts for people are in ``kiosk``."""

    UNKNOWN_FACILITY = 1
    CLOSED_COUNTER = 2
    CLOSED_QUEUE = 3
    FAR = 4
    STALE = 5
    UNKNOWN_COUNTER = 6
    INTENT = 7
    CLOCK = 8
    FACILITY_MISMATCH = 9
    BUSY = 10
    QUEUE_FULL = 11
    PROFILE = 12
    NO_QUEUE = 13
    """The facility exists and has no queue yet."""
    NO_TOKENS = 14
    """Running token asked for, and no number was given in this queue today."""
    MALFORMED = 15
    """A part of the message that must be there is missing, of a wrong type or too long."""
    NO_PLACE = 16
    """A printed poster was scanned, and it is not known where the phone was."""


class ReplyKind(IntEnum):
    """Which reply the gateway gets."""

    ON_SHARE = 1
    ON_STATUS = 2


class Named(Struct, frozen=True, kw_only=True):
    """What has a plain name, and names in the languages of patients."""

    name: str
    names: dict[str, str] = {}
    """By language, where set; a language without one shows ``name``."""

    def name_in(self, language: str) -> str:
        """The name in this language, else the plain one."""
        return self.names.get(language) or self.name


class Facility(Named, frozen=True, kw_only=True):
    """A hospital as the registry knows it. ``name`` is the registered one."""

    hip_id: limits.HipId
    name: limits.FacilityName
    names: limits.FacilityNames = {}
    district: limits.Region = ""
    state: limits.Region = ""
    latitude: limits.Latitude | None = None
    longitude: limits.Longitude | None = None
    timezone: limits.TimezoneName = ""
    """IANA name; empty means the service's own."""
    extra: dict[str, str] = {}
    policy: Policy = Policy()
    default_queue: str = ""
    networks: tuple[str, ...] = ()
    """The hospital's own networks: a browser in one of them stands in the hospital, like a paired screen."""
    corrections: Corrections = NO_CORRECTIONS
    """Sentences that its administrator corrected."""


class Queue(Named, frozen=True, kw_only=True):
    """One line of people in a facility; it owns the numbers."""

    id: limits.QueueId
    name: limits.QueueName
    prefix: limits.Prefix  # stands before every token number
    open: bool = True
    limit: limits.NumbersADay = limits.NUMBERS_A_DAY_MAX
    """Numbers a day: keeps a runaway client within bounds. A token has eight characters at most, whatever this says."""
    carry_over_min: limits.CarryOver = limits.CARRY_OVER_MIN
    """Who arrived this long before midnight keeps the place into the new day."""
    names: limits.QueueNames = {}
    department_code: limits.DepartmentCode = ""
    hours: Spans | None = None
    """When it takes people, by the facility's wall clock (``queueing.opening_hours``); None: always."""


class Counter(Struct, frozen=True, kw_only=True):
    """Where a clerk sits. ``name`` is public and stands in the QR: prefix and number, like ``M1``."""

    name: limits.CounterName
    queues: limits.CounterQueues
    """Queue ids it serves, the first is the one its QR leads to."""
    open: bool = True
    served_by: limits.ServedBy = ""
    """Who serves there, as screens show it: ``Dr. Asha Kumari, Medicine``. Empty: not shown."""


class Arrival(Struct, frozen=True, kw_only=True, gc=False):
    """One person asking for a place, as the edge understood it."""

    facility: str
    """HIP id."""
    counter: str = ""
    """Counter name proved by a signed code or chosen by staff; empty: let ``text`` decide."""
    text: str = ""
    """Counter text in the one spelling of ``redis_keys.counter_text``, when no code proved the counter."""
    queue: str = ""
    """Queue id, when the endpoint knows it (walk-in, camera link); wins over counter and text."""
    assurance: Assurance = Assurance.UNKNOWN
    position: tuple[float, float] | None = None
    """Latitude and longitude of the phone, in degrees, when it said."""
    lane: Lane = Lane.ORDINARY
    request: str
    """``redis_keys.request_digest`` of the idempotency key: the gateway's REQUEST-ID, or one made by the endpoint."""
    fingerprint: bytes = b""
    """Eight bytes, a digest of the body: tells a redelivery from a reused id."""
    persons: tuple[bytes, ...] = ()
    """At most two keyed digests (ABHA address, number) of this person; empty: the person is never found again."""
    envelope: bytes = b""
    """Who this is and what the answer needs, sealed; queueing cannot read it."""
    reply_wanted: bool = False
    refusal: Refusal | None = None
    """Already refused by the endpoint; a known request id still gets its earlier answer."""
    late: bool = False
    """Whether the place waits for check-in whatever the facility's policy says."""
    by: str = ""  # login of the clerk who registered the person; the event log keeps it
    reason: Reason = Reason.NONE
    """Why that clerk lets the person go sooner; without ``by`` it is not stored."""
    any_hour: bool = False  # a clerk takes the person although the queue's hours are over


class Place(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What an arrival came to, as it was when the store answered; functions/enqueue.lua packs it in this order."""

    outcome: Outcome
    ticket: str = ""
    """Ticket id within the facility, ``<day>-<n>``: never public, only inside signed links."""
    token: str = ""
    """What people see, ``M-042``."""
    queue: str = ""
    state: State = State.WAITING
    ahead: int = 0
    expires_in_s: int = 0
    """How long the phone may show this number."""
    refusal: Refusal | None = None

    @property
    def expected(self) -> bool:
        """The place counts from check-in."""
        return self.state is State.EXPECTED


class Ticket(Struct, frozen=True, kw_only=True):
    """One ticket as staff and the patient's own page may see it; no personal data."""

    id: str
    token: str
    queue: str
    """Queue id it stands in now."""
    state: State
    lane: Lane
    assurance: Assurance
    nearness: Nearness
    counter: str = ""
    arrived_ms: int
    called_ms: int = 0
    started_ms: int = 0
    ended_ms: int = 0
    calls: int = 0
    ahead: int = 0
    request: str = ""
    """Hex digest of the request that made it; the seal of its envelope is bound to it."""
    reply_parked: bool = False
    """A reply about it could not be delivered: the phone may not show the number."""
    changed_ms: int = 0
    """When it moved last, or the hospital's own numbers of it changed; at first when it arrived."""
    reason: Reason = Reason.NONE
    stops: tuple[Stop, ...] = ()
    """Queues that it was sent on from, oldest first."""

    @property
    def key(self) -> str:
        """By this a page finds the ticket in a snapshot (``match_key`` in functions/shared/ticket.lua)."""
        return self.request[-8:]


class Reader(Struct, frozen=True, kw_only=True):
    """Who reads profiles, and from where."""

    login: str
    session: str
    """Digest of the session."""
    address: str


class Envelopes(Struct, frozen=True, kw_only=True):
    """Result of one reading of profiles."""

    sealed: dict[str, bytes]
    """By ticket id; a ticket without an envelope is missing."""
    notes: dict[str, bytes]
    """Sealed notes of staff by ticket id."""
    numbers: bytes
    """Sealed numbers of the hospital's system, of the ticket that is read whole; empty without them."""
    alarm: bool = False
    """This session reads more profiles than a desk needs; true once in ten minutes."""


class Moved(Struct, frozen=True, kw_only=True):
    """What a staff move came to."""

    outcome: Outcome
    ticket: Ticket | None = None
    """The ticket the move was about, after it."""
    counter: str = ""
    """Counter of the move that was undone; empty for every other move."""
    read: Envelopes | None = None
    """The ticket's profile, for a clerk to whom it is shown (``OpdDesk.shown_to``)."""
