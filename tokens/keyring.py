"""The key ring: who signs now, who is still believed, and which key seals.

Promises: the ring is a value (every change returns another ring), ids are never used twice, and ``rotate`` refuses no
honest scan: the generation before stays believed, with as many more as stopped signing within the life of a token, and
the coming one is believed already, because another process may have read the new ring a moment earlier than this one.
A thief who read the file has every key in it: ``revoke_all`` is the answer to that, ``rotate`` is not.
"""

import base64
import hashlib
import secrets
from enum import StrEnum
from typing import Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct
from msgspec.structs import replace

from tokens.claims import LONGEST_LIFE_S
from tokens.errors import KeyRingBroken, KeyRingFull, KeyUnknown

SECRET_BYTES = 32
"""What SHA-256, Ed25519 and AES-256 each take; 128-bit security or better for all three."""

RING_BYTES = 262_144
"""A full ring is under 64 kB; more is not a ring."""

MOST_VERIFYING = 64
"""A rotation every two seconds for two minutes fits; reading a forged code then costs 64 HMACs, about 0.2 ms."""

REVOKED_REMEMBERED = 32
"""Revoked ids stay listed so that an administrator sees what happened; their secrets are gone."""

MASTER_AGE_S = 86_400
"""Sealing keys change at most daily: what is sealed gets a key per day anyway, and this bounds how many we keep."""

MASTER_KEPT_S = 90 * 86_400
"""Three times the longest retention of a profile (30 days) after a master stopped sealing."""


class KeyState(StrEnum):
    """The life of a generation, in order. ``revoked`` may come at any time."""

    NEXT = "next"
    """Published and believed, does not sign yet."""
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

    def __repr__(self) -> str:
        return f"Generation(kid={self.kid!r}, state={self.state.value!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """A pretty traceback that shows local variables must not show keys either."""
        return [("kid", self.kid), ("state", self.state.value)]


class SealMaster(Struct, frozen=True, kw_only=True):
    """A key that wraps the daily keys of the sealing room."""

    id: int
    made_s: int
    secret: bytes

    def __repr__(self) -> str:
        return f"SealMaster(id={self.id})"

    def __rich_repr__(self) -> list[tuple[str, int]]:
        return [("id", self.id)]


class KeyRing(Struct, frozen=True, kw_only=True):
    """All secrets of one installation. Written as JSON by whoever owns the file; it belongs in mode 0600."""

    version: int = 1
    """Raised when an older release could no longer read or rewrite the ring without harm."""
    generations: tuple[Generation, ...]
    masters: tuple[SealMaster, ...]
    """Oldest first; the last one seals."""
    person_secret: bytes
    session_secret: bytes

    @classmethod
    def generate(cls, now_s: int) -> Self:
        """A new ring: one generation that signs and one that will."""
        return cls(
            generations=(_generation(KeyState.SIGNING, now_s), _generation(KeyState.NEXT, now_s)),
            masters=(SealMaster(id=1, made_s=now_s, secret=_secret()),),
            person_secret=_secret(),
            session_secret=_secret(),
        )

    def rotate(self, now_s: int) -> Self:
        """The announced generation signs; the one that signed is believed for as long as its tokens may live.

        Raises KeyRingFull rather than disbelieve a token that was honestly given out.
        """
        kept = tuple(g for g in self._in(KeyState.VERIFYING) if now_s - g.since_s <= LONGEST_LIFE_S)
        if len(kept) >= MOST_VERIFYING:
            raise KeyRingFull(f"{len(kept)} keys are still needed to read tokens given out lately")
        return replace(
            self,
            generations=(
                replace(self._only(KeyState.NEXT), state=KeyState.SIGNING, since_s=now_s),
                replace(self.signing, state=KeyState.VERIFYING, since_s=now_s),
                *kept,
                _generation(KeyState.NEXT, now_s),
                *self._in(KeyState.REVOKED),
            ),
            masters=_rotated(self.masters, now_s),
        )

    def revoke(self, kid: str, now_s: int) -> Self:
        """Disbelieve one generation at once and forget its secret; a successor steps in where one is needed.

        What it signed is refused from then on: people scan again. Raises KeyUnknown.
        """
        found = next((g for g in self.generations if g.kid == kid), None)
        if found is None:
            raise KeyUnknown("no key of this id is in the ring")
        if found.state is KeyState.REVOKED:
            return self
        others = tuple(g for g in self.generations if g.kid != kid)
        if found.state is KeyState.SIGNING:
            heir = self._only(KeyState.NEXT)
            others = tuple(
                replace(g, state=KeyState.SIGNING, since_s=now_s) if g.kid == heir.kid else g for g in others
            )
        if found.state is not KeyState.VERIFYING:
            others = (*others, _generation(KeyState.NEXT, now_s))
        return replace(self, generations=_forgotten((*others, _revoked(found, now_s))))

    def revoke_all(self, now_s: int) -> Self:
        """After a theft: nothing the thief read signs or is believed any more, and all sessions end.

        Sealing masters stay, because patients' profiles must still open, but a new one seals. The person key stays
        too: with another one everybody in the hall could take a second number today.
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
            masters=(*self.masters, SealMaster(id=self.seal_master_id + 1, made_s=now_s, secret=_secret())),
            session_secret=_secret(),
        )

    @property
    def signing(self) -> Generation:
        return self._only(KeyState.SIGNING)

    @property
    def believed(self) -> tuple[Generation, ...]:
        """Whose tokens are good, the likeliest first."""
        return (self.signing, *self._in(KeyState.VERIFYING), *self._in(KeyState.NEXT))

    def jwks(self) -> bytes:
        """The public keys of ticket and camera links as a JWK set (RFC 7517, RFC 8037). Nothing private."""
        return msgspec.json.encode({"keys": [_jwk(g) for g in self.believed]})

    def person_key(self) -> bytes:
        """HMAC key of person digests; the same for the life of the ring, so that nobody is two people in one day."""
        return _derive(self.person_secret, b"kiosk/1 person digest hmac-sha256")

    def session_key(self) -> bytes:
        """Key of staff sessions and forms; changes only when everything is revoked."""
        return _derive(self.session_secret, b"kiosk/1 session hmac-sha256")

    @property
    def seal_master_id(self) -> int:
        return self.masters[-1].id

    def seal_master(self) -> bytes:
        """The master that seals now, 32 bytes; what it sealed carries ``seal_master_id``."""
        return self.seal_masters()[self.seal_master_id]

    def seal_masters(self) -> dict[int, bytes]:
        """Every master that may still have to open something, by id."""
        return {m.id: _derive(m.secret, b"kiosk/1 seal master aes-256") for m in self.masters}

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
        """What types cannot say. A ring that fails here would sign what nobody believes, or seal what nobody opens."""
        if self.version != 1:
            raise KeyRingBroken("written by a newer release")
        for state in (KeyState.SIGNING, KeyState.NEXT):
            if len(self._in(state)) != 1:
                raise KeyRingBroken(f"needs exactly one key that is {state.value}")
        kids = [g.kid for g in self.generations]
        master_ids = [m.id for m in self.masters]
        if len(kids) != len(set(kids)) or not master_ids or master_ids != sorted(set(master_ids)):
            raise KeyRingBroken("an id is missing, twice or out of order")
        held = [g for g in self.generations if g.state is not KeyState.REVOKED]
        whole = (self.person_secret, self.session_secret, *(g.secret for g in held), *(m.secret for m in self.masters))
        if any(len(secret) != SECRET_BYTES for secret in whole):
            raise KeyRingBroken("a secret is cut")
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


def _derive(secret: bytes, purpose: bytes) -> bytes:
    """One key per purpose (HKDF, RFC 5869): whoever learns one learns nothing about its sisters."""
    return HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=None, info=purpose).derive(secret)


def _generation(state: KeyState, now_s: int) -> Generation:
    born = Generation(kid="", state=state, since_s=now_s, secret=_secret())
    return replace(born, kid=_kid(born.public_key()))


def _kid(key: Ed25519PublicKey) -> str:
    """Eight letters and digits of the public key's own digest: never used twice, even if a ring is lost."""
    return base64.b32encode(hashlib.sha256(key.public_bytes_raw()).digest()[:5]).decode().lower()


def _revoked(generation: Generation, now_s: int) -> Generation:
    if generation.state is KeyState.REVOKED:
        return generation
    return replace(generation, state=KeyState.REVOKED, since_s=now_s, secret=b"")


def _forgotten(generations: tuple[Generation, ...]) -> tuple[Generation, ...]:
    """The same with only the latest revoked ones listed."""
    revoked = sorted((g for g in generations if g.state is KeyState.REVOKED), key=lambda g: g.since_s, reverse=True)
    return (*(g for g in generations if g.state is not KeyState.REVOKED), *revoked[:REVOKED_REMEMBERED])


def _rotated(masters: tuple[SealMaster, ...], now_s: int) -> tuple[SealMaster, ...]:
    """A new sealing master if the present one is a day old; those whose seals have all run out are dropped."""
    latest = masters[-1]
    if now_s - latest.made_s < MASTER_AGE_S:
        return masters
    fresh = SealMaster(id=latest.id + 1, made_s=now_s, secret=_secret())
    successors = (*masters[1:], fresh)
    kept = (m for m, heir in zip(masters, successors, strict=True) if now_s - heir.made_s <= MASTER_KEPT_S)
    return (*kept, fresh)


def _jwk(generation: Generation) -> dict[str, str]:
    x = base64.urlsafe_b64encode(generation.public_key().public_bytes_raw()).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": generation.kid, "x": x}


def _place(error: msgspec.ValidationError) -> str:
    """Where msgspec stumbled (``$.masters[0].secret``), without what it found there."""
    return str(error).rpartition("`$")[2].join(("$", "")).rstrip("`")
