"""Which names this service answers to: a page of another site must not reach it under a name of its own.

A browser inside the hospital can be led to our address under any name (DNS rebinding), and then treats our pages as
pages of that name. So a request whose ``Host`` is a foreign name is answered 421, and one without a readable ``Host``
is answered 400. An address in figures cannot be rebound and is always taken. The gateway's endpoints are not asked:
their callers carry a signed token, and scans pay for no check they do not need.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from litestar.exceptions import HTTPException
from litestar.types import HTTPScope

LOCAL_NAMES: Final = frozenset({"localhost"})
HOST_MAX: Final = 255 + 6
"""Characters of the longest name of DNS, a colon and a port."""
HTTP_1_0: Final = frozenset({"1", "1.0"})
"""How servers spell the version."""


class WrongHost(HTTPException):
    """The request is for a name that is not ours."""

    status_code = 421


class NoHost(HTTPException):
    """HTTP/1.1 demands exactly one ``Host`` (RFC 9112, section 3.2)."""

    status_code = 400


class Hosts:
    """The names we answer to."""

    def __init__(self, public_url: str, more: Iterable[str] = ()) -> None:
        self._names = LOCAL_NAMES | {name for name in (urlsplit(public_url).hostname, *more) if name}

    def check(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Raise WrongHost or NoHost for a request that is not for us."""
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or not (name := host_name(hosts[0])):
            raise NoHost
        if name not in self._names and not _is_address(name):
            raise WrongHost


def is_before_hosts(scope: HTTPScope) -> bool:
    """Whether this is a request of HTTP/1.0 without ``Host``, as balancers and monitors send it. Browsers always name
    one. The server writes an empty ``Host`` in its place, which is taken away: the framework would refuse it.
    """
    headers = scope["headers"]
    if scope.get("http_version") not in HTTP_1_0 or any(value for name, value in headers if name == b"host"):
        return False
    scope["headers"] = [header for header in headers if header[0] != b"host"]
    return True


def host_name(header: bytes) -> str:
    """The name or address of a ``Host`` header, in lower case, without port, brackets and a closing dot."""
    if len(header) > HOST_MAX or not header.isascii():
        return ""
    try:
        name = urlsplit(f"//{header.decode()}").hostname or ""
    except ValueError:
        return ""
    return name.rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
