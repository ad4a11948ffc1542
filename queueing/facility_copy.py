"""Makes a facility's queues, counters and rules from those of another one, its template.

Nothing that is there is changed. People, who serves at a counter, logins, keys, screens, printed texts, networks and
aliases are not copied: they belong to one facility.
"""

from enum import StrEnum
from typing import Literal

import msgspec
from msgspec import Struct

from queueing.models import Counter, Queue
from queueing.policy import Policy, pack_policy
from queueing.registry import Hospital, Registry, within_limits

_pack = msgspec.msgpack.Encoder().encode


class Why(StrEnum):
    """Why something of the template is not made."""

    THERE = "there"
    """The facility has one of this name; it stays as it is."""
    PREFIX = "prefix"
    """Another queue of the facility has its prefix: two patients would hold the same number."""
    QUEUE = "queue"
    """It serves a queue that the facility does not get."""


class LeftOut(Struct, frozen=True, kw_only=True):
    """Something of the template that is not made."""

    kind: Literal["queue", "counter", "rules"]
    name: str
    why: Why


class CopyPlan(Struct, frozen=True, kw_only=True):
    """What a copy makes."""

    source: str
    """HIP id of the template."""
    target: str
    queues: tuple[Queue, ...]
    counters: tuple[Counter, ...]
    rules: Policy | None
    """None: the rules stay as they are."""
    replaced: Policy
    """The facility's rules now; others than these are not replaced."""
    default_queue: str
    """Empty: it stays as it is."""
    left_out: tuple[LeftOut, ...]

    @property
    def makes_nothing(self) -> bool:
        """Whether everything is there already."""
        return not (self.queues or self.counters or self.rules or self.default_queue)


def plan(template: Hospital, target: Hospital) -> CopyPlan:
    """What a copy of the template would make. Nothing is written."""
    queues, left_queues = _queues(template, target)
    known = {queue.id for queue in (*target.queues, *queues)}
    counters, left_counters = _counters(template, target, known)
    rules, own = template.facility.policy, target.facility.policy
    is_new = own == Policy() != rules
    left_rules = () if is_new or own == rules else (LeftOut(kind="rules", name="", why=Why.THERE),)
    default = template.facility.default_queue
    return CopyPlan(
        source=template.facility.hip_id, target=target.facility.hip_id, queues=queues, counters=counters,
        rules=rules if is_new else None, replaced=own,
        default_queue=default if default in known and not target.facility.default_queue else "",
        left_out=(*left_queues, *left_counters, *left_rules),
    )  # fmt: skip


async def make(registry: Registry, made: CopyPlan) -> None:
    """Make what is planned, in one step. What somebody else added meanwhile stays as it is."""
    parts: list[str | bytes] = []
    for queue in made.queues:
        parts += "queue", queue.id, _pack(within_limits(queue))
    for counter in made.counters:
        parts += "counter", counter.name, _pack(within_limits(counter))
    if made.rules:
        parts += "policy", pack_policy(made.replaced), pack_policy(within_limits(made.rules))
    if made.default_queue:
        parts += "default", made.default_queue, ""
    if parts:
        await registry.add_missing(made.target, parts, copied_from=made.source)


def _queues(template: Hospital, target: Hospital) -> tuple[tuple[Queue, ...], list[LeftOut]]:
    taken, found, left = {queue.prefix for queue in target.queues}, list[Queue](), list[LeftOut]()
    for queue in template.queues:
        if target.queue(queue.id):
            left.append(LeftOut(kind="queue", name=queue.id, why=Why.THERE))
        elif queue.prefix in taken:
            left.append(LeftOut(kind="queue", name=queue.id, why=Why.PREFIX))
        else:
            found.append(queue)
    return tuple(found), left


def _counters(template: Hospital, target: Hospital, known: set[str]) -> tuple[tuple[Counter, ...], list[LeftOut]]:
    found, left = list[Counter](), list[LeftOut]()
    for counter in template.counters:
        if target.counter(counter.name):
            left.append(LeftOut(kind="counter", name=counter.name, why=Why.THERE))
        elif not known.issuperset(counter.queues):
            left.append(LeftOut(kind="counter", name=counter.name, why=Why.QUEUE))
        else:
            found.append(msgspec.structs.replace(counter, served_by=""))
    return tuple(found), left
