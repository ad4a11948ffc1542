"""One socket of the RESP protocol: commands go out, answers come back in the same order.

An answer must never reach a call that it does not belong to. So anything that breaks the order of answers closes the
socket and fails every call on it, not a single call.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

from hiredis import HiredisError, PushNotification, Reader, pack_command

from queueing.errors import InDoubt, StoreAway, StoreBusy, StoreRefused

Reply = int | bytes | list[Any] | None
"""The types that hiredis makes from an answer. An error inside a list is a StoreRefused object."""
Argument = bytes | str | int | float
Command = tuple[Argument, ...]

MAX_UNSENT_BYTES = 32 << 20
"""The most bytes that wait for a store that does not read: some 4,096 calls of 8 kB. It bounds our memory."""
MAX_REPLY_BYTES = 64 << 20
"""The largest answer that we ask for is a few hundred tickets with their sealed envelopes, under 1 MB."""
FLUSH_BYTES = 2048
"""Bytes that are sent before the turn of the event loop ends. The store works on these few arrivals while we prepare
the rest. With a smaller number the store would do one fsync for each arrival."""
NOTHING = object()
"""What the reader returns while an answer is incomplete."""


def pack(command: Command) -> bytes:
    """The command in bytes of the protocol. Raises TypeError and UnicodeError before anything is planned."""
    return pack_command(command)  # type: ignore[no-any-return, arg-type] # its stub takes tuples of one


class Wire(asyncio.Protocol):
    """One socket, with the calls that wait for their answers, in order."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, in_flight: int, timeout_s: float, *, on_cut: Callable[["Wire"], None]
    ) -> None:
        self.lost: asyncio.Future[str] = loop.create_future()
        """Why the socket ended."""
        self.gone: asyncio.Future[None] = loop.create_future()
        """Set when the socket is closed."""
        self._loop = loop
        self._in_flight = in_flight
        self._timeout_s = timeout_s
        self._on_cut = on_cut
        self._reader = Reader(replyError=StoreRefused, notEnoughData=NOTHING)
        self._pending: deque[tuple[asyncio.Future[Reply], float]] = deque()
        self._unsent: list[bytes] = []
        """Commands of the newest pending calls, which were not sent yet."""
        self._unsent_bytes = 0
        self._partial_bytes = 0
        self._flush_planned = False
        self._paused = False
        self._transport: asyncio.Transport | None = None
        self._look_every_s = min(0.25, timeout_s / 4)
        self._last_look = loop.time()
        self._watch = loop.call_later(self._look_every_s, self._look)

    @property
    def load(self) -> int:
        return len(self._pending)

    def send(self, command: Command) -> asyncio.Future[Reply]:
        self.admit(1)
        return self.plan(pack(command))

    def admit(self, calls: int) -> None:
        """Raises StoreBusy when there is no room for this many more calls."""
        if len(self._pending) + calls > self._in_flight or self._unsent_bytes > MAX_UNSENT_BYTES:
            raise StoreBusy(f"{len(self._pending)} calls are in flight")

    def plan(self, packed: bytes) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = self._loop.create_future()
        self._pending.append((future, self._loop.time()))
        self._unsent.append(packed)
        self._unsent_bytes += len(packed)
        if self._unsent_bytes >= FLUSH_BYTES:
            self._flush()
        elif not self._flush_planned:
            self._flush_planned = True
            self._loop.call_soon(self._flush_in_turn)
        return future

    def plan_together(self, packed: Sequence[bytes]) -> list[asyncio.Future[Reply]]:
        """As ``plan``, for several commands in one write. Over TCP a write costs more than packing a command."""
        now = self._loop.time()
        futures: list[asyncio.Future[Reply]] = [self._loop.create_future() for _ in packed]
        self._pending.extend((future, now) for future in futures)
        self._unsent.extend(packed)
        self._unsent_bytes += sum(map(len, packed))
        self._flush()
        return futures

    def _flush_in_turn(self) -> None:
        self._flush_planned = False
        self._flush()

    def _flush(self) -> None:
        if self._paused or self._transport is None or not self._unsent:
            return
        data = self._unsent[0] if len(self._unsent) == 1 else b"".join(self._unsent)
        self._unsent.clear()
        self._unsent_bytes = 0
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        reader, pending = self._reader, self._pending
        answerable = len(pending) - len(self._unsent)
        try:
            reader.feed(data)
            self._partial_bytes += len(data)
            while (reply := reader.gets()) is not NOTHING:
                self._partial_bytes = 0
                kind = type(reply)
                if kind is PushNotification:
                    continue
                if not answerable:
                    self.cut("the store sent an answer without a question")
                    return
                answerable -= 1
                future, _ = pending.popleft()
                if future.done():  # its caller was cancelled
                    continue
                if kind is StoreRefused:
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
        except (HiredisError, MemoryError, UnicodeError):
            self.cut("the store sent bytes that are not the protocol")
            return
        if self._partial_bytes > MAX_REPLY_BYTES:
            self.cut(f"an answer of more than {MAX_REPLY_BYTES} bytes")

    def _look(self) -> None:
        """Checks whether the oldest call is overdue. Answers come in order, so the other calls need no timer of their
        own.
        """
        now = self._loop.time()
        late_ourselves = now - self._last_look > 2 * self._look_every_s
        self._last_look = now
        # After a stall of this process the answers may still be unread in the socket: give the loop one turn to read.
        if not late_ourselves and self._pending and now - self._pending[0][1] > self._timeout_s:
            self.cut(f"no answer within {self._timeout_s:g} s")
            return
        self._watch = self._loop.call_later(self._look_every_s, self._look)

    def cut(self, why: str) -> None:
        """Ends the socket now. Safe to call twice."""
        if self.lost.done():
            return
        self.lost.set_result(why)
        self._on_cut(self)
        self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        gone = len(self._pending) - len(self._unsent)
        for place, (future, _) in enumerate(self._pending):
            if not future.done():
                future.set_exception(InDoubt(why) if place < gone else StoreAway(why))
        self._pending.clear()
        self._unsent.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The transport of a stream socket always is a Transport; the one of uvloop is not declared as such.
        self._transport = cast(asyncio.Transport, transport)
        # With a write buffer of 0 bytes uvloop writes at once and not at the end of its turn. Over TLS that would pause
        # us needlessly at every other write, and for ever at the last one.
        if transport.get_extra_info("ssl_object") is None:
            self._transport.set_write_buffer_limits(high=0)
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.cut("the connection was cut")
        if not self.gone.done():
            self.gone.set_result(None)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._flush()
