"""The gateway's public keys: fetched seldom, kept over an outage, and never replaced by a bad set."""

import asyncio
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from kiosk.abdm.errors import KeysUnknown, NotTheGateway
from kiosk.abdm.jwks import FILE, KeySet, read_key_set
from tests.kiosk.abdm.fake_gateway import Heard, Reply, SigningKey, good_claims, number64
from tests.kiosk.abdm.gate import Gate
from tests.kiosk.abdm.hostile_tokens import by_hand, head

pytestmark = pytest.mark.anyio


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
