"""Web push (VAPID, RFC 8292): the key by which a push service knows this kiosk, one for each generation of the ring.

A browser that agrees to messages is handed the public key, and its push service then takes messages of that key alone.
So the id of the generation is stored with what the browser answered, and a rotated ring still signs with the earlier
generation for as long as its links live. A revoked generation signs nothing: the page agrees anew when it is opened.
"""

import base64
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tokens.keyring import KeyRing

TOKEN_LIFE_S: Final = 3_600
"""RFC 8292 allows a day. A token is made for each message, so an hour covers clocks that differ."""


class PushKeys:
    """Signs for push services. ``contact``: whom they can reach about this kiosk (mailto: or https:)."""

    def __init__(self, ring: KeyRing, *, contact: str) -> None:
        self._contact = contact
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Sign with this ring from now on."""
        self._keys = {generation.kid: generation.push_key() for generation in ring.believed}
        self._kids = {public_text(key): kid for kid, key in self._keys.items()}
        self.public = public_text(self._keys[ring.signing.kid])
        """What a page hands to its browser, base64url."""

    def kid_of(self, public: str) -> str:
        """The generation of a public key; empty for one that is not ours, or not any more."""
        return self._kids.get(public, "")

    def authorization(self, kid: str, audience: str, now_s: int) -> str:
        """The header that proves us to the push service with this origin; empty when the generation is gone."""
        key = self._keys.get(kid)
        if key is None:
            return ""
        claims = {"aud": audience, "exp": now_s + TOKEN_LIFE_S, "sub": self._contact}
        return f"vapid t={jwt.encode(claims, key, algorithm='ES256')}, k={public_text(key)}"


def public_text(key: EllipticCurvePrivateKey) -> str:
    """The public key as browsers take it: an uncompressed point, base64url."""
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()
