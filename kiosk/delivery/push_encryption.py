"""A message that only one browser can open: RFC 8291, in the coding ``aes128gcm`` of RFC 8188.

The libraries for it come as source alone, and an installation here builds nothing; the primitives are
``cryptography``'s. Tests hold it to the example of RFC 8291.
"""

import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD: Final = 4096
"""Bytes of a record. A message is one record, the last: push services take 4096 bytes."""
PLAIN_MAX: Final = 3993
"""RFC 8291, section 4: what such a record has room for."""
_SALT_BYTES: Final = 16
_LAST: Final = b"\x02"


def encrypt(
    plain: bytes, browser: EllipticCurvePublicKey, auth: bytes, *,
    sender: EllipticCurvePrivateKey | None = None, salt: bytes = b"",
) -> bytes:  # fmt: skip
    """The body of a push message. ``sender`` and ``salt`` are made for each message; a test names those of the RFC."""
    if len(plain) > PLAIN_MAX:
        raise ValueError(f"a push message has {PLAIN_MAX} bytes at most")
    sender, salt = sender or generate_private_key(SECP256R1()), salt or os.urandom(_SALT_BYTES)
    ours = _point(sender.public_key())
    secret = _derived(auth, b"WebPush: info\0" + _point(browser) + ours, 32, sender.exchange(ECDH(), browser))
    key = _derived(salt, b"Content-Encoding: aes128gcm\0", 16, secret)
    nonce = _derived(salt, b"Content-Encoding: nonce\0", 12, secret)
    head = salt + RECORD.to_bytes(4) + len(ours).to_bytes(1) + ours
    return head + AESGCM(key).encrypt(nonce, plain + _LAST, None)


def _point(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(salt: bytes, purpose: bytes, length: int, secret: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=purpose).derive(secret)
