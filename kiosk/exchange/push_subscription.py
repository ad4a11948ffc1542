"""What a browser answers when its owner agrees to messages (Push API): read strictly, and sealed with the day's key.

An address is taken only where the operator allows its push service (``KIOSK_PUSH_SERVICES``): this machine connects to
it. ``kiosk.exchange.addresses`` checks what the name resolves to, before each connection.
"""

import base64
import hashlib
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from msgspec import Meta, Struct

from kiosk.exchange.target_setup import URL_MAX, TargetWrong, parse_url
from kiosk.security.encryption import Seal, SealBroken
from queueing.redis_keys import facility_key

AUTH_BYTES: Final = 16
"""RFC 8291, section 3.2."""
NEAR_MAX: Final = 20
"""People before the patient; the page offers five at most."""
PURPOSE: Final = "push"
"""Bound into the seal."""


class SubscriptionWrong(ValueError):
    """This is no subscription that we can send to. The message is one line, without a word of the browser's."""


class PushAddress(Struct, frozen=True, kw_only=True):
    """Where a browser takes messages."""

    endpoint: Annotated[str, Meta(max_length=URL_MAX)]

    @property
    def id(self) -> str:
        """The same for the same browser; says nothing of it."""
        return hashlib.sha256(self.endpoint.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Subscription(PushAddress, frozen=True, kw_only=True):
    """An address, and the keys with which only that browser opens what is sent there."""

    p256dh: Annotated[str, Meta(max_length=100)]
    """The browser's public key, base64url."""
    auth: Annotated[str, Meta(max_length=40)]
    """A secret of the browser, base64url."""


class PushRequest(Subscription, frozen=True, kw_only=True):
    """A subscription as the page sends it."""

    key: Annotated[str, Meta(max_length=100)]
    """The public key of ours that the browser was handed."""
    near: Annotated[int, Meta(ge=0, le=NEAR_MAX)] = 0


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Subscription).decode


def service_of(subscription: Subscription, services: tuple[str, ...]) -> str:
    """The allowed push service that the address is of. Raises SubscriptionWrong."""
    try:
        place = parse_url(subscription.endpoint)
    except TargetWrong as wrong:
        raise SubscriptionWrong(f"endpoint: {wrong}") from None
    found = next((one for one in services if place.host == one or place.host.endswith("." + one)), "")
    if not found:
        raise SubscriptionWrong("endpoint: of no push service that KIOSK_PUSH_SERVICES allows")
    return found


def keys_of(subscription: Subscription) -> tuple[EllipticCurvePublicKey, bytes]:
    """The browser's public key and secret. Raises SubscriptionWrong."""
    try:
        point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), _bytes_of(subscription.p256dh))
    except ValueError:
        raise SubscriptionWrong("p256dh: not a point of P-256 in base64url") from None
    try:
        auth = _bytes_of(subscription.auth)
    except ValueError:
        auth = b""
    if len(auth) != AUTH_BYTES:
        raise SubscriptionWrong("auth: not 16 bytes in base64url")
    return point, auth


def _bytes_of(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def close_subscription(seal: Seal, hip: str, ticket: str, subscription: Subscription) -> str:
    """Seal it for one ticket, as text."""
    plain = _pack(Subscription(endpoint=subscription.endpoint, p256dh=subscription.p256dh, auth=subscription.auth))
    return base64.b64encode(seal.close(PURPOSE, facility_key(hip), ticket, plain)).decode()


def open_subscription(seal: Seal, hip: str, ticket: str, sealed: str) -> Subscription | None:
    """The same again; None when its day's key was destroyed, or it was altered or moved."""
    try:
        return _unpack(seal.open(PURPOSE, facility_key(hip), ticket, base64.b64decode(sealed)))
    except (SealBroken, ValueError, msgspec.MsgspecError):
        return None
