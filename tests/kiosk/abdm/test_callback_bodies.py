"""What a body and a failure mean at the gateway's endpoints."""

import asyncio
import json
import time
from typing import Any

import pytest

from kiosk.abdm.callbacks import SHARE, SHARE_V05, SHARE_V1, STATUS
from kiosk.abdm.hold import HOLD_S, Hold
from kiosk.web.limits import GATEWAY_BODY_MAX
from queueing.errors import InDoubt, StoreAway, StoreBusy, StoreRefused
from queueing.models import Refusal
from tests.kiosk.abdm.endpoints import CANARY, SHARE_BODY, Services
from tests.kiosk.abdm.fake_gateway import FakeGateway, until

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "application/json; charset=UTF-8",
        'application/json;charset="utf-8"',
        "Application/JSON ; Charset=Utf8",
        "application/json; charset=us-ascii",
        "application/fhir+json",
    ],
)
async def test_json_is_accepted_with_and_without_a_content_type(services: Services, kind: str | None) -> None:
    assert (await services.post(SHARE_BODY, content_type=kind)).status_code == 202


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        'application/json;CHARSET="ISO-8859-1"',
    ],
)
async def test_a_content_type_that_a_foreign_page_can_send_is_refused(services: Services, kind: str) -> None:
    assert (await services.post(SHARE_BODY, content_type=kind)).status_code == 415


async def test_a_byte_order_mark_is_skipped_and_utf16_is_refused_with_a_message(services: Services) -> None:
    assert (await services.post(b"\xef\xbb\xbf" + SHARE_BODY)).status_code == 202
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        answer = await services.post(SHARE_BODY.decode().encode(encoding))
        assert (answer.status_code, "UTF-16" in answer.json()["error"]["message"]) == (400, True), encoding


async def test_the_last_of_two_equal_keys_counts(services: Services) -> None:
    body = SHARE_BODY.replace(b'"context"', b'"context":"first","context"', 1)
    assert (await services.post(body)).status_code == 202
    assert services.check_in.scans[0].context != "first"


async def test_options_names_the_only_method(services: Services) -> None:
    for path in (*SHARE, SHARE_V1, SHARE_V05, STATUS):
        answer = await services.ask("OPTIONS", path, {}, b"")
        assert (answer.status_code, answer.headers["allow"]) == (204, "OPTIONS, POST")


async def test_a_photo_passes_and_more_is_too_large(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    shared = json.loads(SHARE_BODY)
    shared["profile"]["patient"]["kycPhoto"] = "A" * 300_000
    assert (await services.post(json.dumps(shared).encode())).status_code == 202
    answer = await services.post(b'{"a":"' + b"x" * GATEWAY_BODY_MAX + b'"}')
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "ABDM-1006"
    assert "larger than" in caplog.text, "somebody is told, for the gateway will repeat it"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[1]",
        b"[" * 5000,
        b'{"a":"\xff"}',
        f'{{"{CANARY}'.encode(),
        b'{"intent":' + b"9" * 5000 + b"}",
    ],
)
async def test_an_unreadable_body_is_a_bad_request_that_repeats_nothing(services: Services, body: bytes) -> None:
    answer = await services.post(body)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}
    assert CANARY not in answer.text
    assert services.check_in.scans == []


@pytest.mark.parametrize(
    ("changed", "intent", "refusal"),
    [
        ({"timestamp": None}, None, Refusal.CLOCK),
        ({"timestamp": "2020-01-01T00:00:00.000Z"}, None, Refusal.CLOCK),
        ({"x_hip_id": "HIP_2"}, None, Refusal.FACILITY_MISMATCH),
        ({}, "RECORD_SHARE", Refusal.INTENT),
        ({}, "PAYMENT_SHARE", Refusal.INTENT),
    ],
)
async def test_a_share_refused_by_a_rule_gets_202_and_is_answered_later(
    services: Services, changed: dict[str, Any], intent: str | None, refusal: Refusal
) -> None:
    shared = json.loads(SHARE_BODY) | ({"intent": intent} if intent else {})
    assert (await services.post(json.dumps(shared).encode(), **changed)).status_code == 202
    assert services.check_in.scans[0].refusal is refusal


@pytest.mark.parametrize("failure", [StoreBusy(CANARY), StoreRefused(f"OOM {CANARY}")], ids=repr)
async def test_a_connected_store_that_cannot_take_a_share_is_503_at_once(
    services: Services, failure: Exception
) -> None:
    services.check_in.failure = failure
    began = time.monotonic()
    answer = await services.post(SHARE_BODY)
    assert time.monotonic() - began < HOLD_S, "it was held"
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["error"]["code"] == "ABDM-1024"
    assert CANARY not in answer.text


@pytest.mark.slow
@pytest.mark.parametrize("failure", [StoreAway(CANARY), InDoubt(CANARY)], ids=repr)
async def test_a_store_that_stays_away_is_503_after_three_seconds(services: Services, failure: Exception) -> None:
    services.check_in.failure = failure
    began = time.monotonic()
    answer = await services.post(SHARE_BODY)
    assert time.monotonic() - began > HOLD_S - 0.5
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ABDM-1024")
    assert CANARY not in answer.text


@pytest.mark.parametrize("failure", [StoreAway(CANARY), InDoubt(CANARY)], ids=repr)
async def test_a_share_is_held_until_the_store_is_back(services: Services, failure: Exception) -> None:
    services.check_in.failure = failure
    posting = asyncio.create_task(services.post(SHARE_BODY))
    await asyncio.sleep(0.5)
    assert not posting.done()
    services.check_in.failure = None
    assert (await posting).status_code == 202
    assert len(services.check_in.scans) == 1


async def test_the_number_of_held_shares_is_bounded() -> None:
    hold = Hold(hold_s=600.0, held_max=2)
    back = asyncio.Event()

    async def ask() -> str:
        if back.is_set():
            return "a place"
        raise StoreAway

    held = [asyncio.create_task(hold.repeat(ask, StoreAway())) for _ in range(2)]
    await until(lambda: hold.held == 2)
    async with asyncio.timeout(30):  # one more is refused at once
        with pytest.raises(StoreAway):
            await hold.repeat(ask, StoreAway())
    back.set()
    assert await asyncio.gather(*held) == ["a place", "a place"]
    assert hold.held == 0


async def test_an_unexpected_failure_gives_a_support_id_and_not_its_text(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    services.check_in.failure = ValueError(CANARY)
    answer = await services.post(SHARE_BODY)
    assert answer.status_code == 500
    assert CANARY not in answer.text
    support_id = answer.json()["error"]["message"].rpartition(" ")[2]
    assert support_id in caplog.text
    assert CANARY not in caplog.text
    assert "ValueError at abdm/endpoints.py:" in caplog.text


async def test_without_a_key_set_the_gateway_gets_503_with_retry_after(services: Services, fake: FakeGateway) -> None:
    await fake.stop()
    answer = await services.post(SHARE_BODY)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert (await services.post(SHARE_BODY, authorization="Bearer a.b.c")).status_code == 401


async def test_an_unknown_address_of_the_gateways_answers_in_its_envelope(services: Services) -> None:
    answer = await services.ask("POST", "/api/v3/hip/patient/nothing", services.headers())
    assert answer.status_code == 404
    assert set(answer.json()) == {"error"}


async def test_other_addresses_answer_with_problem_documents(services: Services) -> None:
    answer = await services.ask("GET", "/nothing/" + CANARY, {})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert CANARY not in answer.text


async def test_a_compressed_share_is_415(services: Services) -> None:
    answer = await services.post(SHARE_BODY, content_encoding="gzip")
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "ABDM-1006")
    assert (await services.post(SHARE_BODY, content_encoding="identity")).status_code == 202
