"""The short ticket link: what it carries, how anybody checks it, and what is refused."""

import base64
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tokens import (
    KeyRing,
    LinkError,
    LinkExpired,
    LinkForged,
    LinkImpossible,
    LinkKeyUnknown,
    LinkTooEarly,
    NotALink,
    TicketClaim,
    TicketLinks,
)
from tokens.ticket import CONTEXT

HIP = "IN0110000123"
TICKET = "20786-1042"
PLACE = "https://opd.example.in"


def now() -> int:
    """The present second: links are checked against the real clock."""
    return int(time.time())


RING = KeyRing.generate(now() - 1_000)
TICKETS = TicketLinks(RING, audience=PLACE)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def read(link: str) -> TicketClaim:
    return TICKETS.read(link, now_s=now())


def a_link(life_s: int = 600) -> str:
    return TICKETS.mint(HIP, TICKET, expires_s=now() + life_s, now_s=now())


def unpacked(link: str) -> bytes:
    return base64.urlsafe_b64decode(link + "=" * (-len(link) % 4))


def by_hand(claims: bytes, *, key: Ed25519PrivateKey | None = None, context: bytes = CONTEXT) -> str:
    """A link of these bytes with a real signature, so that only its content can be refused."""
    signature = (key or RING.signing.link_key()).sign(context + b"\0" + PLACE.encode() + b"\0" + claims)
    return base64.urlsafe_b64encode(claims + signature).rstrip(b"=").decode()


def claims(
    *, form: int = 1, kid: bytes | None = None, expires_s: int | None = None, ticket: bytes = b"20786-1042",
    hip: bytes = HIP.encode(), length: int | None = None,
) -> bytes:  # fmt: skip
    kid = base64.b32decode(RING.signing.kid.upper())[:2] if kid is None else kid
    ends = now() + 600 if expires_s is None else expires_s
    return (
        bytes([form]) + kid + ends.to_bytes(4, "big") + bytes([len(ticket) if length is None else length])
        + ticket + hip
    )  # fmt: skip


def test_a_link_made_by_hand_is_read_so_that_each_refusal_below_has_one_reason() -> None:
    claim = read(by_hand(claims()))
    assert (claim.hip_id, claim.ticket) == (HIP, TICKET)


def test_a_slip_carries_under_130_characters_that_need_no_escape() -> None:
    link = a_link(86_400)
    assert len(link) < 130
    assert set(link) <= set(LETTERS)


def test_anybody_checks_a_link_with_the_published_keys_alone() -> None:
    key_set = jwt.PyJWKSet.from_dict(json.loads(RING.jwks()))
    link = unpacked(a_link())
    claimed, signature = link[:-64], link[-64:]
    named = [key for key in key_set.keys if base64.b32decode(str(key.key_id).upper())[:2] == claimed[1:3]]
    assert len(named) == 1
    assert isinstance(named[0].key, Ed25519PublicKey)
    named[0].key.verify(signature, b"kiosk ticket link 1\0" + PLACE.encode() + b"\0" + claimed)
    length = claimed[7]
    assert (claimed[8 : 8 + length].decode(), claimed[8 + length :].decode()) == (TICKET, HIP)


def test_slips_that_an_earlier_release_printed_are_still_read() -> None:
    key = RING.signing
    older = jwt.encode(
        {"iss": "kiosk", "aud": PLACE, "iat": now(), "exp": now() + 600, "h": HIP, "t": TICKET},
        key.link_key(), algorithm="EdDSA", headers={"kid": key.kid, "typ": "ticket+jwt"},
    )  # fmt: skip
    assert read(older).ticket == TICKET


@given(st.integers(min_value=0, max_value=200), st.sampled_from(LETTERS))
def test_one_changed_character_is_refused(at: int, letter: str) -> None:
    link = by_hand(claims())
    at %= len(link)
    changed = link[:at] + letter + link[at + 1 :]
    if changed != link:
        with pytest.raises(LinkError):
            read(changed)


@given(st.text(max_size=400))
@settings(max_examples=200)
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(LinkError):
        read(text)


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_no_bytes_break_the_reader(data: bytes) -> None:
    with pytest.raises(LinkError):
        read(base64.urlsafe_b64encode(data).rstrip(b"=").decode())


def test_every_shorter_piece_and_every_other_spelling_is_refused() -> None:
    link = by_hand(claims())
    twin = LETTERS[LETTERS.index(link[-1]) ^ 1]
    others = [link[:cut] for cut in range(len(link))]
    others += [link + tail for tail in ("=", "A", "AAAA", " ", "\n", "%3D")]
    others += [" " + link, link[:-1] + twin, link.upper(), link.swapcase(), link.replace("-", "+"), link * 9]
    for other in dict.fromkeys(others):
        if other != link:
            with pytest.raises(LinkError):
                read(other)


def test_a_link_for_another_service_is_refused() -> None:
    with pytest.raises(LinkForged):
        TicketLinks(RING, audience="https://other.example.in").read(a_link(), now_s=now())


def test_a_signature_for_another_purpose_is_refused() -> None:
    with pytest.raises(LinkForged):
        read(by_hand(claims(), context=b"kiosk ticket link 2"))


def test_a_key_of_another_installation_is_unknown_and_one_under_our_key_id_forges() -> None:
    other = Ed25519PrivateKey.generate()
    with pytest.raises(LinkForged):
        read(by_hand(claims(), key=other))
    ours = {base64.b32decode(one.kid.upper())[:2] for one in RING.believed}
    foreign = next(kid for kid in (bytes(2), b"\1\0", b"\2\0", b"\3\0") if kid not in ours)
    with pytest.raises(LinkKeyUnknown):
        read(by_hand(claims(kid=foreign), key=other))


def test_a_link_of_a_revoked_key_is_refused_and_one_of_a_rotated_key_is_read() -> None:
    link = a_link()
    rotated = RING.rotate(now())
    assert TicketLinks(rotated, audience=PLACE).read(link, now_s=now()).ticket == TICKET
    with pytest.raises(LinkKeyUnknown):
        TicketLinks(rotated.revoke(RING.signing.kid, now()), audience=PLACE).read(link, now_s=now())


def test_a_link_expires_and_may_not_live_longer_than_two_days() -> None:
    assert read(by_hand(claims(expires_s=now() - 5))).ticket == TICKET
    with pytest.raises(LinkExpired):
        read(by_hand(claims(expires_s=now() - 61)))
    with pytest.raises(LinkTooEarly):
        read(by_hand(claims(expires_s=now() + 2 * 86_400 + 100)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"form": 0}, {"form": 2}, {"hip": b""}, {"ticket": b""}, {"hip": b"H" * 251}, {"ticket": b"t" * 65},
        {"hip": b"\xff"}, {"ticket": b"\xff\xfe"}, {"length": 255}, {"length": 0},
    ],
)  # fmt: skip
def test_signed_claims_of_another_shape_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(NotALink):
        read(by_hand(claims(**wrong)))  # type: ignore[arg-type]  # one wrong value at a time


@pytest.mark.parametrize(
    ("hip", "ticket", "life_s"),
    [("", TICKET, 60), (HIP, "", 60), (HIP, "t" * 65, 60), ("H" * 251, TICKET, 60), ("\ud800", TICKET, 60),
     (HIP, TICKET, 0), (HIP, TICKET, -1), (HIP, TICKET, 2 * 86_400 + 1), (HIP, "ﷺ" * 64, -1), ("😀" * 250, TICKET, 60)],
)  # fmt: skip
def test_what_cannot_be_a_link_is_not_made(hip: str, ticket: str, life_s: int) -> None:
    with pytest.raises(LinkImpossible):
        TICKETS.mint(hip, ticket, expires_s=now() + life_s, now_s=now())
