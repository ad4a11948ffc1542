"""The last change of each kind of setting, which can be taken back. Functions/configure.lua remembers it."""

from typing import Any

from msgspec import Struct

from queueing import library
from queueing.audit import Actor
from queueing.errors import QueueingError
from queueing.policy import Policy, policy_of
from queueing.redis_keys import facility_root
from queueing.registry import PrefixTaken
from queueing.store.store import Store


class ChangedSince(QueueingError):
    """Somebody changed the setting again, or took the change back already: nothing was done."""


class LastChange(Struct, frozen=True, kw_only=True):
    """One change of a setting."""

    kind: str
    mark: str
    """Tells this change from every other."""
    at_ms: int
    by: str
    """Login; empty for a change by a command."""
    before: tuple[bytes, ...]
    """The arguments that set what was set before: the kind, then its own."""

    @property
    def name(self) -> str:
        """The changed queue, counter or text; of the default queue the one before."""
        return self.before[1].decode() if self.kind in ("queue", "counter", "text", "default") else ""

    @property
    def policy(self) -> Policy:
        """The rules before a change of the rules."""
        return policy_of(self.before[1])


class LastChanges:
    """Reads last changes and takes them back."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, hip: str) -> dict[str, LastChange]:
        """Kind of setting → its last change, where there is one."""
        rows: Any = await library.call(self._store, "last_changes", facility_root(hip))
        changes = [
            LastChange(kind=kind.decode(), mark=mark.decode(), at_ms=at_ms, by=by.decode(), before=tuple(before))
            for kind, mark, at_ms, by, *before in rows
        ]
        return {change.kind: change for change in changes}

    async def take_back(self, hip: str, kind: str, mark: str, actor: Actor) -> None:
        """Set what was set before the change with this mark; the audit has it. Raises ChangedSince, PrefixTaken."""
        root = facility_root(hip)
        act = actor.act("admin_take-back", kind)
        reply = await library.call(self._store, "configure", root, *act.parts(), "take-back", kind, mark)
        if reply == b"PREFIX":
            raise PrefixTaken
        if isinstance(reply, bytes):
            raise ChangedSince
        await self._store.durable(root)
