"""Signed links that are JWTs: the kiosk's camera QR, and ticket links of earlier releases. PyJWT, EdDSA, nothing else.

There is one verifier for each kind. It requires algorithm, ``typ``, key id, issuer, audience, issue time and expiry,
and refuses every other claim. PyJWT reads the clock when it checks a link, so ``read`` takes no time.
"""

import re
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tokens.claims import (
    CAMERA_LIFE_S,
    LEEWAY_S,
    TICKET_LIFE_S,
    CameraClaim,
    CameraClaims,
    JwtTicketClaims,
    TicketClaim,
)
from tokens.errors import (
    LinkError,
    LinkExpired,
    LinkForged,
    LinkImpossible,
    LinkKeyUnknown,
    LinkOfAnotherKind,
    LinkOfAnotherPlace,
    LinkTooEarly,
    NotALink,
)
from tokens.keyring import KeyRing

Claims = TypeVar("Claims", bound=JwtTicketClaims | CameraClaims)

ALGORITHM = "EdDSA"
ISSUER = "kiosk"

LONGEST_LINK = 1_024
"""Characters, checked before anything is parsed. A camera link has about 310, a ticket link 125. A HIP id of 250
characters still fits."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}")
"""Three base64url parts without padding; the last one is an Ed25519 signature. So each link has one spelling."""

_REFUSALS: tuple[tuple[type[jwt.PyJWTError], type[LinkError], str], ...] = (
    (jwt.ExpiredSignatureError, LinkExpired, "the link's time has passed"),
    (jwt.ImmatureSignatureError, LinkTooEarly, "the link comes from the future"),
    (jwt.InvalidSignatureError, LinkForged, "the signature does not belong to the link"),
    (jwt.InvalidAudienceError, LinkOfAnotherPlace, "the link is meant for another service"),
    (jwt.InvalidIssuerError, LinkOfAnotherPlace, "the link was issued by another service"),
    (jwt.PyJWTError, NotALink, "the link does not have the claims that our links have"),
)
"""PyJWT's error, our error, our message. The first match counts; the last row takes all others."""


class _Links(Generic[Claims]):
    """One kind of link: its ``typ``, its claims, its longest life."""

    def __init__(self, ring: KeyRing, *, typ: str, claims: type[Claims], audience: str, life_s: int) -> None:
        if not audience:
            raise ValueError("links need an audience: the public address of this service")
        self._typ = typ
        self._claims: type[Claims] = claims
        self._audience = audience
        self._life_s = life_s
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Verify and sign with this ring from now on."""
        self._signing = (ring.signing.kid, ring.signing.link_key())
        self._believed: Mapping[str, Ed25519PublicKey] = {g.kid: g.public_key() for g in ring.believed}

    def _sign(self, own: dict[str, str], *, expires_s: int, now_s: int) -> str:
        if not now_s < expires_s <= now_s + self._life_s:
            raise LinkImpossible(f"expires_s is a moment in unix seconds, at most {self._life_s} s after now_s")
        payload = {"iss": ISSUER, "aud": self._audience, "iat": now_s, "exp": expires_s, **own}
        _checked(payload, self._claims, LinkImpossible)
        kid, key = self._signing
        link = jwt.encode(payload, key, algorithm=ALGORITHM, headers={"kid": kid, "typ": self._typ})
        if len(link) > LONGEST_LINK:
            raise LinkImpossible(f"the link would be {len(link)} characters long, {LONGEST_LINK} are allowed")
        return link

    def _verify(self, token: str) -> Claims:
        if len(token) > LONGEST_LINK or not _COMPACT.fullmatch(token):
            raise NotALink("not a signed link of ours")
        key = self._key(token)
        try:
            payload = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=ISSUER,
                leeway=LEEWAY_S,
                options={"require": ["iss", "aud", "iat", "exp"], "strict_aud": True},
            )
        except jwt.PyJWTError as error:
            raise _refusal(error) from None
        claims = _checked(payload, self._claims, NotALink)
        if not claims.iat < claims.exp <= claims.iat + self._life_s:
            raise NotALink("the link claims to live longer than links of its kind do")
        return claims

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

    def read(self, token: str) -> TicketClaim:
        """Raises one of the LinkError family."""
        claims = self._verify(token)
        return TicketClaim(hip_id=claims.h, ticket=claims.t)


class CameraLinks(_Links[CameraClaims]):
    """The kiosk's second QR, for a phone without an ABHA app: facility and queue, for minutes."""

    def __init__(self, ring: KeyRing, *, audience: str) -> None:
        """``audience``: the public address of this service, the same for minting and reading."""
        super().__init__(ring, typ="camera+jwt", claims=CameraClaims, audience=audience, life_s=CAMERA_LIFE_S)

    def mint(self, hip_id: str, queue: str, *, expires_s: int, now_s: int) -> str:
        """A link good until ``expires_s`` (a moment, unix seconds, an hour ahead at most). Raises LinkImpossible."""
        return self._sign({"h": hip_id, "q": queue}, expires_s=expires_s, now_s=now_s)

    def read(self, token: str) -> CameraClaim:
        """Raises one of the LinkError family."""
        claims = self._verify(token)
        return CameraClaim(hip_id=claims.h, queue=claims.q, expires_s=claims.exp)


def _checked(payload: dict[str, Any], claims: type[Claims], refusal: type[LinkError]) -> Claims:
    """The claims, if all are present, of the right type and size, and encodable as UTF-8."""
    try:
        read = msgspec.convert(payload, claims, strict=True)
        msgspec.json.encode(read)
    except (msgspec.ValidationError, UnicodeEncodeError):
        raise refusal("a claim is missing, unknown, too long or of the wrong kind") from None
    return read


def _refusal(error: jwt.PyJWTError) -> LinkError:
    return next(ours(message) for theirs, ours, message in _REFUSALS if isinstance(error, theirs))
