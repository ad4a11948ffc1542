"""Renders the console's pages: autoescaped, not cached, without inline scripts or styles."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from litestar import MediaType, Response
from litestar.datastructures import Cookie
from litestar.response import Redirect
from markupsafe import Markup, escape

from kiosk.accounts.sessions import Session
from kiosk.console import figures, language, messages
from kiosk.console.rooms import ROOMS
from kiosk.web.path_prefix import url
from kiosk.web.security_headers import PAGE
from kiosk.web.templating import templates_in
from queueing.display_text import marked_text
from queueing.limits import QUEUE_NAME_MAX


def _local_time(unix_ms: int, zone: str) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, ZoneInfo(zone)).strftime("%d-%m %H:%M")


def _shown(text: str, limit: int = QUEUE_NAME_MAX) -> str:
    return marked_text(text, limit)


def fill(sentence: str, **values: object) -> Markup:
    """A sentence with its values, each isolated: a login keeps its order within a line of Urdu."""
    isolated = {name: Markup("<bdi>{}</bdi>").format(value) for name, value in values.items()}
    return escape(sentence).format(**isolated)


_templates = templates_in(
    Path(__file__).parent / "templates", messages=language.Tables(messages), _=language.tr, language=language.current,
    languages=language.languages, rooms=ROOMS, fill=fill,
)  # fmt: skip
_templates.policies["json.dumps_kwargs"] = {"sort_keys": False}  # the page lists lanes in this order
_templates.filters["shown"] = _shown
_templates.filters["local_time"] = _local_time
_templates.filters["figure"] = lambda number: "" if number is None else f"{number:.10g}"
_templates.filters["cell"] = figures.shown


def page(template: str, *, session: Session | None, status: int = 200, **values: object) -> Response[str]:
    """A page of the console."""
    text = _templates.get_template(template).render(session=session, **values)
    return Response(text, media_type=MediaType.HTML, status_code=status, headers=PAGE)


def go(path: str, cookies: list[Cookie] | None = None) -> Redirect:
    """Send the browser to another page of ours, by GET."""
    return Redirect(url(path), status_code=303, headers=PAGE, cookies=cookies)
