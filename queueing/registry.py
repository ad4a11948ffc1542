"""Facilities, their queues, counters and rules. A change takes effect at the next call, in every process."""

import asyncio
import re
import time
from collections.abc import Sequence
from copy import copy
from ipaddress import IPv4Network, ip_network
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from queueing import library
from queueing.audit import UNRECORDED, Actor, Audit
from queueing.corrections import NO_CORRECTIONS, corrections_of
from queueing.display_text import RAW_MAX, display_text, shown_name, shown_names
from queueing.errors import QueueingError
from queueing.limits import (
    FACILITY_NAME_MAX,
    IPV4_BITS_MIN,
    IPV6_BITS_MIN,
    NETWORKS_MAX,
    PRINTED_TEXT_MAX,
    QUEUE_NAME_MAX,
    REGION_MAX,
)
from queueing.models import Counter, Facility, Queue
from queueing.opening_hours import HOLIDAYS_MAX, Holiday, fault_of
from queueing.policy import Policy, pack_policy, policy_of
from queueing.redis_keys import ALIASES_KEY, FACILITIES_KEY, counter_text, facility_root
from queueing.store.store import Store

PAGE_MAX: Final = 1000


_pack = msgspec.msgpack.Encoder().encode
_read_facility = msgspec.msgpack.Decoder(Facility).decode
_decode_queue = msgspec.msgpack.Decoder(Queue).decode
_read_networks = msgspec.msgpack.Decoder(tuple[str, ...]).decode
_read_holidays = msgspec.msgpack.Decoder(tuple[Holiday, ...]).decode
_read_counter = msgspec.msgpack.Decoder(Counter).decode


SEEN_S: Final = 5.0
"""Seconds for which a sentence may show a renamed queue under its old name."""
SEEN_MAX: Final = 1024
"""Facilities remembered by one process: more than one machine has desks for."""


class RegistryError(QueueingError):
    """A value does not fit into the registry."""


class DoesNotFit(RegistryError):
    """A field is outside its limits (``queueing.limits``); ``field`` is its name."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


class UnknownFacility(RegistryError):
    """No such facility."""


class UnknownQueue(RegistryError):
    """No such queue in this facility."""


class UnknownCounter(RegistryError):
    """No such counter in this facility."""


class PrefixTaken(RegistryError):
    """Another queue of the facility has this prefix: two patients would hold the same number."""


T = TypeVar("T", bound=Struct)
_SETTINGS: Final = (b"facility", b"policy", b"default", b"networks", b"words", b"corrected")
"""Fields of a facility's record, as functions/hospital.lua gives them."""
_FIELD: Final = re.compile(r"at `\$\.(\w+)")
"""Where msgspec's error names the field."""
_WRONG: Final = {
    b"PREFIX": PrefixTaken,
    b"QUEUE": UnknownQueue,
    b"COUNTER": UnknownCounter,
    b"FACILITY": UnknownFacility,
}


def within_limits(value: T) -> T:
    """The value as it is. Raises DoesNotFit for the first field outside its limits."""
    try:
        return msgspec.convert(msgspec.to_builtins(value), type(value))
    except msgspec.ValidationError as error:
        found = _FIELD.search(str(error))
        raise DoesNotFit(found[1] if found else "", str(error)) from None


def own_networks(texts: Sequence[str]) -> tuple[str, ...]:
    """Networks in their one spelling. Raises DoesNotFit."""
    if len(texts) > NETWORKS_MAX:
        raise DoesNotFit("networks", f"a facility has at most {NETWORKS_MAX} networks")
    return tuple(dict.fromkeys(map(_own_network, texts)))


def _own_network(text: str) -> str:
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        raise DoesNotFit("networks", f"{text.strip()[:60]!r} is no network such as 10.20.0.0/16") from None
    least = IPV4_BITS_MIN if isinstance(network, IPv4Network) else IPV6_BITS_MIN
    if network.prefixlen < least:
        raise DoesNotFit("networks", f"{network} is wider than a hospital's own network: /{least} at most")
    return str(network)


class Hospital(Struct, frozen=True, kw_only=True):
    """One facility with its queues and counters, in the order in which they were added."""

    facility: Facility
    queues: tuple[Queue, ...]
    counters: tuple[Counter, ...]
    holidays: tuple[Holiday, ...] = ()  # by day; queues with hours do not open on them

    def queue(self, queue_id: str) -> Queue | None:
        """The queue of this id, or None."""
        return next((queue for queue in self.queues if queue.id == queue_id), None)

    def counter(self, name: str) -> Counter | None:
        """The counter of this name, or None."""
        return next((counter for counter in self.counters if counter.name == name), None)

    def counter_in_any_case(self, name: str) -> Counter | None:
        """The counter of this name in capitals or not, as people type it into an address; or None."""
        return next((counter for counter in self.counters if counter.name.upper() == name.upper()), None)

    @property
    def queue_names(self) -> dict[str, str]:
        """Names of the queues by id."""
        return {queue.id: queue.name for queue in self.queues}

    def zone(self, service_zone: str) -> str:
        """The facility's own time zone, or else the service's."""
        return self.facility.timezone or service_zone


def _read_queue(packed: bytes) -> Queue:
    queue = _decode_queue(packed)
    name = shown_name(queue.name, QUEUE_NAME_MAX, queue.id)
    return msgspec.structs.replace(queue, name=name, names=shown_names(queue.names, QUEUE_NAME_MAX))


def _facility_of(found: dict[bytes, bytes]) -> Facility:
    facility = _read_facility(found[b"facility"])
    return msgspec.structs.replace(
        facility,
        name=shown_name(facility.name, FACILITY_NAME_MAX, facility.hip_id),
        names=shown_names(facility.names, FACILITY_NAME_MAX),
        district=display_text(facility.district, REGION_MAX),
        state=display_text(facility.state, REGION_MAX),
        policy=policy_of(found[b"policy"]),
        default_queue=found.get(b"default", b"").decode(),
        networks=_read_networks(found[b"networks"]) if found.get(b"networks") else (),
        corrections=corrections_of(found.get(b"words"), found.get(b"corrected")),
    )


def _hospital_of(reply: list[Any]) -> Hospital:
    settings, queues, counters, holidays = reply
    return Hospital(
        facility=_facility_of(dict(zip(_SETTINGS, settings, strict=True))),
        queues=tuple(map(_read_queue, queues)),
        counters=tuple(map(_read_counter, counters)),
        holidays=_read_holidays(holidays) if holidays else (),
    )


def _place_of(facility: Facility) -> bytes:
    if facility.latitude is None or facility.longitude is None:
        return b""
    return _pack([float(facility.latitude), float(facility.longitude)])


class Registry:
    """Reads and writes facilities, queues, counters, rules and printed texts."""

    def __init__(self, store: Store, actor: Actor | None = None) -> None:
        self._store = store
        self._actor = actor
        self._seen: dict[str, tuple[float, Hospital | None]] = {}

    def acting(self, actor: Actor) -> "Registry":
        """The same registry; the audit records its changes as this person's."""
        other = copy(self)
        other._actor = actor
        return other

    async def put_facility(self, facility: Facility) -> None:
        """Register or update; policy, default queue and networks of a known facility stay as they are."""
        bare = msgspec.structs.replace(
            within_limits(facility), policy=Policy(), default_queue="", networks=(), corrections=NO_CORRECTIONS
        )
        await self._configure(
            facility.hip_id,
            "facility",
            facility.hip_id,
            _pack(bare),
            pack_policy(within_limits(facility.policy)),
            facility.timezone,
            _place_of(facility),
        )
        await self._store.call(FACILITIES_KEY, "ZADD", FACILITIES_KEY, 0, facility.hip_id)

    async def facility(self, hip: str) -> Facility | None:
        """One facility with its policy, or None."""
        found = await self._config(hip, *_SETTINGS)
        return _facility_of(found) if b"facility" in found else None

    async def hospital(self, hip: str) -> Hospital | None:
        """A facility with its queues and counters, or None, in one call."""
        reply = await library.call(self._store, "hospital", facility_root(hip))
        hospital = _hospital_of(reply) if reply else None
        if len(self._seen) >= SEEN_MAX:
            self._seen.clear()
        self._seen[hip] = (time.monotonic(), hospital)
        return hospital

    async def recent_hospital(self, hip: str) -> Hospital | None:
        """The same, up to ``SEEN_S`` old: for names in sentences, not for decisions."""
        seen = self._seen.get(hip)
        if seen is not None and time.monotonic() - seen[0] < SEEN_S:
            return seen[1]
        return await self.hospital(hip)

    async def facilities(self, after: str = "", limit: int = 100) -> list[Facility]:
        """A page of all facilities in the order of their HIP ids, beginning after ``after``."""
        start = f"({after}" if after else "-"
        ids: Any = await self._store.call(
            FACILITIES_KEY, "ZRANGE", FACILITIES_KEY, start, "+", "BYLEX", "LIMIT", 0, min(limit, PAGE_MAX)
        )
        found = await asyncio.gather(*(self.facility(hip.decode()) for hip in ids))
        return [facility for facility in found if facility is not None]

    async def put_alias(self, alias: str, hip: str) -> None:
        """Let a further id lead to a facility, such as a bridge's service id; an empty ``hip`` removes it.

        The aliases of all facilities and a facility's audit lie in different slots, so the act is recorded first: what
        cannot be recorded does not happen. Raises UnknownFacility when the facility is not registered or the alias is a
        facility itself.
        """
        if hip and (await self.facility(hip) is None or await self.facility(alias) is not None):
            raise UnknownFacility
        before: Any = await self._store.call(ALIASES_KEY, "HGET", ALIASES_KEY, alias)
        owner = hip or (before or b"").decode()
        if self._actor and owner:
            act = "admin_alias" if hip else "admin_alias-forgotten"
            actor = self._actor
            await Audit(self._store).record(owner, act, by=actor.login, address=actor.address, why=alias)
        if hip:
            await self._store.call(ALIASES_KEY, "HSET", ALIASES_KEY, alias, hip)
        else:
            await self._store.call(ALIASES_KEY, "HDEL", ALIASES_KEY, alias)
        await self._store.durable(ALIASES_KEY)

    async def aliases(self) -> dict[str, str]:
        """Further ids and the HIP ids of the facilities they lead to."""
        flat: Any = await self._store.call(ALIASES_KEY, "HGETALL", ALIASES_KEY)
        return {alias.decode(): hip.decode() for alias, hip in zip(flat[::2], flat[1::2], strict=True)}

    async def count(self) -> int:
        """How many facilities are registered."""
        count: Any = await self._store.call(FACILITIES_KEY, "ZCARD", FACILITIES_KEY)
        return int(count)

    async def add_missing(self, hip: str, parts: Sequence[str | bytes], *, copied_from: str) -> None:
        """Adds what is not there of another facility (``queueing.facility_copy``), in one step."""
        await self._configure(hip, "copied", *parts, why=copied_from)

    async def put_queue(self, hip: str, queue: Queue, counters: int | None = None) -> None:
        """Add or update a queue, with counters ``M1`` … ``M<counters>`` where they are missing.

        The first queue of a facility is its default until changed.
        """
        added: list[str | bytes] = []
        for number in range(1, (counters or 0) + 1):
            name = f"{queue.prefix}{number}"
            added += [name, _pack(Counter(name=name, queues=(queue.id,)))]
        await self._put_queue(hip, queue, added, kind="queue")

    async def _put_queue(self, hip: str, queue: Queue, added: Sequence[str | bytes], *, kind: str) -> None:
        if fault := fault_of(queue.hours or ()):
            raise DoesNotFit("hours", fault)
        packed = _pack(within_limits(msgspec.structs.replace(queue, hours=queue.hours or None)))
        await self._configure(hip, "queue", queue.id, packed, *added, kind=kind, why=queue.id)

    async def queues(self, hip: str) -> list[Queue]:
        """In the order in which they were added."""
        return [_read_queue(packed) for packed in await self._listed(hip, b"queues", b"q:")]

    async def counters(self, hip: str) -> list[Counter]:
        """In the order in which they were added."""
        return [_read_counter(packed) for packed in await self._listed(hip, b"counters", b"k:")]

    async def put_counter(self, hip: str, counter: Counter) -> None:
        """Add or update a counter."""
        await self._put_counter(hip, counter, kind="counter")

    async def _put_counter(self, hip: str, counter: Counter, *, kind: str) -> None:
        shown = msgspec.structs.replace(counter, served_by=display_text(counter.served_by, RAW_MAX))
        packed = _pack(within_limits(shown))
        await self._configure(hip, "counter", counter.name, packed, kind=kind, why=counter.name)

    async def open_counter(self, hip: str, counter: str, is_open: bool) -> None:
        """Open or close a counter for scans of its QR."""
        hospital = await self.hospital(hip)
        known = hospital.counter(counter) if hospital else None
        if known is None:
            raise UnknownCounter
        await self._put_counter(hip, msgspec.structs.replace(known, open=is_open), kind="counter-open")

    async def open_queue(self, hip: str, queue: str, is_open: bool) -> None:
        """Open or close a queue for new places; waiting patients are still called."""
        hospital = await self.hospital(hip)
        known = hospital.queue(queue) if hospital else None
        if known is None:
            raise UnknownQueue
        await self._put_queue(hip, msgspec.structs.replace(known, open=is_open), (), kind="queue-open")

    async def set_default_queue(self, hip: str, queue: str) -> None:
        """Set the queue for a counter text that names no counter."""
        await self._configure(hip, "default", queue, why=queue)

    async def set_policy(self, hip: str, policy: Policy) -> None:
        """The facility's rules, from the next call on. Raises RegistryError for a value outside its limits."""
        await self._configure(hip, "policy", pack_policy(within_limits(policy)))

    async def set_networks(self, hip: str, networks: Sequence[str]) -> None:
        """The facility's own networks. Raises DoesNotFit for a text that is no network, and for too wide a network."""
        await self._configure(hip, "networks", _pack(own_networks(networks)))

    async def set_hours(self, hip: str, queue: str, spans: Sequence[int]) -> None:
        """When a queue takes people; no spans: always. Raises DoesNotFit, UnknownQueue."""
        known = next((one for one in await self.queues(hip) if one.id == queue), None)
        if known is None:
            raise UnknownQueue
        await self._put_queue(hip, msgspec.structs.replace(known, hours=tuple(spans) or None), (), kind="queue-hours")

    async def set_holidays(self, hip: str, holidays: Sequence[Holiday]) -> None:
        """The days on which queues with hours stay closed. Raises DoesNotFit."""
        if len(holidays) > HOLIDAYS_MAX:
            raise DoesNotFit("holidays", f"a facility has at most {HOLIDAYS_MAX} holidays")
        by_day = {one.day: within_limits(one) for one in holidays}
        await self._configure(hip, "holidays", _pack([by_day[day] for day in sorted(by_day)]))

    async def set_copy_templates(self, hip: str, packed: bytes) -> None:
        """How profiles are copied for other programs; the console reads what is packed here."""
        await self._configure(hip, "copy", packed)

    async def copy_templates(self, hip: str) -> bytes | None:
        """What ``set_copy_templates`` stored; None when nothing was."""
        return (await self._config(hip, b"copy")).get(b"copy")

    async def map_text(self, hip: str, text: str, counter: str) -> None:
        """Let a printed text (an old poster, another system's id) lead to a counter; an empty counter removes it."""
        if not 1 <= len(text.strip()) <= PRINTED_TEXT_MAX:
            raise DoesNotFit("text", f"a printed text has 1 to {PRINTED_TEXT_MAX} characters")
        await self._configure(hip, "text", counter_text(text), counter, why=counter)

    async def texts(self, hip: str) -> dict[str, str]:
        """Printed texts and the counters they lead to."""
        root = facility_root(hip)
        flat: Any = await self._store.call(root, "HGETALL", f"{root}:f")
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return {field[2:].decode(): value.decode() for field, value in pairs if field.startswith(b"x:")}

    async def _config(self, hip: str, *fields: bytes) -> dict[bytes, bytes]:
        root = facility_root(hip)
        values: Any = await self._store.call(root, "HMGET", f"{root}:f", *fields)
        return {field: value for field, value in zip(fields, values, strict=True) if value is not None}

    async def _listed(self, hip: str, names_field: bytes, prefix: bytes) -> list[bytes]:
        packed = (await self._config(hip, names_field)).get(names_field)
        if packed is None:
            return []
        names = msgspec.msgpack.decode(packed, type=list[str])
        found = await self._config(hip, *(prefix + name.encode() for name in names)) if names else {}
        return list(found.values())

    async def _configure(self, hip: str, act: str, *arguments: str | bytes, kind: str = "", why: str = "") -> None:
        root = facility_root(hip)
        self._seen.pop(hip, None)
        entry = self._actor.act(f"admin_{kind or act}", why) if self._actor else UNRECORDED
        reply = await library.call(self._store, "configure", root, *entry.parts(), act, *arguments)
        if isinstance(reply, bytes):
            raise _WRONG[reply]
        await self._store.durable(root)
