"""The simulated gateway accepts what the protocol allows, refuses everything else, and records protocol faults."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import json

from loadtests.simulator.gateway.http1 import Request
from loadtests.simulator.gateway.launch import Simulator
from loadtests.simulator.people.invented import invent
from loadtests.simulator.people.phones import Phones, Received
from tests.loadtests.fake_hospital_service import HIP, FakeHospitalService, good, headers, moment

pytestmark = pytest.mark.anyio

Spoil = Callable[[dict[str, Any]], Any]


async def shared(hip: FakeHospitalService, phones: Phones, index: int = 1) -> tuple[Request, asyncio.Task[Received]]:
    """A share in progress: its delivery, and the phone that waits."""
    hip.answering = False
    phone = asyncio.ensure_future(phones.scan(invent(7, index), HIP, "M1"))
    return await hip.next_delivery(), phone


async def blamed(simulator: Simulator) -> list[str]:
    return [fault["words"] for fault in (await simulator.faults())["protocol_faults"]]


def set_in(path: str, value: Any) -> Spoil:
    """Change one field, named by its path."""

    def spoil(body: dict[str, Any]) -> Any:
        *way, last = path.split(".")
        inner = body
        for step in way:
            inner = inner[step]
        inner[last] = value
        return body

    return spoil


def take_out(path: str) -> Spoil:
    def spoil(body: dict[str, Any]) -> Any:
        *way, last = path.split(".")
        inner = body
        for step in way:
            inner = inner[step]
        del inner[last]
        return body

    return spoil


async def test_a_good_answer_reaches_the_phone(simulator: Simulator, hip: FakeHospitalService, phones: Phones) -> None:
    before = len(await blamed(simulator))
    delivery, phone = await shared(hip, phones)
    assert await hip.send(good(delivery.headers["request-id"], json.decode(delivery.body), "M-042", "1799")) == (
        202,
        b"",
    )
    received = await phone
    assert (received.token, received.expires_s, received.error) == ("M-042", 1799, "")
    assert len(await blamed(simulator)) == before


async def test_a_refusal_reaches_the_phone_in_its_words(hip: FakeHospitalService, phones: Phones) -> None:
    delivery, phone = await shared(hip, phones)
    sorry = {"error": {"code": "ABDM-9999", "message": "This counter is closed. Please go to counter 2."}}
    status, _ = await hip.send(sorry | {"response": {"requestId": delivery.headers["request-id"]}})
    assert status == 202
    received = await phone
    assert (received.token, received.error, received.words) == ("", "ABDM-9999", sorry["error"]["message"])


BAD_BODIES: dict[str, Spoil] = {
    "a context that was not shared": set_in("acknowledgement.profile.context", "m1"),
    "a context with a space more": set_in("acknowledgement.profile.context", "M1 "),
    "another person's address": set_in("acknowledgement.abhaAddress", "somebody.else@sbx"),
    "a number for an expiry": set_in("acknowledgement.profile.expiry", 1800),
    "an expiry of nothing": set_in("acknowledgement.profile.expiry", "0"),
    "an expiry beyond a day": set_in("acknowledgement.profile.expiry", "86401"),
    "an expiry with a point": set_in("acknowledgement.profile.expiry", "1800.0"),
    "digits of another script": set_in("acknowledgement.profile.expiry", "१८००"),
    "a number for a token": set_in("acknowledgement.profile.tokenNumber", 7),
    "no token": set_in("acknowledgement.profile.tokenNumber", ""),
    "a token of nine characters": set_in("acknowledgement.profile.tokenNumber", "OPD-10000"),
    "another word for success": set_in("acknowledgement.status", "success"),
    "a failed acknowledgement": set_in("acknowledgement.status", "FAILED"),
    "a key beyond the protocol": set_in("acknowledgement.profile.ahead", 3),
    "a key beside the protocol": set_in("queue", "medicine"),
    "both answers": set_in("error", {"code": "ABDM-9999", "message": "no"}),
    "no answer": take_out("acknowledgement"),
    "no request": take_out("response"),
    "no expiry": take_out("acknowledgement.profile.expiry"),
    "no JSON": lambda body: json.encode(body)[:-1],
    "a list": lambda body: [body],
    "bad UTF-8": lambda body: json.encode(body).replace(b"M-001", b"M-\xff01"),
}


@pytest.mark.parametrize("what", BAD_BODIES)
async def test_a_body_that_breaks_the_protocol_is_refused(
    what: str, simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    before = len(await blamed(simulator))
    delivery, phone = await shared(hip, phones)
    body = good(delivery.headers["request-id"], json.decode(delivery.body))
    status, reply = await hip.send(BAD_BODIES[what](body))
    assert status == 400
    assert json.decode(reply)["error"]["code"].startswith("ABDM-10")
    assert len(await blamed(simulator)) == before + 1
    await hip.send(good(delivery.headers["request-id"], json.decode(delivery.body)))
    assert (await phone).token == "M-001"


async def test_words_longer_than_a_phone_shows_are_refused(hip: FakeHospitalService, phones: Phones) -> None:
    delivery, phone = await shared(hip, phones)
    answer = {"response": {"requestId": delivery.headers["request-id"]}}
    for request_id, status in (("x" * 251, 400), ("", 400), ("x" * 250, 202)):
        assert (await hip.send(answer | {"error": {"code": "ABDM-9999", "message": request_id}}))[0] == status
    assert (await phone).error == "ABDM-9999"


BAD_HEADERS: dict[str, tuple[dict[str, str], int, str]] = {
    "no X-CM-ID": ({"x_cm_id": ""}, 401, ""),
    "another X-CM-ID": ({"x_cm_id": "abdm"}, 400, "ABDM-2403"),
    "no token": ({"authorization": ""}, 401, "900901"),
    "a token of nobody": ({"authorization": "Bearer abc.def.ghi"}, 401, "900901"),
    "no REQUEST-ID": ({"request_id": ""}, 400, "ABDM-1030"),
    "a REQUEST-ID that is no UUID": ({"request_id": "42"}, 400, "ABDM-1030"),
    "a REQUEST-ID in braces": ({"request_id": "{" + str(uuid.uuid4()) + "}"}, 400, "ABDM-1030"),
    "no TIMESTAMP": ({"timestamp": ""}, 400, "ABDM-1016"),
    "a TIMESTAMP with six decimals": ({"timestamp": "2026-09-16T10:12:48.483123Z"}, 400, "ABDM-1016"),
    "a TIMESTAMP with an offset": ({"timestamp": "2026-09-16T10:12:48.483+05:30"}, 400, "ABDM-1016"),
    "a TIMESTAMP of no day": ({"timestamp": "2026-13-16T10:12:48.483Z"}, 400, "ABDM-1016"),
    "another content type": ({"content_type": "text/plain"}, 400, "ABDM-9999: "),
}


@pytest.mark.parametrize("what", BAD_HEADERS)
async def test_headers_that_break_the_protocol_are_refused(
    what: str, simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    changed, status, code = BAD_HEADERS[what]
    before = len(await blamed(simulator))
    delivery, phone = await shared(hip, phones)
    body = good(delivery.headers["request-id"], json.decode(delivery.body))
    got, reply = await hip.send(body, **changed)
    assert got == status
    answer = json.decode(reply) if reply else {}
    assert (answer.get("error") or answer).get("code", "") == code
    assert len(await blamed(simulator)) == before + 1
    await hip.send(body)
    assert (await phone).token


@pytest.mark.parametrize(("off_s", "status"), [(-90, 400), (-50, 202), (50, 202), (90, 400)])
async def test_a_timestamp_is_true_to_a_minute(
    off_s: int, status: int, hip: FakeHospitalService, phones: Phones
) -> None:
    delivery, phone = await shared(hip, phones)
    body = good(delivery.headers["request-id"], json.decode(delivery.body))
    assert (await hip.send(body, timestamp=moment(off_s)))[0] == status
    await hip.send(body)
    assert (await phone).token


async def test_an_answer_to_an_unknown_share_is_not_found(simulator: Simulator, hip: FakeHospitalService) -> None:
    share = invent(7, 1).share(HIP, "M1")
    status, reply = await hip.send(good(str(uuid.uuid4()), share))
    assert (status, json.decode(reply)["error"]["code"]) == (404, "ABDM-1001")
    assert (await simulator.summary())["unknown"] >= 1


async def test_one_request_id_header_serves_one_share(
    simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    first, phone = await shared(hip, phones, 1)
    outer = str(uuid.uuid4())
    body = good(first.headers["request-id"], json.decode(first.body), "M-001")
    assert (await hip.send(body, request_id=outer))[0] == 202
    assert (await hip.send(body, request_id=outer))[0] == 202, "a retry of the same share may keep it"
    second, other_phone = await shared(hip, phones, 2)
    other = good(second.headers["request-id"], json.decode(second.body), "M-002")
    assert (await hip.send(other, request_id=outer))[0] == 400
    assert "REQUEST-ID was used for another share" in await blamed(simulator)
    assert (await hip.send(other))[0] == 202
    assert [(await one).token for one in (phone, other_phone)] == ["M-001", "M-002"]


async def test_a_second_answer_may_differ_only_in_a_lower_expiry(
    simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    delivery, phone = await shared(hip, phones)
    request_id, share = delivery.headers["request-id"], json.decode(delivery.body)
    for token, expiry, status in (
        ("M-001", "1800", 202), ("M-001", "1790", 202), ("M-001", "1795", 400), ("M-002", "1700", 400),
        ("M-001", "1700", 202),
    ):  # fmt: skip
        assert (await hip.send(good(request_id, share, token, expiry)))[0] == status
    sorry = {"error": {"code": "ABDM-9999", "message": "no"}, "response": {"requestId": request_id}}
    assert (await hip.send(sorry))[0] == 400
    assert {"expiry rose from 1790 to 1795", "a second answer says something else"} <= set(await blamed(simulator))
    assert (await phone).token == "M-001"


async def test_needless_answers_are_counted(simulator: Simulator, hip: FakeHospitalService, phones: Phones) -> None:
    before = (await simulator.summary())["unasked_repeats"]
    delivery, phone = await shared(hip, phones)
    body = good(delivery.headers["request-id"], json.decode(delivery.body))
    for _ in range(3):
        await hip.send(body)
    assert (await phone).token
    assert (await simulator.summary())["unasked_repeats"] == before + 2


async def test_the_running_token_is_asked_and_judged(
    simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    patient = invent(7, 77)
    received = await phones.scan(patient, HIP, "M1")
    hip.taken.clear()
    asking = asyncio.ensure_future(phones.running(patient, HIP, "M1"))
    question = await hip.next_delivery()
    assert (question.path, json.decode(question.body)) == (
        "/api/v3/hip/patient/running-token/status", {"hipId": HIP, "context": "M1"},
    )  # fmt: skip
    answered = {"response": {"requestId": question.headers["request-id"]}}
    running = {"hipId": HIP, "context": "M1", "runningTokenNumber": "0"}
    path = "/api/hiecm/patient-share/v3/running-token/on-status"
    for token, status in (
        (running | {"hipId": "other"}, 400), (running | {"runningTokenNumber": 3}, 400), (running | {"eta": 3}, 400),
        (running | {"averageTokenServiceTimeInMinutes": 5}, 202),
    ):  # fmt: skip
        assert (await hip.post(path, answered | {"token": token}, headers(hip.token)))[0] == status
    assert (await asking)["token"]["averageTokenServiceTimeInMinutes"] == 5
    history = await phones.history(patient)
    assert [(entry["tokenNumber"], entry["counterCode"]) for entry in history] == [(received.token, "M1")]


async def test_a_patient_without_a_token_may_not_ask_for_the_running_one(phones: Phones) -> None:
    with pytest.raises(Exception, match="ABDM-1031"):
        await phones.running(invent(7, 4711), HIP, "M1")


@pytest.mark.parametrize("version", ["v1.0", "v0.5"])
async def test_older_versions_of_the_protocol_are_sent_and_checked_in_their_own_form(
    version: str, simulator: Simulator, hip: FakeHospitalService, phones: Phones
) -> None:
    await simulator.order(deliveries={"wire": version})
    hip.answering = False
    patient = invent(7, 31)
    phone = asyncio.ensure_future(phones.scan(patient, HIP, "M1"))
    delivery = await hip.next_delivery()
    reply = json.decode(delivery.body)
    assert delivery.path == f"/{version}/patients/profile/share"
    assert "request-id" not in delivery.headers
    assert (reply["profile"]["hipCode"], reply["profile"]["patient"]["healthId"]) == ("M1", patient.abha_address)
    acknowledgement = {"status": "SUCCESS", "healthId": patient.abha_address} | (
        {"tokenNumber": "M-009"} if version == "v1.0" else {}
    )
    answer = {"requestId": str(uuid.uuid4()), "timestamp": moment(), "resp": {"requestId": reply["requestId"]}}
    path = f"/gateway/{version}/patients/profile/on-share"
    wrong_error = {"error": {"code": "1000", "message": "no"}}
    assert (await hip.post(path, answer | wrong_error, headers(hip.token)))[0] == 400
    assert (await hip.post(path, answer | {"acknowledgement": acknowledgement}, headers(hip.token)))[0] == 202
    assert (await phone).request_id == reply["requestId"]
