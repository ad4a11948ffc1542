"""Sends shares from the gateway to the bridge: each until it is accepted, or until its phone has stopped waiting.

No retry schedule is published (protocol B5). The real gateway was seen to retry with the same REQUEST-ID after any
status but 2xx. Our retries come after 0.25 s, and each pause is twice the one before. There is no retry after 400, 404
and 413, because it would fail again. The sandbox repeated a refused callback once, some sixteen minutes later, with the
same token and TIMESTAMP; the simulator does this on demand.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from loadtests.simulator.gateway.ledger import SHARE_LIVES_MS, Delivery, Share
from loadtests.simulator.gateway.schemas import HIP_SHARE, legacy_share

IN_FLIGHT = 1024
"""Calls to the bridge at once: far more than it answers in a second, and far fewer than our file descriptors."""
FIRST_RETRY_S = 0.25
HOPELESS = frozenset({400, 404, 413})
ANSWER_WITHIN_S = 10


class Speaker(Protocol):
    """What a delivery needs from the gateway: the bridge's address, the present token, the time of the
    simulated clock.
    """

    bridge_url: str

    def callback_token(self) -> str:
        """The token of callbacks."""
        ...

    def clock_s(self) -> float:
        """The time by the simulated clock."""
        ...

    def repeat_after_s(self) -> float:
        """How long after its TIMESTAMP a refused share is repeated once; 0: soon and often."""
        ...


def stamp(now_s: float) -> str:
    """A time as the gateway writes TIMESTAMP."""
    return datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Courier:
    """Calls the bridge and the apps over kept-alive connections."""

    def __init__(self, speaker: Speaker, clock: Callable[[], float] = time.time) -> None:
        self.speaker = speaker
        self.clock = clock
        self._lanes = asyncio.Semaphore(IN_FLIGHT)
        self._client: Client = (
            ClientBuilder().no_proxy().follow_redirects(False).timeout(timedelta(seconds=ANSWER_WITHIN_S)).build()
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def call(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """Send one POST. Returns the status; 0 when no answer came."""
        async with self._lanes:
            try:
                request = self._client.post(url).headers(headers).body_bytes(body).build()
                response = await request.send()
            except PyreqwestError:
                return 0
            return response.status

    async def deliver(self, share: Share, *, wait_ms: int = 0) -> bool:
        """Send one share to the bridge. Returns whether it was accepted (2xx)."""
        await asyncio.sleep(wait_ms / 1000)
        if pause_s := self.speaker.repeat_after_s():
            return await self._deliver_twice(share, pause_s)
        retry_s = FIRST_RETRY_S
        while True:
            status = await self._attempt(share, *self._message_of(share))
            if 200 <= status < 300:
                return True
            if status in HOPELESS or (self.clock() + retry_s) * 1000 > share.shared_ms + SHARE_LIVES_MS:
                return False
            await asyncio.sleep(retry_s)
            retry_s *= 2

    async def _deliver_twice(self, share: Share, pause_s: float) -> bool:
        """Deliver; when it is refused, repeat it once with the same headers after a long pause."""
        url, headers, body = self._message_of(share)
        if 200 <= await self._attempt(share, url, headers, body) < 300:
            return True
        await asyncio.sleep(pause_s)
        return 200 <= await self._attempt(share, url, headers, body) < 300

    async def _attempt(self, share: Share, url: str, headers: dict[str, str], body: bytes) -> int:
        """Make one delivery and record it in the ledger. Returns its status."""
        began = self.clock()
        delivery = Delivery(int(began * 1000), 0, 0)
        share.deliveries.append(delivery)
        delivery.status = await self.call(url, headers, body)
        delivery.took_ms = int((self.clock() - began) * 1000)
        return delivery.status

    def _message_of(self, share: Share) -> tuple[str, dict[str, str], bytes]:
        """Address, headers and body of one delivery. Legacy forms have id and time in the body (protocol B7)."""
        now = stamp(self.speaker.clock_s())
        headers = {
            "Authorization": f"Bearer {self.speaker.callback_token()}",
            "X-HIP-ID": share.hip_id,
            "Content-Type": "application/json",
        }
        url = self.speaker.bridge_url + HIP_SHARE[share.wire]
        if share.wire != "v3":
            return url, headers, legacy_share(share.body, share.wire, share.request_id, now)
        return url, headers | {"REQUEST-ID": share.request_id, "TIMESTAMP": now}, share.body
