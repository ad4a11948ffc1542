"""Lets an id with a slash stand in one segment of an address: ``/board/IN%2F01``.

A server decodes the path before the router sees it, and then ``%2F`` cannot be told from a slash between segments. So
an encoded slash becomes a private character before routing, and a slash again in what handlers read. HIP ids may hold
slashes: the gateway's own pattern allows them.
"""

from typing import Any, Final
from urllib.parse import unquote_to_bytes

from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

STAND_IN: Final = "\ue02f"
"""From Unicode's private use area: no name holds it, and it cannot mean anything else."""
_ENCODED: Final = STAND_IN.encode()


def hide(scope: HTTPScope) -> None:
    """Before routing: put the stand-in where the address has ``%2F``."""
    raw: bytes = scope.get("raw_path") or b""
    if b"%2f" not in raw.lower():
        return
    raw = raw.partition(b"?")[0]
    try:
        if unquote_to_bytes(raw).decode() == scope["path"]:
            scope["path"] = unquote_to_bytes(raw.replace(b"%2F", _ENCODED).replace(b"%2f", _ENCODED)).decode()
    except UnicodeDecodeError:
        return


def restore(app: ASGIApp) -> ASGIApp:
    """Middleware, after routing: handlers read a slash again."""

    async def restored(scope: Scope, receive: Receive, send: Send) -> None:
        parameters: dict[str, Any] = scope.get("path_params", {})
        if STAND_IN in scope["path"] or STAND_IN in "".join(map(str, parameters.values())):
            scope["path"] = scope["path"].replace(STAND_IN, "/")
            # A new dictionary: the router keeps the old one for the next request of this path.
            scope["path_params"] = {
                name: value.replace(STAND_IN, "/") if isinstance(value, str) else value
                for name, value in parameters.items()
            }
        await app(scope, receive, send)

    return restored
