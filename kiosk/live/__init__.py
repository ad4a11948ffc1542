"""Live snapshots for screens. A screen gets the newest state, not every state in between."""

from litestar.types import ControllerRouterHandler

from kiosk.live.sse import live


def routes() -> list[ControllerRouterHandler]:
    """The stream's endpoint. It finds the hub among the services of the worker."""
    return [live]
