"""Where a store lives: the address of one node, read from a URL, and paths that a socket can reach.

Schemes: ``redis://`` and ``rediss://`` (TLS), ``unix://``, ``redis+cluster://`` and ``rediss+cluster://``. Parameters
after ``?``: ``db``; with TLS also ``ssl_ca_certs``, ``ssl_certfile``, ``ssl_keyfile``; with a cluster also
``promise``.
"""

import os
import ssl
import sys
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from queueing.errors import StoreAddressWrong

Promise = Literal["disk", "replica", "none"]
"""What ``durable`` waits for: a write on the node's own disk, a write on a second node, or nothing that can be relied
on.
"""
DEFAULT_PORT = 6379
SOCKET_PATH_LIMIT = 100 if sys.platform == "darwin" else 107
"""Bytes of a Unix socket's path that the kernel takes (``sun_path`` less its final zero)."""
SCHEMES = ("redis", "rediss", "unix", "redis+cluster", "rediss+cluster")
TLS_PARAMETERS = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}


class Tls(Struct, frozen=True, kw_only=True):
    """Files of a TLS connection. Empty: the system's certificate authorities, and no client certificate."""

    ca_certs: str = ""
    certfile: str = ""
    keyfile: str = ""

    def context(self) -> ssl.SSLContext:
        """Certificates and host names are always checked; TLS 1.2 or newer."""
        context = ssl.create_default_context(cafile=self.ca_certs or None)
        if self.certfile:
            context.load_cert_chain(self.certfile, self.keyfile or None)
        return context


class Address(Struct, frozen=True, kw_only=True):
    """One node: a Unix socket when ``path`` is set, else host and port."""

    host: str = ""
    port: int = DEFAULT_PORT
    path: str = ""
    username: str = ""
    password: str = ""
    db: int = 0
    tls: Tls | None = None

    @property
    def where(self) -> str:
        """The node's address for people and logs, without the password."""
        return f"unix:{self.path}" if self.path else f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"Address({self.where})"

    def at(self, host: str, port: int) -> "Address":
        """The address of another node of the same cluster, with the same credentials."""
        return replace(self, host=host, port=port)


class StoreUrl(Struct, frozen=True, kw_only=True):
    """The parts of a store's URL."""

    kind: Literal["single", "cluster"]
    seeds: tuple[Address, ...]
    """One address, or the first nodes of a cluster that are asked for its slot map."""
    promise: Literal["disk", "replica"] = "replica"
    """Clusters only: what a caller waits for. ``disk`` is for clusters without replicas."""


def parse_store_url(url: str) -> StoreUrl:
    """Raises StoreAddressWrong. Its message names what is allowed and repeats no secret."""
    scheme = url.partition("://")[0]
    if scheme not in SCHEMES or "://" not in url:
        shown = scheme if "://" in url and scheme.isascii() and scheme.isalpha() and len(scheme) <= 20 else "?"
        allowed = ", ".join(f"{name}://" for name in SCHEMES)
        raise StoreAddressWrong(f"store address has scheme {shown!r}; allowed are {allowed}")
    try:
        return _read(urlsplit(url))
    except ValueError as wrong:
        raise StoreAddressWrong(f"{scheme}:// address cannot be read: {_harmless(wrong)}") from None


def _harmless(wrong: ValueError) -> str:
    """Our own messages are shown. A message of the standard library may repeat part of the address, even a password."""
    return (
        str(wrong)
        if isinstance(wrong, _SaidError)
        else "write scheme://user:password@host:port, with special characters as %41"
    )


class _SaidError(ValueError):
    """A message of ours about an address, safe to show."""


def _read(parts: SplitResult) -> StoreUrl:
    parameters = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    cluster = parts.scheme.endswith("+cluster")
    files = {name.removeprefix("ssl_"): parameters[name] for name in TLS_PARAMETERS & parameters.keys()}
    tls = Tls(**files) if parts.scheme.startswith("rediss") else None
    allowed = ({"promise"} if cluster else {"db"}) | (TLS_PARAMETERS if tls else set())
    if unknown := parameters.keys() - allowed:
        raise _SaidError(f"parameter {min(unknown)!r} is not one of {', '.join(sorted(allowed))}")
    username, password, places = _credentials(parts.netloc)
    base = Address(username=username, password=password, tls=tls, db=_db(parts, parameters))
    if parts.scheme == "unix":
        if not parts.path.startswith("/"):
            raise _SaidError("unix:// needs an absolute path: unix:///folder/valkey.sock")
        return StoreUrl(kind="single", seeds=(replace(base, path=unquote(parts.path)),))
    seeds = tuple(base.at(*_place(place)) for place in places.split(","))
    if not cluster and len(seeds) > 1:
        raise _SaidError("several hosts need redis+cluster://")
    if not cluster:
        return StoreUrl(kind="single", seeds=seeds)
    match parameters.get("promise", "replica"):
        case "disk" | "replica" as promise:
            return StoreUrl(kind="cluster", seeds=seeds, promise=promise)
    raise _SaidError("promise is disk or replica")


def _credentials(netloc: str) -> tuple[str, str, str]:
    """User, password, and the text after ``@``."""
    who, _, places = netloc.rpartition("@")
    username, _, password = who.partition(":")
    return unquote(username), unquote(password), places


def _db(parts: SplitResult, parameters: dict[str, str]) -> int:
    """The database number, from ``?db=`` or from the path (not for Unix sockets). A cluster has only database 0."""
    number = parameters.get("db", "" if parts.scheme == "unix" else parts.path.strip("/")) or "0"
    if not number.isdecimal() or len(number) > 4 or ("cluster" in parts.scheme and int(number)):
        raise _SaidError("the database is a small number, and always 0 in a cluster")
    return int(number)


def _place(place: str) -> tuple[str, int]:
    """``host``, ``host:port``, ``[v6]:port``."""
    bare = urlsplit(f"//{place}")
    if not bare.hostname:
        raise _SaidError("a host is missing")
    return bare.hostname, bare.port or DEFAULT_PORT


class ReachablePath:
    """A Unix socket's path, made short enough for the kernel's limit of 108 bytes.

    A long path is reached through a descriptor of its folder (``/proc/self/fd/7/valkey.sock``), which stays open until
    ``close``. So ``text`` is valid in this process only. Without ``/proc`` a long path is refused with a message.
    """

    def __init__(self, path: str | Path) -> None:
        self.text = str(path)
        self._folder: int | None = None
        if len(os.fsencode(self.text)) <= SOCKET_PATH_LIMIT:
            return
        folder, name = os.path.split(self.text)
        if not os.path.isdir("/proc/self/fd"):
            raise StoreAddressWrong(f"socket path is longer than {SOCKET_PATH_LIMIT} bytes: {self.text}")
        try:
            self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as failure:
            raise StoreAddressWrong(f"cannot open folder of the socket {self.text}: {failure.strerror}") from None
        self.text = f"/proc/self/fd/{self._folder}/{name}"

    def close(self) -> None:
        """Safe to call twice."""
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None
