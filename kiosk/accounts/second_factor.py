"""The second factor of administrators: codes of an authenticator app (RFC 6238) and recovery codes.

A code is six digits of a 30-second step, made from a secret that the phone and we share. A code of the step before or
after is accepted as well, because phones' clocks differ. ``queueing.staff`` uses a code up, so it is accepted once.
"""

import base64
import hmac
import secrets
from typing import Final, Protocol

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from msgspec import Struct

from kiosk.accounts import passwords
from queueing.staff import Code, LoginRow, recovery_digest

SECRET_BYTES: Final = 20
"""160 bits: the length that RFC 4226 recommends and every app takes."""
STEP_S: Final = 30
DIGITS: Final = 6
"""Step and digits are the defaults of every app."""
STEPS_APART: Final = 1
RECOVERY_CODES: Final = 10
ISSUER: Final = "Scan and Share"
"""Stands above the code in the app."""
CODE_MAX: Final = 64
"""Characters that are read of what was typed: a recovery code has 24."""


class SecretSeal(Protocol):
    """As ``kiosk.security.encryption.LastingSeal``."""

    def close(self, login: str, plain: bytes) -> str: ...
    def open(self, login: str, sealed: str) -> bytes | None: ...


class Phone(Struct, frozen=True, kw_only=True):
    """A secret that is offered to an authenticator app."""

    uri: str
    """What the QR holds."""
    secret: str
    """The same for typing, in groups of four."""
    sealed: str
    """The secret as the page sends it back."""


def new_phone(login: str, seal: SecretSeal) -> Phone:
    """A new secret for this login."""
    return phone_of(login, secrets.token_bytes(SECRET_BYTES), seal)


def phone_of(login: str, secret: bytes, seal: SecretSeal) -> Phone:
    """The same secret once more, for a page that is shown again."""
    totp = TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303 - HMAC-SHA1 is what every app computes
    text = base64.b32encode(secret).decode()
    groups = " ".join(text[at : at + 4] for at in range(0, len(text), 4))
    return Phone(uri=totp.get_provisioning_uri(login, ISSUER), secret=groups, sealed=seal.close(login, secret))


def step_of(secret: bytes, typed: str, now_s: float) -> int | None:
    """The time step of a code, if it is one of this minute; None for any other text."""
    digits = "".join(typed.split())
    if len(digits) != DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    hotp, now = HOTP(secret, DIGITS, SHA1()), int(now_s) // STEP_S  # noqa: S303 - HMAC-SHA1, as in the codes
    steps = range(now - STEPS_APART, now + STEPS_APART + 1)
    right = [step for step in steps if hmac.compare_digest(hotp.generate(step), digits.encode())]
    return right[-1] if right else None


def code_of(row: LoginRow, typed: str, seal: SecretSeal, now_s: float) -> Code | None:
    """What a typed text is for this login: a code of the app, a recovery code, or neither (None)."""
    secret = seal.open(row.login, row.second_factor)
    step = step_of(secret, typed, now_s) if secret else None
    if step is not None:
        return Code(kind="step", value=str(step))
    digest = recovery_digest(row.login, typed)
    return Code(kind="recovery", value=digest) if digest in row.recovery else None


def new_recovery_codes() -> tuple[str, ...]:
    """Ten codes to print or write down, 63 bits each."""
    return tuple(passwords.generated() for _ in range(RECOVERY_CODES))
