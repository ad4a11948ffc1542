"""A shard without a replica: when its primary may go on alone.

If the replica does not come back, waiting for it would stop a whole shard: no numbers are given. A primary may go on
alone, with its own disk as the only promise, when no other node can replace it. Two answers of the primary prove that:

- It is a primary and its ``cluster_state`` is ``ok``. So it sees a majority and is not on the side that is cut off.
- No replica was connected for longer than a replica stays electable (``cluster-node-timeout`` times
  ``cluster-replica-validity-factor`` plus ``repl-ping-replica-period``), and none came and went in that time
  (``sync_full`` and ``sync_partial_ok`` did not change). So no replica can be elected automatically.

The shard stops being alone when a replica has what was written. Two risks remain: a person who forces a failover, and
the loss of the disk.
"""

import asyncio
from typing import Any, Final

from msgspec import Struct

from queueing.errors import StoreAway, StoreRefused
from queueing.store.connection import SharedConnection
from queueing.store.resp_protocol import Command

HOLD_S: Final = 10.0
"""Added to twice the node timeout. A replica that only restarts is back by then, so its primary need not go on alone.
"""
MARGIN_S: Final = 2.0
"""Added to the time a replica stays electable, for bytes that were in transit when its connection ended."""
LOOK_EVERY_S: Final = 1.0
QUESTIONS: Final[tuple[Command, ...]] = (
    ("INFO", "replication", "stats"),
    ("CLUSTER", "INFO"),
    ("CONFIG", "GET", "cluster-node-timeout", "cluster-replica-validity-factor", "repl-ping-replica-period"),
)


class Sight(Struct, frozen=True, kw_only=True):
    """What a primary answers about itself and its replicas."""

    replicas: int
    attached: tuple[str, str]
    """Counts of replicas that ever connected. Equal counts mean that none connected in between."""
    sees_majority: bool
    """The node is a primary and reports that its cluster is complete."""
    hold_s: float
    """How long it must be without replicas before it may go on alone; 0: never."""


def read_sight(info: object, cluster: object, config: object) -> Sight:
    """Reads the answers to ``QUESTIONS``. A hidden value counts against going on alone."""
    fields = _fields(info)
    items = config if isinstance(config, list) else []
    settings = {str(name, "ascii", "replace"): value for name, value in zip(items[::2], items[1::2], strict=False)}
    return Sight(
        replicas=int(fields.get("connected_slaves", "1")),
        attached=(fields.get("sync_full", ""), fields.get("sync_partial_ok", "")),
        sees_majority=fields.get("role") == "master" and _fields(cluster).get("cluster_state") == "ok",
        hold_s=_hold_s(settings),
    )


def _hold_s(settings: dict[str, Any]) -> float:
    try:
        timeout_s = int(settings["cluster-node-timeout"]) / 1000
        factor = int(settings["cluster-replica-validity-factor"])
        ping_s = int(settings["repl-ping-replica-period"])
    except (KeyError, ValueError):
        return 0.0
    # Factor 0: a replica stays electable for ever.
    return max(2 * timeout_s + HOLD_S, factor * timeout_s + ping_s + MARGIN_S) if factor else 0.0


def _fields(answer: object) -> dict[str, str]:
    lines = answer.decode("utf-8", "replace").splitlines() if isinstance(answer, bytes) else []
    return dict(line.split(":", 1) for line in lines if ":" in line)


class LoneRule:
    """Watches one primary from the first time its replica is missing. ``is_lone`` is True once it may go on alone."""

    def __init__(self) -> None:
        self.is_lone = False
        self._since: float | None = None
        self._attached: tuple[str, str] | None = None
        self._watching: asyncio.Task[None] | None = None

    def watch(self, connection: SharedConnection) -> None:
        """A barrier found no replica. Asks the primary repeatedly until it has a replica or may go on alone."""
        if not self.is_lone and (self._watching is None or self._watching.done()):
            self._watching = asyncio.get_running_loop().create_task(self._watch(connection))

    async def confirm(self, connection: SharedConnection) -> bool:
        """Checks, after a write, that the conditions for going on alone still hold."""
        try:
            self._note(await _look(connection), asyncio.get_running_loop().time())
        except (StoreAway, StoreRefused):
            self._start_anew()
        return self.is_lone

    def end(self) -> None:
        """A replica has what was written: the primary is no longer alone."""
        self._start_anew()

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self, connection: SharedConnection) -> None:
        while not await self.confirm(connection) and self._since is not None:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(LOOK_EVERY_S)

    def _note(self, sight: Sight, now: float) -> None:
        if sight.replicas or not sight.sees_majority or not sight.hold_s:
            self._start_anew()
            return
        if self._since is None or sight.attached != self._attached:
            self.is_lone, self._since, self._attached = False, now, sight.attached
        self.is_lone = now - self._since >= sight.hold_s

    def _start_anew(self) -> None:
        self.is_lone, self._since, self._attached = False, None, None


async def _look(connection: SharedConnection) -> Sight:
    answers = await asyncio.gather(*connection.send_together(QUESTIONS), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, StoreAway):
            raise answer
    return read_sight(*answers)
