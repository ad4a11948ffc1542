"""Every key in the store begins here, and with a hash tag, so that one call stays in one slot.

A facility's ids come from outside and are free text, so they never stand in a key: a digest of 60 bits does. Facilities
are spread over partitions; a partition is one slot and has one outbox and one stream of changes, so that a relay reads
``PARTITIONS`` streams and not one for each hospital, and a cluster of up to as many shards divides them evenly.
What lies below a facility's root is made and listed in ``functions/shared/facility.lua``.
"""

import base64
from functools import lru_cache
from hashlib import blake2b, sha256
from itertools import count
from typing import Final

from queueing.store.slots import SLOTS, slot_of

PARTITIONS: Final = 48
"""Divides evenly over 2, 3, 4, 6, 8, 12, 16, 24 or 48 shards; few enough to read in one call."""
_FACILITY_BYTES: Final = 10
"""80 bits, 60 of them kept as 12 letters: over all 5.3 lakh facilities of India two meet once in ten million
tries."""


def _spread_tags() -> tuple[str, ...]:
    """One tag for each equal share of the slots, so that no shard of an evenly cut cluster is left without work."""
    tags: dict[int, str] = {}
    for number in count():
        tag = f"k{number}"
        tags.setdefault(slot_of(tag) * PARTITIONS // SLOTS, tag)
        if len(tags) == PARTITIONS:
            break
    return tuple(tags[share] for share in range(PARTITIONS))


_TAGS: Final = _spread_tags()
ALL_PARTITIONS: Final = tuple(f"{{{tag}}}" for tag in _TAGS)


@lru_cache(maxsize=65536)
def facility_root(hip_id: str) -> str:
    """``{partition}:key``, what every key of this facility begins with."""
    digest = blake2b(hip_id.encode("utf-8", "surrogatepass"), digest_size=_FACILITY_BYTES).digest()
    key = base64.b32encode(digest)[:12].decode().lower()
    return f"{ALL_PARTITIONS[int.from_bytes(digest[-2:]) % PARTITIONS]}:{key}"


@lru_cache(maxsize=65536)
def facility_key(hip_id: str) -> str:
    """The short internal id of a facility: what changes and pending replies carry instead of the HIP id."""
    return facility_root(hip_id).partition(":")[2]


def partition_of(root: str) -> str:
    """``{partition}`` of a facility's root."""
    return root.partition(":")[0]


def request_digest(hip_id: str, request: str) -> str:
    """24 hex characters that stand for one request at one facility; the facility is part of it."""
    return blake2b(f"{hip_id}\0{request}".encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


HMIS_MARK: Final = "hmis"
"""Begins the request of a ticket that the hospital's system made; no digest does, because it is no hexadecimal."""


def hmis_request(hip_id: str, request: str) -> str:
    """As ``request_digest``, for a request of the hospital's system: 80 bits of digest behind the mark."""
    return HMIS_MARK + request_digest(hip_id, request)[len(HMIS_MARK) :]


def text_digest(text: str) -> str:
    """40 hex characters that stand in keys of the staff's slot for a text that must not be readable there."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:40]


def counter_text(text: str) -> str:
    """The one spelling under which counter texts are kept and looked up."""
    return text.strip().upper()


def outbox_key(partition: str) -> str:
    """Stream of pending replies of one partition."""
    return f"{partition}:owed"


def changes_key(partition: str) -> str:
    """Stream of changes of one partition."""
    return f"{partition}:news"


def events_key(partition: str) -> str:
    """Event log of one partition."""
    return f"{partition}:events"


STAFF_SLOT: Final = "staff:{staff}"
"""Every key of the staff begins with this. Its hash tag puts all of them into one slot; functions read several."""
EVENT_PARTITIONS: Final = (*ALL_PARTITIONS, STAFF_SLOT)
"""What has an event log: every partition, and the staff of all facilities."""
CLOCK_KEY: Final = "{clock}"
"""The latest time of a clock that ran ahead and was healed since, unix ms."""
LIBRARIES_KEY: Final = "{libraries}"
"""Hash of the libraries of functions that releases have loaded: name → when last, unix ns; the newest few."""
FACILITIES_KEY: Final = "{facilities}"
"""Sorted set of the HIP ids of all registered facilities, as members; read page by page, never on a scan's path."""
CONNECTION_KEY: Final = "{gateway}"
"""Hash of what each process knows of the connection to the gateway: process → packed facts."""
ARCHIVE_KEY: Final = "{archive}"
"""Hash of what each archive role knows of its progress: process → packed facts."""
ALIASES_KEY: Final = "{facilities}:aliases"
"""Hash of further HIP ids of facilities: alias → HIP id. Read by every worker each few seconds, never for a scan."""
PUSH_KEY: Final = "{push}"
"""Sorted set of the HIP ids of facilities with phones that want messages, by when the last of their pages ends."""
