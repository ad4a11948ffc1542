"""The key ring: which key signs now, which keys verify, and which key seals.

- The ring is a value: every change returns another ring.
- Ids are never used twice.
- ``rotate`` refuses no genuine code or link. Every key that stopped signing within the life of a token still verifies,
  and the next key verifies already, because another process may read the new ring a moment earlier than this one.
- A thief who read the file has every key in it. ``revoke_all`` helps against that, ``rotate`` does not.
- A sealing master is a chain: the key of a day gives the key of the next day, never of the day before. ``forget_days``
  moves the chain on. Then the ring opens no day whose retention is over, whatever copies of the store exist.
"""

import base64
import hashlib
import secrets
from enum import StrEnum
from typing import Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct
from msgspec.structs import replace

from tokens.claims import LONGEST_LIFE_S
from tokens.errors import KeyRingBroken, KeyRingFull, KeyUnknown

SECRET_BYTES = 32
"""What SHA-256, Ed25519 and AES-256 each take; 128-bit security or better for all three."""
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve's group (FIPS 186-5)."""
P256_SEED_BYTES = 48
"""128 bits more than the order has, so that every private key is as likely as another."""
RING_BYTES = 262_144
"""A full ring is under 64 kB; more is not a ring."""
MOST_VERIFYING = 64
"""Enough for a rotation every two seconds for two minutes. A forged code then costs 64 HMACs, about 0.2 ms."""
REVOKED_REMEMBERED = 32
"""Revoked ids stay listed, without their secrets, so that an administrator sees what happened."""
DAY_S = 86_400
MASTER_AGE_S = DAY_S
"""A new sealing master is made at most daily, because each day has its own key anyway. This bounds their number."""
MASTER_KEPT_S = 90 * DAY_S
"""Three times the longest retention of a profile (30 days) after a master stopped sealing."""
LONGEST_CHAIN = 3660
"""Days that one call steps over: ten years of a kiosk that was switched off, some 20 ms."""
NO_CHAIN = -1
"""The day of a master that an earlier release made: it is the same for all days, until its days are over."""


class KeyState(StrEnum):
    """The life of a generation, in order. ``revoked`` may come at any time."""

    NEXT = "next"
    """Published; verifies, does not sign yet."""
    SIGNING = "signing"
    VERIFYING = "verifying"
    REVOKED = "revoked"


class Generation(Struct, frozen=True, kw_only=True):
    """One secret, from which a separate key is derived for each purpose."""

    kid: str
    state: KeyState
    since_s: int
    """When it came into this state, unix seconds."""
    secret: bytes
    """Empty once revoked."""

    def counter_key(self) -> bytes:
        """HMAC key of counter codes."""
        return _derive(self.secret, b"kiosk/1 counter code hmac-sha256")

    def link_key(self) -> Ed25519PrivateKey:
        """Signing key of ticket and camera links."""
        return Ed25519PrivateKey.from_private_bytes(_derive(self.secret, b"kiosk/1 links ed25519"))

    def public_key(self) -> Ed25519PublicKey:
        return self.link_key().public_key()

    def push_key(self) -> EllipticCurvePrivateKey:
        """Signing key of web push (``tokens.push_keys``)."""
        number = int.from_bytes(_derive(self.secret, b"kiosk/1 web push ecdsa p-256", P256_SEED_BYTES))
        return derive_private_key(number % (P256_ORDER - 1) + 1, SECP256R1())

    def __repr__(self) -> str:
        return f"Generation(kid={self.kid!r}, state={self.state.value!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """Tracebacks that show local variables must not show keys."""
        return [("kid", self.kid), ("state", self.state.value)]


class SealMaster(Struct, frozen=True, kw_only=True):
    """A key that wraps the day keys of ``kiosk.security.encryption``."""

    id: int
    made_s: int
    secret: bytes
    """Of ``day``."""
    day: int = NO_CHAIN
    """UTC days since 1970. Days before it cannot be reached."""
    stolen: bool = False
    """Opens what it sealed, and seals nothing more."""

    def for_day(self, day: int) -> bytes | None:
        """The key that wraps the keys of this day, 32 bytes; None for a day that was forgotten."""
        if self.day == NO_CHAIN:
            return _derive(self.secret, b"kiosk/1 seal master aes-256")
        if not self.day <= day <= self.day + LONGEST_CHAIN:
            return None
        return _derive(self._step_to(day), b"kiosk/2 seal master aes-256")

    def forget_before(self, day: int) -> "SealMaster":
        """The same chain from this day on."""
        if self.day == NO_CHAIN or day <= self.day:
            return self
        return replace(self, secret=self._step_to(day), day=day)

    def _step_to(self, day: int) -> bytes:
        secret = self.secret
        for _ in range(day - self.day):
            secret = _derive(secret, b"kiosk/2 seal chain next day")
        return secret

    def __repr__(self) -> str:
        return f"SealMaster(id={self.id})"

    def __rich_repr__(self) -> list[tuple[str, int]]:
        return [("id", self.id)]


class KeyRing(Struct, frozen=True, kw_only=True):
    """All secrets of one installation. ``kiosk.security.keyring_file`` writes it as JSON with mode 0600."""

    version: int = 2
    """Raised when an older release would damage the ring by reading and rewriting it. 1: masters without chain."""
    generations: tuple[Generation, ...]
    masters: tuple[SealMaster, ...]
    """Oldest first; the last one seals."""
    person_secret: bytes
    session_secret: bytes
    """Seals secrets of staff that live longer than a profile: those of authenticator apps."""
    audit_secrets: tuple[bytes, ...] = ()
    """Sign the seals of the audit, oldest first. Before the first of them the person secret gives that key."""
    sessions_from_s: int = 0
    """Staff sessions that began earlier have ended. Unix seconds."""

    @classmethod
    def generate(cls, now_s: int) -> Self:
        """A new ring: one generation that signs and the next one."""
        return cls(
            generations=(_generation(KeyState.SIGNING, now_s), _generation(KeyState.NEXT, now_s)),
            masters=(_master(1, now_s),),
            person_secret=_secret(),
            session_secret=_secret(),
        )

    def rotate(self, now_s: int) -> Self:
        """The next generation signs. The one that signed still verifies for as long as its tokens live.

        Raises KeyRingFull if that would invalidate a token that is still in use.
        """
        verifying = tuple(g for g in self._in(KeyState.VERIFYING) if now_s - g.since_s <= LONGEST_LIFE_S)
        if len(verifying) >= MOST_VERIFYING:
            raise KeyRingFull(f"{len(verifying)} keys are still needed to verify recent codes and links")
        return replace(
            self,
            generations=(
                replace(self._only(KeyState.NEXT), state=KeyState.SIGNING, since_s=now_s),
                replace(self.signing, state=KeyState.VERIFYING, since_s=now_s),
                *verifying,
                _generation(KeyState.NEXT, now_s),
                *self._in(KeyState.REVOKED),
            ),
            masters=_rotated(self.masters, now_s),
            version=2,
        )

    def revoke(self, kid: str, now_s: int) -> Self:
        """Revoke one generation now and delete its secret.

        Revoking the signing key revokes the next key too: a thief of the file has both. Two new keys replace them.
        Codes and links of a revoked key are refused: patients scan again. Raises KeyUnknown.
        """
        found = next((g for g in self.generations if g.kid == kid), None)
        if found is None:
            raise KeyUnknown("no key of this id is in the ring")
        if found.state is KeyState.REVOKED:
            return self
        ends = {KeyState.SIGNING: (KeyState.SIGNING, KeyState.NEXT), KeyState.NEXT: (KeyState.NEXT,)}
        states = ends.get(found.state, ())
        left = tuple(_revoked(g, now_s) if g.kid == kid or g.state in states else g for g in self.generations)
        return replace(self, generations=_forgotten((*(_generation(state, now_s) for state in states), *left)))

    def revoke_all(self, now_s: int) -> Self:
        """For a stolen file: no key in it signs, verifies or seals from now on, and all staff sessions end.

        Stolen sealing masters still open what was sealed before, because staff need those profiles. The person key
        stays, because with another one everybody could take a second number today. It opens no profile. With it and a
        copy of the store a thief can test whether a guessed ABHA number is in the queue. Secrets of
        authenticator apps do not open any more: administrators set them up anew.
        """
        return replace(
            self,
            generations=_forgotten(
                (
                    _generation(KeyState.SIGNING, now_s),
                    _generation(KeyState.NEXT, now_s),
                    *(_revoked(g, now_s) for g in self.generations),
                )
            ),
            masters=(
                *(replace(master, stolen=True) for master in self.masters),
                _master(self.seal_master_id + 1, now_s),
            ),
            session_secret=_secret(),
            audit_secrets=(*self.audit_secrets, _secret()),
            sessions_from_s=now_s,
            version=2,
        )

    def sealing_on(self, now_s: int) -> Self:
        """The ring with a master that seals today. It adds one where the clock went back to a day that was forgotten,
        or by years ahead, and to a master of an earlier release.
        """
        latest = self.masters[-1]
        if latest.day != NO_CHAIN and latest.for_day(now_s // DAY_S):
            return self
        # After a clock that went back, the latest may have sealed days to come: it must not be dropped before them.
        made_s = max(now_s, latest.day * DAY_S + MASTER_KEPT_S)
        heir = replace(_master(latest.id + 1, now_s), made_s=made_s)
        return replace(self, masters=(*self.masters, heir), version=2)

    def forget_days(self, now_s: int, retention_s: int) -> Self:
        """The ring without the keys of days whose retention is over. An unchanged ring is returned as it is.

        A master is dropped when the days are over that its successor did not seal.
        """
        first_day = (now_s - retention_s) // DAY_S
        masters = self.sealing_on(now_s).masters
        # A master may have wrapped the key of the day after the one in which its successor was made.
        remaining = tuple(
            master.forget_before(first_day)
            for master, heir in zip(masters, (*masters[1:], None), strict=True)
            if heir is None or heir.made_s // DAY_S + 1 >= first_day
        )
        return self if remaining == self.masters else replace(self, masters=remaining, version=2)

    @property
    def signing(self) -> Generation:
        return self._only(KeyState.SIGNING)

    @property
    def believed(self) -> tuple[Generation, ...]:
        """The generations that verify, the likeliest first."""
        return (self.signing, *self._in(KeyState.VERIFYING), *self._in(KeyState.NEXT))

    def jwks(self) -> bytes:
        """The public keys of ticket and camera links as a JWK set (RFC 7517, RFC 8037). Nothing private."""
        return msgspec.json.encode({"keys": [_jwk(g) for g in self.believed]})

    def person_key(self) -> bytes:
        """HMAC key of person digests; the same for the life of the ring, so that one person has one digest all day."""
        return _derive(self.person_secret, b"kiosk/1 person digest hmac-sha256")

    def second_factor_key(self) -> bytes:
        """AES key of the secrets of authenticator apps. ``revoke_all`` replaces it: those secrets may be stolen too."""
        return _derive(self.session_secret, b"kiosk/1 second factor aes-256")

    def target_secret_key(self) -> bytes:
        """AES key of the secrets that sign webhooks. ``revoke_all`` replaces it too."""
        return _derive(self.session_secret, b"kiosk/1 webhook secret aes-256")

    def audit_keys(self) -> dict[str, bytes]:
        """HMAC keys of the audit's seals by id, oldest first; the last one signs, all verify."""
        keys = (
            _derive(secret, b"kiosk/1 audit seal hmac-sha256") for secret in (self.person_secret, *self.audit_secrets)
        )
        return {hashlib.sha256(key).hexdigest()[:16]: key for key in keys}

    @property
    def seal_master_id(self) -> int:
        return self.masters[-1].id

    def seal_masters(self) -> dict[int, SealMaster]:
        """Every master that may still open a day key, by id."""
        return {master.id: master for master in self.masters}

    def to_json(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Raises KeyRingBroken; the message names the place in the file, never its content."""
        if len(data) > RING_BYTES:
            raise KeyRingBroken("far too long for a key ring")
        try:
            ring = msgspec.json.decode(data, type=cls)
        except msgspec.ValidationError as error:
            raise KeyRingBroken(f"not a key ring: see {_place(error)}") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise KeyRingBroken("not a key ring: not JSON") from None
        ring._check()
        return ring

    def _check(self) -> None:
        """Checks that types cannot make. A wrong ring would sign or seal what no process accepts."""
        if self.version not in (1, 2):
            raise KeyRingBroken("written by a newer release")
        for state in (KeyState.SIGNING, KeyState.NEXT):
            if len(self._in(state)) != 1:
                raise KeyRingBroken(f"needs exactly one key that is {state.value}")
        kids = [g.kid for g in self.generations]
        master_ids = [m.id for m in self.masters]
        if len(kids) != len(set(kids)) or not master_ids or master_ids != sorted(set(master_ids)):
            raise KeyRingBroken("an id is missing, twice or out of order")
        held = [g for g in self.generations if g.state is not KeyState.REVOKED]
        secrets_held = *(g.secret for g in held), *(m.secret for m in self.masters)
        once = self.person_secret, self.session_secret, *self.audit_secrets
        if any(len(secret) != SECRET_BYTES for secret in (*once, *secrets_held)):
            raise KeyRingBroken("a secret is too short or too long")
        if any(_kid(g.public_key()) != g.kid for g in held):
            raise KeyRingBroken("a secret does not belong to its id")

    def _in(self, state: KeyState) -> tuple[Generation, ...]:
        return tuple(g for g in self.generations if g.state is state)

    def _only(self, state: KeyState) -> Generation:
        return self._in(state)[0]

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(f'{g.kid} {g.state.value}' for g in self.generations)})"

    def __rich_repr__(self) -> list[tuple[str, tuple[Generation, ...]]]:
        return [("generations", self.generations)]


def _secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def _derive(secret: bytes, purpose: bytes, length: int = SECRET_BYTES) -> bytes:
    """One key for each purpose (HKDF, RFC 5869): one key tells nothing about the others."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(secret)


def _generation(state: KeyState, now_s: int) -> Generation:
    born = Generation(kid="", state=state, since_s=now_s, secret=_secret())
    return replace(born, kid=_kid(born.public_key()))


def _kid(key: Ed25519PublicKey) -> str:
    """Eight letters and digits of the public key's digest: never used twice, even if a ring is lost."""
    return base64.b32encode(hashlib.sha256(key.public_bytes_raw()).digest()[:5]).decode().lower()


def _revoked(generation: Generation, now_s: int) -> Generation:
    if generation.state is KeyState.REVOKED:
        return generation
    return replace(generation, state=KeyState.REVOKED, since_s=now_s, secret=b"")


def _forgotten(generations: tuple[Generation, ...]) -> tuple[Generation, ...]:
    """The same with only the latest revoked ones."""
    revoked = sorted((g for g in generations if g.state is KeyState.REVOKED), key=lambda g: g.since_s, reverse=True)
    return (*(g for g in generations if g.state is not KeyState.REVOKED), *revoked[:REVOKED_REMEMBERED])


def _master(number: int, now_s: int) -> SealMaster:
    # From yesterday on, for a machine whose clock is a little behind at midnight.
    return SealMaster(id=number, made_s=now_s, secret=_secret(), day=now_s // DAY_S - 1)


def _rotated(masters: tuple[SealMaster, ...], now_s: int) -> tuple[SealMaster, ...]:
    """Adds a sealing master if the latest one is a day old, and drops those whose retention is over."""
    latest = masters[-1]
    if now_s - latest.made_s < MASTER_AGE_S:
        return masters
    fresh = _master(latest.id + 1, now_s)
    successors = (*masters[1:], fresh)
    remaining = (m for m, heir in zip(masters, successors, strict=True) if now_s - heir.made_s <= MASTER_KEPT_S)
    return (*remaining, fresh)


def _jwk(generation: Generation) -> dict[str, str]:
    x = base64.urlsafe_b64encode(generation.public_key().public_bytes_raw()).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": generation.kid, "x": x}


def _place(error: msgspec.ValidationError) -> str:
    """Where msgspec found the error (``$.masters[0].secret``), without the value there."""
    return str(error).rpartition("`$")[2].join(("$", "")).rstrip("`")
