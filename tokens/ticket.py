"""The two signed links: a patient's ticket and the kiosk's camera QR. JWT by PyJWT, EdDSA, nothing else.

One verifier per kind. What is required is named every time: algorithm, ``typ``, key id, issuer, audience, issue and
expiry; what our links do not say is refused. PyJWT reads the clock when it checks a link, so ``read`` takes none.
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
    CameraWords,
    TicketClaim,
    TicketWords,
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

Words = TypeVar("Words", bound=TicketWords | CameraWords)

ALGORITHM = "EdDSA"
ISSUER = "kiosk"

LONGEST_LINK = 1_024
"""Characters, looked at before anything is parsed. Ours are about 330; a HIP id of 250 letters still fits."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}")
"""Three base64url parts without padding, the last one an Ed25519 signature: no second spelling of the same link."""

_REFUSALS: tuple[tuple[type[jwt.PyJWTError], type[LinkError], str], ...] = (
    (jwt.ExpiredSignatureError, LinkExpired, "the link's time has passed"),
    (jwt.ImmatureSignatureError, LinkTooEarly, "the link comes from the future"),
    (jwt.InvalidSignatureError, LinkForged, "the signature does not belong to the link"),
    (jwt.InvalidAudienceError, LinkOfAnotherPlace, "the link is meant for another service"),
    (jwt.InvalidIssuerError, LinkOfAnotherPlace, "the link was issued by another service"),
    (jwt.PyJWTError, NotALink, "the link does not say what our links say"),
)
"""What PyJWT calls it, what we call it. First match counts; the last row takes the rest."""


class _Links(Generic[Words]):
    """One kind of link: its ``typ``, its words, its longest life."""

    def __init__(self, ring: KeyRing, *, typ: str, words: type[Words], audience: str, life_s: int) -> None:
        if not audience:
            raise ValueError("links need an audience: the public address of this service")
        self._typ = typ
        self._words: type[Words] = words
        self._audience = audience
        self._life_s = life_s
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Believe and sign by this ring from now on."""
        self._signing = (ring.signing.kid, ring.signing.link_key())
        self._believed: Mapping[str, Ed25519PublicKey] = {g.kid: g.public_key() for g in ring.believed}

    def _sign(self, said: dict[str, str], *, expires_s: int, now_s: int) -> str:
        if not now_s < expires_s <= now_s + self._life_s:
            raise LinkImpossible(f"expires_s is a moment in unix seconds, at most {self._life_s} s after now_s")
        payload = {"iss": ISSUER, "aud": self._audience, "iat": now_s, "exp": expires_s, **said}
        _checked(payload, self._words, LinkImpossible)
        kid, key = self._signing
        link = jwt.encode(payload, key, algorithm=ALGORITHM, headers={"kid": kid, "typ": self._typ})
        if len(link) > LONGEST_LINK:
            raise LinkImpossible(f"the link would be {len(link)} characters long, {LONGEST_LINK} are allowed")
        return link

    def _verify(self, token: str) -> Words:
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
        words = _checked(payload, self._words, NotALink)
        if not words.iat < words.exp <= words.iat + self._life_s:
            raise NotALink("the link claims to live longer than links of its kind do")
        return words

    def _key(self, token: str) -> Ed25519PublicKey:
        """The key that the header names, if the header says exactly what ours say. Nothing in it is believed yet."""
        try:
            header: dict[str, Any] = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise NotALink("the link's header cannot be read") from None
        if header.keys() != {"alg", "kid", "typ"} or header["alg"] != ALGORITHM or not isinstance(header["kid"], str):
            raise NotALink("the link's header does not say what ours say")
        if header["typ"] != self._typ:
            raise LinkOfAnotherKind("the link was signed for another purpose")
        key = self._believed.get(header["kid"])
        if key is None:
            raise LinkKeyUnknown("the link names a key that is not believed")
        return key


class TicketLinks(_Links[TicketWords]):
    """What the slip's QR and the phone's page carry: facility and ticket, until the ticket's day is over."""

    def __init__(self, ring: KeyRing, *, audience: str) -> None:
        """``audience``: the public address of this service, the same for minting and reading."""
        super().__init__(ring, typ="ticket+jwt", words=TicketWords, audience=audience, life_s=TICKET_LIFE_S)

    def mint(self, hip_id: str, ticket: str, *, expires_s: int, now_s: int) -> str:
        """A link good until ``expires_s`` (a moment, unix seconds, two days ahead at most). Raises LinkImpossible."""
        return self._sign({"h": hip_id, "t": ticket}, expires_s=expires_s, now_s=now_s)

    def read(self, token: str) -> TicketClaim:
        """Raises one of the LinkError family."""
        words = self._verify(token)
        return TicketClaim(hip_id=words.h, ticket=words.t)


class CameraLinks(_Links[CameraWords]):
    """The kiosk's second QR, for a phone without an ABHA app: facility and queue, for minutes."""

    def __init__(self, ring: KeyRing, *, audience: str) -> None:
        """``audience``: the public address of this service, the same for minting and reading."""
        super().__init__(ring, typ="camera+jwt", words=CameraWords, audience=audience, life_s=CAMERA_LIFE_S)

    def mint(self, hip_id: str, queue: str, *, expires_s: int, now_s: int) -> str:
        """A link good until ``expires_s`` (a moment, unix seconds, an hour ahead at most). Raises LinkImpossible."""
        return self._sign({"h": hip_id, "q": queue}, expires_s=expires_s, now_s=now_s)

    def read(self, token: str) -> CameraClaim:
        """Raises one of the LinkError family."""
        words = self._verify(token)
        return CameraClaim(hip_id=words.h, queue=words.q, expires_s=words.exp)


def _checked(payload: dict[str, Any], words: type[Words], refusal: type[LinkError]) -> Words:
    """The words, if they are all there, of the right kind and size, and text that can be written down as UTF-8."""
    try:
        said = msgspec.convert(payload, words, strict=True)
        msgspec.json.encode(said)
    except (msgspec.ValidationError, UnicodeEncodeError):
        raise refusal("a claim is missing, unknown, too long or of the wrong kind") from None
    return said


def _refusal(error: jwt.PyJWTError) -> LinkError:
    return next(ours(words) for theirs, ours, words in _REFUSALS if isinstance(error, theirs))
