"""The realm's keys: two RSA pairs made from the seed, one RS256 and one RS512 as in the sandbox (protocol D2).

The same seed gives the same keys on every machine, so a run can be repeated byte for byte. The keys are for tests only.
Access tokens and callback tokens are signed by the same key with the same issuer and audience, as in the real realm.
That is why only ``azp`` tells a callback from an access token (protocol D3).
"""

import base64
import hashlib
import math
from random import Random

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec import Struct, json

EXPONENT = 65537
BITS = 2048
"""Bits of a key, as in the sandbox. With fewer the kiosk's check would cost less than in reality."""
_SIEVED = 4096
"""Odd numbers tried from one random start: they contain a 1024-bit prime in 99.99 % of cases."""


def _small_primes(limit: int) -> list[int]:
    alive = bytearray([1]) * limit
    for number in range(2, math.isqrt(limit) + 1):
        if alive[number]:
            alive[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return [number for number in range(3, limit) if alive[number]]


_PRIMES = _small_primes(50_000)


def _probably_prime(number: int, draw: Random) -> bool:
    """A Fermat test, then four rounds of Miller-Rabin. For a random number of 1024 bits the result is wrong at most
    once in 2^100 (Damgård, Landrock and Pomerance 1993).
    """
    if pow(2, number - 1, number) != 1:
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_witnesses(pow(draw.randrange(2, number - 1), odd, number), number, twos) for _ in range(4))


def _witnesses(power: int, number: int, twos: int) -> bool:
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False


def seeded_prime(draw: Random, bits: int) -> int:
    """A prime of exactly ``bits`` bits that suits the exponent. It sieves first: a test costs 2 ms, a sieve
    step 1 µs.
    """
    while True:
        start = draw.getrandbits(bits) | (3 << (bits - 2)) | 1
        alive = bytearray([1]) * _SIEVED
        for prime in _PRIMES:
            first = (-start * ((prime + 1) // 2)) % prime
            alive[first::prime] = bytes(len(range(first, _SIEVED, prime)))
        for step in range(_SIEVED):
            number = start + 2 * step
            if alive[step] and math.gcd(number - 1, EXPONENT) == 1 and _probably_prime(number, draw):
                return number


def seeded_key(seed: str) -> rsa.RSAPrivateKey:
    """The RSA pair of ``seed``; takes about 0.2 s."""
    draw = Random(f"rsa:{seed}")
    p, q = seeded_prime(draw, BITS // 2), seeded_prime(draw, BITS // 2)
    d = pow(EXPONENT, -1, math.lcm(p - 1, q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=p, q=q, d=d, dmp1=d % (p - 1), dmq1=d % (q - 1), iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(EXPONENT, p * q),
    )  # fmt: skip
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _b64(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()


class SigningKey(Struct, frozen=True):
    """One key pair of the realm."""

    kid: str
    alg: str
    private: rsa.RSAPrivateKey

    @classmethod
    def drawn(cls, seed: str, alg: str) -> "SigningKey":
        """The key pair of ``seed``. Its id is a digest of the modulus, with 43 characters as in the sandbox."""
        private = seeded_key(seed)
        modulus = private.public_key().public_numbers().n
        kid = base64.urlsafe_b64encode(hashlib.sha256(str(modulus).encode()).digest()).rstrip(b"=").decode()
        return cls(kid, alg, private)

    def public(self) -> dict[str, str]:
        """The public key as a member of a key set."""
        numbers = self.private.public_key().public_numbers()
        return {
            "e": _b64(numbers.e), "kid": self.kid, "kty": "RSA", "n": _b64(numbers.n), "use": "sig", "alg": self.alg,
        }  # fmt: skip


class Realm:
    """The signing key, the published keys, and the contents of tokens."""

    def __init__(self, seed: int, *, issuer: str) -> None:
        self.seed = seed
        self.issuer = issuer
        self.generation = 0
        self.minted = 0
        self.signing = SigningKey.drawn(f"{seed}:RS256:0", "RS256")
        self.published = [self.signing, SigningKey.drawn(f"{seed}:RS512", "RS512")]

    def rotate(self, *, drop: bool = False) -> None:
        """A new RS256 key signs from now on; the old one stays published unless ``drop``."""
        self.generation += 1
        old, self.signing = self.signing, SigningKey.drawn(f"{self.seed}:RS256:{self.generation}", "RS256")
        remaining = [key for key in self.published if not (drop and key is old)]
        self.published = [self.signing, *remaining][:8]

    def key_set(self) -> bytes:
        """The published keys as JSON."""
        return json.encode({"keys": [key.public() for key in self.published]})

    def token(self, azp: str, now_s: int, lives_s: int) -> str:
        """A token of this realm for ``azp``: ``gateway`` for callbacks, a client id for an access token."""
        self.minted += 1
        claims = {
            "exp": now_s + lives_s, "iat": now_s, "jti": f"{self.seed}-{self.minted}", "iss": self.issuer,
            "aud": "account", "sub": hashlib.sha256(azp.encode()).hexdigest()[:32], "typ": "Bearer", "azp": azp,
        }  # fmt: skip
        return jwt.encode(claims, self.signing.private, self.signing.alg, headers={"kid": self.signing.kid})
