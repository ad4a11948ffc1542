"""Decides whether a caller is the gateway.

``Authorization`` is checked before a byte of the body is read. A token is accepted when

- its ``kid`` names a key of the gateway's own key set, and this key signed it with the key's own algorithm,
- its ``iss``, ``aud`` and ``azp`` are the gateway's,
- it has not expired.

Every registered integrator holds tokens of the same issuer, signed by the same key. Only ``aud`` and ``azp`` tell the
gateway from an integrator, so both are required. An accepted token is remembered by its digest until it expires or the
keys change, ten minutes at most. So a signature is checked once for each token, not once for each scan.

Any other caller is refused. The token proves the sender, not the message.
"""

import base64
import binascii
import json
import logging
import math
import re
from collections.abc import Callable
from typing import Any, Final

import jwt
from jwt import PyJWK
from jwt.exceptions import PyJWTError
from msgspec import Struct

from kiosk.abdm.errors import KeysUnknown, NotTheGateway
from kiosk.abdm.jwks import KID_MAX, REFRESH_S, KeySet

LEEWAY_S: Final = 30
"""Allowed difference between our clock and the gateway's. Two servers with NTP differ by far less than a minute."""
AGE_MAX_S: Final = 86_400
"""Oldest token since its ``iat``, unless the operator sets another limit. Tokens of the sandbox live 10 to 20 minutes,
those of production up to six hours."""
LATE_S: Final = 3600
"""How long after its end a token may still bring a late delivery. The gateway repeats a refused delivery once, some 16
minutes later, with the same token, which may have expired by then. An hour also covers a second repetition."""
TOKEN_MAX: Final = 8192
"""Longest token, characters. The gateway's tokens have about 1,500."""
REMEMBERED_MAX: Final = 1000
"""How many accepted tokens are remembered. The gateway uses a handful at a time."""
BURST_USES: Final = 1200
"""Uses of one token within a minute that are logged as a burst: ten times the average of all Jammu and Kashmir."""
BURST_WITHIN_S: Final = 60.0
BURST_QUIET_S: Final = 600.0
"""At most one line about a burst in this time. A state's morning is one long burst; a line each minute would fill the
log."""

_JWT: Final = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] ([\w-]{2,8192}\.[\w-]{2,8192}\.[\w-]{2,2048})")
_REFUSED_HEADERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "epk", "cty"})
"""The gateway never sends these headers. With them a token could bring its own key or ask to be read differently."""
_log = logging.getLogger(__name__)


class TokenLife(Struct, frozen=True):
    """The time in which a token was valid, unix seconds."""

    begins_s: float
    ends_s: float


class Believed(Struct):
    """A token that was checked and accepted."""

    ends_s: float
    """Unix seconds until which it is accepted without another check."""
    uses: int = 0
    """How often it was used since ``uses_from_s``."""
    uses_from_s: float = 0.0
    quiet_until_s: float = 0.0
    """Unix seconds before which no other line about a burst is written."""


class Authenticator:
    """One per process."""

    def __init__(
        self,
        keys: KeySet | None,
        *,
        issuers: tuple[str, ...],
        audience: str,
        azps: tuple[str, ...],
        age_max_s: int = AGE_MAX_S,
        late: bool = True,
        own_issuer: Callable[[], str] = lambda: "",
    ) -> None:
        """``own_issuer`` returns the issuer of the access token that the gateway gave us; this issuer is accepted too.
        ``late``: whether a token that expired within the last hour may still bring a late delivery.
        """
        self._keys = keys
        """None: the gateway is switched off, so every caller is refused."""
        self._issuers = frozenset(issuers)
        self._audience = audience
        self._azps = frozenset(azps)
        self._age_max_s = age_max_s
        self._late_s = LATE_S if late else 0
        self._own_issuer = own_issuer
        self._believed: dict[bytes, Believed] = {}
        """Accepted tokens, by the whole header."""
        self._generation = -1

    def remembers(self, authorization: bytes | None, now_s: float) -> bool:
        """Whether this same header was accepted before and is still valid. Nearly every scan needs no other check."""
        if not authorization or self._keys is None or self._generation != self._keys.generation:
            return False
        believed = self._believed.get(authorization)
        if believed is None or believed.ends_s <= now_s:
            return False
        believed.uses += 1
        if believed.uses >= BURST_USES:
            _note_burst(believed, now_s)
        return True

    @property
    def keys_known(self) -> bool:
        """Whether a token of the gateway could be checked now."""
        return self._keys is not None and len(self._keys) > 0

    async def prove(self, authorization: bytes | None, now_s: float, now: float) -> TokenLife | None:
        """Return when the header proves the gateway; else raise ``NotTheGateway`` or ``KeysUnknown``.

        Returns None for a valid token. For a token that expired within the last hour it returns the token's life: the
        caller decides whether this delivery may be late. ``now_s`` is unix time, ``now`` is of the monotonic clock.
        """
        token = _bearer(authorization)
        header, claims = _parts(token)
        try:
            life = self._judge(claims, now_s)
        except NotTheGateway as refusal:
            if refusal.seen and not self._is_signed(token, header, now):
                refusal.seen = ""
            raise
        kid = _key_id(header)
        if self._keys is None:
            raise NotTheGateway("off")
        key = await self._keys.find(kid, now)
        if key is None:
            if not len(self._keys):
                raise KeysUnknown
            raise NotTheGateway("kid")
        if header.get("alg") != key.algorithm_name:
            raise NotTheGateway("alg")
        if not _has_signature(token, key):
            raise NotTheGateway("sig")
        if life.ends_s + LEEWAY_S <= now_s:
            return life
        self._remember(authorization or b"", life.ends_s + LEEWAY_S, now_s)
        return None

    def _judge(self, claims: dict[str, Any], now_s: float) -> TokenLife:
        """The life of this token, if its signature is right. Raises ``NotTheGateway`` for claims that are not the
        gateway's.
        """
        ends_s = _moment(claims, "exp")
        begins_s, issued_s = _moment(claims, "nbf"), _moment(claims, "iat")
        late_s = self._late_s if issued_s is not None else 0
        if ends_s is None or ends_s + LEEWAY_S + late_s <= now_s:
            raise NotTheGateway("exp")
        if begins_s is not None and begins_s > now_s + LEEWAY_S:
            raise NotTheGateway("nbf")
        if issued_s is not None and not now_s - self._age_max_s - LEEWAY_S <= issued_s <= now_s + LEEWAY_S:
            raise NotTheGateway("iat")
        if not _one_of(claims.get("iss"), self._issuers) and not self._is_own_issuer(claims.get("iss")):
            raise NotTheGateway("iss", claims.get("iss"))
        audience = claims.get("aud")
        if audience != self._audience and not (isinstance(audience, list) and self._audience in audience):
            raise NotTheGateway("aud", audience)
        if not _one_of(claims.get("azp"), self._azps):
            raise NotTheGateway("azp", claims.get("azp"))
        if issued_s is None:
            return TokenLife(ends_s, ends_s)
        return TokenLife(issued_s, min(ends_s, issued_s + self._age_max_s))

    def _is_signed(self, token: str, header: dict[str, Any], now: float) -> bool:
        """Whether a known key of the gateway signed it. Nothing that a stranger wrote is shown to operators."""
        kid = header.get("kid")
        key = self._keys.known(kid, now) if self._keys is not None and isinstance(kid, str) else None
        return key is not None and header.get("alg") == key.algorithm_name and _has_signature(token, key)

    def _is_own_issuer(self, issuer: Any) -> bool:
        return isinstance(issuer, str) and issuer != "" and issuer == self._own_issuer()

    def _remember(self, authorization: bytes, ends_s: float, now_s: float) -> None:
        keys = self._keys
        if keys is None:
            return
        if self._generation != keys.generation:
            self._believed.clear()
            self._generation = keys.generation
        if len(self._believed) >= REMEMBERED_MAX:
            self._believed = {seen: token for seen, token in self._believed.items() if token.ends_s > now_s}
            while len(self._believed) >= REMEMBERED_MAX:
                self._believed.pop(next(iter(self._believed)))
        until_s = min(ends_s, now_s + REFRESH_S)
        if (known := self._believed.get(authorization)) is not None:
            known.ends_s = until_s
        else:
            self._believed[authorization] = Believed(until_s, uses_from_s=now_s)


def _has_signature(token: str, key: PyJWK) -> bool:
    try:
        jwt.api_jws.decode(token, key=key.key, algorithms=[key.algorithm_name])
    except (PyJWTError, ValueError, TypeError):
        return False
    return True


def _note_burst(believed: Believed, now_s: float) -> None:
    """Log that one token was used very often within a minute; then count anew."""
    if 0 <= now_s - believed.uses_from_s < BURST_WITHIN_S and now_s >= believed.quiet_until_s:
        believed.quiet_until_s = now_s + BURST_QUIET_S
        _log.warning(
            "one callback token brought %d calls within %d s. If no hospital expects so many patients, tell the "
            "gateway's support that a token may be stolen. KIOSK_GATEWAY_ADDRESSES limits who may call",
            believed.uses,
            now_s - believed.uses_from_s,
        )
    believed.uses, believed.uses_from_s = 0, now_s


def _one_of(value: Any, allowed: frozenset[str]) -> bool:
    return isinstance(value, str) and value in allowed


def _bearer(authorization: bytes | None) -> str:
    found = _JWT.fullmatch(authorization) if authorization and len(authorization) <= TOKEN_MAX else None
    if found is None:
        raise NotTheGateway("shape")
    return found[1].decode("ascii")


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token. Only the canonical spelling is accepted, so nothing can be read in two ways."""
    segments = [_canonical(segment) for segment in token.split(".")]
    return _object(segments[0]), _object(segments[1])


def _canonical(segment: str) -> bytes:
    """Decode base64url. The last character has unused bits, so only the canonical spelling is accepted."""
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
    raise ValueError  # NaN and Infinity are not JSON


def _key_id(header: dict[str, Any]) -> str:
    kid = header.get("kid")
    if not (isinstance(kid, str) and 0 < len(kid) <= KID_MAX) or not _REFUSED_HEADERS.isdisjoint(header):
        raise NotTheGateway("header")
    if header.get("typ", "JWT") not in ("JWT", "jwt", "at+jwt"):
        raise NotTheGateway("header")
    return kid


def _moment(claims: dict[str, Any], name: str) -> float | None:
    """Unix seconds of a claim; None when it is absent. Anything but a plausible number is refused."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotTheGateway("time")
    if abs(value) > 10**11 or not math.isfinite(value):
        raise NotTheGateway("time")
    return float(value)
