"""Hands the services of a worker to raw endpoints and guards, which get no injected dependencies.

A room states what it needs as a protocol and annotates the result with it. ``kiosk.app.hand_over`` takes only services
that fit the protocols of all rooms, so a renamed part fails in the type checker.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from litestar import Litestar

Lifespan = Callable[[Litestar], AbstractAsyncContextManager[None]]
"""What runs beside an application from its start to its end."""
_NAME: Final = "services"


def put_services(app: Litestar, services: object) -> None:
    """Called once, when the worker starts."""
    app.state[_NAME] = services


def services_of(app: Litestar) -> Any:
    """The services of this worker. Raises KeyError before it has started."""
    return app.state[_NAME]
