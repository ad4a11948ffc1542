"""The targets of hostile input: gateway endpoints, forms without an app, scanned texts, paths and headers."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from loadtests.fuzz.mutations import in_bytes, odd_text, spoiled

SHARES: Final = (
    "/api/v3/hip/patient/share", "/patient-share/v3/share", "/v3/hip/patient/profile/share", "/v3/hip/patient/share",
)  # fmt: skip
LEGACY: Final = ("/v1.0/patients/profile/share", "/v0.5/patients/profile/share")
STATUS: Final = "/api/v3/hip/patient/running-token/status"
METHODS: Final = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "QUERY", "X")


class BenchSetup(Struct, frozen=True, kw_only=True):
    """What a hostile caller knows about a hospital."""

    authority: str
    hips: list[str]
    token: str
    """A callback token that the kiosk accepts: a signed message may be hostile too."""
    form_path: str
    """The path ``/go/…`` from a screen's QR code."""
    cookie: str
    """The cookie of a signed-in clerk."""
    csrf: str


class Shot(Struct, frozen=True):
    """One request in bytes."""

    target: str
    raw: bytes


def share(setup: BenchSetup, draw: Random) -> Shot:
    """A profile share with something wrong in it."""
    hip = draw.choice(setup.hips)
    body = in_bytes(spoiled(_profile_share(hip, draw), draw), draw)
    return Shot("share", _request(setup, "POST", draw.choice(SHARES), body, _gateway_headers(setup, hip, draw)))


def honest_share(setup: BenchSetup, draw: Random) -> Shot:
    """A correct share."""
    hip, (path, *_) = setup.hips[0], SHARES
    headers = _gateway_headers(setup, hip, draw, odd=False)
    return Shot("share", _request(setup, "POST", path, msgspec.json.encode(_profile_share(hip, draw)), headers))


def legacy(setup: BenchSetup, draw: Random) -> Shot:
    """A share in the form of an older protocol version."""
    hip = draw.choice(setup.hips)
    value = {"requestId": str(uuid.UUID(int=draw.getrandbits(128))), "timestamp": _now(),
             "profile": {"hipCode": "M1", "patient": _patient(draw)}, "intent": {"type": "PROFILE_SHARE"}}  # fmt: skip
    body = in_bytes(spoiled(value, draw), draw)
    return Shot("legacy", _request(setup, "POST", draw.choice(LEGACY), body, _gateway_headers(setup, hip, draw)))


def status(setup: BenchSetup, draw: Random) -> Shot:
    """A question for the running token."""
    hip = draw.choice(setup.hips)
    body = in_bytes(spoiled({"metaData": {"hipId": hip, "context": "M1"}}, draw), draw)
    return Shot("status", _request(setup, "POST", STATUS, body, _gateway_headers(setup, hip, draw)))


def form(setup: BenchSetup, draw: Random) -> Shot:
    """The form for a phone without an ABHA app."""
    fields = {"name": "Asha Devi", "age": "33", "gender": "F", "phone": "9000000001", "consent": "yes"}
    wrong = {name: text if draw.random() < 0.6 else odd_text(draw) for name, text in fields.items()}
    body = urlencode(wrong, errors="replace").encode()
    if draw.random() < 0.2:
        body = body[: draw.randrange(len(body) + 1)] + draw.randbytes(draw.randrange(60))
    path = setup.form_path if draw.random() < 0.7 else f"/go/{quote(odd_text(draw), safe='')[:400]}"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return Shot("form", _request(setup, "POST", path, body, kind))


def scanned_text(setup: BenchSetup, draw: Random) -> Shot:
    """A text that a scanner at the desk may read."""
    card = {"hidn": "91-0000-4444-1111", "phr": "asha@sbx", "name": "Asha", "gender": "F", "dob": "1/1/1990"}
    text = in_bytes(spoiled(card, draw), draw).decode("utf-8", "replace")
    body = in_bytes({"text": text if draw.random() < 0.8 else odd_text(draw)}, draw)
    headers = {"Content-Type": "application/json", "Cookie": setup.cookie, "X-CSRF-Token": setup.csrf,
               "Origin": f"http://{setup.authority}", "Sec-Fetch-Site": "same-origin"}  # fmt: skip
    return Shot("scanned", _request(setup, "POST", "/console/walk-in/read", body, headers))


def address(setup: BenchSetup, draw: Random) -> Shot:
    """Any method, any path, any headers."""
    known = ("board", "kiosk", "t", "go", "live", "console", "static", "tls", "readyz", "schema", ".well-known")
    parts = [draw.choice(known), *(quote(odd_text(draw), safe="")[:200] for _ in range(draw.randrange(4)))]
    headers = {"Accept": odd_header(draw), "Accept-Language": odd_header(draw), "Cookie": odd_header(draw)}
    body = draw.randbytes(draw.choice((0, 0, 10, 2_000)))
    return Shot("address", _request(setup, draw.choice(METHODS), "/" + "/".join(parts), body, headers))


def odd_header(draw: Random) -> str:
    """Printable ASCII only: the web server rejects other bytes before our program sees them."""
    return "".join(chr(draw.randrange(0x20, 0x7F)) for _ in range(draw.choice((0, 3, 40, 400)))).strip()


TARGETS: Final[tuple[tuple[int, Callable[[BenchSetup, Random], Shot]], ...]] = (
    (50, share), (10, legacy), (10, status), (10, form), (10, scanned_text), (10, address),
)  # fmt: skip
"""How often each target is chosen, in percent."""


def _gateway_headers(setup: BenchSetup, hip: str, draw: Random, *, odd: bool = True) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {setup.token}", "X-HIP-ID": hip, "TIMESTAMP": _now(),
               "REQUEST-ID": str(uuid.UUID(int=draw.getrandbits(128))), "Content-Type": "application/json"}  # fmt: skip
    if odd and draw.random() < 0.15:
        headers[draw.choice(list(headers))] = odd_header(draw)
    return headers


def _request(setup: BenchSetup, method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {setup.authority}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {text}" for name, text in headers.items()]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


def _profile_share(hip: str, draw: Random) -> dict[str, Any]:
    return {
        "intent": "PROFILE_SHARE",
        "metaData": {"hipId": hip, "context": "M1", "hprId": "a@hpr", "latitude": "34.08", "longitude": "74.79"},
        "profile": {"patient": _patient(draw)},
    }


def _patient(draw: Random) -> dict[str, Any]:
    return {
        "abhaNumber": f"91-{draw.randrange(10_000):04}-{draw.randrange(10_000):04}-{draw.randrange(10_000):04}",
        "abhaAddress": f"p{draw.getrandbits(40)}@sbx", "name": "Asha Devi", "gender": "F", "dayOfBirth": "1",
        "monthOfBirth": "1", "yearOfBirth": str(draw.randrange(1930, 2026)), "phoneNumber": "9000000001",
        "address": {"line": "Lal Chowk", "district": "Srinagar", "state": "J&K", "pincode": "190001"},
    }  # fmt: skip


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
