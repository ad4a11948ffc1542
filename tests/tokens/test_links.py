"""Ticket and camera links in their short form: what they carry, how anybody checks them, and what is refused."""

import base64
import json
from collections.abc import Callable
from functools import cache

import jwt
import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Struct

from tokens import (
    CameraLinks,
    KeyRing,
    LinkError,
    LinkExpired,
    LinkForged,
    LinkImpossible,
    LinkKeyUnknown,
    LinkOfAnotherKind,
    LinkTooEarly,
    NotALink,
    TicketLinks,
)

HIP = "IN0110000123"
PLACE = "https://opd.example.in"
NOW = 1_795_000_000
RING = KeyRing.generate(NOW - 1_000)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Kind(Struct, frozen=True, kw_only=True):
    """One kind of link, as the tests below use it."""

    number: int
    purpose: bytes
    make: Callable[[KeyRing, str], TicketLinks | CameraLinks]
    name: str
    """Of an ordinary ticket or queue."""
    older: tuple[str, str]
    """``typ`` and claim of the name in the JWTs of earlier releases."""
    life_s: int

    def links(self, ring: KeyRing = RING, audience: str = PLACE) -> TicketLinks | CameraLinks:
        return self.make(ring, audience)

    def mint(self, hip: str, name: str, *, ends_in_s: int = 600) -> str:
        return of_ours(self).mint(hip, name, expires_s=NOW + ends_in_s, now_s=NOW)

    def a_link(self) -> str:
        return self.mint(HIP, self.name)

    def read(self, link: str, *, now_s: int = NOW) -> tuple[str, str]:
        """HIP id and name."""
        claim = of_ours(self).read(link, now_s=now_s)
        return claim.hip_id, getattr(claim, "ticket", "") or getattr(claim, "queue", "")

    def by_hand(self, claims: bytes, *, key: Ed25519PrivateKey | None = None, purpose: bytes = b"") -> str:
        """A link of these bytes with a real signature, so that only its content can be refused."""
        signed = (purpose or self.purpose) + b"\0" + PLACE.encode() + b"\0" + claims
        return base64.urlsafe_b64encode(claims + (key or RING.signing.link_key()).sign(signed)).rstrip(b"=").decode()

    def claims(
        self, *, number: int | None = None, kid: bytes | None = None, expires_s: int = NOW + 600,
        name: bytes | None = None, hip: bytes = HIP.encode(), length: int | None = None,
    ) -> bytes:  # fmt: skip
        text = self.name.encode() if name is None else name
        return (
            bytes([self.number if number is None else number])
            + (base64.b32decode(RING.signing.kid.upper())[:2] if kid is None else kid)
            + expires_s.to_bytes(4, "big")
            + bytes([len(text) if length is None else length])
            + text
            + hip
        )

    def of_an_earlier_release(self) -> str:
        """The same link as earlier releases made it."""
        typ, claim = self.older
        return jwt.encode(
            {"iss": "kiosk", "aud": PLACE, "iat": NOW, "exp": NOW + 600, "h": HIP, claim: self.name},
            RING.signing.link_key(), algorithm="EdDSA", headers={"kid": RING.signing.kid, "typ": typ},
        )  # fmt: skip


TICKET = Kind(
    number=1, purpose=b"kiosk ticket link 1", make=lambda ring, audience: TicketLinks(ring, audience=audience),
    name="20786-1042", older=("ticket+jwt", "t"), life_s=2 * 86_400,
)  # fmt: skip
CAMERA = Kind(
    number=2, purpose=b"kiosk camera link 1", make=lambda ring, audience: CameraLinks(ring, audience=audience),
    name="medicine", older=("camera+jwt", "q"), life_s=3_600,
)  # fmt: skip
OTHER = {TICKET: CAMERA, CAMERA: TICKET}

both_kinds = pytest.mark.parametrize("kind", [TICKET, CAMERA], ids=["ticket", "camera"])


@cache
def of_ours(kind: Kind) -> TicketLinks | CameraLinks:
    """Deriving the keys anew for each example would take most of the time."""
    return kind.links()


def unpacked(link: str) -> bytes:
    return base64.urlsafe_b64decode(link + "=" * (-len(link) % 4))


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def modules(text: str) -> int:
    """Of the symbol's side, at level M as slips and screens have it."""
    return int(segno.make_qr(text, error="m").symbol_size(border=0)[0])


@both_kinds
def test_a_link_made_by_hand_is_read_so_that_each_refusal_below_has_one_reason(kind: Kind) -> None:
    assert kind.read(kind.by_hand(kind.claims())) == (HIP, kind.name)


@both_kinds
@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=40), st.integers(min_value=1, max_value=3_600))
@example("H" * 250, "t" * 64, 600)
def test_every_link_round_trips(kind: Kind, hip: str, name: str, life_s: int) -> None:
    assert kind.read(kind.mint(hip, name, ends_in_s=life_s)) == (hip, name)


@given(st.integers(min_value=1, max_value=3_600))
def test_a_camera_link_says_when_it_ends(life_s: int) -> None:
    link = CAMERA.mint(HIP, "medicine", ends_in_s=life_s)
    assert CameraLinks(RING, audience=PLACE).read(link, now_s=NOW).expires_s == NOW + life_s


@both_kinds
def test_the_same_link_is_made_again_of_the_same_facts(kind: Kind) -> None:
    assert kind.a_link() == kind.a_link(), "every process shows one picture in one slot"


@both_kinds
def test_an_ordinary_link_has_under_130_characters_that_need_no_escape(kind: Kind) -> None:
    link = kind.a_link()
    assert len(link) < 130
    assert set(link) <= set(LETTERS)


@pytest.mark.parametrize(("kind", "path"), [(TICKET, "t"), (CAMERA, "go")], ids=["ticket", "camera"])
def test_its_code_has_49_modules_where_that_of_a_jwt_had_73(kind: Kind, path: str) -> None:
    assert modules(f"{PLACE}/{path}/{kind.a_link()}") == 49
    assert modules(f"{PLACE}/{path}/{kind.of_an_earlier_release()}") == 73


@both_kinds
def test_anybody_checks_a_link_with_the_published_keys_alone(kind: Kind) -> None:
    key_set = jwt.PyJWKSet.from_dict(json.loads(RING.jwks()))
    link = unpacked(kind.a_link())
    claimed, signature = link[:-64], link[-64:]
    named = [key for key in key_set.keys if base64.b32decode(str(key.key_id).upper())[:2] == claimed[1:3]]
    assert len(named) == 1
    assert isinstance(named[0].key, Ed25519PublicKey)
    named[0].key.verify(signature, kind.purpose + b"\0" + PLACE.encode() + b"\0" + claimed)
    length = claimed[7]
    assert (claimed[8 : 8 + length].decode(), claimed[8 + length :].decode()) == (kind.name, HIP)
    assert int.from_bytes(claimed[3:7], "big") == NOW + 600


@both_kinds
def test_what_an_earlier_release_made_is_still_read_until_its_time_has_passed(kind: Kind) -> None:
    older = kind.of_an_earlier_release()
    assert kind.read(older, now_s=NOW + 629) == (HIP, kind.name)
    with pytest.raises(LinkExpired):
        kind.read(older, now_s=NOW + 630)


@both_kinds
def test_one_kind_of_link_is_refused_where_the_other_is_read(kind: Kind) -> None:
    with pytest.raises(LinkOfAnotherKind):
        kind.read(OTHER[kind].a_link())
    with pytest.raises(LinkOfAnotherKind):
        kind.read(OTHER[kind].of_an_earlier_release())
    with pytest.raises(LinkForged):  # its first byte changed to ours: the signature names the purpose too
        kind.read(packed(bytes([kind.number]) + unpacked(OTHER[kind].a_link())[1:]))
    with pytest.raises(LinkForged):
        kind.read(kind.by_hand(kind.claims(), purpose=OTHER[kind].purpose))
    with pytest.raises(LinkForged):
        kind.read(kind.by_hand(kind.claims(), purpose=kind.purpose[:-1] + b"2"))


@both_kinds
def test_every_changed_byte_is_refused(kind: Kind) -> None:
    link = unpacked(kind.a_link())
    for at in range(len(link)):
        for flipped in (0x01, 0x80, 0xFF):
            with pytest.raises(LinkError):
                kind.read(packed(link[:at] + bytes([link[at] ^ flipped]) + link[at + 1 :]))


@both_kinds
@given(st.integers(min_value=0, max_value=200), st.sampled_from(LETTERS))
def test_one_changed_character_is_refused(kind: Kind, at: int, letter: str) -> None:
    link = kind.a_link()
    at %= len(link)
    changed = link[:at] + letter + link[at + 1 :]
    if changed != link:
        with pytest.raises(LinkError):
            kind.read(changed)


@both_kinds
@given(st.text(max_size=400))
def test_no_text_breaks_the_reader(kind: Kind, text: str) -> None:
    with pytest.raises(LinkError):
        kind.read(text)


@both_kinds
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(kind: Kind, data: bytes) -> None:
    with pytest.raises(LinkError):
        kind.read(packed(data))


@both_kinds
def test_every_shorter_piece_and_every_other_spelling_is_refused(kind: Kind) -> None:
    link = kind.a_link()
    others = [link[:cut] for cut in range(len(link))]
    others += [link + tail for tail in ("=", "A", "AAAA", " ", "\n", "%3D")]
    others += [" " + link, link.upper(), link.swapcase(), link.replace("-", "+").replace("_", "/") + "/", link * 9]
    others += [link[:-1] + letter for letter in LETTERS]
    for other in dict.fromkeys(others):
        if other != link:
            with pytest.raises(LinkError):
                kind.read(other)


@both_kinds
def test_a_link_for_another_service_is_refused(kind: Kind) -> None:
    with pytest.raises(LinkForged):
        kind.links(audience="https://other.example.in").read(kind.a_link(), now_s=NOW)


@both_kinds
def test_a_key_of_another_installation_is_unknown_and_one_under_our_key_id_forges(kind: Kind) -> None:
    other = Ed25519PrivateKey.generate()
    with pytest.raises(LinkForged):
        kind.read(kind.by_hand(kind.claims(), key=other))
    ours = {base64.b32decode(one.kid.upper())[:2] for one in RING.believed}
    foreign = next(kid for kid in (bytes(2), b"\1\0", b"\2\0", b"\3\0") if kid not in ours)
    with pytest.raises(LinkKeyUnknown):
        kind.read(kind.by_hand(kind.claims(kid=foreign), key=other))


@both_kinds
def test_a_link_of_a_revoked_key_is_refused_and_one_of_a_rotated_key_is_read(kind: Kind) -> None:
    link, rotated = kind.a_link(), RING.rotate(NOW)
    for one in (link, kind.of_an_earlier_release()):
        assert kind.links(rotated).read(one, now_s=NOW).hip_id == HIP
        with pytest.raises(LinkKeyUnknown):
            kind.links(rotated.revoke(RING.signing.kid, NOW)).read(one, now_s=NOW)


@both_kinds
def test_a_link_expires_30_seconds_after_its_expiry_and_has_a_longest_life(kind: Kind) -> None:
    assert kind.read(kind.a_link(), now_s=NOW + 629) == (HIP, kind.name)
    with pytest.raises(LinkExpired):
        kind.read(kind.a_link(), now_s=NOW + 630)
    assert kind.read(kind.by_hand(kind.claims(expires_s=NOW + kind.life_s + 30))) == (HIP, kind.name)
    with pytest.raises(LinkTooEarly):
        kind.read(kind.by_hand(kind.claims(expires_s=NOW + kind.life_s + 31)))


@both_kinds
@pytest.mark.parametrize(
    "wrong",
    [
        {"number": 0}, {"number": 3}, {"hip": b""}, {"name": b""}, {"hip": b"H" * 251}, {"name": b"t" * 65},
        {"hip": b"\xff"}, {"name": b"\xff\xfe"}, {"length": 255}, {"length": 0},
    ],
)  # fmt: skip
def test_signed_claims_of_another_shape_are_refused(kind: Kind, wrong: dict[str, object]) -> None:
    with pytest.raises(NotALink):
        kind.read(kind.by_hand(kind.claims(**wrong)))  # type: ignore[arg-type]  # one wrong value at a time


@both_kinds
@pytest.mark.parametrize(
    ("hip", "name"),
    [("", "n"), (HIP, ""), (HIP, "t" * 65), ("H" * 251, "n"), ("\ud800", "n"), (HIP, "\ud800"), ("😀" * 250, "n"),
     (HIP, "😀" * 64)],
)  # fmt: skip
def test_what_cannot_be_a_link_is_not_made(kind: Kind, hip: str, name: str) -> None:
    with pytest.raises(LinkImpossible):
        kind.mint(hip, name)


@both_kinds
@pytest.mark.parametrize("ends_in_s", [0, -1, -NOW, 1 << 31])
def test_a_link_over_at_once_or_with_too_long_a_life_is_not_made(kind: Kind, ends_in_s: int) -> None:
    assert kind.mint(HIP, kind.name, ends_in_s=kind.life_s)
    for wrong in (ends_in_s, kind.life_s + 1):
        with pytest.raises(LinkImpossible):
            kind.mint(HIP, kind.name, ends_in_s=wrong)


@both_kinds
def test_links_without_an_audience_cannot_be_set_up(kind: Kind) -> None:
    with pytest.raises(ValueError, match="audience"):
        kind.links(audience="")
