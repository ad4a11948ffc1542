"""A path prefix: the service stands at ``https://host/opd`` and not at the root of its host.

The prefix is the path of ``KIOSK_PUBLIC_URL``. A proxy may pass requests on with the prefix or without it: both reach
the same route. Every address that an answer carries comes from ``url`` and begins with the prefix.
"""

from contextvars import ContextVar
from typing import Final
from urllib.parse import urlsplit

from litestar.types import HTTPScope

_prefix: Final[ContextVar[str]] = ContextVar("path_prefix", default="")
"""Of the application that answers the request at hand. Templates and redirects are written without its settings."""


def prefix_of(public_url: str) -> str:
    """The path of the public address, without a slash at its end; empty at the root of a host."""
    return urlsplit(public_url).path.rstrip("/")


def url(path: str) -> str:
    """The address of one of our own pages, files or endpoints, as a browser must ask for it."""
    return _prefix.get() + path


def enter(scope: HTTPScope, prefix: str) -> None:
    """Begin a request: remember the prefix, and take it off the request's path where it stands there."""
    _prefix.set(prefix)
    if not prefix:
        return
    if (path := _without(scope["path"], prefix)) is not None:
        scope["path"] = path or "/"
        raw = scope.get("raw_path") or b""
        scope["raw_path"] = raw[len(prefix) :] if raw.startswith(prefix.encode()) else b""


def _without(path: str, prefix: str) -> str | None:
    """The path behind the prefix; None when it does not begin with it."""
    return path[len(prefix) :] if path.startswith(f"{prefix}/") or path == prefix else None
