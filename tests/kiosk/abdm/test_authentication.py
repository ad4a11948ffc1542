"""Only the gateway's tokens are accepted, tested with hostile tokens, rotated keys, outages, floods and a
real key set.
"""

import json
import time
from typing import Any

import pytest

from kiosk.abdm.authentication import AGE_MAX_S, BURST_USES, LATE_S, LEEWAY_S, REMEMBERED_MAX, Authenticator
from kiosk.abdm.errors import NotTheGateway
from kiosk.settings import load
from tests.kiosk.abdm.fake_gateway import ISSUER, Heard, Reply, SigningKey, good_claims
from tests.kiosk.abdm.gate import Gate
from tests.kiosk.abdm.hostile_tokens import HOSTILE, Maker, by_hand, head

pytestmark = pytest.mark.anyio


def test_the_list_of_hostile_tokens_is_long() -> None:
    assert len(HOSTILE) >= 60


@pytest.mark.parametrize("maker", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_token_is_refused(
    gate: Gate, gateway_key: SigningKey, foreign_key: SigningKey, maker: Maker
) -> None:
    assert await gate.believes(gateway_key.sign(good_claims())), "or this proves nothing"
    gate.long_ago()
    token = maker(gateway_key, foreign_key)
    assert not await gate.believes(token)
    assert not gate.keeper.remembers(b"Bearer " + (token.encode() if isinstance(token, str) else token), time.time())


async def test_the_gateways_token_is_accepted_and_remembered(gate: Gate, gateway_key: SigningKey) -> None:
    header = b"Bearer " + gateway_key.sign(good_claims()).encode()
    assert not gate.keeper.remembers(header, time.time())
    await gate.keeper.prove(header, time.time(), time.monotonic())
    assert gate.keeper.remembers(header, time.time())
    assert not gate.keeper.remembers(header, time.time() + 1300), "not beyond its end"
    assert not gate.keeper.remembers(header + b"x", time.time())
    assert not gate.keeper.remembers(None, time.time())


async def test_each_key_is_accepted_with_its_own_algorithm(gate: Gate, second_key: SigningKey) -> None:
    assert await gate.believes(second_key.sign(good_claims()))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["other", "account"]},
        {"iat": None},
        {"typ": None},
        {"exp": int(time.time()) + 1200.5},
        {"azp": "gateway", "scope": "openid", "realm_access": {"roles": ["hip"]}},
    ],
)
async def test_correct_variants_are_accepted(gate: Gate, gateway_key: SigningKey, claims: dict[str, Any]) -> None:
    assert await gate.believes(gateway_key.sign(good_claims(**claims)))
    assert await gate.believes(gateway_key.sign(good_claims(**claims)), scheme=b"bearer ")


@pytest.mark.parametrize("scheme", [b"", b"Basic ", b"Bearer  ", b"Bearer", b"Bearer\t", b"Token "])
async def test_another_scheme_proves_nothing(gate: Gate, gateway_key: SigningKey, scheme: bytes) -> None:
    assert not await gate.believes(gateway_key.sign(good_claims()), scheme=scheme)


async def test_not_one_character_of_a_token_can_be_changed(gate: Gate, gateway_key: SigningKey) -> None:
    """This includes the last character of the signature, whose unused bits lenient decoders ignore."""
    token = gateway_key.sign(good_claims())
    assert await gate.believes(token)
    places = [*range(0, len(token), 37), len(token) - 1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for at in places:
        for char in alphabet if at == len(token) - 1 else "Aa0_":
            if char != token[at]:
                assert not await gate.believes(token[:at] + char + token[at + 1 :]), f"{at} {char}"


async def test_leeway_is_half_a_minute(gate: Gate, gateway_key: SigningKey) -> None:
    ends = int(time.time()) + 100
    token = gateway_key.sign(good_claims(exp=ends))
    assert await gate.believes(token, now_s=ends + LEEWAY_S - 1)
    assert not await gate.believes(token, now_s=ends + LEEWAY_S)


@pytest.mark.parametrize("age_s", [0, 3000, 3700, 7200, 20000])
async def test_a_token_of_six_hours_is_accepted_until_its_end(gate: Gate, gateway_key: SigningKey, age_s: int) -> None:
    """Production issues tokens for 21,600 s."""
    issued = int(time.time()) - age_s
    assert await gate.believes(gateway_key.sign(good_claims(iat=issued, exp=issued + 21_600)))


async def test_a_token_older_than_the_cap_is_refused_however_long_it_lives(gate: Gate, gateway_key: SigningKey) -> None:
    now = int(time.time())
    assert await gate.reason(gateway_key.sign(good_claims(iat=now - AGE_MAX_S - LEEWAY_S - 5, exp=now + 900))) == "iat"
    short = Authenticator(gate.keys, issuers=(ISSUER,), audience="account", azps=("gateway",), age_max_s=600)
    token = b"Bearer " + gateway_key.sign(good_claims(iat=now - 640, exp=now + 900)).encode()
    with pytest.raises(NotTheGateway, match="iat"):
        await short.prove(token, time.time(), time.monotonic())


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://elsewhere.example"}, "iss"),
        ({"aud": "realm-management"}, "aud"),
        ({"azp": "SBX_000042"}, "azp"),
        ({"exp": 1}, "exp"),
        ({"nbf": int(time.time()) + 900}, "nbf"),
        ({"iat": int(time.time()) + 900}, "iat"),
    ],
)
async def test_a_refusal_names_the_claim(
    gate: Gate, gateway_key: SigningKey, claims: dict[str, Any], reason: str
) -> None:
    assert await gate.reason(gateway_key.sign(good_claims(**claims))) == reason


async def test_a_refusal_names_the_key_and_the_signature(
    gate: Gate, gateway_key: SigningKey, foreign_key: SigningKey
) -> None:
    assert await gate.believes(gateway_key.sign(good_claims()))
    assert await gate.reason(foreign_key.sign(good_claims())) == "sig"
    assert await gate.reason(by_hand(gateway_key, head(gateway_key, kid="unheard-of"), good_claims())) == "kid"
    assert await gate.reason(by_hand(gateway_key, head(gateway_key, alg="RS512"), good_claims())) == "alg"


@pytest.mark.parametrize(
    "issuer",
    [
        "https://dev.abdm.gov.in/auth/realms/central-registry",
        "https://dev.ndhm.gov.in/auth/realms/central-registry",
        "https://live.ndhm.gov.in/auth/realms/gateway",
    ],
)
async def test_the_known_issuers_are_accepted_without_a_setting(
    gate: Gate, gateway_key: SigningKey, issuer: str
) -> None:
    issuers = load({}).gateway_issuers
    keeper = Authenticator(gate.keys, issuers=issuers, audience="account", azps=("gateway",))
    token = b"Bearer " + gateway_key.sign(good_claims(iss=issuer)).encode()
    assert await keeper.prove(token, time.time(), time.monotonic()) is None


async def test_the_issuer_of_our_own_access_token_is_accepted(gate: Gate, gateway_key: SigningKey) -> None:
    issuer = "https://a-later-gateway.example/realms/one"

    async def session(_: Heard) -> Reply:
        token = gateway_key.sign(good_claims(iss=issuer, azp="SBX_1"))
        return 200, json.dumps({"accessToken": token, "expiresIn": 1200}).encode()

    gate.fake.manners["/sessions"] = session
    own = gate.gateway.token
    keeper = Authenticator(
        gate.keys, issuers=(ISSUER,), audience="account", azps=("gateway",), own_issuer=lambda: own.issuer
    )
    token = b"Bearer " + gateway_key.sign(good_claims(iss=issuer)).encode()
    with pytest.raises(NotTheGateway, match="iss"):
        await keeper.prove(token, time.time(), time.monotonic())
    await own.get(time.monotonic())
    gate.keys._believe(gate.fake.key_set())
    assert own.issuer == issuer
    assert await keeper.prove(token, time.time(), time.monotonic()) is None


async def test_a_token_that_expired_within_the_hour_is_distinguished_from_a_valid_one(
    gate: Gate, gateway_key: SigningKey
) -> None:
    now = int(time.time())
    token = b"Bearer " + gateway_key.sign(good_claims(iat=now - 1800, exp=now - 600)).encode()
    life = await gate.keeper.prove(token, now, time.monotonic())
    assert life is not None
    assert (life.begins_s, life.ends_s) == (now - 1800, now - 600)
    assert not gate.keeper.remembers(token, now), "each late delivery is proved on its own"
    strict = Authenticator(gate.keys, issuers=(ISSUER,), audience="account", azps=("gateway",), late=False)
    with pytest.raises(NotTheGateway, match="exp"):
        await strict.prove(token, now, time.monotonic())


async def test_a_token_that_ended_more_than_an_hour_ago_is_refused(gate: Gate, gateway_key: SigningKey) -> None:
    now = int(time.time())
    assert await gate.reason(gateway_key.sign(good_claims(iat=now - 7200, exp=now - LATE_S - LEEWAY_S - 1))) == "exp"
    assert await gate.reason(gateway_key.sign(good_claims(iat=None, exp=now - 60))) == "exp", "its life is not known"


async def test_a_burst_under_one_token_is_logged_once_in_ten_minutes(
    gate: Gate, gateway_key: SigningKey, caplog: pytest.LogCaptureFixture
) -> None:
    now = time.time()
    header = b"Bearer " + gateway_key.sign(good_claims()).encode()
    await gate.keeper.prove(header, now, time.monotonic())
    for _ in range(BURST_USES + 50):
        assert gate.keeper.remembers(header, now + 1)
    assert caplog.text.count("one callback token brought 1200 calls") == 1
    for _ in range(BURST_USES * 3):
        assert gate.keeper.remembers(header, now + 1)
    assert caplog.text.count("one callback token brought") == 1, "a busy state does not flood the log"
    caplog.clear()
    for use in range(BURST_USES + 50):
        assert gate.keeper.remembers(header, now + 2 + use / 10)
    assert caplog.text == "", "ten a second is an ordinary morning"


async def test_memory_of_tokens_is_bounded(gate: Gate, gateway_key: SigningKey) -> None:
    now = time.time()
    header = b"Bearer " + gateway_key.sign(good_claims()).encode()
    await gate.keeper.prove(header, now, time.monotonic())
    for number in range(REMEMBERED_MAX + 50):
        gate.keeper._remember(b"%d" % number, now + 60, now)
    assert len(gate.keeper._believed) <= REMEMBERED_MAX


async def test_without_abdm_every_caller_is_refused(gateway_key: SigningKey) -> None:
    keeper = Authenticator(None, issuers=(ISSUER,), audience="account", azps=("gateway",))
    with pytest.raises(NotTheGateway):
        await keeper.prove(b"Bearer " + gateway_key.sign(good_claims()).encode(), time.time(), time.monotonic())
