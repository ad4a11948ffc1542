"""Keys of web push: derived, one for each generation of the ring, and gone with it."""

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1

from tokens import KeyRing
from tokens.push_keys import PushKeys, public_text

NOW = 1_800_000_000
SERVICE = "https://push.example"


def keys_of(ring: KeyRing) -> PushKeys:
    return PushKeys(ring, contact="https://kiosk.example")


def test_a_ring_has_the_same_p_256_key_after_it_was_stored_and_another_ring_another_one() -> None:
    ring = KeyRing.generate(NOW)
    assert isinstance(ring.signing.push_key().curve, SECP256R1)
    assert keys_of(KeyRing.from_json(ring.to_json())).public == keys_of(ring).public
    assert keys_of(KeyRing.generate(NOW)).public != keys_of(ring).public


def test_a_rotated_ring_still_signs_for_phones_of_the_earlier_key_and_a_revoked_one_does_not() -> None:
    ring = KeyRing.generate(NOW)
    before = keys_of(ring)
    kid = before.kid_of(before.public)
    rotated = keys_of(ring.rotate(NOW + 60))
    assert rotated.public != before.public
    proof = rotated.authorization(kid, SERVICE, NOW)
    assert proof.endswith(f"k={before.public}")
    token = proof.removeprefix("vapid t=").partition(",")[0]
    claims = jwt.decode(
        token,
        ring.signing.push_key().public_key(),
        algorithms=["ES256"],
        audience=SERVICE,
        options={"verify_exp": False},
    )
    assert claims == {"aud": SERVICE, "exp": NOW + 3_600, "sub": "https://kiosk.example"}
    revoked = keys_of(ring.rotate(NOW + 60).revoke(kid, NOW + 120))
    assert revoked.authorization(kid, SERVICE, NOW) == ""
    assert revoked.kid_of(public_text(ring.signing.push_key())) == ""
