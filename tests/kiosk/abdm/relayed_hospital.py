"""One hospital, its gateway, and the relay between them."""

import json
import time
from typing import Any

from kiosk.abdm.client import Gateway, timestamp
from kiosk.abdm.errors import Verdict
from kiosk.abdm.inbound import RequestHeaders, to_scan
from kiosk.abdm.relay import Relay
from kiosk.abdm.schemas import read_share
from kiosk.checkin import CheckIn
from kiosk.security.encryption import Seal
from queueing.outbox import Outbox
from queueing.store.store import Store
from tests.kiosk.abdm.fake_gateway import FakeGateway, Heard, Manners, Reply

HIP = "IN0110000123"


ON_SHARE = "/on-share"


class Line:
    """One hospital, its gateway, and the relay between them."""

    def __init__(self, store: Store, fake: FakeGateway, seal: Seal, check_in: CheckIn) -> None:
        self.fake = fake
        self.check_in = check_in
        self.seal = seal
        self.outbox = Outbox(store, "relay-1")
        self.gateway = Gateway(fake.url, client_id="SBX_1", client_secret="s", cm_id="sbx")
        self.ended: list[Verdict] = []

    def relay(self, outbox: Any = None, ahead_s: float = 0.0) -> Relay:
        return Relay(
            outbox or self.outbox,
            self.gateway,
            self.seal,
            watch=lambda how, _seconds: self.ended.append(how),
            now_s=lambda: time.time() + ahead_s,
        )

    async def scan(self, number: int = 0, **changed: Any) -> str:
        """One person shares a profile. Returns the REQUEST-ID."""
        request_id = f"{number:08x}-8388-4698-9fe6-05db67aeac46"
        patient = {"abhaAddress": f"p{number}@sbx", "name": "A", "gender": "F", "yearOfBirth": "1990"}
        plain = {
            "intent": "PROFILE_SHARE",
            "metaData": {"hipId": HIP, "context": "M1"},
            "profile": {"patient": patient},
        }
        body = json.dumps(plain | changed).encode()
        headers = RequestHeaders(request_id, HIP, timestamp(time.time()))
        await self.check_in.scanned(to_scan(read_share(body), headers, body=body, now_s=time.time(), cm_id="sbx"))
        return request_id

    async def deliver_pending(self, relay: Relay | None = None, within_s: float = 20.0) -> None:
        """Take the pending replies once and wait until all have ended."""
        relay = relay or self.relay()
        await relay.run_once(wait_ms=200)
        await relay.finish(within_s)

    def shares(self) -> list[Heard]:
        return self.fake.at(ON_SHARE)


def always(*reply: Any) -> Manners:
    async def answer(_: Heard) -> Reply:
        return reply if reply else None

    return answer
