"""Arrivals on their way to the store: those of one turn of the event loop go in one call.

A call has a price of its own, in the store and in the worker; whoever comes together shares it. Promises:

- Everybody gets an answer of their own. Who fails in the function fails alone (``functions/enqueue.lua``); what befalls
  the call befalls all who are on it: StoreAway, StoreBusy, InDoubt, StoreRefused.
- Nobody waits for company: a call leaves when ``TOGETHER`` are on it, and with the turn at the latest.
- Where a call must stay in one slot everybody goes alone.
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
"""More would share better, and let the store wait for the worker: measured, this is where both work most."""

Answer = asyncio.Future[Reply]


class Arrivals:
    """The way of every arrival of one worker."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._clock: ServiceClock | None = None
        """Of those who are gathered: one call tells one time zone."""
        self._roots: list[str] = []
        self._arrivals: list[bytes] = []
        self._answers: list[Answer] = []
        self._leaving = False

    async def place(self, root: str, clock: ServiceClock, arrival: bytes) -> Reply:
        """What ``functions/enqueue.lua`` answers to one arrival, packed for it. Raises a QueueingError."""
        if self._store.spans:
            try:
                return await self._join(root, clock, arrival)
            except StoreRefused as refused:
                if not library.is_missing(refused):
                    raise
        told = library.pack_values(*clock.told())
        (reply,) = await library.call(self._store, "enqueue", root, told, arrival)
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
        command = library.command("enqueue", roots, [library.pack_values(*self._clock.told()), *arrivals])
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
    """To each its own exception: a traceback grows with everybody who raises it."""
    for answer in answers:
        if not answer.done():
            answer.set_exception(type(failure)(*failure.args))
