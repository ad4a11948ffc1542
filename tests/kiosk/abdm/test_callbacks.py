"""The gateway's endpoints: their answers, the order of their checks, and what they pass on."""

import json
import time
from ipaddress import ip_network
from typing import Any

import pytest

from kiosk.abdm.callbacks import SHARE, SHARE_V05, SHARE_V1, STATUS
from kiosk.abdm.callers import LOG_EVERY_S, NEXT_STEPS, Callers, all_refused
from kiosk.abdm.client import timestamp
from kiosk.abdm.note import read_note
from kiosk.observability.metrics import CALLERS_REJECTED
from kiosk.web.limits import GATEWAY_BODY_MAX
from tests.kiosk.abdm.endpoints import SHARE_BODY, Services, named
from tests.kiosk.abdm.fake_gateway import Answer, call, good_claims, sample

pytestmark = pytest.mark.anyio


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


async def test_the_log_names_an_issuer_that_the_gateways_own_key_signed_and_no_words_of_a_stranger(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    await services.post(SHARE_BODY)
    genuine = services.key.sign(good_claims(iss="https://live.example/realm\n", azp="gateway"))
    stranger = genuine.rpartition(".")[0] + "." + services.key.sign(good_claims()).rpartition(".")[2]
    for token, shown in ((stranger, ""), (genuine, " https://live.example/realm")):
        services.callers.logged.clear()
        assert (await services.post(SHARE_BODY, authorization=f"Bearer {token}")).status_code == 401
        assert f"was refused (iss{shown}): The token names another issuer" in caplog.records[-1].getMessage()
        assert services.callers.refusals["iss"].seen == shown.strip()


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
