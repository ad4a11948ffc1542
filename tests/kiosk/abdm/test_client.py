"""Our calls to the gateway: one token for all callers, an error for each failure, no redirects, bounded
time and size.
"""

import asyncio
import contextlib
import json
import re
import time
import uuid
from collections.abc import AsyncIterator

import pytest

from kiosk.abdm import connection
from kiosk.abdm.access_token import RETRY_TOKEN_S
from kiosk.abdm.client import ON_SHARE, Gateway, checked_address
from kiosk.abdm.errors import GatewayAddressWrong, GatewayRefused, GatewaySilent, NoAccessToken, NotAcknowledged
from tests.kiosk.abdm.fake_gateway import SAMPLES, FakeGateway, Heard, Manners, Reply, sample

pytestmark = pytest.mark.anyio


FIREWALL_PAGE = (SAMPLES / "firewall-page.html").read_bytes()


def saying(*replies: Reply) -> Manners:
    """Give these answers one after the other, and then the last one repeatedly."""
    left = list(replies)

    async def answer(_: Heard) -> Reply:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


@pytest.fixture
async def gateway(fake: FakeGateway) -> AsyncIterator[Gateway]:
    gateway = Gateway(fake.url + "/", client_id="SBX_1", client_secret="hush", cm_id="sbx")
    yield gateway
    await gateway.close()


async def test_an_answer_carries_all_headers_of_the_protocol(gateway: Gateway, fake: FakeGateway) -> None:
    await gateway.answer(ON_SHARE, "IN0110000123", b'{"a":1}')
    [heard] = fake.at("/on-share")
    assert heard.path == "/api/hiecm/patient-share/v3/on-share"
    assert heard.body == b'{"a":1}'
    assert heard.headers["authorization"] == "Bearer token-1"
    assert (heard.headers["x-cm-id"], heard.headers["x-hip-id"]) == ("sbx", "IN0110000123")
    assert heard.headers["content-type"] == "application/json"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", heard.headers["timestamp"])
    uuid.UUID(heard.headers["request-id"])


async def test_a_facility_name_that_is_no_header_is_left_out(gateway: Gateway, fake: FakeGateway) -> None:
    for hip_id in ("अस्पताल", "a\r\nX-Evil: 1", "\x00"):
        await gateway.answer(ON_SHARE, hip_id, b"{}")
    assert all("x-hip-id" not in heard.headers and "x-evil" not in heard.headers for heard in fake.at("/on-share"))


async def test_a_session_is_asked_for_without_authorization(gateway: Gateway, fake: FakeGateway) -> None:
    await gateway.answer(ON_SHARE, "H", b"{}")
    [request] = fake.at("/sessions")
    assert "authorization" not in request.headers
    shape = json.loads(sample("sessions-request"))
    assert request.json == shape | {"clientId": "SBX_1", "clientSecret": "hush"}


async def test_one_token_serves_all_who_wait(gateway: Gateway, fake: FakeGateway) -> None:
    await asyncio.gather(*(gateway.answer(ON_SHARE, "H", b"{}") for _ in range(60)))
    assert fake.tokens == 1
    assert len({heard.headers["request-id"] for heard in fake.heard}) == 61, "no id is used twice"


async def test_a_token_is_renewed_half_a_minute_before_its_end(gateway: Gateway, fake: FakeGateway) -> None:
    now = time.monotonic()
    assert await gateway.token.get(now) == "token-1"
    assert await gateway.token.get(now + 1169) == "token-1"
    assert await gateway.token.get(now + 1171) == "token-2"


async def test_a_short_token_is_not_renewed_at_each_call(gateway: Gateway, fake: FakeGateway) -> None:
    fake.token_lives_s = 20
    for _ in range(5):
        await gateway.answer(ON_SHARE, "H", b"{}")
    assert fake.tokens == 1


async def test_a_token_is_dropped_on_401_and_asked_for_anew(gateway: Gateway, fake: FakeGateway) -> None:
    fake.manners["/on-share"] = saying((401, b""), (202, b""))
    with pytest.raises(GatewayRefused) as refused:
        await gateway.answer(ON_SHARE, "H", b"{}")
    assert refused.value.status == 401
    await gateway.answer(ON_SHARE, "H", b"{}")
    assert [heard.headers["authorization"] for heard in fake.at("/on-share")] == ["Bearer token-1", "Bearer token-2"]
    gateway.token.drop("token-1")
    await gateway.answer(ON_SHARE, "H", b"{}")
    assert fake.tokens == 2, "a late 401 of the old token costs nothing"


async def test_a_failed_renewal_leaves_the_valid_token_in_use(gateway: Gateway, fake: FakeGateway) -> None:
    now = time.monotonic()
    await gateway.token.get(now)
    fake.manners["/sessions"] = saying((503, b""))
    assert await gateway.token.get(now + 1180) == "token-1"
    with pytest.raises(NoAccessToken):
        await gateway.token.get(now + 1300)


async def test_no_token_is_asked_for_once_a_second_however_many_wait(gateway: Gateway, fake: FakeGateway) -> None:
    fake.manners["/sessions"] = saying((401, sample("error-api-manager-900901")))
    results = await asyncio.gather(*(gateway.answer(ON_SHARE, "H", b"{}") for _ in range(30)), return_exceptions=True)
    assert all(isinstance(each, NoAccessToken) for each in results)
    with pytest.raises(NoAccessToken):
        await gateway.answer(ON_SHARE, "H", b"{}")
    assert len(fake.at("/sessions")) == 1
    assert fake.at("/on-share") == []
    fake.manners.clear()
    assert await gateway.token.get(time.monotonic() + RETRY_TOKEN_S) == "token-1"


@pytest.mark.parametrize(
    "reply",
    [
        (200, b'{"accessToken":"t","expiresIn":"1200"}'),
        (202, b'{"accessToken":"t","expiresIn":1200,"refreshExpiresIn":1800,"more":[1]}'),
        (201, b'{"accessToken":"t"}'),
    ],
)
async def test_any_good_status_and_spelling_of_a_session_is_taken(
    gateway: Gateway, fake: FakeGateway, reply: Reply
) -> None:
    fake.manners["/sessions"] = saying(reply)
    assert await gateway.token.get(time.monotonic()) == "t"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"<html>",
        b'{"accessToken":7}',
        b'{"accessToken":"a\\r\\nX: 1","expiresIn":9}',
        b'{"accessToken":"t","expiresIn":"soon"}',
        b'{"accessToken":"t","expiresIn":-1}',
        b"[" * 9000,
    ],
)
async def test_a_session_that_cannot_be_used_is_no_token(gateway: Gateway, fake: FakeGateway, body: bytes) -> None:
    fake.manners["/sessions"] = saying((200, body))
    with pytest.raises(NoAccessToken):
        await gateway.token.get(time.monotonic())


@pytest.mark.parametrize(
    ("reply", "status", "code", "wait_s"),
    [
        ((400, sample("error-envelope-documented")), 400, "ABDM-1006", None),
        ((404, sample("error-404-domain-code")), 404, "ABDM-1016", None),
        ((429, sample("error-array"), {"retry-after": "7"}), 429, "ABDM-9999", 7.0),
        ((503, b"", {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}), 503, "", None),
        ((500, b"<html>no</html>"), 500, "", None),
    ],
)
async def test_a_refusal_has_status_code_and_wait(
    gateway: Gateway, fake: FakeGateway, reply: Reply, status: int, code: str, wait_s: float | None
) -> None:
    fake.manners["/on-share"] = saying(reply)
    with pytest.raises(GatewayRefused) as refused:
        await gateway.answer(ON_SHARE, "H", b"{}")
    assert (refused.value.status, refused.value.code, refused.value.retry_after_s) == (status, code, wait_s)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (202, b""),
        (200, b" \r\n"),
        (200, b"{}"),
        (202, b'{"status":"SUCCESS"}'),
        (202, b'{"error":null,"response":{"requestId":"r"}}'),
        (200, b'{"code":"200","message":"accepted"}'),
        (200, b'"OK"'),
    ],
)
async def test_an_acknowledgement_is_empty_or_json_without_an_error(
    gateway: Gateway, fake: FakeGateway, status: int, body: bytes
) -> None:
    fake.manners["/on-share"] = saying((status, body))
    await gateway.answer(ON_SHARE, "H", b"{}")
    assert len(fake.at("/on-share")) == 1


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        ((200, FIREWALL_PAGE, {"content-type": "text/html"}), "page", ""),
        ((202, b"<!DOCTYPE html><p>Log in</p>", {"content-type": "application/json"}), "page", ""),
        ((200, sample("error-envelope-documented")), "error", "ABDM-1006"),
        ((202, sample("error-array")), "error", "ABDM-9999"),
        ((200, sample("error-flat")), "error", "ABDM-9999"),
        ((200, sample("error-api-manager-900901")), "error", "900901"),
        ((200, b'{"error":"no"}'), "error", ""),
        ((200, b"accepted, perhaps"), "unreadable", ""),
        ((200, b"\xff garbage"), "unreadable", ""),
        ((302, b"", {"location": "/login"}), "redirect", ""),
    ],
)
async def test_a_2xx_counts_as_acknowledged_only_by_its_content(
    gateway: Gateway, fake: FakeGateway, reply: Reply, kind: str, code: str
) -> None:
    fake.manners["/on-share"] = saying(reply)
    with pytest.raises(NotAcknowledged) as unclear:
        await gateway.answer(ON_SHARE, "H", b"{}")
    assert (unclear.value.kind, unclear.value.code) == (kind, code)


async def test_a_refused_session_stands_in_the_log_once_with_status_and_code(
    gateway: Gateway, fake: FakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    now = time.monotonic()
    fake.manners["/sessions"] = saying((401, sample("error-api-manager-900901")))
    for later in range(5):
        gateway.token._failed_at = now - 10
        with pytest.raises(NoAccessToken):
            await gateway.token.get(now + later)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert lines[0].startswith("the gateway refused a session: 401 900901. Check KIOSK_GATEWAY_CLIENT_ID")
    assert gateway.token.failure == "401 900901"
    fake.manners.clear()
    gateway.token._failed_at = now - 10
    await gateway.token.get(now + 6)
    assert caplog.records[-1].getMessage() == "the gateway gives sessions again"
    assert gateway.token.failure == ""


async def test_a_redirect_is_not_followed(gateway: Gateway, fake: FakeGateway) -> None:
    fake.manners["/on-share"] = saying((307, b"", {"location": fake.url + "/elsewhere"}))
    with pytest.raises(GatewayRefused):
        await gateway.answer(ON_SHARE, "H", b"{}")
    assert fake.at("/elsewhere") == []


async def test_without_a_usable_answer_the_gateway_is_silent(gateway: Gateway, fake: FakeGateway) -> None:
    async def asleep(_: Heard) -> Reply:
        await asyncio.sleep(30)
        return 202, b""

    await gateway.answer(ON_SHARE, "H", b"{}")
    for manners in (saying(None), asleep, saying((200, b"x" * 300_000))):
        fake.manners["/on-share"] = manners
        with pytest.raises(GatewaySilent):
            await gateway.answer(ON_SHARE, "H", b"{}", timeout_s=0.2)
    await fake.stop()
    with pytest.raises(GatewaySilent):
        await gateway.answer(ON_SHARE, "H", b"{}")


async def test_proxies_of_the_environment_are_not_used(fake: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    gateway = Gateway(fake.url, client_id="SBX_1", client_secret="s", cm_id="sbx")
    await gateway.answer(ON_SHARE, "H", b"{}")
    await gateway.close()


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:80/", "https://dev.abdm.gov.in", "https://10.0.0.1"],
)
def test_https_and_this_machine_are_addresses_of_a_gateway(url: str) -> None:
    assert not checked_address(url).endswith("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://dev.abdm.gov.in",
        "http://127.0.0.1.evil.example",
        "http://2130706433",
        "ftp://x",
        "https://",
        "",
        "dev.abdm.gov.in",
        "https://user:pass@host",
        "https://host/?a=1",
        "http://0.0.0.0",
        "http://localhost.evil.example",
    ],
)
def test_everything_else_is_not(url: str) -> None:
    with pytest.raises(GatewayAddressWrong):
        checked_address(url)


@pytest.mark.parametrize("status", [202, 400])
async def test_the_date_of_an_answer_tells_the_gateways_clock(gateway: Gateway, fake: FakeGateway, status: int) -> None:
    fake.manners["/on-share"] = saying((status, b"", {"date": "Wed, 18 Nov 2026 11:06:40 GMT"}))
    with contextlib.suppress(GatewayRefused):
        await gateway.answer(ON_SHARE, "IN0110000123", b"{}")
    shown_s = connection.Facts(gateway_clock_s=gateway.clock_since_start_s).gateway_s
    assert shown_s is not None
    assert 1_795_000_000 <= shown_s < 1_795_000_100


@pytest.mark.parametrize("date", ["", "yesterday", "Wed, 99 Nov 2026 11:06:40 GMT", "Wed, 18 Nov 99999 11:06:40 GMT"])
async def test_a_date_that_is_none_tells_nothing(gateway: Gateway, fake: FakeGateway, date: str) -> None:
    fake.manners["/on-share"] = saying((202, b"", {"date": date}))
    await gateway.answer(ON_SHARE, "IN0110000123", b"{}")
    assert connection.Facts(gateway_clock_s=gateway.clock_since_start_s).gateway_s is None
