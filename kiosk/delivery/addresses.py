"""Where deliveries may go: addresses of targets are read strictly, resolved, and checked before each new connection.

A hospital's administrator types the address, and this machine connects to it from inside the network. So only public
addresses are allowed; ``KIOSK_PRIVATE_TARGETS`` adds private networks and this machine. Link-local addresses (the
clouds' metadata services are there), multicast and reserved ones are never allowed. Outside private networks a
connection must be encrypted. The caller connects to the checked address, so a name that resolves differently a moment
later leads nowhere else.
"""

import asyncio
import ipaddress
import re
import socket
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

URL_MAX: Final = 500
"""Characters. Addresses of webhooks carry a token of some hundred at most."""
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
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label that a resolver or URL parser may take for a part of an IPv4 address."""


class AddressWrong(ValueError):
    """The address cannot be one of a target. The message is one line for an administrator."""


class AddressRefused(Exception):
    """The name does not resolve, or resolves to where deliveries must not go. The message is one line."""


class Place(Struct, frozen=True, kw_only=True):
    """A parsed address of a target."""

    host: str
    """Lower case, or an IP address without brackets."""
    port: int
    encrypted: bool


def parse_url(text: str) -> Place:
    """Read a webhook's URL. Raises AddressWrong."""
    if len(text) > URL_MAX or not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise AddressWrong(f"the URL must be ASCII without spaces and have at most {URL_MAX} characters")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AddressWrong("the URL cannot be read") from None
    if parts.scheme not in ("https", "http"):
        raise AddressWrong("the URL must begin with https:// (http:// in a private network)")
    if parts.username is not None or parts.password is not None:
        raise AddressWrong("the URL must hold no login and no password")
    if parts.fragment:
        raise AddressWrong("the URL must hold no #")
    encrypted = parts.scheme == "https"
    return _place(host, port if port is not None else 443 if encrypted else 80, encrypted)


def parse_host_port(text: str, *, tls: bool) -> Place:
    """Read ``host:port`` of an HL7 receiver. Raises AddressWrong."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdecimal() or len(port) > 5:
        raise AddressWrong("the address must be host:port, such as hl7.hospital.example:2575")
    return _place(host.removeprefix("[").removesuffix("]").lower(), int(port), tls)


def _place(host: str, port: int, encrypted: bool) -> Place:
    if not 0 < port < 65_536:
        raise AddressWrong("the port must be a number from 1 to 65535")
    if literal(host) is None:
        labels = host.split(".")  # no dot at the end: a pinned name must be spelt as the URL has it
        if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)) or _NUMBER.fullmatch(labels[-1]):
            raise AddressWrong("the host is neither a name nor an IP address in its usual form")
    return Place(host=host, port=port, encrypted=encrypted)


def literal(host: str) -> Address | None:
    """The IP address that a host is; None for a name."""
    try:
        return None if "%" in host else ipaddress.ip_address(host)
    except ValueError:
        return None


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
