"""Where deliveries may go: names of targets are resolved, and addresses checked before each new connection.

A hospital's administrator types the address, and this machine connects to it from inside the network. So only public
addresses are allowed; ``KIOSK_PRIVATE_TARGETS`` adds private networks and this machine. Link-local addresses (the
clouds' metadata services are there), multicast and reserved ones are never allowed. Outside private networks a
connection must be encrypted. The caller connects to the checked address, so a name that resolves differently a moment
later leads nowhere else.
"""

import asyncio
import ipaddress
import socket
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from kiosk.exchange.target_setup import Address, Place, literal

RESOLVE_S: Final = 5.0
"""Half of a try. A resolver that takes longer is broken."""
KNOWN_FOR_S: Final = 30.0
"""A resolved name is asked for again after this; so is one that did not resolve."""
NAMES_KNOWN: Final = 5_000
"""As many as there are targets."""
THREADS: Final = 16
"""The system resolves in threads. Names that hang hold a few; the others go on."""
METADATA: Final = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192"))
)
"""Metadata services of clouds: some stand in private networks."""
_PRIVATE: Final = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "::1/128", "fc00::/7"),
    )
)
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(Exception):
    """The name does not resolve, or resolves to where deliveries must not go. The message is one line."""


def refusal(address: Address, *, private_allowed: bool, encrypted: bool) -> str:
    """Why nothing may be sent there; empty when it may."""
    inner = _inner(address)
    if inner in METADATA or inner.is_link_local or inner.is_multicast or inner.is_unspecified:
        return "link-local, metadata, multicast and unspecified addresses are never allowed"
    if any(inner in network for network in _PRIVATE if network.version == inner.version):
        return "" if private_allowed else "private and loopback addresses need KIOSK_PRIVATE_TARGETS=true"
    if not inner.is_global or inner.is_reserved:
        return "reserved addresses are never allowed"
    return "" if encrypted else "outside private networks the connection must be encrypted (https, --tls)"


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one carries: mapped, 6to4, Teredo, NAT64; else the address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        return carried or address
    return address


class Resolver:
    """Resolves names and checks every address that comes back."""

    def __init__(self, *, private_allowed: bool) -> None:
        self._private_allowed = private_allowed
        self._known: OrderedDict[tuple[str, bool], tuple[float, str, str]] = OrderedDict()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="resolve")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def address_of(self, place: Place) -> str:
        """The checked address to connect to. Raises AddressRefused."""
        key = (place.host, place.encrypted)
        known = self._known.get(key)
        if known is None or time.monotonic() - known[0] > KNOWN_FOR_S:
            address, reason = await self._checked(place)
            known = (time.monotonic(), address, reason)
            self._known[key] = known
            while len(self._known) > NAMES_KNOWN:
                self._known.popitem(last=False)
        if known[2]:
            raise AddressRefused(known[2])
        return known[1]

    async def _checked(self, place: Place) -> tuple[str, str]:
        try:
            found = await self._all(place)
        except (OSError, TimeoutError, UnicodeError):
            return "", "the name does not resolve"
        for address in found:
            if why := refusal(address, private_allowed=self._private_allowed, encrypted=place.encrypted):
                return "", why
        return (str(found[0]), "") if found else ("", "the name does not resolve")

    async def _all(self, place: Place) -> list[Address]:
        address = literal(place.host)
        if address is not None:
            return [address]
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(RESOLVE_S):
            rows = await loop.run_in_executor(self._threads, _look_up, place.host, place.port)
        return [ipaddress.ip_address(str(row).partition("%")[0]) for row in rows]


def _look_up(host: str, port: int) -> list[str]:
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))
