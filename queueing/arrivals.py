"""Batches arrivals: those of one turn of the event loop share one call to the store.

Each call has a fixed cost in the store and in the worker; a batch pays it once.

- Each arrival gets its own answer or its own error (``functions/enqueue.lua``). If the whole call fails, every arrival
  in it gets that error: StoreAway, StoreBusy, InDoubt or StoreRefused.
- A batch is sent when it holds ``TOGETHER`` arrivals, and at the end of the turn at the latest.
- On a cluster a call must stay in one slot, so each arrival is sent alone.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final, cast

from queueing import library
from queueing.day import ServiceClock
from queueing.errors import QueueingError, StoreRefused
from queueing.store.resp_protocol import Reply
from queueing.store.store import Store

TOGETHER: Final = 4
"""Larger batches share better but leave the store waiting for the worker. Measured: throughput is highest here."""

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

    async def place(self, root: str, clock: ServiceClock, arrival: bytes) -> Reply:
        """The reply of ``functions/enqueue.lua`` to one packed arrival. Raises a QueueingError."""
        if self._store.spans:
            try:
                return await self._join(root, clock, arrival)
            except StoreRefused as refused:
                if not library.is_missing(refused):
                    raise
        clock_values = library.pack_values(*clock.values())
        (reply,) = await library.call(self._store, "enqueue", root, clock_values, arrival)
        return cast(Reply, reply)

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


def _arrive(answers: Sequence[Answer], call: Answer) -> None:
    failure = call.exception()
    if failure is not None:
        _fail(answers, failure)
        return
    for answer, reply in zip(answers, cast(list[Reply], call.result()), strict=True):
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
