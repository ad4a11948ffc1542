"""Who is told of ticket events: webhooks and HL7 receivers, how far each is, and what became of its deliveries.

No event is copied. A target has a cursor for each partition of the event log, and the events behind it that it has not
taken yet: those of tickets whose delivery failed. Cursor, failed events and deliveries are written in one step, so
that a role that dies loses nothing and sends some events again. A reader's change (``replay``, ``send_again``) and the
role's never overwrite each other: each writing names the generation that it read.

Nothing here holds patient data. Secrets come sealed.
"""

import secrets
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final, assert_never

import msgspec
from msgspec import Struct, field, structs

from queueing import library
from queueing.errors import QueueingError
from queueing.event_log import EventLog, cursor_numbers
from queueing.models import UnixMs
from queueing.redis_keys import ALL_PARTITIONS, facility_root, partition_of
from queueing.store.store import Store

SLOT: Final = "targets:{targets}"
"""Every key of the targets begins with this; ``functions/targets.lua`` lists them."""
EVERY_FACILITY: Final = "*"
"""Facility of a target that is told of all."""
TARGETS_MAX: Final = 5_000
"""In the whole service: one for each hospital of a large state, and a thousand more. 2 MB of the store."""
TARGETS_OF_FACILITY: Final = 20
"""Of one facility: every program that a large hospital runs, twice."""
PARKED_KEPT: Final = 1_000
"""Parked events that are listed for each target; ``replay`` sends the others again."""
CHANGE_TRIES: Final = 10
"""The role writes once a second; two readers at once are rare."""
SAVED_AT_ONCE: Final = 50
"""Targets of one writing: some 200 kB at most."""


class TargetKind(StrEnum):
    """How a target is spoken to."""

    WEBHOOK = "webhook"
    HL7 = "hl7"


class TargetFormat(StrEnum):
    """What a webhook's body is."""

    JSON = "json"
    FHIR = "fhir"


class Target(Struct, frozen=True, kw_only=True):
    """One receiver, as an administrator set it up. Fields may be added with defaults."""

    id: str
    kind: TargetKind
    facility: str
    """HIP id, or ``EVERY_FACILITY``."""
    address: str
    """URL of a webhook; ``host:port`` of an HL7 receiver."""
    events: tuple[str, ...] = ()
    """Types of events that it wants; empty: all."""
    format: TargetFormat = TargetFormat.JSON
    tls: bool = False
    """HL7: whether the connection is encrypted. A webhook's URL says it."""
    secret: str = ""
    """Sealed; empty for HL7."""
    wants_profiles: bool = False
    profiles_on: dict[str, str] = {}
    """HIP id → login of the facility's administrator who allowed profiles to go to this target."""
    off: str = ""
    """Why nothing is sent: empty while it is."""
    made_ms: UnixMs = 0
    made_by: str = ""

    def is_for(self, hip: str) -> bool:
        """Whether events of this facility go to it."""
        return self.facility in (hip, EVERY_FACILITY)


class EventRef(Struct, frozen=True, array_like=True):
    """Where an event stands in the log."""

    facility_key: str
    cursor: str
    id: str


class FailedTicket(Struct, array_like=True):
    """A ticket whose delivery failed; its later events wait behind the first."""

    order: str
    """By which events are kept in order (``order_of``)."""
    attempts: int
    next_ms: UnixMs
    since_ms: UnixMs
    """When the first event was tried first."""
    events: list[EventRef]


class ParkedEvent(Struct, frozen=True, array_like=True):
    """An event that is not tried any more."""

    ref: EventRef
    type: str
    token: str
    at_ms: UnixMs


class Progress(Struct, array_like=True):
    """How far a target is. New fields go last and have defaults."""

    cursors: dict[str, str]
    """Partition → cursor: everything up to it was taken, or stands in ``failed`` or ``parked``."""
    failed: list[FailedTicket] = field(default_factory=list)
    parked: list[ParkedEvent] = field(default_factory=list)
    """Newest last."""
    failures: int = 0
    """In a row, with nothing delivered between them."""
    down_since_ms: UnixMs = 0
    """0 while it answers. A target that is down is only probed."""
    probe_ms: UnixMs = 0
    """When it is probed next."""
    probes: int = 0
    delivered_ms: UnixMs = 0
    """When it took an event last."""
    behind: int = 0
    """Events that wait behind a cursor that stands still."""


class Delivery(Struct, frozen=True, array_like=True):
    """One try. It holds no patient data."""

    at_ms: UnixMs
    ref: EventRef
    type: str
    token: str
    result: str
    """``delivered``, ``failed``, ``parked`` or ``switched_off``."""
    status: str
    """HTTP status, HL7 verdict, or a word for what went wrong before an answer."""
    took_ms: int
    answer: str
    """First line of the answer, without what may be a patient's."""
    attempt: int


class TargetState(Struct, frozen=True, kw_only=True):
    """A target with everything that is known of it."""

    target: Target
    generation: int
    progress: Progress
    deliveries: list[Delivery]
    """Newest first."""


class Saved(Struct, frozen=True, kw_only=True):
    """What the role writes of one target."""

    id: str
    generation: int
    """The one that it read or wrote last."""
    progress: Progress
    deliveries: Sequence[Delivery] = ()


class DeliveryFacts(Struct, frozen=True, array_like=True):
    """What the role that works says of itself. New fields go last and have defaults."""

    at_ms: UnixMs
    pending: dict[str, int]
    """Events that wait, by kind of target."""


class NoSuchTarget(QueueingError):
    """There is no target of this id."""


class TooManyTargets(QueueingError):
    """There are as many targets as there may be."""


class ChangedMeanwhile(QueueingError):
    """The target changed each time before the change could be written."""


_pack = msgspec.msgpack.Encoder().encode
_target = msgspec.msgpack.Decoder(Target).decode
_progress = msgspec.msgpack.Decoder(Progress).decode
_delivery = msgspec.msgpack.Decoder(Delivery).decode
_facts = msgspec.msgpack.Decoder(DeliveryFacts).decode


def new_id(kind: TargetKind) -> str:
    """A new target's id, such as ``wh-3f9c01ab77de``."""
    match kind:
        case TargetKind.WEBHOOK:
            prefix = "wh"
        case TargetKind.HL7:
            prefix = "hl"
        case _:
            assert_never(kind)
    return f"{prefix}-{secrets.token_hex(6)}"


def partitions_of(target: Target) -> tuple[str, ...]:
    """The partitions of the event log whose events the target may want."""
    if target.facility == EVERY_FACILITY:
        return ALL_PARTITIONS
    return (partition_of(facility_root(target.facility)),)


class Targets:
    """Keeps the targets. Raises ``QueueingError`` when the store cannot answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, target: Target) -> None:
        """Add a target. It begins with the next event. Raises TooManyTargets."""
        _, known = await self.read("")
        of_facility = [one for one, _ in known if one.facility == target.facility]
        if target.facility != EVERY_FACILITY and len(of_facility) >= TARGETS_OF_FACILITY:
            raise TooManyTargets(f"facility {target.facility} has {TARGETS_OF_FACILITY} targets, which is the most")
        log = EventLog(self._store)
        cursors = {name: await log.newest_of(name) for name in partitions_of(target)}
        if not await self._call("targets_put", target.id, _pack(target), _pack(Progress(cursors)), TARGETS_MAX):
            raise TooManyTargets(f"the service has {TARGETS_MAX} targets, which is the most")
        await self._store.durable(SLOT)

    async def redefine(self, target_id: str, change: Callable[[Target], Target]) -> None:
        """Change what an administrator set up. Raises NoSuchTarget."""
        for _ in range(CHANGE_TRIES):
            before = (await self.one(target_id)).target
            arguments = (_pack(change(before)), "", TARGETS_MAX, _pack(before))
            written = await self._call("targets_put", target_id, *arguments)
            if written == 0:
                raise NoSuchTarget(f"no target {target_id}")
            if written > 0:
                await self._store.durable(SLOT)
                return
        raise ChangedMeanwhile(f"target {target_id} is being changed: try again")

    async def remove(self, target_id: str) -> bool:
        """Forget a target. False: there is none."""
        removed = await self._call("targets_remove", target_id)
        await self._store.durable(SLOT)
        return bool(removed)

    async def read(self, known_version: str) -> tuple[str, list[tuple[Target, int]]]:
        """The version of all targets, and each with its generation; none when the version is the known one."""
        version, *found = await self._call("targets_read", known_version)
        rows = [(_target(packed), generation) for packed, generation in (found[0] if found else ())]
        return version.decode(), rows

    async def of(self, hip: str) -> list[Target]:
        """The targets that hear of this facility, oldest first."""
        _, rows = await self.read("")
        return sorted((one for one, _ in rows if one.is_for(hip)), key=lambda one: (one.made_ms, one.id))

    async def one(self, target_id: str) -> TargetState:
        """Everything about one target. Raises NoSuchTarget."""
        reply = await self._call("targets_one", target_id)
        if not reply:
            raise NoSuchTarget(f"no target {target_id}")
        packed, generation, progress, deliveries = reply
        return TargetState(
            target=_target(packed), generation=generation,
            progress=_progress(progress), deliveries=[_delivery(one) for one in deliveries],
        )  # fmt: skip

    async def replay(self, target_id: str, after: str) -> None:
        """Send all events after a cursor again. Raises NoSuchTarget, ValueError for what is no cursor."""
        first = cursor_numbers(after)
        after = f"{first[0]}-{first[1]}"

        def begin_after(state: TargetState) -> None:
            progress = state.progress
            progress.cursors = dict.fromkeys(partitions_of(state.target), after)
            for ticket in progress.failed:
                ticket.events = [ref for ref in ticket.events if cursor_numbers(ref.cursor) <= first]
            progress.failed = [ticket for ticket in progress.failed if ticket.events]
            progress.parked = [one for one in progress.parked if cursor_numbers(one.ref.cursor) <= first]
            _try_now(progress)

        await self._change(target_id, begin_after)

    async def send_again(self, target_id: str, ref: EventRef, now_ms: UnixMs) -> None:
        """Send one event once more, whatever became of it before. Raises NoSuchTarget."""

        def add(state: TargetState) -> None:
            progress = state.progress
            progress.parked = [one for one in progress.parked if one.ref != ref]
            waiting = next((one for one in progress.failed if ref in one.events), None)
            if waiting is None:
                waiting = FailedTicket(f"again {ref.id}", 0, now_ms, now_ms, [ref])
                progress.failed.append(waiting)
            waiting.next_ms = now_ms
            _believe_up(progress)

        await self._change(target_id, add)

    async def _change(self, target_id: str, change: Callable[[TargetState], None]) -> None:
        for _ in range(CHANGE_TRIES):
            state = await self.one(target_id)
            change(state)
            if await self._call("targets_change", target_id, state.generation, _pack(state.progress)):
                await self._store.durable(SLOT)
                return
        raise ChangedMeanwhile(f"target {target_id} is being changed: try again")

    async def switch_off(self, target_id: str, reason: str) -> None:
        """Send nothing more; cursor and failed events stay. Raises NoSuchTarget."""
        await self.redefine(target_id, lambda target: structs.replace(target, off=reason))

    async def switch_on(self, target_id: str) -> None:
        """Send again to a target that was switched off. Raises NoSuchTarget."""
        await self.redefine(target_id, lambda target: structs.replace(target, off=""))
        await self._change(target_id, lambda one: _try_now(one.progress))

    async def allow_profiles(self, target_id: str, hip: str, by: str) -> None:
        """Let this facility's profiles go to a target that wants them; an empty ``by`` stops it. Raises
        NoSuchTarget.
        """

        def changed(target: Target) -> Target:
            others = {name: login for name, login in target.profiles_on.items() if name != hip}
            return structs.replace(target, profiles_on=others | ({hip: by} if by else {}))

        await self.redefine(target_id, changed)

    async def take_lease(self, holder: str, life_ms: int, has_ended: Callable[[str], bool]) -> bool:
        """Take or renew the lease of the role that works. False: another living role has it."""
        taken, other = await self._call("targets_lease", holder, life_ms, "")
        if not taken and has_ended(other.decode()):
            taken, _ = await self._call("targets_lease", holder, life_ms, other)
        return bool(taken)

    async def give_lease_back(self, holder: str) -> None:
        await self._call("targets_release", holder)

    async def save(self, holder: str, saved: Sequence[Saved]) -> list[int]:
        """Write what became of deliveries; durable when it returns.

        The new generation of each target; 0 where another wrote meanwhile or the target is gone. An empty list: this
        holder has no lease.
        """
        generations: list[int] = []
        for first in range(0, len(saved), SAVED_AT_ONCE):
            part = saved[first : first + SAVED_AT_ONCE]
            reply = await self._call("targets_save", holder, *(word for one in part for word in _arguments(one)))
            if not reply:
                return []
            generations += reply
        await self._store.durable(SLOT)
        return generations

    async def write_facts(self, facts: DeliveryFacts) -> None:
        """Replace what a role said before."""
        key = f"{SLOT}:facts"
        await self._store.call(key, "HSET", key, "facts", _pack(facts))

    async def facts(self) -> DeliveryFacts | None:
        """What a role said last; None before the first."""
        key = f"{SLOT}:facts"
        packed: Any = await self._store.call(key, "HGET", key, "facts")
        return _facts(packed) if packed else None

    async def _call(self, operation: str, *arguments: str | bytes | int) -> Any:
        return await library.call(self._store, operation, SLOT, *arguments)


def _try_now(progress: Progress) -> None:
    """Everything that waits is due."""
    for ticket in progress.failed:
        ticket.next_ms = 0
    _believe_up(progress)


def _believe_up(progress: Progress) -> None:
    progress.failures = progress.probes = 0
    progress.down_since_ms = progress.probe_ms = 0


def _arguments(saved: Saved) -> list[str | bytes | int]:
    deliveries = [_pack(one) for one in saved.deliveries]
    return [saved.id, saved.generation, _pack(saved.progress), len(deliveries), *deliveries]
