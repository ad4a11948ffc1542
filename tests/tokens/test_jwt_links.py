"""Links of earlier releases, which were JWTs: what is accepted, and all that is refused."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tokens import (
    CameraClaim,
    CameraLinks,
    KeyRing,
    LinkError,
    LinkExpired,
    LinkForged,
    LinkKeyUnknown,
    LinkOfAnotherKind,
    LinkOfAnotherPlace,
    LinkTooEarly,
    NotALink,
    TicketClaim,
    TicketLinks,
)

NOW = 1_795_000_000
HIP = "IN0110000123"
PLACE = "https://kiosk.example.in"
RING = KeyRing.generate(NOW - 1_000)
TICKETS = TicketLinks(RING, audience=PLACE)
CAMERAS = CameraLinks(RING, audience=PLACE)
KID = RING.signing.kid
KEY = RING.signing.link_key()
PUBLIC = KEY.public_key().public_bytes_raw()
HEADER: dict[str, Any] = {"alg": "EdDSA", "kid": KID, "typ": "ticket+jwt"}


def read(link: str) -> TicketClaim:
    return TICKETS.read(link, now_s=NOW)


def read_camera(link: str) -> CameraClaim:
    return CAMERAS.read(link, now_s=NOW)


CAMERA_HEADER = {**HEADER, "typ": "camera+jwt"}


def claims_of_a_camera() -> dict[str, Any]:
    return {"iss": "kiosk", "aud": PLACE, "iat": NOW, "exp": NOW + 600, "h": HIP, "q": "opd"}


def claims_of_a_ticket() -> dict[str, Any]:
    return {"iss": "kiosk", "aud": PLACE, "iat": NOW, "exp": NOW + 600, "h": HIP, "t": "20261123-42"}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: object, claims: object, key: Ed25519PrivateKey = KEY) -> str:
    """A link made by hand with a real signature, so that it can only be refused for its content."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    text = ".".join(b64(part) for part in parts)
    return f"{text}.{b64(key.sign(text.encode()))}"


def without(whole: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in whole.items() if key != name}


def test_the_link_made_by_hand_is_accepted_so_that_each_refusal_below_has_one_reason() -> None:
    claim = read(signed(HEADER, claims_of_a_ticket()))
    assert (claim.hip_id, claim.ticket) == (HIP, "20261123-42")
    camera = read_camera(signed(CAMERA_HEADER, claims_of_a_camera()))
    assert (camera.hip_id, camera.queue, camera.expires_s) == (HIP, "opd", NOW + 600)


def test_one_kind_of_link_is_refused_where_the_other_is_read() -> None:
    with pytest.raises(LinkOfAnotherKind):
        read(signed(CAMERA_HEADER, claims_of_a_camera()))
    with pytest.raises(LinkOfAnotherKind):
        read_camera(signed(HEADER, claims_of_a_ticket()))


def test_a_link_for_another_service_is_refused() -> None:
    with pytest.raises(LinkOfAnotherPlace):
        read(signed(HEADER, {**claims_of_a_ticket(), "aud": "https://other.example.in"}))


def test_a_link_expires_at_its_expiry_plus_the_leeway() -> None:
    link = signed(HEADER, claims_of_a_ticket())
    assert TICKETS.read(link, now_s=NOW + 629).ticket == "20261123-42"
    with pytest.raises(LinkExpired):
        TICKETS.read(link, now_s=NOW + 630)


def test_a_link_from_the_future_is_refused() -> None:
    link = signed(HEADER, claims_of_a_ticket())
    assert TICKETS.read(link, now_s=NOW - 30).ticket == "20261123-42"
    with pytest.raises(LinkTooEarly):
        TICKETS.read(link, now_s=NOW - 31)


def test_a_camera_link_lives_an_hour_at_most() -> None:
    assert read_camera(signed(CAMERA_HEADER, {**claims_of_a_camera(), "exp": NOW + 3_600})).queue == "opd"
    with pytest.raises(NotALink):
        read_camera(signed(CAMERA_HEADER, {**claims_of_a_camera(), "exp": NOW + 3_601}))


def test_a_key_of_another_installation_is_unknown() -> None:
    with pytest.raises(LinkKeyUnknown):
        read(signed({**HEADER, "kid": KeyRing.generate(NOW).signing.kid}, claims_of_a_ticket()))


def test_a_link_signed_by_another_key_under_our_key_id_is_forged() -> None:
    with pytest.raises(LinkForged):
        read(signed(HEADER, claims_of_a_ticket(), Ed25519PrivateKey.generate()))


@pytest.mark.parametrize("name", ["iss", "aud", "iat", "exp", "h", "t"])
@pytest.mark.parametrize("value", [None, "absent"])
def test_each_missing_or_empty_claim_is_refused(name: str, value: str | None) -> None:
    claims = without(claims_of_a_ticket(), name) if value == "absent" else {**claims_of_a_ticket(), name: None}
    with pytest.raises(NotALink):
        read(signed(HEADER, claims))


@given(st.integers(min_value=0, max_value=10_000), st.sampled_from("ABYZabyz0189-_.="))
def test_one_changed_character_is_refused(at: int, letter: str) -> None:
    link = signed(HEADER, claims_of_a_ticket())
    at %= len(link)
    changed = link[:at] + letter + link[at + 1 :]
    if changed != link:
        with pytest.raises(LinkError):
            read(changed)


@given(st.text(max_size=2_000))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(NotALink):
        read(text)


def hostile_headers() -> Iterator[object]:
    yield from ({**HEADER, "alg": alg} for alg in ("none", "None", "HS256", "ES256", "RS256", "Ed25519", "eddsa", ""))
    yield from ({**HEADER, "alg": alg} for alg in (None, 1, True, [], ["EdDSA"], {"alg": "EdDSA"}))
    kids: list[object] = ["", "../../key", "' OR 1=1 --", KID.upper(), f"{KID} ", None, 0, True, [KID], {"k": KID}, "é"]
    yield from ({**HEADER, "kid": kid} for kid in kids)
    types: list[object] = ["JWT", "camera+jwt", "at+jwt", "TICKET+JWT", "application/ticket+jwt", "", None, 1, []]
    yield from ({**HEADER, "typ": typ} for typ in types)
    more: dict[str, object] = {
        "crit": ["exp"],
        "b64": False,
        "zip": "DEF",
        "cty": "JWT",
        "enc": "A256GCM",
        "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/cert",
        "x5c": ["MIIB"],
        "x5t": "abc",
        "jwk": {"kty": "OKP", "crv": "Ed25519", "x": b64(PUBLIC)},
        "": "",
    }
    yield from ({**HEADER, name: value} for name, value in more.items())
    yield {**HEADER, "crit": []}
    yield {**HEADER, "crit": ["b64"], "b64": False}
    yield from (without(HEADER, name) for name in HEADER)
    yield from ([], [HEADER], "EdDSA", 1, None, True, b"", b"{", b"\xff\xfe", b"nan", b"[" * 300)
    yield b'{"alg":"EdDSA","kid":"' + KID.encode() + b'","typ":"\\ud800"}'
    yield b'{"alg":"EdDSA","alg":"none","kid":"' + KID.encode() + b'","typ":"ticket+jwt"}'


def hostile_claims() -> Iterator[object]:
    for name in ("iat", "exp"):
        numbers: list[object] = [
            "soon",
            str(NOW + 60),
            True,
            [],
            {},
            -1,
            1 << 40,
            NOW + 60.5,
            float(NOW + 60),
            10**400,
        ]
        yield from ({**claims_of_a_ticket(), name: value} for value in numbers)
        yield json.dumps({**claims_of_a_ticket(), name: 0}).replace(f'"{name}": 0', f'"{name}": NaN').encode()
        yield json.dumps({**claims_of_a_ticket(), name: 0}).replace(f'"{name}": 0', f'"{name}": Infinity').encode()
        yield json.dumps({**claims_of_a_ticket(), name: 0}).replace(f'"{name}": 0', f'"{name}": 1e999').encode()
    audiences: list[object] = [
        [PLACE],
        [PLACE, "x"],
        "",
        PLACE + "/",
        PLACE.upper(),
        [],
        {},
        1,
        True,
        "*",
        f"{PLACE},x",
    ]
    yield from ({**claims_of_a_ticket(), "aud": aud} for aud in audiences)
    issuers: list[object] = ["", "KIOSK", PLACE, ["kiosk"], {}, 1, True]
    yield from ({**claims_of_a_ticket(), "iss": iss} for iss in issuers)
    texts: list[object] = ["", 1, True, [], [HIP], {}, "\ud800", "a\udfffb"]
    yield from ({**claims_of_a_ticket(), name: value} for name in ("h", "t") for value in texts)
    yield {**claims_of_a_ticket(), "h": "H" * 251}
    yield {**claims_of_a_ticket(), "t": "t" * 65}
    yield {**claims_of_a_ticket(), "nbf": NOW + 500}
    yield {**claims_of_a_ticket(), "nbf": NOW - 500}
    yield {**claims_of_a_ticket(), "sub": "someone"}
    yield {**claims_of_a_ticket(), "q": "opd"}
    yield {**claims_of_a_ticket(), "exp": NOW + 10 * 86_400}
    yield {**claims_of_a_ticket(), "exp": NOW - 10, "iat": NOW}
    yield {**claims_of_a_ticket(), "iat": NOW - 3 * 86_400}
    yield {**claims_of_a_ticket(), "iat": NOW + 300}
    yield {**claims_of_a_ticket(), "iat": 0}
    yield json.dumps(claims_of_a_ticket()).encode() + b" " * 700  # correct except for its length
    yield {}
    yield from (
        [],
        [claims_of_a_ticket()],
        "words",
        1,
        None,
        True,
        b"",
        b"{",
        b"\xff",
        b'{"exp": ' + b"9" * 500 + b"}",
        b"[" * 500,
    )


def hostile_links() -> Iterator[str]:
    yield from (signed(header, claims_of_a_ticket()) for header in hostile_headers())
    yield from (signed(HEADER, claims) for claims in hostile_claims())
    good = signed(HEADER, claims_of_a_ticket())
    head, body, signature = good.split(".")
    pem = jwt.algorithms.OKPAlgorithm.to_jwk(KEY.public_key())
    for secret in (PUBLIC, b64(PUBLIC).encode(), pem.encode(), b"", KID.encode()):
        for alg in ("HS256", "EdDSA"):
            text = f"{b64(json.dumps({**HEADER, 'alg': alg}).encode())}.{body}"
            yield f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha256))}"
            yield f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha512))}"
    none = b64(json.dumps({**HEADER, "alg": "none"}).encode())
    yield from (f"{none}.{body}.", f"{none}.{body}", f"{none}.{body}.{signature}", f"{head}.{body}.", f"{head}.{body}")
    for tail in ("=", "==", "\n", " ", "\0", "A", "AAAA", ".", ".x", "%3D", "\u200b"):
        yield good + tail
    for front in (" ", "\n", "Bearer ", ".", "\ufeff"):
        yield front + good
    yield from (f"{head}={'.'}{body}.{signature}", f"{head}.{body}==.{signature}", f"{head}..{body}.{signature}")
    yield from (
        f"{head}.{body}.{head}.{body}.{signature}",
        f"{head}.{body}\n.{signature}",
        f"{head} .{body}.{signature}",
    )
    yield from (good.replace("-", "+").replace("_", "/") + "/", good[:-1], good[1:], good.upper(), good.swapcase())
    yield from (
        "",
        ".",
        "..",
        "a.b.c",
        "....",
        "\ud800",
        "\ud800.\ud800.\ud800",
        "é" * 200,
        "A" * 1_000_000,
        "." * 1_000,
    )
    yield json.dumps({"payload": body, "protected": head, "signature": signature})
    yield f"{head}.{body}.{b64(bytes(64))}"
    yield f"{head}.{body}.{b64(bytes(63))}"
    other = signed(HEADER, {**claims_of_a_ticket(), "t": "20261123-1"}).split(".")
    yield f"{head}.{other[1]}.{signature}"
    yield f"{head}.{body}.{other[2]}"
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(signature[-1])
    twin = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last ^ 1]
    yield f"{head}.{body}.{signature[:-1]}{twin}"
    yield f"{head}.{body}.." + signature
    yield ".".join([b64(b'{"alg":"dir","enc":"A256GCM"}'), "", b64(b"iv"), b64(b"text"), b64(b"tag")])
    for key in (KEY, Ed25519PrivateKey.generate()):
        yield signed({**HEADER, "kid": "aaaaaaaa"}, claims_of_a_ticket(), key)
    yield from (good[:cut] for cut in range(0, len(good), 5))


def hostile() -> list[str]:
    return list(dict.fromkeys(hostile_links()))


def test_the_list_of_hostile_links_is_long() -> None:
    assert len(hostile()) >= 200


@pytest.mark.parametrize("reader", [read, read_camera], ids=["ticket", "camera"])
def test_no_hostile_link_opens_and_each_refusal_has_a_name(reader: Callable[[str], object]) -> None:
    for link in hostile():
        with pytest.raises(LinkError) as refused:
            reader(link)
        assert refused.value.__cause__ is None, link
        assert type(refused.value) is not LinkError
        assert len(link) < 8 or link not in str(refused.value)
