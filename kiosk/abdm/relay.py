"""The relay: sends pending replies to the gateway until each one is delivered or parked.

- Each reply is sent at least once, and all attempts carry the same bytes. It is deleted only when the gateway
  acknowledged it or answered that it already had it.
- After silence, 429, 5xx or a 2xx that is not an acknowledgement the reply is sent again, 0.5 to 4 s apart, while the
  patient's app waits (30 s from when the reply was written). After 401 it is sent once more with a new token.
- After any other 4xx, or when the time is over, the reply is parked: an administrator sees it and may send it again.

The number on the ticket stays valid in any case. No failure of the gateway slows a scan.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol

import msgspec

from kiosk.abdm.circuit_breaker import CircuitBreaker, Rank
from kiosk.abdm.client import ATTEMPT_S
from kiosk.abdm.errors import GatewayError, GatewayRefused, NotAcknowledged, Verdict, reason_of, verdict
from kiosk.abdm.note import read_note
from kiosk.abdm.outbound import body_of, path_of
from kiosk.observability import metrics
from kiosk.patient.envelope import ENVELOPE_PURPOSE, Envelope, pack_envelope, unpack_envelope
from kiosk.security.encryption import SealBroken
from queueing.errors import QueueingError
from queueing.pending_reply import PendingReply

PATIENCE_S: Final = 30.0
"""How long the patient's app waits for the reply."""
LATE_S: Final = 30.0
"""How long a reply that is already late waits for its one attempt (the relay was down, or it was resent by hand)."""
BACKOFF_S: Final = (0.5, 1.0, 2.0, 4.0)
JITTER: Final = 0.3
HELD_MAX: Final = 10_000
"""Most pending replies in hand: 300 scans a second during an outage of thirty seconds. More wait in the outbox."""
TAKE_MAX: Final = 256
STORE_AGAIN_S: Final = 0.5
CANCELLED_S: Final = 1.0
"""How long cancelled attempts may take to end. After that they are abandoned."""
STOP_S: Final = 5.0
"""How long running attempts may take when the relay must stop. Replies that remain stay in the outbox."""

_log = logging.getLogger(__name__)


class OutboxLike(Protocol):
    async def take(self, *, limit: int, wait_ms: int) -> list[PendingReply]: ...
    async def delivered(self, pending_replies: Sequence[PendingReply]) -> None: ...
    async def park(self, pending: PendingReply, reason: str) -> None: ...


class GatewayLike(Protocol):
    async def answer(self, path: str, hip_id: str, body: bytes, *, timeout_s: float) -> None: ...


class SealLike(Protocol):
    def open(self, purpose: str, facility: str, binding: str, sealed: bytes) -> bytes: ...
    def close(self, purpose: str, facility: str, binding: str, plain: bytes) -> bytes: ...


def pause_s(attempts: int, error: GatewayError, spread: float) -> float:
    """How long to wait after this many attempts. ``spread``, 0 to 1, keeps replies from being sent at the
    same moment.
    """
    backoff = BACKOFF_S[min(attempts, len(BACKOFF_S)) - 1] * (1 - JITTER + 2 * JITTER * spread)
    wanted_s = error.retry_after_s if isinstance(error, GatewayRefused) else None
    return max(backoff, wanted_s or 0.0)


class Relay:
    """One per relay process. The caller closes outbox and gateway after ``run`` has returned."""

    def __init__(
        self,
        outbox: OutboxLike,
        gateway: GatewayLike,
        seal: SealLike,
        *,
        expiry_as_number: bool = False,
        watch: Callable[[Verdict, float], None] = lambda _verdict, _seconds: None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._outbox = outbox
        self._gateway = gateway
        self._seal = seal
        self._expiry_as_number = expiry_as_number
        self._watch = watch
        """Called for each reply that ended, with its verdict and its age in seconds."""
        self._now_s = now_s
        self._breaker = CircuitBreaker()
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Event()
        self._delivered: list[PendingReply] = []
        self._updating: asyncio.Task[None] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Send replies until ``stop``. Then let running attempts end, and leave the other replies in the outbox."""
        while not stop.is_set():
            try:
                await self.run_once()
            except QueueingError as away:
                _log.warning("the outbox cannot be read: %s", type(away).__name__)
                await asyncio.sleep(STORE_AGAIN_S)
        await self.finish(STOP_S)

    async def run_once(self, *, wait_ms: int = 1000) -> int:
        """Take pending replies, as many as one relay may hold, and start sending them. Returns how many were taken."""
        while len(self._in_hand) >= HELD_MAX:
            self._room.clear()
            await self._room.wait()
        taken = await self._outbox.take(limit=min(TAKE_MAX, HELD_MAX - len(self._in_hand)), wait_ms=wait_ms)
        fresh = [pending for pending in taken if pending.id not in self._in_hand]
        self._breaker.arrived(len(fresh))
        for pending in fresh:
            task = asyncio.create_task(self._settle(pending))
            self._in_hand[pending.id] = task
            task.add_done_callback(partial(self._let_go, pending.id))
        return len(taken)

    async def finish(self, within_s: float) -> None:
        """Wait ``within_s`` for all replies in hand. Cancel the rest, and delete the delivered ones from the outbox."""
        if self._in_hand:
            _, left = await asyncio.wait(set(self._in_hand.values()), timeout=within_s)
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left, timeout=CANCELLED_S)
        if (updating := self._updating) is not None:
            await asyncio.wait({updating}, timeout=within_s)
            # if the store is away, the next relay sends these replies again: the gateway gets them twice
            updating.cancel()
            await asyncio.gather(updating, return_exceptions=True)

    def _let_go(self, reply_id: str, done: "asyncio.Task[None]") -> None:
        self._in_hand.pop(reply_id, None)
        self._room.set()
        if not done.cancelled() and (broken := done.exception()) is not None:
            _log.error("a pending reply was left in the outbox: %s", type(broken).__name__)

    async def _settle(self, pending: PendingReply) -> None:
        try:
            envelope = unpack_envelope(self._open(pending))
            note = read_note(envelope.note)
        except (SealBroken, msgspec.MsgspecError):
            await self._park(pending, "its envelope cannot be opened")
            return
        body = body_of(pending, note, self._now_s(), expiry_as_number=self._expiry_as_number)
        reason = await self._deliver(pending, path_of(note), note.hip_id, body)
        if reason is None:
            self._note_delivered(pending)
        else:
            # A parked reply is kept for days, so it keeps only what another attempt needs, without the profile.
            await self._park(
                msgspec.structs.replace(pending, envelope=self._close(pending, Envelope(envelope.note))), reason
            )

    def _close(self, pending: PendingReply, envelope: Envelope) -> bytes:
        return self._seal.close(ENVELOPE_PURPOSE, pending.facility_key, pending.request, pack_envelope(envelope))

    def _open(self, pending: PendingReply) -> bytes:
        return self._seal.open(ENVELOPE_PURPOSE, pending.facility_key, pending.request, pending.envelope)

    async def _deliver(self, pending: PendingReply, path: str, hip_id: str, body: bytes) -> str | None:
        """Try until the reply is delivered (returns None) or must be parked (returns why)."""
        late, left_s = self._time_left(pending)
        ends = asyncio.get_running_loop().time() + left_s
        renewed = False
        attempts = 0
        while True:
            error = await self._attempt((int(late), pending.created_ms), path, hip_id, body, ends)
            if error is None:
                return None
            attempts += 1
            found = verdict(error)
            if found is Verdict.DELIVERED:
                return None
            if found is Verdict.PARKED or (found is Verdict.RENEW and renewed):
                return reason_of(error)
            renewed = found is Verdict.RENEW
            if renewed:
                continue
            wait_s = pause_s(attempts, error, random.random())  # noqa: S311  (spreads retries; no secret)
            if late or asyncio.get_running_loop().time() + wait_s >= ends:
                return reason_of(error)
            await asyncio.sleep(wait_s)

    async def _attempt(self, rank: Rank, path: str, hip_id: str, body: bytes, ends: float) -> GatewayError | None:
        """One attempt, when the circuit breaker lets it start. If it never may start, that counts as silence."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(ends):
                await self._breaker.enter(rank)
        except TimeoutError:
            return NoTurn("the gateway was away too long")
        well: bool | None = None
        try:
            await self._gateway.answer(path, hip_id, body, timeout_s=min(ATTEMPT_S, max(1.0, ends - loop.time())))
            well = True
        except NotAcknowledged as unclear:
            metrics.not_acknowledged(unclear.kind)
            well = unclear.kind == "error"
            return unclear
        except GatewayRefused as refused:
            well = refused.status < 500
            return refused
        except GatewayError as silent:
            well = False
            return silent
        finally:
            self._breaker.leave(well=well)
        return None

    def _time_left(self, pending: PendingReply) -> tuple[bool, float]:
        """Whether the pending reply is late, and for how many more seconds it may be tried."""
        left_s = PATIENCE_S - (self._now_s() - pending.created_ms / 1000)
        return (True, LATE_S) if left_s <= 0 else (False, min(left_s, PATIENCE_S))

    def _note_delivered(self, pending: PendingReply) -> None:
        """Collect delivered replies: one call to the store deletes all that ended together."""
        self._delivered.append(pending)
        self._watch(Verdict.DELIVERED, self._now_s() - pending.created_ms / 1000)
        if self._updating is None:
            self._updating = asyncio.create_task(self._update_outbox())

    async def _update_outbox(self) -> None:
        while self._delivered:
            batch, self._delivered = self._delivered, []
            try:
                await self._outbox.delivered(batch)
            except QueueingError as away:
                _log.warning("the outbox could not be updated: %s", type(away).__name__)
                self._delivered = batch + self._delivered
                await asyncio.sleep(STORE_AGAIN_S)
        self._updating = None

    async def _park(self, pending: PendingReply, reason: str) -> None:
        while True:
            try:
                await self._outbox.park(pending, reason)
            except QueueingError as away:
                _log.warning("the outbox could not be updated: %s", type(away).__name__)
                await asyncio.sleep(STORE_AGAIN_S)
            else:
                self._watch(Verdict.PARKED, self._now_s() - pending.created_ms / 1000)
                return


class NoTurn(GatewayError):
    """The pending reply's time ran out while the circuit breaker was open."""
