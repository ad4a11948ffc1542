"""Changes for the screens of a hall. Best effort by design: a screen shows the newest state, not every old one."""

from litestar.types import ControllerRouterHandler

from kiosk.live.sse import live


def routes() -> list[ControllerRouterHandler]:
    """The stream's door; it finds the hub at ``app.state.hub``."""
    return [live]
