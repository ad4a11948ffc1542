"""Renders the pages of hall and patients: autoescaped, strict about names, in one of our languages, never kept."""

from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response
from litestar.datastructures import State

from kiosk.locales import BOOK, LANGUAGES, Messages, choose
from kiosk.web.page_mark import page_mark
from kiosk.web.path_prefix import url
from kiosk.web.security_headers import FORM, PAGE
from kiosk.web.static_files import static_url
from queueing.errors import QueueingError

_HERE: Final = Path(__file__).parents[1]


def templates_in(*folders: Path, **known: object) -> Environment:
    """The templates of some folders. Each knows ``known``, and what every page of ours needs; a name that nobody gave
    is an error.
    """
    templates = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(pages=page_mark, static=static_url, url=url, **known)
    templates.filters["part"] = lambda text: quote(str(text), safe="")
    return templates


_pages: Final = templates_in(
    *(_HERE / room / "templates" for room in (".", "displays", "phone")),
    release=version("abdm-kiosk"),
    languages=[BOOK[code] for code in LANGUAGES],
)
_pages.filters["json"] = lambda value: msgspec.json.encode(value).decode()


AGAIN_S: Final = 10
"""A television that was switched on before the store finds the hall by itself; ten thousand of them do not harm it."""


def messages_for(request: Request[Any, Any, Any], language: str = "") -> Messages:
    """The messages of a page: in the language that its address names, else in the browser's."""
    return choose(language, request.headers.get("accept-language", ""))


def sorry(messages: Messages, status: int, what: str, do: str, **values: object) -> Response[str]:
    """What was asked for is not there: what it is, and what to do now. Both are keys of messages."""
    return page(
        "sorry.html", messages, status=status, what=messages.say(what, **values), do=messages.say(do), again_s=0
    )


def away(request: Request[object, object, State], _: QueueingError) -> Response[str]:
    """The store does not answer: a page that tries again by itself, in place of an error."""
    messages = messages_for(request, request.query_params.get("lang", "").partition(",")[0])
    what, do = messages.say("common.away"), messages.say("common.away_do")
    answer = page("sorry.html", messages, status=503, what=what, do=do, again_s=AGAIN_S)
    answer.headers["Retry-After"] = str(AGAIN_S)
    return answer


def page(
    template: str, messages: Messages, *, status: int = 200, form: bool = False, **values: object
) -> Response[str]:
    """One whole page; ``messages`` is known to the template by that name, and its ``say`` as ``say``."""
    text = _pages.get_template(template).render(messages=messages, say=messages.say, **values)
    headers = {**(FORM if form else PAGE), "Content-Language": messages.code}
    return Response(text, media_type=MediaType.HTML, status_code=status, headers=headers)
