"""Whether one of our own pages made a request that changes something: one rule for every form.

Browsers say it twice: ``Sec-Fetch-Site`` (all of them since 2023) and ``Origin``. An origin is scheme, host and port,
and all three are compared. Our origins are the public address and, for whoever opened the service by another of its
names or addresses, the one in ``Host`` (which ``hosts`` checked). A header that contradicts us is always a refusal.
The strictness decides what silence means.
"""

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""They change nothing (RFC 9110, section 9.2.1)."""
ORIGINS_KNOWN: Final = 256
"""Read texts of one worker: a service has few names, and a stranger's header is as long as the server takes at most."""
_PORTS: Final = {"http": 80, "https": 443}


class Strictness(Enum):
    """What a request that does not say where it comes from may do."""

    COOKIE = "cookie"
    """It carries a session, so it must say that it is ours: anything else is refused."""
    LINK = "link"
    """It carries nothing but a signed link in its address: silence has nothing to misuse and is let in."""


def is_same_origin(headers: Mapping[str, str], scheme: str, public_url: str, strictness: Strictness) -> bool:
    """Whether a request with these headers (names in lower case) comes from a page of ours.

    ``scheme`` is that of the connection; behind a proxy it differs from the page's.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin", "")
    silent_sites = {None} if strictness is Strictness.COOKIE else {None, "none"}
    if site != "same-origin" and site not in silent_sites:
        return False
    if origin in ("", "null"):
        is_silent = strictness is Strictness.LINK and origin == "" and "origin" not in headers
        return site == "same-origin" or is_silent or (strictness is Strictness.LINK and site == "none")
    return _origin(origin) in _our_origins(headers.get("host", ""), scheme, public_url)


def is_own_page(request: ASGIConnection[Any, Any, Any, Any], public_url: str) -> bool:
    """The same for a page of patients or screens, which no login opens."""
    return is_same_origin(request.headers, request.scope["scheme"], public_url, Strictness.LINK)


def _our_origins(host: str, scheme: str, public_url: str) -> set[tuple[str, str, int] | None]:
    public = _origin(public_url)
    origins = {public, _origin(f"{public[0] if public else scheme}://{host}")}
    if _is_direct(host):
        origins.add(_origin(f"{scheme}://{host}"))
    return origins - {None}


@lru_cache(maxsize=ORIGINS_KNOWN)
def _origin(address: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None when the text has no such three."""
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname.rstrip("."), port) if parts.hostname and port else None


@lru_cache(maxsize=ORIGINS_KNOWN)
def _is_direct(host: str) -> bool:
    """An address in figures or this machine: opened without the proxy that encrypts for the public name."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ip_address(name))
    except ValueError:
        return False
