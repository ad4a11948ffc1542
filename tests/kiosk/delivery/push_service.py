"""A push service of our own, and the browsers that it serves. It opens messages by RFC 8291 and checks who sent."""

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kiosk.exchange.push_subscription import PushRequest
from tests.kiosk.delivery.receiver import Received, Receiver, receiving


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class PhoneBrowser:
    """A browser that agreed to messages: its address at the push service, and its keys."""

    def __init__(self, service: str) -> None:
        self.private, self.auth = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16)
        self.endpoint = f"{service}/{secrets.token_urlsafe(8)}"

    def request(self, key: str, near: int = 0) -> PushRequest:
        """What the page sends."""
        p256dh, auth = text(point(self.private.public_key())), text(self.auth)
        return PushRequest(endpoint=self.endpoint, p256dh=p256dh, auth=auth, key=key, near=near)

    def opened(self, body: bytes) -> Any:
        """The message in a body, by RFC 8291 and 8188, step by step."""
        salt, size, id_length = body[:16], int.from_bytes(body[16:20]), body[20]
        sender, sealed = body[21 : 21 + id_length], body[21 + id_length :]
        assert len(sealed) <= size
        shared = self.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        info = b"WebPush: info\x00" + point(self.private.public_key()) + sender
        secret = HKDF(SHA256(), 32, self.auth, info).derive(shared)
        key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\x00").derive(secret)
        nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\x00").derive(secret)
        padded = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\x00")
        assert padded[-1:] == b"\x02", "the last record"
        return msgspec.json.decode(padded[:-1])


class PushService:
    """Takes messages for browsers. ``receiver.answer`` says how."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.url = receiver.url.removesuffix("/events")
        self.host = "127.0.0.1"

    def browser(self) -> PhoneBrowser:
        return PhoneBrowser(f"{self.url}/send")

    def messages(self, browser: PhoneBrowser) -> list[Any]:
        """What this browser would show. Raises InvalidTag for what it cannot open."""
        return [browser.opened(one.body) for one in self.receiver.taken]

    def check_sender(self, received: Received, public: str) -> dict[str, Any]:
        """The claims of who sent this, signed with the key that the browser was handed (RFC 8292)."""
        proof = dict(part.strip().split("=", 1) for part in received.headers["authorization"][6:].split(","))
        assert received.headers["authorization"].startswith("vapid ")
        assert proof["k"] == public
        raw = base64.urlsafe_b64decode(public + "=" * (-len(public) % 4))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
        claims: dict[str, Any] = jwt.decode(proof["t"], key, algorithms=["ES256"], audience=self.url)
        return claims


@contextmanager
def push_service() -> Iterator[PushService]:
    with receiving() as receiver:
        receiver.answer = lambda _one: (201, b"")
        yield PushService(receiver)
