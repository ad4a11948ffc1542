"""Only the gateway's tokens are accepted, tested with hostile tokens, rotated keys, outages, floods and a
real key set.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from kiosk.abdm.authentication import AGE_MAX_S, BURST_USES, LATE_S, LEEWAY_S, REMEMBERED_MAX, Authenticator
from kiosk.abdm.client import Gateway
from kiosk.abdm.errors import KeysUnknown, NotTheGateway
from kiosk.abdm.jwks import FETCH_EVERY_S, FILE, KeySet, read_key_set
from kiosk.settings import load
from tests.kiosk.abdm.fake_gateway import ISSUER, FakeGateway, Heard, Reply, SigningKey, good_claims, number64

pytestmark = pytest.mark.anyio


class Gate:
    """An authenticator with its parts, and one call to use it."""

    def __init__(self, fake: FakeGateway, folder: Path) -> None:
        self.fake = fake
        self.folder = folder
        self.gateway = Gateway(fake.url, client_id="SBX_1", client_secret="s", cm_id="sbx")
        self.keys = KeySet(self.gateway.certs, folder)
        self.keeper = Authenticator(self.keys, issuers=(ISSUER,), audience="account", azps=("gateway",))

    async def believes(self, token: str | bytes, *, now_s: float | None = None, scheme: bytes = b"Bearer ") -> bool:
        """Whether the token is accepted as a valid one."""
        header = scheme + (token.encode() if isinstance(token, str) else token)
        try:
            return await self.keeper.prove(header, now_s or time.time(), time.monotonic()) is None
        except (NotTheGateway, KeysUnknown):
            return False

    async def reason(self, token: str) -> str:
        """Why the token is refused."""
        with pytest.raises(NotTheGateway) as refusal:
            await self.keeper.prove(b"Bearer " + token.encode(), time.time(), time.monotonic())
        return refusal.value.reason

    @property
    def fetches(self) -> int:
        return len(self.fake.at("/certs"))

    def long_ago(self, seconds: float = FETCH_EVERY_S) -> None:
        """Move the time of the last fetch into the past."""
        mark = self.folder / "gateway-keys.fetched"
        seen = mark.stat().st_mtime - seconds
        os.utime(mark, (seen, seen))


@pytest.fixture
async def gate(fake: FakeGateway, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = Gate(fake, tmp_path)
    yield gate
    await gate.gateway.close()


def b64(plain: bytes | dict[str, Any] | str) -> str:
    raw = json.dumps(plain).encode() if isinstance(plain, dict) else plain.encode() if isinstance(plain, str) else plain
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(key: SigningKey, header: dict[str, Any] | str, claims: dict[str, Any] | str | bytes) -> str:
    """A token with any content and a correct signature of the gateway's key."""
    signing = f"{b64(header)}.{b64(claims)}".encode()
    algorithm = jwt.get_algorithm_by_name("RS256")
    return f"{signing.decode()}.{b64(algorithm.sign(signing, key.private))}"


def hmac_token(header: dict[str, Any], secret: bytes) -> str:
    signing = f"{b64(header)}.{b64(good_claims())}"
    return f"{signing}.{b64(hmac.new(secret, signing.encode(), hashlib.sha256).digest())}"


def pem(key: SigningKey) -> bytes:
    return key.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def head(key: SigningKey, **more: Any) -> dict[str, Any]:
    return {"alg": "RS256", "typ": "JWT", "kid": key.kid} | more


def with_text(key: SigningKey, old: str, new: str) -> str:
    """The gateway's own signature over claims in another spelling."""
    return by_hand(key, head(key), json.dumps(good_claims()).replace(old, new))


Maker = Callable[[SigningKey, SigningKey], str | bytes]
NOW = time.time
HOSTILE: dict[str, Maker] = {
    "nothing": lambda g, f: "",
    "one dot": lambda g, f: "a.b",
    "four parts": lambda g, f: g.sign(good_claims()) + ".x",
    "five parts, as JWE": lambda g, f: "a.b.c.d.e",
    "spaces around": lambda g, f: " " + g.sign(good_claims()) + " ",
    "a line break": lambda g, f: g.sign(good_claims()) + "\n",
    "trailing bytes": lambda g, f: g.sign(good_claims()) + "AAAA",
    "padding": lambda g, f: g.sign(good_claims()) + "=",
    "not base64": lambda g, f: "a*b.c*d.e*f",
    "a megabyte": lambda g, f: by_hand(g, head(g), good_claims(pad="x" * 1_000_000)),
    "NUL bytes": lambda g, f: g.sign(good_claims()).encode() + b"\x00",
    "raw bytes": lambda g, f: b"\xff\xfe.\xff.\xff",
    "alg none": lambda g, f: f"{b64({'alg': 'none', 'kid': g.kid})}.{b64(good_claims())}.",
    "alg none with a signature": lambda g, f: f"{b64({'alg': 'none', 'kid': g.kid})}.{b64(good_claims())}.AAAA",
    "alg None": lambda g, f: f"{b64({'alg': 'None', 'kid': g.kid})}.{b64(good_claims())}.AAAA",
    "alg missing": lambda g, f: by_hand(g, {"kid": g.kid}, good_claims()),
    "alg a list": lambda g, f: by_hand(g, head(g, alg=["RS256"]), good_claims()),
    "alg of another strength": lambda g, f: jwt.encode(good_claims(), g.private, "RS512", headers={"kid": g.kid}),
    "alg of another padding": lambda g, f: jwt.encode(good_claims(), g.private, "PS256", headers={"kid": g.kid}),
    "alg in lower case": lambda g, f: by_hand(g, head(g, alg="rs256"), good_claims()),
    "HMAC with the public key": lambda g, f: hmac_token(head(g, alg="HS256"), pem(g)),
    "HMAC with the key's text": lambda g, f: hmac_token(head(g, alg="HS256"), json.dumps(g.jwk()).encode()),
    "HMAC with nothing": lambda g, f: hmac_token(head(g, alg="HS256"), b""),
    "an elliptic curve": lambda g, f: jwt.encode(
        good_claims(), generate_ec_key(SECP256R1()), "ES256", headers={"kid": g.kid}
    ),
    "a foreign key under the same name": lambda g, f: f.sign(good_claims()),
    "a foreign key that it brings": lambda g, f: f.sign(good_claims(), {"jwk": f.jwk()}),
    "a key that it brings, rightly signed": lambda g, f: by_hand(g, head(g, jwk=g.jwk()), good_claims()),
    "jku": lambda g, f: by_hand(g, head(g, jku="http://127.0.0.1:9/keys"), good_claims()),
    "x5u": lambda g, f: by_hand(g, head(g, x5u="http://127.0.0.1:9/cert"), good_claims()),
    "x5c": lambda g, f: by_hand(g, head(g, x5c=["AAAA"]), good_claims()),
    "crit": lambda g, f: by_hand(g, head(g, crit=["exp"], exp=1), good_claims()),
    "b64 false": lambda g, f: by_hand(g, head(g, b64=False), good_claims()),
    "zip": lambda g, f: by_hand(g, head(g, zip="DEF"), good_claims()),
    "kid missing": lambda g, f: by_hand(g, {"alg": "RS256", "typ": "JWT"}, good_claims()),
    "kid a number": lambda g, f: by_hand(g, head(g, kid=7), good_claims()),
    "kid null": lambda g, f: by_hand(g, head(g, kid=None), good_claims()),
    "kid a path": lambda g, f: by_hand(g, head(g, kid="../../../../dev/null"), good_claims()),
    "kid of a database": lambda g, f: by_hand(g, head(g, kid="x' UNION SELECT 'AAAA"), good_claims()),
    "kid endless": lambda g, f: by_hand(g, head(g, kid="x" * 5000), good_claims()),
    "kid of the other key": lambda g, f: by_hand(
        g, head(g, kid="oc-l6O1yJ7wJKYEeyeUafsz3Aecq7YnCIqbzbIfkJk8"), good_claims()
    ),
    "typ of something else": lambda g, f: by_hand(g, head(g, typ="ticket+jwt"), good_claims()),
    "header said twice": lambda g, f: by_hand(g, f'{{"alg":"RS256","kid":"x","kid":"{g.kid}"}}', good_claims()),
    "header a list": lambda g, f: by_hand(g, '["RS256"]', good_claims()),
    "header deep": lambda g, f: by_hand(g, '{"alg":' + "[" * 2000 + "]" * 2000 + "}", good_claims()),
    "claims a list": lambda g, f: by_hand(g, head(g), "[]"),
    "claims deep": lambda g, f: by_hand(g, head(g), '{"a":' + "[" * 2000 + "]" * 2000 + "}"),
    "claims not JSON": lambda g, f: by_hand(g, head(g), "exp=9999999999"),
    "claims not UTF-8": lambda g, f: by_hand(g, head(g), b'{"iss":"\xff"}'),
    "exp missing": lambda g, f: g.sign(good_claims(exp=None)),
    "exp over": lambda g, f: g.sign(good_claims(exp=int(NOW()) - LEEWAY_S - 2)),
    "exp long over": lambda g, f: g.sign(good_claims(exp=1)),
    "exp a text": lambda g, f: by_hand(g, head(g), good_claims(exp="9999999999")),
    "exp true": lambda g, f: by_hand(g, head(g), good_claims(exp=True)),
    "exp null": lambda g, f: with_text(g, f'"exp": {good_claims()["exp"]}', '"exp": null'),
    "exp of 400 digits": lambda g, f: by_hand(g, head(g), good_claims(exp=int("9" * 400))),
    "exp of 5,000 digits": lambda g, f: with_text(g, f'"exp": {good_claims()["exp"]}', '"exp": ' + "9" * 5000),
    "exp endless": lambda g, f: with_text(g, f'"exp": {good_claims()["exp"]}', '"exp": Infinity'),
    "exp past all floats": lambda g, f: with_text(g, f'"exp": {good_claims()["exp"]}', '"exp": 1e400'),
    "exp no number": lambda g, f: with_text(g, f'"exp": {good_claims()["exp"]}', '"exp": NaN'),
    "exp said twice": lambda g, f: with_text(g, '"exp"', '"exp": 1, "exp"'),
    "not yet": lambda g, f: g.sign(good_claims(nbf=int(NOW()) + LEEWAY_S + 60)),
    "nbf a text": lambda g, f: by_hand(g, head(g), good_claims(nbf="soon")),
    "made tomorrow": lambda g, f: g.sign(good_claims(iat=int(NOW()) + 3600)),
    "made yesterday": lambda g, f: g.sign(good_claims(iat=int(NOW()) - AGE_MAX_S - LEEWAY_S - 2)),
    "iss missing": lambda g, f: g.sign(good_claims(iss=None)),
    "iss of another": lambda g, f: g.sign(good_claims(iss="https://dev.abdm.gov.in/auth/realms/other")),
    "iss longer": lambda g, f: g.sign(good_claims(iss=ISSUER + "/")),
    "iss a list": lambda g, f: by_hand(g, head(g), good_claims(iss=[ISSUER])),
    "aud missing": lambda g, f: g.sign(good_claims(aud=None)),
    "aud of another": lambda g, f: g.sign(good_claims(aud="realm-management")),
    "aud a list of others": lambda g, f: g.sign(good_claims(aud=["a", "b"])),
    "aud an object": lambda g, f: by_hand(g, head(g), good_claims(aud={"account": 1})),
    "aud said twice": lambda g, f: with_text(g, '"aud"', '"aud": "x", "aud"'),
    "azp missing": lambda g, f: g.sign(good_claims(azp=None)),
    "azp of another integrator": lambda g, f: g.sign(good_claims(azp="SBX_000042")),
    "azp of a PHR app": lambda g, f: g.sign(good_claims(azp="TEST_PHR")),
    "azp a list": lambda g, f: by_hand(g, head(g), good_claims(azp=["gateway"])),
    "azp with a surrogate": lambda g, f: with_text(g, '"gateway"', '"gateway\\ud800"'),
    "azp said twice": lambda g, f: with_text(g, '"azp"', '"azp": "SBX_1", "azp"'),
}


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


async def test_the_key_set_is_asked_for_with_all_four_headers(gate: Gate, gateway_key: SigningKey) -> None:
    await gate.believes(gateway_key.sign(good_claims()))
    [request] = gate.fake.at("/certs")
    assert request.headers["authorization"] == "Bearer token-1"
    assert {"request-id", "timestamp", "x-cm-id"} <= request.headers.keys()


async def test_a_new_key_is_accepted_after_one_fetch(gate: Gate, gateway_key: SigningKey) -> None:
    assert await gate.believes(gateway_key.sign(good_claims()))
    new = SigningKey("new-key")
    gate.fake.keys = [new]
    header = b"Bearer " + gateway_key.sign(good_claims()).encode()
    await gate.keeper.prove(header, time.time(), time.monotonic())
    gate.long_ago()
    assert await gate.believes(new.sign(good_claims()))
    assert gate.fetches == 2
    assert not gate.keeper.remembers(header, time.time()), "verdicts go with the keys behind them"
    assert not await gate.believes(gateway_key.sign(good_claims())), "the old key was withdrawn"


async def test_many_waiters_for_one_new_key_make_one_fetch(gate: Gate, gateway_key: SigningKey) -> None:
    token = gateway_key.sign(good_claims())
    assert all(await asyncio.gather(*(gate.believes(token) for _ in range(50))))
    assert gate.fetches == 1


async def test_a_flood_of_unknown_keys_makes_one_fetch_in_ten_seconds(gate: Gate, foreign_key: SigningKey) -> None:
    assert not await gate.believes(foreign_key.sign(good_claims(), {"kid": "u"}))
    for number in range(300):
        assert not await gate.believes(by_hand(foreign_key, head(foreign_key, kid=f"u{number}"), good_claims()))
    assert gate.fetches == 1
    gate.long_ago()
    assert not await gate.believes(foreign_key.sign(good_claims(), {"kid": "again"}))
    assert gate.fetches == 2


async def test_workers_on_one_folder_share_the_one_fetch(gate: Gate, gateway_key: SigningKey) -> None:
    other = Gate(gate.fake, gate.folder)
    token = gateway_key.sign(good_claims())
    assert await gate.believes(token)
    assert await other.believes(token)
    assert gate.fetches == 1
    new = SigningKey("new-key")
    gate.fake.keys.append(new)
    gate.long_ago()
    assert await gate.believes(new.sign(good_claims()))
    assert await other.believes(new.sign(good_claims())), "learnt from the file"
    assert gate.fetches == 2
    gate.fake.keys.remove(new)
    await other.gateway.close()


async def test_a_refused_token_that_could_not_be_the_gateways_costs_no_fetch(
    gate: Gate, foreign_key: SigningKey
) -> None:
    for claims in ({"azp": "SBX_1"}, {"aud": "x"}, {"iss": "x"}, {"exp": 1}):
        assert not await gate.believes(foreign_key.sign(good_claims(**claims), {"kid": "unknown"}))
    assert gate.fake.heard == []


async def test_known_keys_outlive_an_outage_and_a_restart(gate: Gate, gateway_key: SigningKey) -> None:
    token = gateway_key.sign(good_claims())
    assert await gate.believes(token)
    assert (gate.folder / FILE).stat().st_mode & 0o777 == 0o600
    await gate.fake.stop()
    gate.long_ago(25 * 3600)
    again = Gate(gate.fake, gate.folder)
    again.keys._refreshed = time.monotonic() - 25 * 3600
    assert await again.believes(token), "from the disk, with the gateway away"
    await again.keys.settled()
    assert await again.believes(gateway_key.sign(good_claims())), "a failed refresh forgets nothing"
    await again.gateway.close()


async def test_an_old_set_is_refreshed_in_the_background_of_a_scan(gate: Gate, gateway_key: SigningKey) -> None:
    assert await gate.believes(gateway_key.sign(good_claims()))
    gate.fake.keys = [SigningKey("other")]
    gate.long_ago()
    assert await KeySet(gate.gateway.certs, gate.folder).find(gateway_key.kid, time.monotonic()), "at once, as known"
    fresh = KeySet(gate.gateway.certs, gate.folder)
    gate.long_ago()
    assert fresh.known(gateway_key.kid, time.monotonic()) is not None
    await fresh.settled()
    assert fresh.known(gateway_key.kid, time.monotonic()) is None


async def test_without_any_key_no_token_can_be_checked(gate: Gate, gateway_key: SigningKey) -> None:
    await gate.fake.stop()
    with pytest.raises(KeysUnknown):
        await gate.keeper.prove(b"Bearer " + gateway_key.sign(good_claims()).encode(), time.time(), time.monotonic())
    with pytest.raises(NotTheGateway):
        await gate.keeper.prove(b"Bearer junk", time.time(), time.monotonic())


BAD_SETS: dict[str, Reply] = {
    "empty": (200, b'{"keys":[]}'),
    "no set": (200, b"[]"),
    "not JSON": (200, b"<html>"),
    "five megabytes": (200, b'{"keys":[],"pad":"' + b"x" * 5_000_000 + b'"}'),
    "a redirect": (302, b"", {"location": "http://127.0.0.1:9/"}),
    "an error": (500, b"{}"),
    "no answer": None,
    "deep": (200, b"[" * 60_000),
}


@pytest.mark.parametrize("reply", BAD_SETS.values(), ids=BAD_SETS.keys())
async def test_a_bad_key_set_changes_nothing(gate: Gate, gateway_key: SigningKey, reply: Reply) -> None:
    token = gateway_key.sign(good_claims())
    assert await gate.believes(token)

    async def bad(_: Heard) -> Reply:
        return reply

    gate.fake.manners["/certs"] = bad
    gate.long_ago()
    assert not await gate.believes(gateway_key.sign(good_claims(), {"kid": "unknown"}))
    assert gate.fetches == 2
    assert await gate.believes(gateway_key.sign(good_claims()))


async def test_a_damaged_file_is_skipped(gate: Gate, gateway_key: SigningKey) -> None:
    (gate.folder / FILE).write_bytes(b"\xff{")
    fresh = Gate(gate.fake, gate.folder)
    assert await fresh.believes(gateway_key.sign(good_claims()))
    await fresh.gateway.close()


def weak_key() -> dict[str, str]:
    numbers = generate_private_key(65537, 1024).public_key().public_numbers()  # noqa: S505  (weak: it must be refused)
    return {"kty": "RSA", "kid": "k", "n": number64(numbers.n), "e": "AQAB"}


@pytest.mark.parametrize(
    "member",
    [
        {"kty": "oct", "kid": "k", "k": "AAAA", "alg": "HS256"},
        {"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "kid": "k", "alg": "none", "n": "x", "e": "AQAB"},
        {"kty": "RSA", "kid": "k", "alg": ["RS256"], "n": "x", "e": "AQAB"},
        {"kty": "RSA", "kid": 7, "n": "x", "e": "AQAB"},
        {"kty": "RSA", "kid": "k", "use": "enc", "n": "x", "e": "AQAB"},
        {"kty": "RSA", "kid": "k", "n": None, "e": "AQAB"},
        {"kty": "RSA", "kid": "k"},
        "key",
        None,
        weak_key(),
    ],
    ids=[
        "symmetric",
        "tiny",
        "alg none",
        "alg a list",
        "kid a number",
        "for encrypting",
        "no modulus",
        "nothing",
        "a text",
        "null",
        "1024 bits",
    ],
)
def test_an_unusable_key_is_skipped(member: Any, gateway_key: SigningKey) -> None:
    keys = read_key_set(json.dumps({"keys": [member, gateway_key.jwk()]}).encode())
    assert list(keys) == [gateway_key.kid]
