"""The private parts of Litestar that we change. Only this file and one test name them.

``pyproject.toml`` pins the minor version that they were tested with.
"""

from litestar import Litestar
from litestar.routes import HTTPRoute


def resolve_in_turn(app: Litestar) -> None:
    """Handlers get their dependencies one after another.

    Litestar would start a task for each, so that those which wait do so together. Ours never wait, and a page with
    five services spent a third of its time on ten tasks.
    """
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for _, parameters in route.route_handler_map.values():
                parameters.dependency_batches = [{one} for batch in parameters.dependency_batches for one in batch]
