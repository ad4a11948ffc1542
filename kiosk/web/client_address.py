"""Whose request it is: the address that every limit by address counts.

Behind a proxy every connection comes from the proxy. The proxy names the caller in ``X-Forwarded-For``; a caller could
write the same header, so it is believed only when the connection comes from a proxy that the operator named
(``KIOSK_TRUSTED_PROXIES``).
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

HOPS_MAX: Final = 10
"""Proxies in a row that are looked through; two is usual."""
HEADER_MAX: Final = 1000
"""Characters of the header that are read, from its end: ten IPv6 addresses with ports."""
ADDRESSES_KNOWN: Final = 1024
"""Read addresses of one worker: the counters of some hospitals. Reading one anew takes 5 µs."""
IPV6_OWN: Final = 64
"""Bits of an IPv6 address that name one customer's network; a household has 2^64 addresses inside it."""


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks, from settings that were checked."""
    return tuple(ip_network(text) for text in texts)


def client_address(scope: Mapping[str, Any], trusted: Sequence[Network]) -> Address | None:
    """The address of the caller; None when the server does not know it.

    The header is read from its end: each trusted proxy added the address that it saw. The first address that is no
    trusted proxy is the caller.
    """
    address = _peer(scope)
    if address is None or not trusted or not _is_in(address, trusted):
        return address
    for hop in _hops(scope["headers"]):
        earlier = read_address(hop)
        if earlier is None:
            break
        address = earlier
        if not _is_in(address, trusted):
            break
    return address


def address_to_count(scope: Mapping[str, Any], trusted: Sequence[Network]) -> str:
    """What a limit by address counts: the address, or of IPv6 the customer's network."""
    address = client_address(scope, trusted)
    if address is None:
        return ""
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_OWN), strict=False))
    return str(address)


def is_in(address: Address | None, networks: Iterable[Network]) -> bool:
    """Whether the address is known and lies in one of the networks."""
    return address is not None and _is_in(address, networks)


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _peer(scope: Mapping[str, Any]) -> Address | None:
    client = scope.get("client")
    return read_address(client[0]) if client else None


def _hops(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """Addresses of the header, the newest first."""
    lines = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    parts = ",".join(lines)[-HEADER_MAX:].split(",")
    return [part.strip() for part in reversed(parts)][:HOPS_MAX]


@lru_cache(maxsize=ADDRESSES_KNOWN)
def read_address(text: str) -> Address | None:
    """An address with or without a port; an IPv4 address that came by an IPv6 socket is an IPv4 address."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
