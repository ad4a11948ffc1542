"""A page that a slow phone shows after one round trip: its styles stand in it, and it comes packed.

On slow 3G a round trip takes as long as twenty kilobytes. The content policy names the styles by their digest, so no
other style that stands in a page counts. Packed is only a page in which nothing of what a stranger sends comes back.
"""

import base64
import gzip
import re
from functools import lru_cache
from hashlib import sha256
from typing import Final

from litestar import Response
from markupsafe import Markup
from msgspec import Struct

from kiosk.web.security_headers import CONTENT_POLICY
from kiosk.web.static_files import static_text, static_url

LEVEL: Final = 5
"""Forty kilobytes in half a millisecond; 9 takes twice as long for one part in a hundred."""
_COMMENT: Final = re.compile(r"/\*.*?\*/\s*", re.DOTALL)
_FILE: Final = "css/base.css"


class Styles(Struct, frozen=True):
    """What stands in the page, and the content policy that allows it."""

    text: Markup
    policy: str


def inline_styles(*names: str) -> Styles:
    """These style files as one text."""
    return _styles(names, static_url(_FILE).removesuffix(_FILE))


@lru_cache(maxsize=8)
def _styles(names: tuple[str, ...], root: str) -> Styles:
    """``root`` is where all files are: styles name fonts and icons from their own folder, a page cannot."""
    text = _COMMENT.sub("", "\n".join(map(static_text, names))).replace("url(../", f"url({root}")
    digest = base64.b64encode(sha256(text.encode()).digest()).decode()
    policy = CONTENT_POLICY.replace("style-src 'self'", f"style-src 'self' 'sha256-{digest}'")
    return Styles(Markup(text), policy)  # noqa: S704 - our own files


def packed(answer: Response[str], accept_encoding: str) -> Response[str] | Response[bytes]:
    """The same page by gzip, for a browser that takes it."""
    answer.headers["Vary"] = "Accept-Encoding"
    if "gzip" not in accept_encoding:
        return answer
    body = gzip.compress(answer.content.encode(), LEVEL, mtime=0)
    headers = {**answer.headers, "Content-Encoding": "gzip"}
    return Response(body, status_code=answer.status_code, media_type=answer.media_type, headers=headers)
