"""A receiver of ticket events as an administrator sets it up: its address read strictly, its secret made and sealed."""

import base64
import ipaddress
import re
import secrets
import time
from collections.abc import Iterable
from typing import Final, Protocol, TypeAlias, assert_never
from urllib.parse import urlsplit

from msgspec import Struct

from kiosk.exchange.hl7 import trigger_of
from queueing.event_log import PUBLIC_KINDS
from queueing.targets import Target, TargetFormat, TargetKind, new_id

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

URL_MAX: Final = 500
"""Characters. Addresses of webhooks carry a token of some hundred at most."""
SECRET_BYTES: Final = 32
"""Standard Webhooks asks for 24 to 64."""
PREFIX: Final = "whsec_"
EVENT_TYPES: Final = frozenset(kind.type for kind in PUBLIC_KINDS)
HL7_TYPES: Final = frozenset(kind for kind in EVENT_TYPES if trigger_of(kind))
"""Of these events HL7 has a message."""
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label that a resolver or URL parser may take for a part of an IPv4 address."""


class TargetWrong(ValueError):
    """This cannot be a target. The message is one line for an administrator."""


class Place(Struct, frozen=True, kw_only=True):
    """A parsed address of a target."""

    host: str
    """Lower case, or an IP address without brackets."""
    port: int
    encrypted: bool


class SecretSeal(Protocol):
    """As ``kiosk.security.encryption.LastingSeal``."""

    def close(self, login: str, plain: bytes) -> str: ...


def new_secret() -> str:
    """A new webhook's secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def new_webhook(
    url: str, facility: str, seal: SecretSeal, *, events: Iterable[str] = (), profiles: bool = False,
    format_: TargetFormat = TargetFormat.JSON, by: str, allowed_by: str = "",
) -> tuple[Target, str]:  # fmt: skip
    """A webhook and its secret, which is shown once. Raises TargetWrong.

    ``allowed_by``: the facility's administrator who switches profiles on with this very act; empty: later, or never.
    """
    parse_url(url)
    target_id, secret = new_id(TargetKind.WEBHOOK), new_secret()
    target = Target(
        id=target_id, kind=TargetKind.WEBHOOK, facility=facility, address=url, events=_known(events), format=format_,
        secret=seal.close(target_id, secret.encode()), wants_profiles=profiles,
        profiles_on={facility: allowed_by} if profiles and allowed_by else {}, made_ms=_now_ms(), made_by=by,
    )  # fmt: skip
    return target, secret


def new_hl7(address: str, facility: str, *, tls: bool, by: str, allowed_by: str = "") -> Target:
    """An HL7 receiver: it wants profiles, because a message is about a person. Raises TargetWrong."""
    parse_host_port(address, tls=tls)
    return Target(
        id=new_id(TargetKind.HL7), kind=TargetKind.HL7, facility=facility, address=address, tls=tls,
        wants_profiles=True, profiles_on={facility: allowed_by} if allowed_by else {}, made_ms=_now_ms(), made_by=by,
    )  # fmt: skip


def _known(events: Iterable[str]) -> tuple[str, ...]:
    types = tuple(sorted({word.strip() for word in events} - {""}))
    if unknown := set(types) - EVENT_TYPES:
        known = " ".join(sorted(EVENT_TYPES))
        raise TargetWrong(f"unknown type of event {min(unknown)[:40]!r}; known: {known}")
    return types


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def place_of(target: Target) -> Place:
    """The parsed address of a target. Raises TargetWrong."""
    match target.kind:
        case TargetKind.WEBHOOK:
            return parse_url(target.address)
        case TargetKind.HL7:
            return parse_host_port(target.address, tls=target.tls)
        case _:
            assert_never(target.kind)


def host_of(target: Target) -> str:
    """The host, for the audit; empty when the address cannot be read."""
    try:
        return place_of(target).host
    except TargetWrong:
        return ""


def parse_url(text: str) -> Place:
    """Read a webhook's URL. Raises TargetWrong."""
    if len(text) > URL_MAX or not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise TargetWrong(f"the URL must be ASCII without spaces and have at most {URL_MAX} characters")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise TargetWrong("the URL cannot be read") from None
    if parts.scheme not in ("https", "http"):
        raise TargetWrong("the URL must begin with https:// (http:// in a private network)")
    if parts.username is not None or parts.password is not None:
        raise TargetWrong("the URL must hold no login and no password")
    if parts.fragment:
        raise TargetWrong("the URL must hold no #")
    encrypted = parts.scheme == "https"
    return _place(host, port if port is not None else 443 if encrypted else 80, encrypted)


def parse_host_port(text: str, *, tls: bool, example: str = "hl7.hospital.example:2575") -> Place:
    """Read ``host:port``, of an HL7 receiver or of what ``example`` is. Raises TargetWrong."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdecimal() or len(port) > 5:
        raise TargetWrong(f"the address must be host:port, such as {example}")
    return _place(host.removeprefix("[").removesuffix("]").lower(), int(port), tls)


def _place(host: str, port: int, encrypted: bool) -> Place:
    if not 0 < port < 65_536:
        raise TargetWrong("the port must be a number from 1 to 65535")
    if literal(host) is None:
        labels = host.split(".")  # no dot at the end: a pinned name must be spelt as the URL has it
        if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)) or _NUMBER.fullmatch(labels[-1]):
            raise TargetWrong("the host is neither a name nor an IP address in its usual form")
    return Place(host=host, port=port, encrypted=encrypted)


def literal(host: str) -> Address | None:
    """The IP address that a host is; None for a name."""
    try:
        return None if "%" in host else ipaddress.ip_address(host)
    except ValueError:
        return None
