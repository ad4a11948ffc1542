"""What browsers load beside a page: ours alone, whole, and kept as long as it is true."""

import re
from pathlib import Path

import httpx
import pytest

from kiosk.web.static_files import FOLDER, KINDS, static_url

pytestmark = pytest.mark.anyio

LIBRARIES_AT_MOST = 400_000
"""Bytes, unpacked: one library draws plots, one reads codes; no page loads both. The desks have old machines and slow
lines.
"""
FONTS_AT_MOST = 1_500_000
"""Bytes; a phone on 2G loads only the faces its page needs."""


def texts(*suffixes: str) -> dict[Path, str]:
    return {path: path.read_text("utf-8") for path in FOLDER.rglob("*") if path.suffix in suffixes}


async def test_a_file_under_its_mark_is_kept_for_a_year(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get(static_url("css/base.css"))
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == (FOLDER / "css/base.css").read_bytes()


@pytest.mark.parametrize("path", ["/static/css/base.css", "/static/000000000000/css/base.css"])
async def test_a_file_without_the_mark_or_with_an_old_one_is_asked_for_again(
    visitor: httpx.AsyncClient, path: str
) -> None:
    first = await visitor.get(path, headers={"accept-encoding": "identity"})
    assert first.headers["cache-control"] == "no-cache"
    assert first.content == (FOLDER / "css/base.css").read_bytes()
    again = await visitor.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/css/..%2f..%2fapp.py",
        "/static//etc/passwd",
        "/static/",
        "/static/css",
        "/static/js/none.js",
        "/static/" + "a/" * 500,
    ],
)
async def test_nothing_else_is_served(visitor: httpx.AsyncClient, path: str) -> None:
    assert (await visitor.get(path)).status_code == 404


def test_a_page_that_names_a_file_we_do_not_have_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        static_url("css/none.css")


def test_styles_and_scripts_name_only_files_that_are_there() -> None:
    for path, text in texts(".css", ".js").items():
        named = re.findall(r"url\(([^)]+)\)", text) if path.suffix == ".css" else re.findall(r'from "(\.[^"]+)"', text)
        for name in (one for one in named if not one.startswith('"data:image/svg+xml,')):
            assert (path.parent / name.strip("\"'")).resolve().is_file(), f"{path.name} names {name}"


def test_nothing_comes_from_elsewhere() -> None:
    for path, whole in texts(".css", ".js", ".svg").items():
        comment = r"/\*.*?\*/" if "vendor" in path.parts else r"/\*!.*?\*/"  # libraries name pages in their comments
        text = re.sub(comment, "", whole, flags=re.DOTALL)
        addresses = re.findall(r"(?:https?:)?//[\w.-]+\.\w+[\w./-]*", re.sub(r"(?m)(^|\s)//.*$", "", text))
        assert [address for address in addresses if address != "http://www.w3.org/2000/svg"] == [], path.name


def test_scripts_put_text_on_pages_and_never_markup() -> None:
    for path, text in texts(".js").items():
        banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(.on"
        assert not re.search(banned, text), path.name


def test_fonts_stay_small_and_carry_their_licence() -> None:
    fonts = list((FOLDER / "fonts").glob("*.woff2"))
    assert 0 < sum(font.stat().st_size for font in fonts) < FONTS_AT_MOST
    for font in fonts:
        licence = font.with_name(font.stem.rpartition("-")[0] + "-LICENSE.txt").read_text("utf-8")
        assert "SIL Open Font License" in licence


def test_a_library_of_others_stays_small_and_carries_its_licence() -> None:
    libraries = list((FOLDER / "vendor").rglob("*.js"))
    assert 0 < sum(library.stat().st_size for library in libraries) < LIBRARIES_AT_MOST
    for library in libraries:
        name = library.name.partition(".")[0] if library.parent.name == "vendor" else library.parent.name
        licence = library.with_name(f"{name}-LICENSE.txt").read_text("utf-8")
        assert "The MIT License (MIT)" in licence


def test_every_kind_of_file_in_the_folder_is_served() -> None:
    assert {path.suffix for path in FOLDER.rglob("*") if path.is_file()} <= KINDS.keys()
