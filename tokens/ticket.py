"""The ticket link: what the slip's QR and the address of the phone's page carry. Facility and ticket, signed.

It is nearly as short as an Ed25519 signature lets it be, because each character makes the QR on the slip denser: some
125 characters, where a JWT with the same claims has 310. Anybody can check it without a network by the public keys
(``KeyRing.jwks``) and this description:

======== ==========================================================================================================
1 byte   form of the link: 1
2 bytes  of the key's id: the first two bytes of its base 32 text (RFC 4648)
4 bytes  expiry in unix seconds, the most significant byte first
1 byte   length of the ticket id in bytes
…        ticket id, then HIP id, both UTF-8
64 bytes Ed25519 signature of ``kiosk ticket link 1``, the service's public address, and all bytes above, with one zero
         byte between the three
======== ==========================================================================================================

written as base64url without padding. The public address is signed but not carried: a reader knows it.
"""

import base64
import binascii
import re

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tokens.claims import LEEWAY_S, TICKET_LIFE_S, TicketClaim, TicketClaims
from tokens.errors import LinkExpired, LinkForged, LinkImpossible, LinkKeyUnknown, LinkTooEarly, NotALink
from tokens.jwt_links import LONGEST_LINK, JwtTicketLinks
from tokens.keyring import KeyRing

FORM = 1
CONTEXT = b"kiosk ticket link 1"
SIGNATURE_BYTES = 64
KEY_AT, EXPIRY_AT, LENGTH_AT, TEXTS_AT = 1, 3, 7, 8
"""Where the key's id, the expiry, the length of the ticket id and the texts begin."""
UNIX_S_MAX = (1 << 32) - 1

_SHAPE = re.compile(r"[A-Za-z0-9_-]+")


class TicketLinks:
    """Makes and reads ticket links. They live until the ticket's day is over."""

    def __init__(self, ring: KeyRing, *, audience: str) -> None:
        """``audience``: the public address of this service, the same for minting and reading."""
        self._signed_first = CONTEXT + b"\0" + audience.encode() + b"\0"
        # Releases before this form printed JWTs; a slip is good for two days.
        self._jwt = JwtTicketLinks(ring, audience=audience)
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Verify and sign with this ring from now on."""
        self._signing = (_key_id(ring.signing.kid), ring.signing.link_key())
        self._believed = tuple((_key_id(one.kid), one.public_key()) for one in ring.believed)
        self._jwt.use(ring)

    def mint(self, hip_id: str, ticket: str, *, expires_s: int, now_s: int) -> str:
        """A link good until ``expires_s`` (a moment, unix seconds, two days ahead at most). Raises LinkImpossible."""
        if not now_s < expires_s <= min(now_s + TICKET_LIFE_S, UNIX_S_MAX):
            raise LinkImpossible(f"expires_s is a moment in unix seconds, at most {TICKET_LIFE_S} s after now_s")
        key_id, key = self._signing
        try:
            msgspec.convert({"h": hip_id, "t": ticket}, TicketClaims, strict=True)
            ticket_text, hip_text = ticket.encode(), hip_id.encode()
        except (msgspec.ValidationError, UnicodeEncodeError):
            raise LinkImpossible("the HIP id or the ticket id is empty, too long or no text") from None
        if len(ticket_text) > 255:
            raise LinkImpossible("the ticket id is longer than 255 bytes")
        claims = (
            bytes([FORM]) + key_id + expires_s.to_bytes(4, "big") + bytes([len(ticket_text)]) + ticket_text + hip_text
        )
        link = _text(claims + key.sign(self._signed_first + claims))
        if len(link) > LONGEST_LINK:
            raise LinkImpossible(f"the link would be {len(link)} characters long, {LONGEST_LINK} are allowed")
        return link

    def read(self, token: str, *, now_s: int) -> TicketClaim:
        """Raises one of the LinkError family."""
        if "." in token:
            return self._jwt.read(token)
        claims, signature = _parts(token)
        keys = [key for key_id, key in self._believed if key_id == claims[KEY_AT:EXPIRY_AT]]
        if not keys:
            raise LinkKeyUnknown("the link names a key that is not valid here")
        signed = self._signed_first + claims
        if not any(_has_signed(key, signature, signed) for key in keys):
            raise LinkForged("the signature does not belong to the link and this service")
        expires_s = int.from_bytes(claims[EXPIRY_AT:LENGTH_AT], "big")
        if expires_s + LEEWAY_S <= now_s:
            raise LinkExpired("the link's time has passed")
        if expires_s > now_s + TICKET_LIFE_S + LEEWAY_S:
            raise LinkTooEarly("the link would live longer than links of its kind do")
        return _claim(claims)


def _key_id(kid: str) -> bytes:
    return base64.b32decode(kid.upper())[: EXPIRY_AT - KEY_AT]


def _text(link: bytes) -> str:
    return base64.urlsafe_b64encode(link).rstrip(b"=").decode()


def _parts(token: str) -> tuple[bytes, bytes]:
    """The bytes of the claims and of the signature. Raises NotALink; a link has one spelling."""
    if len(token) > LONGEST_LINK or not _SHAPE.fullmatch(token):
        raise NotALink("not a signed link of ours")
    try:
        link = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except binascii.Error:
        raise NotALink("not a signed link of ours") from None
    claims, signature = link[:-SIGNATURE_BYTES], link[-SIGNATURE_BYTES:]
    if len(claims) <= TEXTS_AT or claims[0] != FORM or _text(link) != token:
        raise NotALink("not a signed link of ours")
    return claims, signature


def _has_signed(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _claim(claims: bytes) -> TicketClaim:
    """Of a link that we signed. Checked all the same: a later release may sign what this one does not know."""
    hip_at = TEXTS_AT + claims[LENGTH_AT]
    try:
        values = {"h": claims[hip_at:].decode(), "t": claims[TEXTS_AT:hip_at].decode()}
        read = msgspec.convert(values, TicketClaims, strict=True)
    except (msgspec.ValidationError, UnicodeDecodeError):
        raise NotALink("the link does not have the claims that our links have") from None
    return TicketClaim(hip_id=read.h, ticket=read.t)
