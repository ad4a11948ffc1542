"""The relay from a scan to the gateway: a real desk, outbox and seal, and a gateway that makes faults."""

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from kiosk.abdm.client import Gateway, timestamp
from kiosk.abdm.errors import GatewayError, GatewayRefused, GatewaySilent, NoAccessToken, NotAcknowledged
from kiosk.abdm.inbound import RequestHeaders, legacy_scan, read_patient, to_query, to_scan
from kiosk.abdm.note import read_note
from kiosk.abdm.relay import PATIENCE_S, Relay, Verdict, pause_s, verdict
from kiosk.abdm.schemas import read_legacy, read_share, read_status
from kiosk.checkin import CheckIn
from kiosk.observability import metrics
from kiosk.patient.envelope import ENVELOPE_PURPOSE, Envelope, unpack_envelope
from kiosk.security.encryption import Seal
from queueing import library
from queueing.day_keys import DayKeys
from queueing.errors import StoreAway
from queueing.models import Facility, Queue
from queueing.outbox import Outbox
from queueing.pending_reply import PendingReply
from queueing.registry import Registry
from queueing.store.store import Store
from tests.kiosk.abdm.fake_gateway import SAMPLES, FakeGateway, Heard, Manners, Reply, sample, until
from tests.queueing.a_facility import open_desk
from tokens import CounterCodes, KeyRing

pytestmark = pytest.mark.anyio

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


@pytest.fixture
async def line(store: Store, fake: FakeGateway) -> AsyncIterator[Line]:
    await library.load(store)
    registry = Registry(store)
    await registry.put_facility(Facility(hip_id=HIP, name="District Hospital"))
    await registry.put_queue(HIP, Queue(id="medicine", name="Medicine", prefix="M"), 3)
    ring = KeyRing.generate(int(time.time()))
    seal = Seal(ring.seal_masters(), ring.seal_master_id, now_s=lambda: int(time.time()), retention_h=24)
    await seal.refresh(DayKeys(store))
    check_in = CheckIn(
        open_desk(store),
        CounterCodes(ring),
        seal,
        person_key=ring.person_key(),
        read_patient=read_patient,
        now_s=time.time,
    )
    line = Line(store, fake, seal, check_in)
    yield line
    await line.outbox.close()
    await line.gateway.close()


def always(*reply: Any) -> Manners:
    async def answer(_: Heard) -> Reply:
        return reply if reply else None

    return answer


async def test_a_scan_is_acknowledged_and_its_reply_forgotten(line: Line) -> None:
    request_id = await line.scan()
    await line.deliver_pending()
    [heard] = line.shares()
    assert heard.json["acknowledgement"]["status"] == "SUCCESS"
    assert heard.json["acknowledgement"]["abhaAddress"] == "p0@sbx"
    assert heard.json["acknowledgement"]["profile"]["context"] == "M1"
    assert heard.json["acknowledgement"]["profile"]["tokenNumber"].startswith("M-")
    assert 0 < int(heard.json["acknowledgement"]["profile"]["expiry"]) <= 1800
    assert heard.json["response"] == {"requestId": request_id}
    assert (heard.headers["x-hip-id"], heard.headers["x-cm-id"]) == (HIP, "sbx")
    assert line.ended == [Verdict.DELIVERED]
    assert await line.outbox.backlog() == 0


async def test_a_refusal_is_sent_with_its_text(line: Line) -> None:
    await line.scan(intent="PAYMENT_SHARE")
    await line.deliver_pending()
    [heard] = line.shares()
    assert heard.json["error"]["code"] == "ABDM-1149"
    assert "acknowledgement" not in heard.json


async def test_a_share_for_an_unknown_hospital_is_answered_too(line: Line) -> None:
    await line.scan(metaData={"hipId": "NOWHERE", "context": "1"})
    headers = RequestHeaders("r-9", "", timestamp(time.time()))
    raw = sample("v3-hip-patient-share")
    await line.check_in.scanned(to_scan(read_share(raw), headers, body=raw, now_s=time.time(), cm_id="sbx"))
    headers = RequestHeaders("r-10", "", timestamp(time.time()))
    nowhere = b'{"intent":"PROFILE_SHARE","metaData":{},"profile":{"patient":{"abhaAddress":"a@sbx"}}}'
    await line.check_in.scanned(to_scan(read_share(nowhere), headers, body=nowhere, now_s=time.time(), cm_id="sbx"))
    await line.deliver_pending()
    assert sorted(heard.json["error"]["code"] for heard in line.shares()) == ["ABDM-1035", "ABDM-1035", "ABDM-1055"]


async def test_legacy_and_running_token_answers_go_their_own_way(line: Line) -> None:
    await line.scan()
    old = json.dumps(json.loads(sample("v1-profile-share")) | {"timestamp": timestamp(time.time())}).encode()
    headers = RequestHeaders("", HIP, "")
    await line.check_in.scanned(legacy_scan(read_legacy(old), headers, "v1", body=old, now_s=time.time(), cm_id="sbx"))
    question = json.dumps({"hipId": HIP, "context": "M1"}).encode()
    headers = RequestHeaders("r-3", HIP, timestamp(time.time()))
    await line.check_in.answer_status(to_query(read_status(question), headers, body=question, now_s=time.time()))
    await line.deliver_pending()
    by_path = {heard.path: heard.json for heard in line.fake.heard if heard.body}
    legacy = by_path["/gateway/v1.0/patients/profile/on-share"]
    assert legacy["resp"] == {"requestId": "499a5a4a-7dda-4f20-9b67-e24589627061"}
    assert legacy["acknowledgement"]["healthId"] == "janedoe@sbx"
    status = by_path["/api/hiecm/patient-share/v3/running-token/on-status"]
    assert status["token"]["runningTokenNumber"] == "0", "people wait, none was called yet"
    assert status["response"] == {"requestId": "r-3"}


async def test_a_faulty_gateway_gets_the_same_bytes_on_each_attempt(line: Line) -> None:
    patients = 60
    wheel = random.Random(7)
    taken: set[str] = set()

    async def rude(heard: Heard) -> Reply:
        request = heard.json["response"]["requestId"]
        throw = wheel.random()
        if throw < 0.20:
            taken.add(request)
            return None  # took it, and the answer was lost
        if throw < 0.30:
            return 500, b"{}"
        if throw < 0.35:
            return 429, b"", {"retry-after": "1"}
        if throw < 0.38:
            return 200, b"\xff garbage"
        if request in taken:
            return 400, b'{"error":{"code":"ABDM-1087","message":"Duplicate patient share request"}}'
        taken.add(request)
        return 202, b""

    line.fake.manners[ON_SHARE] = rude
    requests = [await line.scan(number) for number in range(patients)]
    await line.deliver_pending(within_s=29)
    assert line.ended == [Verdict.DELIVERED] * patients
    headers: dict[str, set[bytes]] = defaultdict(set)
    for heard in line.shares():
        headers[heard.json["response"]["requestId"]].add(heard.body)
    assert headers.keys() == set(requests)
    assert all(len(bodies) == 1 for bodies in headers.values())
    numbers = [
        json.loads(next(iter(bodies)))["acknowledgement"]["profile"]["tokenNumber"] for bodies in headers.values()
    ]
    assert len(set(numbers)) == patients
    outer = [heard.headers["request-id"] for heard in line.fake.heard]
    assert len(set(outer)) == len(outer), "a REQUEST-ID is never used twice"
    assert await line.outbox.backlog() == 0


@pytest.mark.parametrize("status", [400, 404, 403, 409, 422])
async def test_a_refused_answer_is_parked_at_once_and_can_be_sent_again(line: Line, status: int) -> None:
    line.fake.manners[ON_SHARE] = always(status, sample("error-envelope-documented"))
    await line.scan()
    await line.deliver_pending()
    assert len(line.shares()) == 1
    [parked] = await line.outbox.parked(HIP)
    assert parked.reason == f"the gateway answered {status} ABDM-1006"
    assert parked.token == "M-001"
    line.fake.manners.clear()
    assert await line.outbox.resend(HIP, parked.id)
    await line.deliver_pending()
    assert await line.outbox.parked(HIP) == []
    assert [heard.json["acknowledgement"]["profile"]["tokenNumber"] for heard in line.shares()] == ["M-001", "M-001"]


async def test_a_parked_reply_holds_no_profile(line: Line) -> None:
    line.fake.manners[ON_SHARE] = always(404, b"")
    await line.scan()
    await line.deliver_pending()
    [parked] = await line.outbox.parked(HIP)
    assert await line.outbox.resend(HIP, parked.id)
    (pending,) = await line.outbox.take()
    envelope = unpack_envelope(
        line.seal.open(ENVELOPE_PURPOSE, pending.facility_key, pending.request, pending.envelope)
    )
    assert envelope == Envelope(envelope.note)
    assert read_note(envelope.note).abha_address == "p0@sbx"


async def test_after_401_one_more_attempt_is_made_with_a_new_token(line: Line) -> None:
    line.fake.manners[ON_SHARE] = always(401, b"")
    await line.scan()
    await line.deliver_pending()
    assert [heard.headers["authorization"] for heard in line.shares()] == ["Bearer token-1", "Bearer token-2"]
    [parked] = await line.outbox.parked(HIP)
    assert parked.reason == "the gateway answered 401"


async def test_an_expired_token_loses_no_reply(line: Line) -> None:
    async def strict(heard: Heard) -> Reply:
        return (401, b"") if heard.headers["authorization"] == "Bearer token-1" else (202, b"")

    line.fake.manners[ON_SHARE] = strict
    for number in range(20):
        await line.scan(number)
    await line.deliver_pending()
    assert line.ended == [Verdict.DELIVERED] * 20
    assert line.fake.tokens == 2


async def test_a_reply_is_parked_when_the_phone_no_longer_waits(line: Line) -> None:
    line.fake.manners[ON_SHARE] = always(503, b"")
    await line.scan()
    await line.deliver_pending(line.relay(ahead_s=PATIENCE_S - 2.0))
    assert 2 <= len(line.shares()) <= 4
    [parked] = await line.outbox.parked(HIP)
    assert parked.reason == "the gateway answered 503"


@pytest.mark.parametrize(
    ("reply", "kind", "reason"),
    [
        (
            (200, (SAMPLES / "firewall-page.html").read_bytes(), {"content-type": "text/html"}),
            "page",
            "the gateway answered 200 with a web page instead of an acknowledgement: "
            "a firewall or proxy stands between",
        ),
        (
            (202, sample("error-envelope-documented")),
            "error",
            "the gateway answered 202 with an error ABDM-1006",
        ),
        (
            (302, b"", {"location": "/login"}),
            "redirect",
            "the gateway answered 302 with a redirect, which is not followed",
        ),
    ],
)
async def test_an_answer_that_is_not_an_acknowledgement_is_retried_then_parked_and_counted_separately(
    line: Line, reply: Any, kind: str, reason: str
) -> None:
    def count() -> float:
        return float(metrics.NOT_ACKNOWLEDGED.labels(kind)._value.get())

    before = count()
    line.fake.manners[ON_SHARE] = always(*reply)
    await line.scan()
    await line.deliver_pending(line.relay(ahead_s=PATIENCE_S - 2.0))
    attempts = len(line.shares())
    assert 2 <= attempts <= 4
    assert count() == before + attempts
    [parked] = await line.outbox.parked(HIP)
    assert parked.reason == reason
    assert line.ended == [Verdict.PARKED]


async def test_a_firewall_that_blocks_for_a_time_loses_no_reply(line: Line) -> None:
    pages = 2

    async def firewall(_: Heard) -> Reply:
        nonlocal pages
        pages -= 1
        return (200, b"<html>Request Rejected</html>") if pages >= 0 else (202, b"")

    line.fake.manners[ON_SHARE] = firewall
    await line.scan()
    await line.deliver_pending()
    assert line.ended == [Verdict.DELIVERED]
    assert len(line.shares()) == 3


async def test_a_late_reply_gets_one_attempt(line: Line) -> None:
    await line.scan(1)
    await line.deliver_pending(line.relay(ahead_s=600))
    assert line.ended == [Verdict.DELIVERED]
    line.fake.manners[ON_SHARE] = always(503, b"")
    await line.scan(2)
    await line.deliver_pending(line.relay(ahead_s=600))
    assert line.ended == [Verdict.DELIVERED, Verdict.PARKED]
    assert len(line.shares()) == 2


async def test_no_access_token_is_silence_not_a_refusal(line: Line) -> None:
    line.fake.manners["/sessions"] = always(400, sample("error-envelope-documented"))
    await line.scan()
    await line.deliver_pending(line.relay(ahead_s=PATIENCE_S - 2.0))
    [parked] = await line.outbox.parked(HIP)
    assert "no access token" in parked.reason
    assert line.shares() == []


async def test_a_reply_whose_envelope_does_not_open_is_parked(line: Line) -> None:
    await line.scan()
    line.seal._keys.clear()
    await line.deliver_pending()
    [parked] = await line.outbox.parked(HIP)
    assert parked.reason == "its envelope cannot be opened"


async def test_parked_reasons_never_repeat_the_gateways_sentence(line: Line) -> None:
    line.fake.manners[ON_SHARE] = always(400, b'{"error":{"code":"ABDM-1012","message":"p0@sbx is deactivated"}}')
    await line.scan()
    await line.deliver_pending()
    [parked] = await line.outbox.parked(HIP)
    assert parked.reason == "the gateway answered 400 ABDM-1012"


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
