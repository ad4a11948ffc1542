"""Each fault does what it should, hits the shares that the seed decides, and stops on demand."""

import asyncio
from typing import Any

import jwt
import pytest
from msgspec import json
from pyreqwest.exceptions import PyreqwestError

from loadtests.simulator.gateway.faults import Act, EndpointFaults, FaultPlan, Faults
from loadtests.simulator.gateway.launch import Simulator
from loadtests.simulator.people.invented import invent
from loadtests.simulator.people.phones import Phones
from tests.loadtests.fake_hospital_service import HIP, FakeHospitalService, good, headers

pytestmark = pytest.mark.anyio


async def answered(
    hip: FakeHospitalService, phones: Phones, index: int = 1
) -> tuple[dict[str, Any], asyncio.Task[Any]]:
    """A delivered share, the answer it should get, and the phone that waits."""
    hip.answering = False
    phone = asyncio.ensure_future(phones.scan(invent(7, index), HIP, "M1", wait_s=10))
    delivery = await hip.next_delivery()
    return good(delivery.headers["request-id"], json.decode(delivery.body)), phone


@pytest.mark.parametrize(("fault", "statuses"), [("broken_rate", {500, 502, 503, 504}), ("unauthorised_rate", {401})])
async def test_a_failing_gateway_accepts_nothing(
    fault: str, statuses: set[int], simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    body, phone = await answered(hip, phones)
    await simulator.order(endpoints={"on_share": {fault: 1.0}})
    assert (await hip.send(body))[0] in statuses
    await simulator.clear()
    assert (await hip.send(body))[0] == 202
    assert (await phone).token == "M-001"


async def test_a_busy_gateway_says_when_to_come_back(
    simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    body, phone = await answered(hip, phones)
    await simulator.order(endpoints={"on_share": {"busy_rate": 1.0, "retry_after_s": 3}})
    request = hip.client.post(hip.gateway + "/api/hiecm/patient-share/v3/on-share").headers(headers(hip.token))
    response = await request.body_json(body).build().send()
    assert (response.status, response.get_header("retry-after")) == (429, "3")
    await simulator.clear()
    await hip.send(body)
    assert (await phone).token


async def test_a_lost_reply_was_accepted_all_the_same(
    simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    body, phone = await answered(hip, phones)
    await simulator.order(endpoints={"on_share": {"lost_rate": 1.0}})
    with pytest.raises(PyreqwestError):
        await hip.send(body)
    assert (await phone).token == "M-001"
    await simulator.clear()
    before = (await simulator.summary())["unasked_repeats"]
    assert (await hip.send(body))[0] == 202
    assert (await simulator.summary())["unasked_repeats"] == before, "who lost the reply may ask again"


async def test_a_reset_connection_accepted_nothing(
    simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    body, phone = await answered(hip, phones)
    await simulator.order(endpoints={"on_share": {"reset_rate": 1.0}})
    with pytest.raises(PyreqwestError):
        await hip.send(body)
    assert not phone.done()
    await simulator.clear()
    await hip.send(body)
    assert (await phone).token


async def test_a_silent_gateway_sends_no_answer(simulator: Simulator, hip: FakeHospitalService, phones: Phones) -> None:
    body, phone = await answered(hip, phones)
    await simulator.order(endpoints={"on_share": {"hang_rate": 1.0}})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(hip.send(body), 0.3)
    await simulator.clear()
    await hip.send(body)
    assert (await phone).token


async def test_a_garbled_answer_is_an_acceptance_that_cannot_be_read(
    simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    body, phone = await answered(hip, phones)
    await simulator.order(endpoints={"on_share": {"garbage_rate": 1.0}, "certs": {"garbage_rate": 1.0}})
    status, reply = await hip.send(body)
    assert status == 202
    with pytest.raises(ValueError, match="malformed"):
        json.decode(reply)
    status, reply = await hip.get("/api/hiecm/gateway/v3/certs", headers(hip.token))
    assert (status, reply[:6]) == (200, b"<html>")
    assert (await phone).token


@pytest.mark.parametrize(
    ("fault", "status", "begins"), [("page", 200, b"<html>"), ("error", 200, b'{"error":'), ("redirect", 302, b"")]
)
async def test_an_answer_that_is_not_an_acknowledgement_accepted_nothing(
    fault: str, status: int, begins: bytes, simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    body, phone = await answered(hip, phones)
    await simulator.order(endpoints={"on_share": {f"{fault}_rate": 1.0}})
    answer_status, answer_body = await hip.send(body)
    assert (answer_status, answer_body[: len(begins)]) == (status, begins)
    assert bool(answer_body) == bool(begins)
    assert not phone.done()
    await simulator.clear()
    await hip.send(body)
    assert (await phone).token


async def test_a_refused_share_comes_once_more_with_the_same_token_and_time(
    simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    await simulator.order(deliveries={"repeat_after_s": 1.5})
    hip.statuses = [503]
    received = await phones.scan(invent(7, 8), HIP, "M1")
    assert received.token
    first, second = [request for request in hip.taken if request.headers["request-id"] == received.request_id]
    for header in ("authorization", "timestamp", "x-hip-id"):
        assert first.headers[header] == second.headers[header]
    deliveries = (await simulator.shares())[-1]["deliveries"]
    assert deliveries[1]["at_ms"] - deliveries[0]["at_ms"] >= 1400


async def test_a_slow_gateway_answers_late(simulator: Simulator, hip: FakeHospitalService, phones: Phones) -> None:
    body, phone = await answered(hip, phones)
    await simulator.order(endpoints={"on_share": {"slow_ms": 400}})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(hip.send(body), 0.1)
    assert (await hip.send(body))[0] == 202
    assert (await phone).token


async def test_a_token_is_void_once_and_a_new_one_counts(
    simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    body, phone = await answered(hip, phones)
    await simulator.order(endpoints={"on_share": {"unauthorised_once": 1}})
    assert [(await hip.send(body))[0] for _ in range(2)] == [401, 401], "the old token is worth nothing any more"
    await hip.open_session()
    assert (await hip.send(body))[0] == 202
    assert (await phone).token


async def test_access_tokens_live_as_long_as_they_say(simulator: Simulator, hip: FakeHospitalService) -> None:
    await simulator.order(token_s=1)
    await hip.open_session()
    assert (await hip.get("/api/hiecm/gateway/v3/certs", headers(hip.token)))[0] == 200
    await asyncio.sleep(1.1)
    assert (await hip.get("/api/hiecm/gateway/v3/certs", headers(hip.token)))[0] == 401


async def test_every_share_is_delivered_as_often_as_ordered(
    simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    await simulator.order(deliveries={"copies": [3, 3], "copy_delay_ms": 200})
    received = await phones.scan(invent(7, 5), HIP, "M1")
    async with asyncio.timeout(5):
        while hip.deliveries[received.request_id] < 3:
            await hip.next_delivery()
    assert len(hip.bodies[received.request_id]) == 1, "a copy is the same to the byte"


async def test_deliveries_overtake_each_other(simulator: Simulator, hip: FakeHospitalService, phones: Phones) -> None:
    await simulator.order(deliveries={"reorder_ms": 400})
    ids = [phones.new_request_id() for _ in range(20)]
    scans = (phones.scan(invent(7, 100 + n), HIP, "M1", request_id=one) for n, one in enumerate(ids))
    await asyncio.gather(*scans)
    arrived = [request.headers["request-id"] for request in hip.taken]
    assert sorted(arrived) == sorted(ids)
    assert arrived != ids


async def test_a_delivery_is_tried_again_with_the_same_id(
    simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    hip.statuses = [503, 429, 401]
    received = await phones.scan(invent(7, 6), HIP, "M1")
    assert received.token
    assert hip.deliveries[received.request_id] == 4
    # The number may reach the phone before the gateway has read the answer to its own delivery.
    async with asyncio.timeout(5):
        while not (tried := [one["status"] for one in (await simulator.shares())[-1]["deliveries"]])[-1]:  # noqa: ASYNC110 - another process knows it
            await asyncio.sleep(0.02)
    assert tried == [503, 429, 401, 202]


async def test_connections_are_refused_for_a_while(simulator: Simulator, hip: FakeHospitalService) -> None:
    await simulator.order(refuse_s=0.5)
    with pytest.raises(PyreqwestError):
        await hip.get("/_sim/faults", {})
    async with asyncio.timeout(10):
        while True:
            try:
                status, _ = await hip.get("/_sim/faults", {})
                break
            except PyreqwestError:
                await asyncio.sleep(0.1)
    assert status == 200


@pytest.mark.parametrize(("how", "stays"), [("keep", True), ("drop", False)])
async def test_a_new_key_signs_at_once(how: str, stays: bool, simulator: Simulator, hip: FakeHospitalService) -> None:
    old = jwt.get_unverified_header(await simulator.callback_token())["kid"]
    await simulator.order(rotate_keys=how)
    token = await simulator.callback_token()
    new = jwt.get_unverified_header(token)["kid"]
    _, reply = await hip.get("/api/hiecm/gateway/v3/certs", headers(hip.token))
    published = jwt.PyJWKSet.from_json(reply.decode())
    assert new != old
    assert (old in {key.key_id for key in published.keys}) is stays
    claims = jwt.decode(token, published[new].key, ["RS256"], audience="account", issuer=simulator.announced.issuer)
    assert claims["azp"] == "gateway"


async def test_a_wrong_clock_shows_in_times_that_are_sent(
    simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    await simulator.order(clock_offset_s=-3600)
    await phones.scan(invent(7, 8), HIP, "M1")
    claims = jwt.decode(hip.taken[-1].headers["authorization"][7:], options={"verify_signature": False})
    await simulator.order(clock_offset_s=0)
    await phones.scan(invent(7, 9), HIP, "M1")
    right = jwt.decode(hip.taken[-1].headers["authorization"][7:], options={"verify_signature": False})
    assert 3590 <= right["iat"] - claims["iat"] <= 3700
    assert hip.taken[-2].headers["timestamp"] < hip.taken[-1].headers["timestamp"]


async def test_a_fault_that_does_not_exist_is_refused(simulator: Simulator) -> None:
    with pytest.raises(PyreqwestError, match="400"):
        await simulator.order(endpoints={"on_share": {"explode": True}})


def hurt(seed: int, keys: list[str], rates: EndpointFaults) -> list[Act]:
    mischief = FaultPlan(seed)
    mischief.set(Faults(endpoints={"on_share": rates}))
    return [mischief.act("on_share", key) for key in keys]


MIXED = EndpointFaults(lost_rate=0.15, broken_rate=0.1, busy_rate=0.05, unauthorised_rate=0.05, hang_rate=0.05)


def test_a_seed_makes_the_same_faults_in_any_order() -> None:
    keys = [f"share-{n}" for n in range(300)]
    straight = dict(zip(keys, hurt(1, keys, MIXED), strict=True))
    backwards = dict(zip(keys[::-1], hurt(1, keys[::-1], MIXED), strict=True))
    assert straight == backwards
    assert straight != dict(zip(keys, hurt(2, keys, MIXED), strict=True))


def test_faults_come_as_often_as_ordered() -> None:
    acts = hurt(1, [f"share-{n}" for n in range(20_000)], MIXED)
    parts = {act: acts.count(act) / len(acts) for act in Act}
    assert parts[Act.LOST] == pytest.approx(0.15, abs=0.01)
    assert parts[Act.BROKEN] == pytest.approx(0.10, abs=0.01)
    for act in (Act.BUSY, Act.UNAUTHORISED, Act.HANG):
        assert parts[act] == pytest.approx(0.05, abs=0.01)


def test_no_share_is_refused_twice_in_a_row() -> None:
    mischief = FaultPlan(3)
    mischief.set(Faults(endpoints={"on_share": EndpointFaults(unauthorised_rate=1.0)}))
    assert [mischief.act("on_share", "one") for _ in range(4)] == [Act.UNAUTHORISED, Act.GOOD] * 2
