"""Links of earlier releases, which were JWTs: read until the last of them has ended, made no more. PyJWT, EdDSA only.

There is one verifier for each kind. It requires algorithm, ``typ``, key id, issuer, audience, issue time and expiry,
and refuses every other claim.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.types import Options

from tokens.claims import (
    CAMERA_LIFE_S,
    LEEWAY_S,
    LONGEST_LINK,
    TICKET_LIFE_S,
    CameraClaim,
    JwtCameraClaims,
    JwtTicketClaims,
    TicketClaim,
)
from tokens.errors import (
    LinkError,
    LinkExpired,
    LinkForged,
    LinkKeyUnknown,
    LinkOfAnotherKind,
    LinkOfAnotherPlace,
    LinkTooEarly,
    NotALink,
)
from tokens.keyring import KeyRing

Claims = TypeVar("Claims", bound=JwtTicketClaims | JwtCameraClaims)

ALGORITHM = "EdDSA"
ISSUER = "kiosk"

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}")
"""Three base64url parts without padding; the last one is an Ed25519 signature. So each link has one spelling."""

_REFUSALS: tuple[tuple[type[jwt.PyJWTError], type[LinkError], str], ...] = (
    (jwt.InvalidSignatureError, LinkForged, "the signature does not belong to the link"),
    (jwt.InvalidAudienceError, LinkOfAnotherPlace, "the link is meant for another service"),
    (jwt.InvalidIssuerError, LinkOfAnotherPlace, "the link was issued by another service"),
    (jwt.PyJWTError, NotALink, "the link does not have the claims that our links have"),
)
"""PyJWT's error, our error, our message. The first match counts; the last row takes all others."""

_OPTIONS: Final[Options] = {
    "require": ["iss", "aud", "iat", "exp"],
    "strict_aud": True,
    "verify_iat": False,
    "verify_exp": False,
    "verify_nbf": False,
}
"""PyJWT would read the clock; ``_verify`` compares the times with the moment it is handed."""


class _Links(Generic[Claims]):
    """One kind of link: its ``typ``, its claims, its longest life."""

    def __init__(self, ring: KeyRing, *, typ: str, claims: type[Claims], audience: str, life_s: int) -> None:
        self._typ = typ
        self._claims: type[Claims] = claims
        self._audience = audience
        self._life_s = life_s
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Verify with this ring from now on."""
        self._believed: Mapping[str, Ed25519PublicKey] = {g.kid: g.public_key() for g in ring.believed}

    def _verify(self, token: str, now_s: int) -> Claims:
        if len(token) > LONGEST_LINK or not _COMPACT.fullmatch(token):
            raise NotALink("not a signed link of ours")
        claims = _checked(self._payload(token), self._claims)
        if not claims.iat < claims.exp <= claims.iat + self._life_s:
            raise NotALink("the link claims to live longer than links of its kind do")
        if claims.exp + LEEWAY_S <= now_s:
            raise LinkExpired("the link's time has passed")
        if claims.iat > now_s + LEEWAY_S:
            raise LinkTooEarly("the link comes from the future")
        return claims

    def _payload(self, token: str) -> dict[str, Any]:
        """The claims, signed by a key of ours for this service. Their times are not compared with any clock."""
        try:
            payload: dict[str, Any] = jwt.decode(
                token,
                self._key(token),
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=ISSUER,
                options=_OPTIONS,
            )
        except jwt.PyJWTError as error:
            raise _refusal(error) from None
        return payload

    def _key(self, token: str) -> Ed25519PublicKey:
        """The key that the header names. The header must have exactly our fields; nothing in it is verified yet."""
        try:
            header: dict[str, Any] = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise NotALink("the link's header cannot be read") from None
        if header.keys() != {"alg", "kid", "typ"} or header["alg"] != ALGORITHM or not isinstance(header["kid"], str):
            raise NotALink("the link's header does not have the fields that ours have")
        if header["typ"] != self._typ:
            raise LinkOfAnotherKind("the link was signed for another purpose")
        key = self._believed.get(header["kid"])
        if key is None:
            raise LinkKeyUnknown("the link names a key that is not valid here")
        return key


class JwtTicketLinks(_Links[JwtTicketClaims]):
    """Reads the ticket links of releases that made JWTs. ``tokens.ticket`` makes today's."""

    def __init__(self, ring: KeyRing, *, audience: str) -> None:
        """``audience``: the public address of this service."""
        super().__init__(ring, typ="ticket+jwt", claims=JwtTicketClaims, audience=audience, life_s=TICKET_LIFE_S)

    def read(self, token: str, *, now_s: int) -> TicketClaim:
        """Raises one of the LinkError family."""
        claims = self._verify(token, now_s)
        return TicketClaim(hip_id=claims.h, ticket=claims.t)


class JwtCameraLinks(_Links[JwtCameraClaims]):
    """Reads the camera links of releases that made JWTs. ``tokens.camera`` makes today's."""

    def __init__(self, ring: KeyRing, *, audience: str) -> None:
        """``audience``: the public address of this service."""
        super().__init__(ring, typ="camera+jwt", claims=JwtCameraClaims, audience=audience, life_s=CAMERA_LIFE_S)

    def read(self, token: str, *, now_s: int) -> CameraClaim:
        """Raises one of the LinkError family."""
        claims = self._verify(token, now_s)
        return CameraClaim(hip_id=claims.h, queue=claims.q, expires_s=claims.exp)


def _checked(payload: dict[str, Any], claims: type[Claims]) -> Claims:
    """The claims, if all are present, of the right type and size, and encodable as UTF-8. Raises NotALink."""
    try:
        read = msgspec.convert(payload, claims, strict=True)
        msgspec.json.encode(read)
    except (msgspec.ValidationError, UnicodeEncodeError):
        raise NotALink("a claim is missing, unknown, too long or of the wrong kind") from None
    return read


def _refusal(error: jwt.PyJWTError) -> LinkError:
    return next(ours(message) for theirs, ours, message in _REFUSALS if isinstance(error, theirs))
