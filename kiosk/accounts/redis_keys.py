"""Where the console keeps its own things in the store. One tag, so that all of it stands in one slot.

Everything from outside becomes a digest before it stands in a key; a session is found by the digest of its reference,
so whoever reads the store cannot ride a session.
"""

import hashlib
from typing import NewType

Digest = NewType("Digest", str)
"""Hex; stands in keys and record fields for something that must not be readable there."""

SLOT = "staff:{staff}"


def digest(text: str) -> Digest:
    return Digest(hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:40])


def login_digest(login: str) -> Digest:
    """The same for every way of writing a login in capitals."""
    return digest("login\0" + login.strip().lower())


def login(of: Digest) -> str:
    """Hash: one member of staff."""
    return f"{SLOT}:login:{of}"


def roll(facility: str) -> str:
    """Set: login digests of a facility's staff."""
    return f"{SLOT}:roll:{digest('facility' + chr(0) + facility)}"


def session(of: Digest) -> str:
    """Hash: one open session; lives until idle or over."""
    return f"{SLOT}:session:{of}"


def tries(kind: str, who: str) -> str:
    """Counter of sign-in tries; lives for one window."""
    return f"{SLOT}:tries:{kind}:{digest(kind + chr(0) + who)}"


def device(reference: str) -> str:
    """String: the login that signed in from this browser before."""
    return f"{SLOT}:device:{digest('device' + chr(0) + reference)}"
