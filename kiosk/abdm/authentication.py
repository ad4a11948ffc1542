"""Believes the gateway, and nobody else.

The promise: ``Authorization`` is judged before a byte of the body is read. A token is believed when the key that its
``kid`` names in the gateway's own set signed it with that key's own algorithm, its ``iss``, ``aud`` and ``azp`` are the
gateway's, and it has not ended. Every registered integrator holds tokens of the same issuer, signed by the same key:
``aud`` and ``azp`` are what tells the gateway from them, so both are required. A believed token is remembered by its
digest until it ends or the keys change, ten minutes at most: one signature check per token, not per scan.

We fall closed: what cannot be proved is refused. The token proves the sender, never the message.
"""

import base64
import binascii
import json
import math
import re
from hashlib import sha256
from typing import Any, Final

import jwt
from jwt.exceptions import PyJWTError

from kiosk.abdm.errors import KeysUnknown, NotTheGateway
from kiosk.abdm.jwks import KID_MAX, REFRESH_S, KeySet

LEEWAY_S: Final = 30
"""For clocks that differ a little; the most anybody should allow is a minute."""
AGE_MAX_S: Final = 3600
"""Since ``iat``: the gateway's tokens live twenty minutes; one that is older was kept by somebody."""
TOKEN_MAX: Final = 8192
"""Characters; the gateway's own have about 1,500."""
REMEMBERED_MAX: Final = 1000
"""Verdicts kept: the gateway uses a handful of tokens at a time."""

_JWT: Final = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] ([\w-]{2,8192}\.[\w-]{2,8192}\.[\w-]{2,2048})")
_REFUSED_HEADERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "epk", "cty"})
"""A token that brings its own key, or wants to be read in another way, is not the gateway's."""


class Gatekeeper:
    """One per process."""

    def __init__(self, keys: KeySet | None, *, issuers: tuple[str, ...], audience: str, azps: tuple[str, ...]) -> None:
        self._keys = keys
        """None: the gateway is switched off, so nobody can be the gateway."""
        self._issuers = frozenset(issuers)
        self._audience = audience
        self._azps = frozenset(azps)
        self._believed: dict[bytes, float] = {}
        """Digest of the header → unix seconds until which it is believed."""
        self._generation = -1

    def remembers(self, authorization: bytes | None, now_s: float) -> bool:
        """Whether this very header was proved before and still counts: the way of nearly every scan."""
        if not authorization or self._keys is None or self._generation != self._keys.generation:
            return False
        return self._believed.get(_digest(authorization), 0.0) > now_s

    @property
    def keys_known(self) -> bool:
        """Whether anybody could be believed now; an operator wants to know."""
        return self._keys is not None and len(self._keys) > 0

    async def prove(self, authorization: bytes | None, now_s: float, now: float) -> None:
        """Return when the header proves the gateway; else raise ``NotTheGateway`` or ``KeysUnknown``.

        ``now_s`` is unix time, ``now`` of the monotonic clock.
        """
        token = _bearer(authorization)
        header, claims = _parts(token)
        ends_s = self._judge(claims, now_s)
        kid = _key_id(header)
        if self._keys is None:
            raise NotTheGateway("off")
        key = await self._keys.find(kid, now)
        if key is None:
            if not len(self._keys):
                raise KeysUnknown
            raise NotTheGateway("key")
        if header.get("alg") != key.algorithm_name:
            raise NotTheGateway("algorithm")
        try:
            jwt.api_jws.decode(token, key=key.key, algorithms=[key.algorithm_name])
        except (PyJWTError, ValueError, TypeError):
            raise NotTheGateway("signature") from None
        self._remember(authorization or b"", ends_s, now_s)

    def _judge(self, claims: dict[str, Any], now_s: float) -> float:
        """Unix seconds until which these claims make a token of the gateway, if its signature is right."""
        ends_s = _moment(claims, "exp")
        if ends_s is None or ends_s + LEEWAY_S <= now_s:
            raise NotTheGateway("expired")
        begins_s, issued_s = _moment(claims, "nbf"), _moment(claims, "iat")
        if begins_s is not None and begins_s > now_s + LEEWAY_S:
            raise NotTheGateway("early")
        if issued_s is not None and not now_s - AGE_MAX_S - LEEWAY_S <= issued_s <= now_s + LEEWAY_S:
            raise NotTheGateway("age")
        if not _one_of(claims.get("iss"), self._issuers):
            raise NotTheGateway("issuer")
        audience = claims.get("aud")
        if audience != self._audience and not (isinstance(audience, list) and self._audience in audience):
            raise NotTheGateway("audience")
        if not _one_of(claims.get("azp"), self._azps):
            raise NotTheGateway("party")
        if issued_s is not None:
            ends_s = min(ends_s, issued_s + AGE_MAX_S)
        return ends_s + LEEWAY_S

    def _remember(self, authorization: bytes, ends_s: float, now_s: float) -> None:
        keys = self._keys
        if keys is None:
            return
        if self._generation != keys.generation:
            self._believed.clear()
            self._generation = keys.generation
        if len(self._believed) >= REMEMBERED_MAX:
            self._believed = {seen: ends for seen, ends in self._believed.items() if ends > now_s}
            while len(self._believed) >= REMEMBERED_MAX:
                self._believed.pop(next(iter(self._believed)))
        self._believed[_digest(authorization)] = min(ends_s, now_s + REFRESH_S)


def _digest(authorization: bytes) -> bytes:
    return sha256(authorization).digest()  # processors have it built in: half the price of others on a long header


def _one_of(value: Any, allowed: frozenset[str]) -> bool:
    return isinstance(value, str) and value in allowed


def _bearer(authorization: bytes | None) -> str:
    found = _JWT.fullmatch(authorization) if authorization and len(authorization) <= TOKEN_MAX else None
    if found is None:
        raise NotTheGateway("shape")
    return found[1].decode("ascii")


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token in its one canonical spelling: nothing is read in two ways."""
    segments = [_canonical(segment) for segment in token.split(".")]
    return _object(segments[0]), _object(segments[1])


def _canonical(segment: str) -> bytes:
    """Decode base64url, refusing every spelling but the canonical one: its last character has spare bits."""
    try:
        plain = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError):
        raise NotTheGateway("shape") from None
    if base64.urlsafe_b64encode(plain).rstrip(b"=") != segment.encode("ascii"):
        raise NotTheGateway("shape")
    return plain


def _object(plain: bytes) -> dict[str, Any]:
    """One JSON object without repeated members, or a refusal."""
    try:
        found = json.loads(plain.decode("utf-8", "strict"), object_pairs_hook=_unrepeated, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NotTheGateway("shape") from None
    if not isinstance(found, dict):
        raise NotTheGateway("shape")
    return found


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _no_constant(_: str) -> None:
    raise ValueError  # NaN and Infinity are no JSON


def _key_id(header: dict[str, Any]) -> str:
    kid = header.get("kid")
    if not (isinstance(kid, str) and 0 < len(kid) <= KID_MAX) or not _REFUSED_HEADERS.isdisjoint(header):
        raise NotTheGateway("header")
    if header.get("typ", "JWT") not in ("JWT", "jwt", "at+jwt"):
        raise NotTheGateway("header")
    return kid


def _moment(claims: dict[str, Any], name: str) -> float | None:
    """Unix seconds of a claim, None when it is absent; anything but a sane number is refused."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotTheGateway("time")
    if abs(value) > 10**11 or not math.isfinite(value):
        raise NotTheGateway("time")
    return float(value)
