"""Tokens that are no tokens of the gateway, and how each is made."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key

from kiosk.abdm.authentication import AGE_MAX_S, LEEWAY_S
from tests.kiosk.abdm.fake_gateway import ISSUER, SigningKey, good_claims


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
