"""The relay from a scan to the gateway: a real desk, outbox and seal, and a gateway that makes faults."""

import json
import random
import time
from collections import defaultdict
from typing import Any

import pytest

from kiosk.abdm.client import timestamp
from kiosk.abdm.errors import Verdict
from kiosk.abdm.inbound import RequestHeaders, legacy_scan, to_query, to_scan
from kiosk.abdm.note import read_note
from kiosk.abdm.relay import PATIENCE_S
from kiosk.abdm.schemas import read_legacy, read_share, read_status
from kiosk.observability import metrics
from kiosk.patient.envelope import ENVELOPE_PURPOSE, Envelope, unpack_envelope
from tests.kiosk.abdm.fake_gateway import SAMPLES, Heard, Reply, sample
from tests.kiosk.abdm.relayed_hospital import HIP, ON_SHARE, Line, always

pytestmark = pytest.mark.anyio


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


@pytest.mark.slow
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
