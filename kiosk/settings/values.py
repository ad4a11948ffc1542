"""How a setting's text becomes a value: each reader raises ValueError for what is not allowed, and repeats nothing."""

import ipaddress
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from queueing.errors import StoreAddressWrong
from queueing.store.address import parse_store_url


def whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return read


def number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text) if len(text) <= 20 else math.nan
        if not low <= value <= high:
            raise ValueError
        return value

    return read


def matching(pattern: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return read


def several(read_one: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        parts = tuple(part.strip() for part in text.split(",") if part.strip())
        if not 1 <= len(parts) <= 16:
            raise ValueError
        return tuple(read_one(part) for part in parts)

    return read


def one_of(*choices: str) -> Callable[[str], str]:
    return matching("|".join(choices))


def host(text: str) -> str:
    """An address or a name to listen on."""
    if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", text):
        return text
    return str(ipaddress.ip_address(text.strip("[]")))


def host_names(text: str) -> tuple[str, ...]:
    """Names separated by commas, in lower case; none for an empty text."""
    return tuple(name.lower() for name in several(host)(text)) if text.strip() else ()


KNOWN_PUSH_SERVICES = (
    "fcm.googleapis.com", "updates.push.services.mozilla.com", "web.push.apple.com", "notify.windows.com",
)  # fmt: skip


def push_services(text: str) -> tuple[str, ...]:
    """Hosts of push services; none for an empty text."""
    return KNOWN_PUSH_SERVICES if text.strip().lower() == "known" else host_names(text)


def networks(text: str) -> tuple[str, ...]:
    """Networks separated by commas (an address alone is a network of one); none for an empty text."""
    if not text.strip():
        return ()
    return several(lambda part: str(ipaddress.ip_network(part, strict=False)))(text)


def yes_or_no(text: str) -> bool:
    return one_of("yes", "no", "true", "false", "1", "0")(text.lower()) in {"yes", "true", "1"}


def is_loopback(host: str) -> bool:
    """Whether traffic to ``host`` stays on this machine; names other than ``localhost`` are not asked about."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


OWN_ADDRESSES = frozenset(
    {
        ".well-known", "api", "board", "console", "find", "go", "healthz", "kiosk", "live", "metrics", "patient-share",
        "readyz", "schema", "screen", "static", "t", "tls", "v0.5", "v1.0", "v3",
    }
)  # fmt: skip
"""First parts of our own addresses. A path prefix that began with one could not be told from the address itself."""
_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,63}){1,4}")
"""Four parts of characters that no proxy encodes or resolves."""


def public_address(text: str) -> str:
    """``https://host[:port]``, with a path where the service shares its host; a slash at the end is forgiven."""
    parts = urlsplit(text)
    path = parts.path.rstrip("/")
    clean = not parts.query and not parts.fragment and "@" not in parts.netloc
    if len(text) > 300 or parts.scheme not in {"http", "https"} or not parts.hostname or not clean:
        raise ValueError
    if path and (not _PREFIX.fullmatch(path) or path.split("/")[1] in OWN_ADDRESSES):
        raise ValueError
    # Reading the port checks that it is one.
    if parts.port == 0:
        raise ValueError
    return f"{parts.scheme}://{parts.netloc}{path}"


def outbound(text: str) -> str:
    """Where secrets and patients are sent: https, or http that does not leave this machine. A path may follow."""
    parts = urlsplit(text)
    if len(text) > 300 or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc or parts.port == 0:
        raise ValueError
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError
    return text.rstrip("/")


def store(text: str) -> str:
    try:
        parse_store_url(text)
    except StoreAddressWrong as wrong:
        raise ValueError(str(wrong)) from None
    return text


def archive(text: str) -> str:
    """Address of the archive's database: an SQLite file, or PostgreSQL."""
    if len(text) > 1000 or not re.fullmatch(r"sqlite:///[^\s?#]+|postgresql://\S+", text):
        raise ValueError
    return text


def vouched(text: str) -> frozenset[str]:
    """What the operator stands for where the store does not say."""
    return frozenset(several(one_of("durable", "noeviction"))(text)) if text.strip() else frozenset()


def is_readable_on_the_way(store_url: str) -> bool:
    """Whether what is sent to this store crosses a network unencrypted."""
    return any(not (seed.path or seed.tls or is_loopback(seed.host)) for seed in parse_store_url(store_url).seeds)


def timezone(text: str) -> str:
    if len(text) > 64 or not re.fullmatch(r"[A-Za-z0-9_+/-]+", text):
        raise ValueError
    try:
        return ZoneInfo(text).key
    except (KeyError, OSError):
        raise ValueError from None


def contact(text: str) -> str:
    """An address of mail, web or telephone, as security.txt writes it (RFC 9116, section 2.5.3)."""
    one_line = r"mailto:[\x21-\x7e]+@[\x21-\x7e]+|https://[\x21-\x7e]+|tel:\+[0-9-]{5,20}"
    if len(text) > 250 or not re.fullmatch(one_line, text):
        raise ValueError
    return text


def file(text: str) -> Path:
    """A file that can be read now."""
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # a user (`~somebody`) that there is not
        raise ValueError from None
    if "\0" in text or not path.is_file() or not os.access(path, os.R_OK):
        raise ValueError
    return path.resolve()


def folder(text: str) -> Path:
    try:
        path = Path(text).expanduser().resolve()
    except RuntimeError:  # a user (`~somebody`) or a loop of links that leads nowhere
        raise ValueError from None
    if "\0" in text or path == Path("/") or (path.exists() and not path.is_dir()):
        raise ValueError
    return path
