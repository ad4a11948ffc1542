"""Batches arrivals: those of one turn of the event loop share one call to the store.

Each call has a fixed cost in the store and in the worker; a batch pays it once.

- Each arrival gets its own answer or its own error (``functions/enqueue.lua``). If the whole call fails, every arrival
  in it gets that error: StoreAway, StoreBusy, InDoubt or StoreRefused.
- A batch is sent when it holds ``TOGETHER`` arrivals, and at the end of the turn at the latest.
- On a cluster a call must stay in one slot, and a barrier follows it. Arrivals of one slot share a call, all of one
  node share a barrier: what comes while a node's barrier is under way, or within ``GATHER_S``, is sent when it has
  passed.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final, cast

from queueing import library
from queueing.day import ServiceClock
from queueing.errors import InDoubt, QueueingError, StoreAway, StoreBusy, StoreRefused
from queueing.redis_keys import partition_of
from queueing.store.resp_protocol import Reply
from queueing.store.store import Store

TOGETHER: Final = 8
"""Larger batches share better but leave the store waiting for the worker. Measured against four: 2 µs of a scan less;
with sixteen no less."""
ONE_SLOT_TOGETHER: Final = 16
"""A function runs alone on its node: sixteen arrivals take it about half a millisecond."""
GATHER_S: Final = 0.01
"""Between two batches for one node of a cluster; an arrival after a pause leaves at once. A patient does not notice it,
and it halves what a scan costs the worker: fewer writes, reads and barriers."""
WAITING_MAX: Final = 4096
"""As many as may be in flight to one node; more would only wait."""

Answer = asyncio.Future[Reply]


class Arrivals:
    """Sends the arrivals of one worker."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._clock: ServiceClock | None = None
        """Clock of the gathered arrivals: one call carries one time zone."""
        self._roots: list[str] = []
        self._arrivals: list[bytes] = []
        self._answers: list[Answer] = []
        self._leaving = False
        self._lanes: dict[object, NodeLane] = {}
        """On a cluster: by the node that owns the slot."""

    async def place(self, root: str, clock: ServiceClock, arrival: bytes) -> Reply:
        """The reply of ``functions/enqueue.lua`` to one packed arrival, durable. Raises a QueueingError."""
        if self._store.spans:
            try:
                return await self._join(root, clock, arrival)
            except StoreRefused as refused:
                if not library.is_missing(refused):
                    raise
        elif self._store.is_cluster:
            try:
                return await self._join_node(root, clock, arrival)
            except InDoubt:
                raise
            except (StoreAway, StoreRefused):  # not executed: asked again alone, with patience
                pass
        clock_values = library.pack_values(*clock.values())
        (reply,) = await library.call(self._store, "enqueue", root, clock_values, arrival)
        await self._store.durable(root)
        return cast(Reply, reply)

    def _join_node(self, root: str, clock: ServiceClock, arrival: bytes) -> Answer:
        partition = partition_of(root)
        node = self._store.owner(partition)
        lane = self._lanes.get(node)
        if lane is None:
            self._lanes = {known: one for known, one in self._lanes.items() if one.busy}  # nodes come and go
            lane = self._lanes[node] = NodeLane(self._store)
        return lane.join(partition, clock, root, arrival)

    def _join(self, root: str, clock: ServiceClock, arrival: bytes) -> Answer:
        if clock is not self._clock:
            self._leave()
            self._clock = clock
        loop = asyncio.get_running_loop()
        answer: Answer = loop.create_future()
        self._roots.append(root)
        self._arrivals.append(arrival)
        self._answers.append(answer)
        if len(self._answers) == TOGETHER:
            self._leave()
        elif not self._leaving:
            self._leaving = True
            loop.call_soon(self._leave_with_the_turn)
        return answer

    def _leave_with_the_turn(self) -> None:
        self._leaving = False
        self._leave()

    def _leave(self) -> None:
        if self._clock is None or not self._answers:
            return
        roots, arrivals, answers = self._roots, self._arrivals, self._answers
        self._roots, self._arrivals, self._answers = [], [], []
        command = library.command("enqueue", roots, [library.pack_values(*self._clock.values()), *arrivals])
        try:
            call = asyncio.ensure_future(self._store.call(roots[0], *command))
        except QueueingError as failure:
            _fail(answers, failure)
        else:
            call.add_done_callback(partial(_arrive, answers))


class NodeLane:
    """The arrivals of one node of a cluster: one batch under way, the next one gathering."""

    def __init__(self, store: Store) -> None:
        self.busy = False
        self._store = store
        self._waiting: dict[tuple[str, ServiceClock], list[tuple[str, bytes, Answer]]] = {}
        """By what one call can carry: one slot, one time zone."""
        self._count = 0
        self._sent_s = 0.0
        self._task: asyncio.Task[None] | None = None

    def join(self, partition: str, clock: ServiceClock, root: str, arrival: bytes) -> Answer:
        """Raises StoreBusy when too many wait already."""
        if self._count >= WAITING_MAX:
            raise StoreBusy(f"{self._count} arrivals wait for one node")
        loop = asyncio.get_running_loop()
        answer: Answer = loop.create_future()
        self._waiting.setdefault((partition, clock), []).append((root, arrival, answer))
        self._count += 1
        if not self.busy:
            self.busy = True
            self._task = loop.create_task(self._run())
        return answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                waiting, self._waiting, self._count = self._waiting, {}, 0
                await self._send(waiting)
        finally:
            self.busy = False

    async def _gather(self) -> None:
        now_s = asyncio.get_running_loop().time()
        pause_s = self._sent_s + GATHER_S - now_s
        if pause_s > 0:
            await asyncio.sleep(pause_s)
        self._sent_s = now_s + max(0.0, pause_s)

    async def _send(self, waiting: dict[tuple[str, ServiceClock], list[tuple[str, bytes, Answer]]]) -> None:
        now = {clock: library.pack_values(*clock.values()) for _, clock in waiting}
        groups = [
            (partition, clock, gathered[first : first + ONE_SLOT_TOGETHER])
            for (partition, clock), gathered in waiting.items()
            for first in range(0, len(gathered), ONE_SLOT_TOGETHER)
        ]
        calls = []
        for partition, clock, group in groups:
            roots, arrivals, _ = zip(*group, strict=True)
            calls.append((partition, library.command("enqueue", roots, (now[clock], *arrivals))))
        results = await self._store.call_durably(calls)
        for (_, _, group), result in zip(groups, results, strict=True):
            answers = [answer for _, _, answer in group]
            if isinstance(result, QueueingError):
                _fail(answers, result)
            else:
                _answer_each(answers, cast(list[Reply], result))


def _arrive(answers: Sequence[Answer], call: Answer) -> None:
    failure = call.exception()
    if failure is not None:
        _fail(answers, failure)
        return
    _answer_each(answers, cast(list[Reply], call.result()))


def _answer_each(answers: Sequence[Answer], replies: Sequence[Reply]) -> None:
    for answer, reply in zip(answers, replies, strict=True):
        if answer.done():  # its caller was cancelled
            continue
        if isinstance(reply, StoreRefused):
            answer.set_exception(reply)
        else:
            answer.set_result(reply)


def _fail(answers: Sequence[Answer], failure: BaseException) -> None:
    """Each gets its own exception object: a shared one would collect the tracebacks of all."""
    for answer in answers:
        if not answer.done():
            answer.set_exception(type(failure)(*failure.args))
