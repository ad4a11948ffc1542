"""Generated passwords and the thread that hashes."""

import asyncio
import math

import argon2
import pytest

from kiosk.accounts import passwords

pytestmark = pytest.mark.anyio


def test_a_generated_password_has_sixty_bits_and_can_be_read_aloud() -> None:
    bits = passwords._SYLLABLES * math.log2(len(passwords._CONSONANTS) * len(passwords._VOWELS))
    made = {passwords.generated() for _ in range(500)}
    assert bits >= 60
    assert len(made) == 500
    assert all(len(one.split("-")) == 5 and one.replace("-", "").isalpha() for one in made)
    for one in made:
        passwords.judge(one, login="asha")


async def test_the_twenty_first_password_at_once_is_refused_and_the_rest_are_checked() -> None:
    hasher = passwords.Hasher()
    hashed = await hasher.hash("lantern orchard drizzle")
    requested = [hasher.verify(hashed, "lantern orchard drizzle") for _ in range(passwords.QUEUE + 5)]
    answers = await asyncio.gather(*requested, return_exceptions=True)
    hasher.close()
    assert sum(answer is True for answer in answers) == passwords.QUEUE
    assert sum(isinstance(answer, passwords.HashingBusy) for answer in answers) == 5


async def test_an_unknown_login_matches_no_password() -> None:
    hasher = passwords.Hasher()
    assert await hasher.verify(None, "anything at all") is False
    assert await hasher.verify("not a hash", "anything at all") is False
    hasher.close()


async def test_a_hash_costs_what_owasp_recommends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "PasswordHasher", argon2.PasswordHasher)  # other tests have a cheap one
    hasher = passwords.Hasher()
    hashed = await hasher.hash("lantern orchard drizzle")
    hasher.close()
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert hasher._decoy.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
