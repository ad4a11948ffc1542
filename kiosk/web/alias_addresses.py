"""Pages answer under every id of a facility: an alias in an address is replaced by the facility's own id."""

from collections.abc import Callable, Mapping
from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send


def follow_aliases(aliases: Callable[[], Mapping[str, str]]) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware, after routing. ``aliases`` returns further ids and the ids they lead to."""

    def middleware(app: ASGIApp) -> ASGIApp:
        async def followed(scope: Scope, receive: Receive, send: Send) -> None:
            if known := aliases():
                _replace(scope, known)
            await app(scope, receive, send)

        return followed

    return middleware


def _replace(scope: Scope, known: Mapping[str, str]) -> None:
    parameters: dict[str, Any] = scope.get("path_params", {})
    if (hip_id := known.get(parameters.get("hip_id", ""))) is not None:
        # A new dictionary: the router keeps the old one for the next request of this path.
        scope["path_params"] = {**parameters, "hip_id": hip_id}
    else:  # a mount gets the rest of the path: the id, and for a poll "/now" behind it
        mounted = scope["path"].strip("/")
        for rest in ("", "/now"):
            if mounted.endswith(rest) and (hip_id := known.get(mounted.removesuffix(rest))) is not None:
                scope["path"] = f"/{hip_id}{rest}"
                return
