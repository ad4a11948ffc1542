"""A body of another kind, charset or compression than an address takes is answered 415: every address of the console.

The addresses are read from the application itself.
"""

import re
from typing import Any, cast

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from tests.kiosk.console.signed_in import Browser

pytestmark = pytest.mark.anyio

FORM = "application/x-www-form-urlencoded"
JSON_ADDRESSES = re.compile(r"/console/(desk|scan|walk-in|slip|voice)")
WITHOUT_BODY = {"/console/logout", "/console/logout-everywhere", "/console/account/end-others", "/console/code"}
"""They read the page's token alone, which came in a header, or send who is signed in already to the next page."""
OF_THE_STATE = {"/console/facility/copy"}
"""Their guard looks at the caller before anybody looks at the body."""
SAMPLES = {"act": "queue", "move": "next"}
OTHER_ACTS = {"/console/words/queue": "/console/words/correct"}


def posts(app: Litestar) -> list[str]:
    """Every address of the console that takes a body."""
    routes = [route for route in cast(Any, app).routes if isinstance(route, HTTPRoute) and "POST" in route.methods]
    paths = {re.sub(r"\{(\w+):\w+\}", lambda part: SAMPLES.get(part[1], "unknown"), route.path) for route in routes}
    known = {OTHER_ACTS.get(path, path) for path in paths}
    return sorted(path for path in known if path.startswith("/console") and path not in WITHOUT_BODY)


async def send(admin: Browser, path: str, kind: str, body: bytes = b"", *, encoding: str = "") -> tuple[int, str]:
    headers = {
        "x-csrf-token": admin.csrf,
        "accept": "application/json",
        "content-type": kind,
        "content-encoding": encoding,
    }
    answer = await admin.post(path, content=body, headers=headers)
    return answer.status_code, answer.text


@pytest.mark.slow
async def test_other_kinds_and_charsets_are_refused_in_words(app: Litestar, admin: Browser, overseer: Browser) -> None:
    paths = posts(app)
    assert len(paths) > 10
    for path in paths:
        caller = overseer if path in OF_THE_STATE else admin
        mine, other = ("application/json", FORM) if JSON_ADDRESSES.match(path) else (FORM, "application/json")
        wrong = ("", "text/plain", "multipart/form-data; boundary=x", "application/xml", other)
        charsets = ("utf-16", '"UTF-16LE"', "iso-8859-1", "windows-1252")
        for kind in (*wrong, *(f"{mine};charset={charset}" for charset in charsets)):
            status, text = await send(caller, path, kind)
            assert (status, "Content-Type" in text) == (415, True), (path, kind, text)
        assert (await send(caller, path, mine, encoding="gzip"))[0] == 415, path


@pytest.mark.slow
async def test_every_spelling_of_utf8_is_taken(app: Litestar, admin: Browser, overseer: Browser) -> None:
    for path in posts(app):
        caller = overseer if path in OF_THE_STATE else admin
        mine = "application/json" if JSON_ADDRESSES.match(path) else FORM
        for kind in (
            f"{mine}; charset=utf-8", f"{mine};charset=UTF-8", f'{mine} ; Charset="Utf-8"',
            f"{mine.upper()};CHARSET=utf8", f"{mine}; charset=us-ascii", f"{mine}; profile=x; charset=utf-8",
        ):  # fmt: skip
            status, text = await send(caller, path, kind, encoding="identity")
            assert status not in {415, 500}, (path, kind, text)
            assert "console-foreign" not in text, (path, kind)


async def test_a_form_with_files_is_refused_by_its_kind_before_its_token_is_asked_for(admin: Browser) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x", "accept": "application/json"}
    answer = await admin.post("/console/admin/queue", content=b"--x--", headers=headers)
    assert answer.status_code == 415


async def test_json_with_a_byte_order_mark_is_read_and_utf16_is_refused_in_words(admin: Browser) -> None:
    body = '{"counter":"M1"}'
    assert (await send(admin, "/console/desk/next", "application/json", body.encode("utf-8-sig")))[0] == 200
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        status, _ = await send(admin, "/console/desk/next", "application/json", body.encode(encoding))
        assert status == 400, encoding
