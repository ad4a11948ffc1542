"""The gateway's endpoints: their answers, the order of their checks, and what they pass on."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar

from kiosk.abdm.authentication import Authenticator
from kiosk.abdm.callbacks import SHARE, SHARE_V05, SHARE_V1, STATUS, GatewayEndpoints
from kiosk.abdm.callers import LOG_EVERY_S, NEXT_STEPS, Callers, all_refused
from kiosk.abdm.client import Gateway, timestamp
from kiosk.abdm.error_form import ERROR_FORM
from kiosk.abdm.hold import Hold
from kiosk.abdm.jwks import KeySet
from kiosk.abdm.note import read_note
from kiosk.observability.metrics import CALLERS_REJECTED
from kiosk.patient.person import Scan, StatusQuery
from kiosk.web.client_address import Network
from kiosk.web.limits import GATEWAY_BODY_MAX
from kiosk.web.problems import handlers
from queueing.errors import InDoubt, StoreAway, StoreBusy, StoreRefused
from queueing.models import Outcome, Place, Refusal
from tests.kiosk.abdm.fake_gateway import ISSUER, Answer, FakeGateway, SigningKey, call, good_claims, sample, whole

pytestmark = pytest.mark.anyio

CANARY = "zebra-7731"


class Desk:
    """The receiver of scans: it records them, or fails as a test decides."""

    def __init__(self) -> None:
        self.scans: list[Scan] = []
        self.queries: list[StatusQuery] = []
        self.failure: Exception | None = None

    async def scanned(self, scan: Scan) -> Place:
        if self.failure is not None:
            raise self.failure
        self.scans.append(scan)
        return Place(outcome=Outcome.NEW)

    async def answer_status(self, query: StatusQuery) -> None:
        self.queries.append(query)


class Services:
    """The services that the endpoints need, and a client for them."""

    cm_id = "sbx"

    def __init__(self, authenticator: Authenticator, key: SigningKey) -> None:
        self.authenticator = authenticator
        self.callers = Callers()
        self.aliases: dict[str, str] = {}
        self.gateway_addresses: tuple[Network, ...] = ()
        self.trusted_proxies: tuple[Network, ...] = ()
        self.check_in = Desk()
        self.key = key
        self.app = Litestar(
            GatewayEndpoints(lambda: self).routes(), exception_handlers=handlers(ERROR_FORM), openapi_config=None
        )

    def headers(self, **changed: str | None) -> dict[str, str]:
        plain = {
            "authorization": "Bearer " + self.key.sign(good_claims()),
            "request-id": "f29f0e59-8388-4698-9fe6-05db67aeac46",
            "timestamp": timestamp(time.time()),
            "content-type": "application/json",
        }
        named = {name.replace("_", "-"): value for name, value in changed.items()}
        return {name: value for name, value in (plain | named).items() if value is not None}

    async def ask(self, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        return await call(self.app, method, target, named(headers), whole(body))

    async def post(self, body: bytes, path: str = SHARE[0], **changed: str | None) -> Answer:
        return await self.ask("POST", path, self.headers(**changed), body)


def named(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


@pytest.fixture
async def services(fake: FakeGateway, gateway_key: SigningKey, tmp_path: Path) -> AsyncIterator[Services]:
    gateway = Gateway(fake.url, client_id="SBX_1", client_secret="s", cm_id="sbx")
    keys = KeySet(gateway.certs, tmp_path)
    services = Services(Authenticator(keys, issuers=(ISSUER,), audience="account", azps=("gateway",)), gateway_key)
    yield services
    await gateway.close()


SHARE_BODY = sample("v3-hip-patient-share")


@pytest.mark.parametrize("path", SHARE)
async def test_a_share_is_taken_at_its_path_and_every_alias(services: Services, path: str) -> None:
    answer = await services.post(SHARE_BODY, path + "?hip-id=x&y=1")
    assert (answer.status_code, answer.content) == (202, b"{}")
    [scan] = services.check_in.scans
    assert (scan.facility, scan.context, scan.refusal, scan.body) == ("HIP_1", "6", None, SHARE_BODY)


@pytest.mark.parametrize(
    ("path", "name", "form"), [(SHARE_V1, "v1-profile-share", "v1"), (SHARE_V05, "v05-profile-share", "v05")]
)
async def test_legacy_shares_need_no_headers_but_the_token(services: Services, path: str, name: str, form: str) -> None:
    body = json.loads(sample(name)) | {"timestamp": timestamp(time.time())}
    answer = await services.post(json.dumps(body).encode(), path, request_id=None, timestamp=None, x_hip_id="HIP_1")
    assert answer.status_code == 202
    [scan] = services.check_in.scans
    assert (scan.facility, scan.request_id, scan.refusal) == ("HIP_1", body["requestId"], None)
    assert read_note(scan.note).form == form


async def test_a_legacy_share_without_an_id_anywhere_is_a_bad_request(services: Services) -> None:
    assert (await services.post(b'{"profile":{}}', SHARE_V1, request_id=None)).status_code == 400
    assert services.check_in.scans == []


async def test_every_message_under_an_alias_reaches_its_facility(services: Services) -> None:
    services.aliases = {"HIP_1": "IN1", "IN0110000123": "IN2"}
    assert (await services.post(SHARE_BODY)).status_code == 202
    body = json.loads(sample("v1-profile-share")) | {"timestamp": timestamp(time.time())}
    await services.post(json.dumps(body).encode(), SHARE_V1, request_id=None, timestamp=None, x_hip_id="HIP_1")
    assert [scan.facility for scan in services.check_in.scans] == ["IN1", "IN1"]
    await services.post(sample("v3-running-token-status-callback"), STATUS)
    assert services.check_in.queries[0].facility == "IN2"


async def test_a_running_token_question_is_handed_on(services: Services) -> None:
    answer = await services.post(sample("v3-running-token-status-callback"), STATUS)
    assert answer.status_code == 202
    [query] = services.check_in.queries
    assert (query.facility, query.context, query.refusal) == ("IN0110000123", "1", None)


@pytest.mark.parametrize("path", [*SHARE, SHARE_V1, SHARE_V05, STATUS])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_other_methods_are_not_answered(services: Services, path: str, method: str) -> None:
    answer = await services.ask(method, path, services.headers())
    assert (answer.status_code, answer.headers["allow"]) == (405, "OPTIONS, POST")
    assert answer.json()["error"]["code"].startswith("ABDM-")


class Watched:
    """A request body that records whether the answer was sent before the body was read."""

    def __init__(self, parts: int = 3) -> None:
        self.left = parts
        self.answered = False
        self.read_unanswered = False

    async def receive(self) -> dict[str, Any]:
        self.read_unanswered = self.read_unanswered or not self.answered
        self.left -= 1
        return {"type": "http.request", "body": b"x" * 1000, "more_body": self.left > 0}


async def refused(services: Services, method: str = "POST", **changed: str | None) -> tuple[Answer, Watched]:
    """Send a request whose body must not be read before the answer."""
    body = Watched()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def noticed(message: Any) -> None:
            body.answered = body.answered or bool(message.get("body"))
            await send(message)

        await services.app(scope, receive, noticed)

    return await call(app, method, SHARE[0], named(services.headers(**changed)), body.receive), body


@pytest.mark.parametrize(
    ("method", "changed", "status", "code"),
    [
        ("POST", {"authorization": "Bearer a.b.c"}, 401, "ABDM-2500"),
        ("POST", {"authorization": None}, 401, "ABDM-2500"),
        ("POST", {"request_id": None}, 400, "ABDM-1030"),
        ("POST", {"content_type": "text/plain"}, 415, "ABDM-1006"),
        ("PUT", {}, 405, "ABDM-1031"),
    ],
)
async def test_what_the_headers_decide_is_answered_before_the_body_is_read(
    services: Services, method: str, changed: dict[str, str | None], status: int, code: str
) -> None:
    answer, body = await refused(services, method, **changed)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert not body.read_unanswered
    assert body.left == 0, "then the sender may finish writing"


async def test_a_bad_token_is_401_whatever_else_is_wrong(services: Services) -> None:
    for body in (b"", b"{", b"x" * (GATEWAY_BODY_MAX + 1)):
        for changed in ({}, {"request_id": None}, {"content_type": "text/plain"}, {"timestamp": None}):
            answer = await services.post(body, authorization="Bearer nobody", **changed)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_refused_caller_is_counted_by_reason_and_logged_once_a_minute(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    def count(reason: str) -> float:
        return float(CALLERS_REJECTED.labels(reason)._value.get())

    before = count("iss"), count("azp")
    foreign = "Bearer " + services.key.sign(good_claims(iss="https://elsewhere.example"))
    party = "Bearer " + services.key.sign(good_claims(azp="SBX_000042"))
    for _ in range(5):
        assert (await services.post(SHARE_BODY, authorization=foreign)).status_code == 401
    assert (await services.post(SHARE_BODY, authorization=party)).status_code == 401
    assert (count("iss"), count("azp")) == (before[0] + 5, before[1] + 1)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert NEXT_STEPS["iss"] in lines[0]
    assert "elsewhere" not in caplog.text, "nothing of the caller's stands in the log"


def test_the_log_says_each_reason_again_after_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    callers = Callers()
    for second in range(0, 180, 10):
        callers.refuse("sig", 1_000_000.0 + second)
    assert len(caplog.records) == 180 / LOG_EVERY_S


async def test_when_every_caller_was_refused_the_reason_is_reported(services: Services) -> None:
    now = time.time()
    callers = services.callers
    await services.post(SHARE_BODY, authorization="Bearer a.b.c")
    assert all_refused(callers.accepted_s, callers.refusals, now) == "", "any stranger sends such things"
    await services.post(SHARE_BODY, authorization="Bearer " + services.key.sign(good_claims(aud="x")))
    assert all_refused(callers.accepted_s, callers.refusals, now) == "aud"
    assert all_refused(callers.accepted_s, callers.refusals, now + 1300) == "", "it was long ago"
    await services.post(SHARE_BODY)
    assert all_refused(callers.accepted_s, callers.refusals, now) == ""


def ended_token(services: Services, ago_s: int, lived_s: int = 1200) -> tuple[str, int]:
    """A correctly signed token that expired ``ago_s`` ago, and when it was issued."""
    ends = int(time.time()) - ago_s
    return "Bearer " + services.key.sign(good_claims(iat=ends - lived_s, exp=ends)), ends - lived_s


async def test_a_late_delivery_is_taken_as_a_place_that_waits_for_check_in(services: Services) -> None:
    token, issued = ended_token(services, 600)
    answer = await services.post(SHARE_BODY, authorization=token, timestamp=timestamp(issued + 840))
    assert answer.status_code == 202
    [scan] = services.check_in.scans
    assert (scan.late, scan.refusal) == (True, None)


@pytest.mark.parametrize("after_s", [-60, 1260, None])
async def test_a_late_delivery_sent_outside_the_life_of_its_token_is_refused(
    services: Services, after_s: int | None
) -> None:
    token, issued = ended_token(services, 600)
    sent = None if after_s is None else timestamp(issued + after_s)
    answer = await services.post(SHARE_BODY, authorization=token, timestamp=sent)
    assert answer.status_code == 401
    assert services.check_in.scans == []


async def test_only_a_share_of_v3_may_come_late(services: Services) -> None:
    token, issued = ended_token(services, 600)
    for path, name in ((STATUS, "v3-running-token-status-callback"), (SHARE_V1, "v1-profile-share")):
        answer = await services.post(sample(name), path, authorization=token, timestamp=timestamp(issued + 840))
        assert answer.status_code == 401


async def test_a_punctual_delivery_is_not_late(services: Services) -> None:
    assert (await services.post(SHARE_BODY)).status_code == 202
    assert not services.check_in.scans[0].late


async def test_only_the_networks_that_are_set_may_call(services: Services) -> None:
    services.gateway_addresses = (ip_network("203.0.113.0/24"),)
    answer = await services.post(SHARE_BODY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ABDM-2500")
    assert services.callers.refusals["address"].count == 1
    services.gateway_addresses = (ip_network("127.0.0.0/8"), ip_network("203.0.113.0/24"))
    assert (await services.post(SHARE_BODY)).status_code == 202


@pytest.mark.parametrize("request_id", ["", "x" * 101, "a\tb", "é", "{}", "   "])
async def test_an_unusable_request_id_is_a_bad_request(services: Services, request_id: str) -> None:
    answer = await services.post(SHARE_BODY, request_id=request_id)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "ABDM-1030"
    assert services.check_in.scans == []


async def test_one_request_in_capitals_has_one_key_and_is_echoed_as_it_came(services: Services) -> None:
    written = "{F29F0E59-8388-4698-9FE6-05DB67AEAC46}"
    await services.post(SHARE_BODY, request_id=written)
    await services.post(SHARE_BODY)
    first, second = services.check_in.scans
    assert first.request_id == second.request_id
    assert read_note(first.note).request_id == written


async def test_headers_with_underscores_are_read(services: Services) -> None:
    headers = services.headers(request_id=None) | {"request_id": "r-1", "x_hip_id": "H"}
    body = sample("v3-draft2023-hip-profile-share")
    assert (await services.ask("POST", SHARE[2], headers, body)).status_code == 202
    assert (services.check_in.scans[0].request_id, services.check_in.scans[0].facility) == ("r-1", "H")


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
    assert time.monotonic() - began < 1
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["error"]["code"] == "ABDM-1024"
    assert CANARY not in answer.text


@pytest.mark.parametrize("failure", [StoreAway(CANARY), InDoubt(CANARY)], ids=repr)
async def test_a_store_that_stays_away_is_503_after_three_seconds(services: Services, failure: Exception) -> None:
    services.check_in.failure = failure
    began = time.monotonic()
    answer = await services.post(SHARE_BODY)
    assert 2.5 < time.monotonic() - began < 6
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
    hold = Hold(hold_s=2.0, held_max=2)
    back = asyncio.Event()

    async def ask() -> str:
        if back.is_set():
            return "a place"
        raise StoreAway

    held = [asyncio.create_task(hold.repeat(ask, StoreAway())) for _ in range(2)]
    await asyncio.sleep(0.2)
    began = time.monotonic()
    with pytest.raises(StoreAway):
        await hold.repeat(ask, StoreAway())
    assert time.monotonic() - began < 0.1, "one more is refused at once"
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
    assert "ValueError at abdm/test_callbacks.py:" in caplog.text


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
