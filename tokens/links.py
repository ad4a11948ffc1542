"""The short form of a signed link: HIP id, a name in that facility, an expiry. Slips, screens and phones carry it.

It is nearly as short as an Ed25519 signature lets it be, because each character makes a QR denser: some 125 characters,
where a JWT with the same claims has 310. Anybody can check a link without a network by the public keys
(``KeyRing.jwks``) and this description:

======== ==========================================================================================================
1 byte   kind of the link: 1 ticket link, 2 camera link
2 bytes  of the key's id: the first two bytes of its base 32 text (RFC 4648)
4 bytes  expiry in unix seconds, the most significant byte first
1 byte   length of the name in bytes
…        name (of a ticket link the ticket id, of a camera link the queue id), then HIP id, both UTF-8
64 bytes Ed25519 signature of the link's purpose, the service's public address, and all bytes above, with one zero byte
         between the three. The purpose is ``kiosk ticket link 1`` or ``kiosk camera link 1``.
======== ==========================================================================================================

written as base64url without padding. The public address is signed but not carried: a reader knows it.
"""

import base64
import binascii
import re
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from tokens.claims import CAMERA_LIFE_S, LEEWAY_S, LONGEST_LINK, TICKET_LIFE_S, LinkClaims
from tokens.errors import (
    LinkExpired,
    LinkForged,
    LinkImpossible,
    LinkKeyUnknown,
    LinkOfAnotherKind,
    LinkTooEarly,
    NotALink,
)
from tokens.keyring import KeyRing

SIGNATURE_BYTES = 64
KEY_AT, EXPIRY_AT, LENGTH_AT, TEXTS_AT = 1, 3, 7, 8
"""Where the key's id, the expiry, the length of the name and the texts begin."""
UNIX_S_MAX = (1 << 32) - 1

_SHAPE = re.compile(r"[A-Za-z0-9_-]+")


class LinkKind(Struct, frozen=True, kw_only=True):
    """What a link is for."""

    number: int
    """Its first byte. A number is never used for another kind."""
    purpose: bytes
    """Signed before the claims, so that a signature for one kind is worth nothing for another."""
    life_s: int
    """The longest time from minting to expiry."""


TICKET: Final = LinkKind(number=1, purpose=b"kiosk ticket link 1", life_s=TICKET_LIFE_S)
CAMERA: Final = LinkKind(number=2, purpose=b"kiosk camera link 1", life_s=CAMERA_LIFE_S)
_NUMBERS: Final = frozenset({TICKET.number, CAMERA.number})


class SignedLinks:
    """Makes and reads the links of one kind."""

    def __init__(self, kind: LinkKind, ring: KeyRing, *, audience: str) -> None:
        """``audience``: the public address of this service, the same for minting and reading."""
        if not audience:
            raise ValueError("links need an audience: the public address of this service")
        self._kind = kind
        self._signed_first = kind.purpose + b"\0" + audience.encode() + b"\0"
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Verify and sign with this ring from now on."""
        self._signing = (_key_id(ring.signing.kid), ring.signing.link_key())
        self._believed = tuple((_key_id(one.kid), one.public_key()) for one in ring.believed)

    def mint(self, hip_id: str, name: str, *, expires_s: int, now_s: int) -> str:
        """A link good until ``expires_s`` (a moment, unix seconds). Raises LinkImpossible."""
        longest_s = self._kind.life_s
        if not now_s < expires_s <= min(now_s + longest_s, UNIX_S_MAX):
            raise LinkImpossible(f"expires_s is a moment in unix seconds, at most {longest_s} s after now_s")
        key_id, key = self._signing
        ends, texts = expires_s.to_bytes(4, "big"), _texts(hip_id, name, expires_s)
        claims = bytes([self._kind.number]) + key_id + ends + texts
        link = _spelled(claims + key.sign(self._signed_first + claims))
        if len(link) > LONGEST_LINK:
            raise LinkImpossible(f"the link would be {len(link)} characters long, {LONGEST_LINK} are allowed")
        return link

    def read(self, token: str, *, now_s: int) -> LinkClaims:
        """Raises one of the LinkError family."""
        claims, signature = self._parts(token)
        keys = [key for key_id, key in self._believed if key_id == claims[KEY_AT:EXPIRY_AT]]
        if not keys:
            raise LinkKeyUnknown("the link names a key that is not valid here")
        signed = self._signed_first + claims
        if not any(_has_signed(key, signature, signed) for key in keys):
            raise LinkForged("the signature does not belong to the link and this service")
        expires_s = int.from_bytes(claims[EXPIRY_AT:LENGTH_AT], "big")
        if expires_s + LEEWAY_S <= now_s:
            raise LinkExpired("the link's time has passed")
        if expires_s > now_s + self._kind.life_s + LEEWAY_S:
            raise LinkTooEarly("the link would live longer than links of its kind do")
        return _claims(claims, expires_s)

    def _parts(self, token: str) -> tuple[bytes, bytes]:
        """The bytes of the claims and of the signature. Raises NotALink, LinkOfAnotherKind; a link has one spelling."""
        if len(token) > LONGEST_LINK or not _SHAPE.fullmatch(token):
            raise NotALink("not a signed link of ours")
        try:
            link = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except binascii.Error:
            raise NotALink("not a signed link of ours") from None
        claims, signature = link[:-SIGNATURE_BYTES], link[-SIGNATURE_BYTES:]
        if len(claims) <= TEXTS_AT or claims[0] not in _NUMBERS or _spelled(link) != token:
            raise NotALink("not a signed link of ours")
        if claims[0] != self._kind.number:
            raise LinkOfAnotherKind("the link was signed for another purpose")
        return claims, signature


def _key_id(kid: str) -> bytes:
    return base64.b32decode(kid.upper())[: EXPIRY_AT - KEY_AT]


def _spelled(link: bytes) -> str:
    return base64.urlsafe_b64encode(link).rstrip(b"=").decode()


def _texts(hip_id: str, name: str, expires_s: int) -> bytes:
    """The length of the name, the name, the HIP id. Raises LinkImpossible."""
    try:
        msgspec.convert({"hip_id": hip_id, "name": name, "expires_s": expires_s}, LinkClaims, strict=True)
        name_text, hip_text = name.encode(), hip_id.encode()
    except (msgspec.ValidationError, UnicodeEncodeError):
        raise LinkImpossible("the HIP id or the name is empty, too long or no text") from None
    if len(name_text) > 255:
        raise LinkImpossible("the name is longer than 255 bytes")
    return bytes([len(name_text)]) + name_text + hip_text


def _has_signed(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _claims(claims: bytes, expires_s: int) -> LinkClaims:
    """Of a link that we signed. Checked all the same: a later release may sign what this one does not know."""
    hip_at = TEXTS_AT + claims[LENGTH_AT]
    try:
        values = {"hip_id": claims[hip_at:].decode(), "name": claims[TEXTS_AT:hip_at].decode(), "expires_s": expires_s}
        return msgspec.convert(values, LinkClaims, strict=True)
    except (msgspec.ValidationError, UnicodeDecodeError):
        raise NotALink("the link does not have the claims that our links have") from None
