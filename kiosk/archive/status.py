"""How far the archive is behind, and why: written by its roles into the store, read by health, doctor and metrics."""

import asyncio
import time
from typing import Final

import msgspec
from msgspec import Struct

from queueing.archive_feed import drop_archive_facts, read_archive_facts, write_archive_facts
from queueing.store.store import Store

BEHIND_WARN_S: Final = 120.0
"""A role that works is seconds behind. Two minutes are a role that does not."""
FORGET_S: Final = 86_400
"""A process that was silent for a day has ended."""

_TROUBLE: Final = {
    "away": "its database does not answer or takes no writes",
    "unsuitable": "its database was written by a newer release, or is not ours",
    "store": "the store does not answer",
}


class ArchiveFacts(Struct, frozen=True, array_like=True):
    """What one archive role knows. New fields go last and have defaults."""

    at_ms: int
    """When it said so."""
    complete_ms: int
    """Everything that happened before is archived."""
    trouble: str = ""
    """A key of ``_TROUBLE``, or empty."""
    reason: str = ""
    """Why exactly, in words that follow a colon; empty: as ``_TROUBLE`` says it."""


_pack = msgspec.msgpack.Encoder().encode
_read = msgspec.msgpack.Decoder(ArchiveFacts).decode


async def publish(store: Store, process: str, facts: ArchiveFacts) -> None:
    """Write what this role knows. Raises QueueingError."""
    await write_archive_facts(store, process, _pack(facts))


class ArchiveState(Struct, frozen=True):
    """The archive as all its roles together describe it."""

    lag_s: float
    trouble: str = ""
    """Why the newest role does not go on; empty while it does."""
    reason: str = ""
    """The same exactly; empty: as ``_TROUBLE`` says it."""

    @property
    def words(self) -> str:
        """One line for an operator; empty when nothing is wrong."""
        if self.lag_s < BEHIND_WARN_S:
            return ""
        reason = self.reason or _TROUBLE.get(self.trouble, "no archive role is at work")
        minutes = self.lag_s / 60
        far = f"{minutes / 60:.0f} h" if minutes >= 120 else f"{minutes:.0f} min"
        return (
            f"the archive is {far} behind: {reason}. Patients are served; what happened waits in the store for 3 days"
        )


async def archive_state(store: Store, now_ms: int | None = None) -> ArchiveState | None:
    """None when no archive role ran in the last days. Raises QueueingError."""
    now = int(time.time() * 1000) if now_ms is None else now_ms
    packed = await read_archive_facts(store)
    facts = {process: _read(one) for process, one in packed.items()}
    ended = [process for process, one in facts.items() if now - one.at_ms > FORGET_S * 1000]
    living = [one for process, one in facts.items() if process not in ended]
    if ended and living:
        await drop_archive_facts(store, ended)
    if not facts:
        return None
    newest = max(facts.values(), key=lambda one: one.at_ms)
    complete_ms = max(one.complete_ms for one in facts.values())
    silent = now - newest.at_ms > BEHIND_WARN_S * 1000
    lag_s = max(0.0, (now - complete_ms) / 1000)
    return ArchiveState(lag_s) if silent else ArchiveState(lag_s, newest.trouble, newest.reason)


class KnownState:
    """The state, read at most every few seconds."""

    EVERY_S: Final = 5.0

    def __init__(self) -> None:
        self._read_at = -self.EVERY_S
        self._state: ArchiveState | None = None
        self._reading = asyncio.Lock()

    async def read(self, store: Store) -> ArchiveState | None:
        """The last state, or a new one. Raises QueueingError."""
        async with self._reading:
            if time.monotonic() - self._read_at >= self.EVERY_S:
                self._state = await archive_state(store)
                self._read_at = time.monotonic()
            return self._state
