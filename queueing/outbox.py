"""Pending replies to the gateway: claimed by one relay at a time, stored until delivered or parked.

- Delivery is at least once. Order is best effort.
- A reply is claimed before it is read and durable before it is handed over: what was sent cannot be taken back.
- When a relay dies, another takes its claims after ``ABANDONED_AFTER_MS``, or at once when it is known to be gone.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from queueing import library
from queueing.audit import UNRECORDED, Act
from queueing.errors import QueueingError, StoreRefused
from queueing.event_log import delivered_event
from queueing.models import Outcome, Refusal, ReplyKind, UnixMs
from queueing.opening_hours import ClosedByHours
from queueing.pending_reply import PendingReply
from queueing.redis_keys import ALL_PARTITIONS, facility_key, facility_root, outbox_key, partition_of
from queueing.store.store import Store
from queueing.streams import Entry, PartitionPollers, Raw, StreamReader, entry_of

GROUP: Final = "relay"
ABANDONED_AFTER_MS: Final = 5_000
"""Well under the thirty seconds of a share: enough for a slow attempt, and time for another relay to deliver."""
GONE_AFTER_MS: Final = 3_600_000
"""A living relay asks every second; one that was silent so long and holds nothing is forgotten."""
_TEND_EVERY_S: Final = 2.0
"""Claims in hand are renewed this often, so that only a relay that died or hangs loses them."""
_CLAIM_SHARE: Final = 8
"""A partition of a cluster may claim this part of what a relay asks for: with all 48 busy at once it gets six times as
much as it wanted, which it can hold."""
_PARKED_AT_MOST: Final = 500
_FORGET_AT_ONCE: Final = 256
"""Replies of one call: as many as are taken at once. It takes the store under a millisecond."""
_REASON_MAX: Final = 200


class ParkedReply(msgspec.Struct, frozen=True, kw_only=True):
    """A reply that could not be delivered: shown to an administrator, who may send it again."""

    id: str
    kind: ReplyKind
    token: str
    refusal: Refusal | None
    created_ms: int
    parked_ms: int
    reason: str


class _Meta(msgspec.Struct, frozen=True, array_like=True):
    """What ``add_reply`` in functions/shared/events.lua packs, in its order."""

    kind: ReplyKind
    facility_key: str
    request: str
    outcome: Outcome
    refusal: int
    token: str
    expires_in_s: int
    created_ms: UnixMs
    running: str
    pace_min: int
    closed: ClosedByHours | None = None


_read_meta = msgspec.msgpack.Decoder(_Meta).decode


def _pending_reply(partition: str, entry: Entry, deliveries: int) -> PendingReply:
    stream_id, fields = entry
    meta = _read_meta(fields[b"m"])
    return PendingReply(
        id=f"{partition} {stream_id.decode()}",
        kind=meta.kind,
        facility_key=meta.facility_key,
        request=meta.request,
        envelope=fields[b"l"],
        outcome=meta.outcome,
        refusal=Refusal(meta.refusal) if meta.refusal else None,
        token=meta.token,
        expires_in_s=meta.expires_in_s,
        created_ms=meta.created_ms,
        running=meta.running,
        pace_min=meta.pace_min,
        closed=meta.closed,
        deliveries=deliveries,
    )


def _by_partition(ids: Iterable[str]) -> dict[str, list[str]]:
    sorted_ids: dict[str, list[str]] = defaultdict(list)
    for reply_id in ids:
        partition, stream_id = reply_id.split(" ")
        sorted_ids[partition].append(stream_id)
    return sorted_ids


class Outbox:
    """One relay's hand on the outbox. ``consumer`` names the relay; two that run at once need two names.

    ``has_ended`` tells of another relay's name whether it is surely gone: its claims need not wait to be abandoned.
    """

    def __init__(self, store: Store, consumer: str, *, has_ended: Callable[[str], bool] = lambda _: False) -> None:
        self._store = store
        self._consumer = consumer
        self._has_ended = has_ended
        self._reader = StreamReader(store)
        self._held: set[str] = set()
        self._abandoned: list[PendingReply] = []
        self._tending: asyncio.Task[None] | None = None
        self._grouped: set[str] = set()
        """Partitions whose consumer group is known to exist."""
        self._pollers: PartitionPollers | None = None
        self._claim_at_once = 1

    async def take(self, *, limit: int = 256, wait_ms: int = 1000) -> list[PendingReply]:
        """Claim pending replies that are new or that another relay left behind; waits when there are none.

        When it returns, the pending replies are durable: each may be sent. Raises StoreAway or InDoubt; what was
        claimed then comes again by itself.
        """
        if self._tending is None:
            self._tending = asyncio.create_task(self._tend())
        if not self._store.is_cluster:
            await self._make_groups()
        taken, self._abandoned = self._abandoned[:limit], self._abandoned[limit:]
        if not taken:
            claim = self._claim_from_cluster if self._store.is_cluster else self._claim_new
            taken = await claim(limit, wait_ms)
        self._held.update(pending.id for pending in taken)
        return taken

    async def delivered(self, pending_replies: Sequence[PendingReply]) -> None:
        """Forget them, sealed envelopes and all; the event log says that they were delivered."""
        for first in range(0, len(pending_replies), _FORGET_AT_ONCE):
            some = pending_replies[first : first + _FORGET_AT_ONCE]
            ended: dict[str, tuple[list[str], list[str]]] = {}
            for pending in some:
                partition, stream_id = pending.id.split(" ")
                ids, events = ended.setdefault(partition, ([], []))
                ids.append(stream_id)
                events += delivered_event(pending)
            packed = {partition: library.pack_values(*lists) for partition, lists in ended.items()}
            if self._store.spans:
                await library.call_many(self._store, "outbox_delivered", list(packed), list(packed.values()))
            else:
                await asyncio.gather(*(self._call("outbox_delivered", *one) for one in packed.items()))
            self._held.difference_update(pending.id for pending in some)

    async def park(self, pending: PendingReply, reason: str) -> None:
        """Store an undeliverable reply where an administrator sees it, with ``pending.envelope`` as it is now."""
        partition, stream_id = pending.id.split(" ")
        await self._call("outbox_park", partition, stream_id, reason[:_REASON_MAX], pending.envelope)
        self._held.discard(pending.id)

    async def parked(self, hip: str, limit: int = 100) -> list[ParkedReply]:
        """The parked replies of one facility, newest first."""
        partition = partition_of(facility_root(hip))
        found = await self._call("outbox_parked", partition, facility_key(hip), min(limit, _PARKED_AT_MOST))
        return [_parked(*line) for line in found]

    async def resend(self, hip: str, parked_id: str, act: Act = UNRECORDED) -> bool:
        """Make a parked reply pending again; False when it is gone. The audit records it in the same step."""
        partition = partition_of(facility_root(hip))
        return bool(await self._call("outbox_resend", partition, facility_key(hip), parked_id, *act.parts()))

    async def backlog(self) -> int:
        """Pending replies in the outbox, whether a relay has claimed them or not."""
        lengths = await asyncio.gather(
            *(self._store.call(outbox_key(partition), "XLEN", outbox_key(partition)) for partition in ALL_PARTITIONS)
        )
        return sum(length for length in lengths if isinstance(length, int))

    async def close(self) -> None:
        """Hand back what is still in hand, so that another relay takes it at once."""
        if self._pollers is not None:
            await self._pollers.close()
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        with contextlib.suppress(QueueingError):
            await self._claim_again(idle_ms=ABANDONED_AFTER_MS)
        self._held.clear()

    async def _claim_from_cluster(self, limit: int, wait_ms: int) -> list[PendingReply]:
        """Each partition is claimed and proved durable by itself: one that is in doubt holds up no other."""
        self._claim_at_once = max(1, limit // _CLAIM_SHARE)
        if self._pollers is None:
            self._pollers = PartitionPollers(ALL_PARTITIONS, self._claim_one)
        found = await self._pollers.wait_for_entries(wait_ms)
        return [_pending_reply(partition, entry_of(raw), 1) for partition, entries in found.items() for raw in entries]

    async def _claim_one(self, partition: str) -> list[Raw]:
        """Claim what is new in one partition; it is durable when this returns, proved on the node that took the claim.

        What is in doubt stays claimed and is adopted after ``ABANDONED_AFTER_MS``.
        """
        if partition not in self._grouped:
            await self._make_group(partition)
            await self._adopt_one(partition)
        key = outbox_key(partition)
        command = ("XREADGROUP", "GROUP", GROUP, self._consumer, "COUNT", self._claim_at_once, "STREAMS", key, ">")
        try:
            reply: Any = await self._store.call(key, *command)
        except StoreRefused:  # NOGROUP: the store was emptied
            self._grouped.discard(partition)
            raise
        if not reply:
            return []
        entries: list[Raw] = reply[0][1]
        await self._store.durable(partition)
        # Held from now on, not from when the relay takes them: else another relay may find them abandoned.
        self._held.update(f"{partition} {raw[0].decode()}" for raw in entries)
        return entries

    async def _make_groups(self) -> None:
        missing = [partition for partition in ALL_PARTITIONS if partition not in self._grouped]
        if missing:
            await asyncio.gather(*map(self._make_group, missing))
            await self._adopt()

    async def _make_group(self, partition: str) -> None:
        key = outbox_key(partition)
        try:
            await self._store.call(key, "XGROUP", "CREATE", key, GROUP, "0", "MKSTREAM")
        except StoreRefused as refused:
            if refused.code != "BUSYGROUP":
                raise
        holding = [name.decode() for name in await self._call("outbox_tidy", partition, GONE_AFTER_MS)]
        if ended := [name for name in holding if name != self._consumer and self._has_ended(name)]:
            await self._call("outbox_orphan", partition, ABANDONED_AFTER_MS, *ended)
        self._grouped.add(partition)

    async def _claim_new(self, limit: int, wait_ms: int) -> list[PendingReply]:
        command = ("XREADGROUP", "GROUP", GROUP, self._consumer, "COUNT", limit)
        keys = {outbox_key(partition): ">" for partition in ALL_PARTITIONS}
        try:
            found = await self._reader.read(command, keys, wait_ms)
        except StoreRefused as refused:
            # NOGROUP, UNBLOCKED: a store that was emptied or changed hands. Make the groups again at the next turn.
            self._grouped.clear()
            if refused.code not in ("NOGROUP", "UNBLOCKED"):
                raise
            return []
        return [
            _pending_reply(key.removesuffix(":owed"), entry_of(raw), deliveries=1)
            for key, entries in found.items()
            for raw in entries
        ]

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(_TEND_EVERY_S)
            with contextlib.suppress(QueueingError):
                await self._claim_again(idle_ms=0)
            await self._adopt()

    async def _claim_again(self, *, idle_ms: int) -> None:
        """Renew (``idle_ms`` 0) or give up (long idle) the claims in hand, in every partition that can be asked."""
        calls = (
            self._store.call(
                partition, "XCLAIM", outbox_key(partition), GROUP, self._consumer, 0, *ids, "IDLE", idle_ms, "JUSTID"
            )
            for partition, ids in _by_partition(self._held).items()
        )
        await asyncio.gather(*calls, return_exceptions=True)

    async def _adopt(self) -> None:
        """Claim what other relays left behind, in every partition that can be asked."""
        await asyncio.gather(*map(self._try_to_adopt, ALL_PARTITIONS))

    async def _try_to_adopt(self, partition: str) -> None:
        with contextlib.suppress(QueueingError):
            await self._adopt_one(partition)

    async def _adopt_one(self, partition: str) -> None:
        command = ("XAUTOCLAIM", outbox_key(partition), GROUP, self._consumer, ABANDONED_AFTER_MS, "0", "COUNT", 100)
        reply: Any = await self._store.call(partition, *command)  # [cursor, entries, deleted ids]
        entries = [entry for entry in map(entry_of, reply[1]) if entry[1]]
        if not entries:
            return
        await self._store.durable(partition)
        known = self._held | {pending.id for pending in self._abandoned}
        found = [_pending_reply(partition, entry, deliveries=2) for entry in entries]
        self._abandoned += [pending for pending in found if pending.id not in known]

    async def _call(self, operation: str, partition: str, *arguments: str | bytes | int) -> Any:
        return await library.call(self._store, operation, partition, *arguments)


def _parked(parked_id: bytes, _envelope: bytes, packed: bytes, reason: bytes, at_ms: bytes) -> ParkedReply:
    meta = _read_meta(packed)
    return ParkedReply(
        id=parked_id.decode(),
        kind=meta.kind,
        token=meta.token,
        refusal=Refusal(meta.refusal) if meta.refusal else None,
        created_ms=meta.created_ms,
        parked_ms=int(at_ms),
        reason=reason.decode(errors="replace"),
    )
