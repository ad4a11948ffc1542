"""Renders the pages of hall and patients: autoescaped, strict about names, in one of our languages, never kept."""

from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response

from kiosk.headers import PAGE
from kiosk.static_files import static_url
from kiosk.words import BOOK, LANGUAGES, Words

_HERE: Final = Path(__file__).parent
_pages: Final = Environment(
    loader=FileSystemLoader([_HERE / room / "templates" for room in (".", "displays", "pages")]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_pages.globals.update(static=static_url, languages=[BOOK[code] for code in LANGUAGES])
_pages.filters["part"] = lambda text: quote(str(text), safe="")
_pages.filters["json"] = lambda value: msgspec.json.encode(value).decode()


def page(template: str, words: Words, *, status: int = 200, **values: object) -> Response[str]:
    """One whole page; ``words`` is known to the template by that name, and its ``say`` as ``say``."""
    text = _pages.get_template(template).render(words=words, say=words.say, **values)
    headers = {**PAGE, "Content-Language": words.code}
    return Response(text, media_type=MediaType.HTML, status_code=status, headers=headers)
