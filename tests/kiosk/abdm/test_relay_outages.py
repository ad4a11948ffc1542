"""The relay when something is away: it stops, the store or the gateway is gone, and no reply is lost."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from kiosk.abdm.errors import (
    GatewayError,
    GatewayRefused,
    GatewaySilent,
    NoAccessToken,
    NotAcknowledged,
    Verdict,
    verdict,
)
from kiosk.abdm.relay import Relay, pause_s
from queueing.errors import StoreAway
from queueing.outbox import Outbox
from queueing.pending_reply import PendingReply
from queueing.store.store import Store
from tests.kiosk.abdm.fake_gateway import Heard, Reply, until
from tests.kiosk.abdm.relayed_hospital import HIP, ON_SHARE, Line, always

pytestmark = pytest.mark.anyio


async def running(line: Line, relay: Relay, so: Callable[[], bool]) -> None:
    """Run until the condition is true, then stop and wait for the end."""
    stop = asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    await until(so)
    stop.set()
    await task


async def test_when_it_must_stop_it_lets_running_attempts_end(line: Line) -> None:
    async def slow(_: Heard) -> Reply:
        await asyncio.sleep(0.3)
        return 202, b""

    line.fake.manners[ON_SHARE] = slow
    await line.scan()
    await running(line, line.relay(), lambda: bool(line.shares()))
    assert line.ended == [Verdict.DELIVERED]
    assert await line.outbox.backlog() == 0


async def test_replies_left_when_it_stopped_are_sent_by_the_next_relay(line: Line, store: Store) -> None:
    line.fake.manners[ON_SHARE] = always(503, b"")
    await line.scan()
    relay = line.relay()
    await relay.run_once()
    await until(line.shares)
    await relay.finish(0.05)
    await line.outbox.close()
    assert await line.outbox.backlog() == 1
    line.fake.manners.clear()
    line.outbox = Outbox(store, "relay-2")
    await running(line, line.relay(), lambda: bool(line.ended))
    assert line.ended == [Verdict.DELIVERED]
    first, *_, last = line.shares()
    assert first.body == last.body


class Forgetful:
    """An outbox whose store is sometimes away."""

    def __init__(self, outbox: Outbox, failures: int) -> None:
        self._outbox = outbox
        self._left = failures

    def _maybe_away(self) -> None:
        if self._left:
            self._left -= 1
            raise StoreAway

    async def take(self, *, limit: int, wait_ms: int) -> list[PendingReply]:
        return await self._outbox.take(limit=limit, wait_ms=wait_ms)

    async def delivered(self, pending_replies: Sequence[PendingReply]) -> None:
        self._maybe_away()
        await self._outbox.delivered(pending_replies)

    async def park(self, pending: PendingReply, reason: str) -> None:
        self._maybe_away()
        await self._outbox.park(pending, reason)


async def test_delivered_replies_are_deleted_when_the_store_is_back(line: Line) -> None:
    await line.scan(1)
    await line.deliver_pending(line.relay(Forgetful(line.outbox, 1)))
    assert await line.outbox.backlog() == 0
    line.fake.manners[ON_SHARE] = always(400, b"")
    await line.scan(2)
    await line.deliver_pending(line.relay(Forgetful(line.outbox, 1)))
    assert len(await line.outbox.parked(HIP)) == 1
    assert len(line.shares()) == 2, "the gateway was told once each"


async def test_an_outbox_that_cannot_be_read_is_read_again(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    class Away(Forgetful):
        async def take(self, *, limit: int, wait_ms: int) -> list[PendingReply]:
            self._maybe_away()
            return await super().take(limit=limit, wait_ms=wait_ms)

    await line.scan()
    await running(line, line.relay(Away(line.outbox, 1)), lambda: bool(line.ended))
    assert line.ended == [Verdict.DELIVERED]
    assert "the outbox cannot be read: StoreAway" in caplog.text


async def test_after_an_outage_of_the_gateway_every_reply_is_delivered(line: Line) -> None:
    port_of = line.fake.port
    await line.fake.stop()
    for number in range(60):
        await line.scan(number)
    relay = line.relay()
    await relay.run_once()
    await asyncio.sleep(1.2)
    assert line.ended == []
    line.fake.port = port_of
    await line.fake.start()
    await relay.finish(25)
    assert line.ended == [Verdict.DELIVERED] * 60
    assert len({heard.body for heard in line.shares()}) == 60


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (GatewaySilent("x"), Verdict.RETRY),
        (NoAccessToken("x"), Verdict.RETRY),
        (GatewayRefused(401, "900901", ""), Verdict.RENEW),
        (GatewayRefused(408, "ABDM-1007", ""), Verdict.RETRY),
        (GatewayRefused(425, "", ""), Verdict.RETRY),
        (GatewayRefused(429, "ABDM-1022", ""), Verdict.RETRY),
        (GatewayRefused(500, "900900", ""), Verdict.RETRY),
        (GatewayRefused(503, "ABDM-1024", ""), Verdict.RETRY),
        (GatewayRefused(302, "", ""), Verdict.RETRY),
        (GatewayRefused(400, "ABDM-1006", "Bad Request"), Verdict.PARKED),
        (GatewayRefused(404, "ABDM-1001", "No share matches"), Verdict.PARKED),
        (GatewayRefused(403, "", ""), Verdict.PARKED),
        (GatewayRefused(400, "ABDM-1087", ""), Verdict.DELIVERED),
        (GatewayRefused(409, "", "already been acknowledged"), Verdict.DELIVERED),
        (GatewayRefused(400, "ABDM-9999", "Duplicate request"), Verdict.DELIVERED),
        (NotAcknowledged(200, "page"), Verdict.RETRY),
        (NotAcknowledged(200, "error", code="ABDM-1006"), Verdict.RETRY),
        (NotAcknowledged(200, "error", code="ABDM-1087"), Verdict.DELIVERED),
        (GatewayRefused(400, "ABDM-1407", "ABHA address already deactivated"), Verdict.PARKED),
    ],
    ids=str,
)
def test_each_failure_has_one_meaning(error: GatewayError, what: Verdict) -> None:
    assert verdict(error) is what


def test_pauses_grow_are_spread_and_follow_retry_after() -> None:
    silent = GatewaySilent("x")
    middles = [pause_s(attempts, silent, 0.5) for attempts in (1, 2, 3, 4, 5, 50)]
    assert middles == pytest.approx([0.5, 1.0, 2.0, 4.0, 4.0, 4.0])
    assert pause_s(1, silent, 0.0) < pause_s(1, silent, 1.0)
    assert pause_s(1, GatewayRefused(429, "", "", retry_after_s=9.0), 0.5) == 9.0
    assert pause_s(4, GatewayRefused(503, "", "", retry_after_s=1.0), 0.5) == pytest.approx(4.0)
