"""Our own styles, scripts, fonts and pictures, held in memory and named by what they hold.

``/static/<mark>/<path>`` with today's mark may be kept for a year, because the mark is a digest of all files and
changes with any of them; scripts and styles name each other relatively and so stay within it. Without a mark, or with
an old one, the same file is served with its ETag and asked for again each time. No path of a request ever reaches the
file system.
"""

import gzip
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

from litestar import Request, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Response
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from kiosk.web.path_prefix import url
from kiosk.web.security_headers import SECURITY

FOLDER: Final = Path(__file__).parents[1] / "static"
KINDS: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".txt": "text/plain",
    ".wav": "audio/wav",
    ".json": "application/json",
}
"""What is served at all; a file of another kind that lands in the folder is not."""
_PACKED: Final = frozenset({".css", ".js", ".svg", ".txt", ".json"})


class _File(Struct, frozen=True):
    kind: str
    plain: bytes
    packed: bytes
    """By gzip; empty where that saves nothing."""
    tag: str


class _Shelf(Struct, frozen=True):
    mark: str
    files: dict[str, _File]


@lru_cache(maxsize=1)
def _shelf() -> _Shelf:
    found = sorted(path for path in FOLDER.rglob("*") if path.suffix in KINDS and path.is_file())
    files = {path.relative_to(FOLDER).as_posix(): _read(path) for path in found}
    marks = "".join(f"{name}\0{file.tag}\0" for name, file in files.items())
    return _Shelf(blake2b(marks.encode(), digest_size=6).hexdigest(), files)


def _read(path: Path) -> _File:
    plain = path.read_bytes()
    packed = gzip.compress(plain, mtime=0) if path.suffix in _PACKED else b""
    return _File(KINDS[path.suffix], plain, packed, f'"{blake2b(plain, digest_size=8).hexdigest()}"')


def static_url(path: str) -> str:
    """The address of a file, good for a year's keeping. A file we do not have is our own mistake: KeyError."""
    shelf = _shelf()
    if path not in shelf.files:
        raise KeyError(path)
    return url(f"/static/{shelf.mark}/{path}")


def static_text(path: str) -> str:
    """The text of a file."""
    return _shelf().files[path].plain.decode()


def static_mark() -> str:
    """The mark of all files together, as it stands in their addresses."""
    return _shelf().mark


@get("/static/{path:path}", include_in_schema=False, opt={"exclude_from_auth": True}, sync_to_thread=False)
def static_file(path: FromPath[str], request: Request[object, object, State]) -> Response[bytes]:
    """One file, whole or as 304."""
    shelf = _shelf()
    mark, _, rest = path.lstrip("/").partition("/")
    name = rest if rest in shelf.files else f"{mark}/{rest}" if rest else mark
    file = shelf.files.get(name)
    if file is None:
        raise NotFoundException
    fresh = "public, max-age=31536000, immutable" if mark == shelf.mark else "no-cache"
    headers = {**SECURITY, "Cache-Control": fresh, "ETag": file.tag, "Vary": "Accept-Encoding"}
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=file.kind)
    if file.packed and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, headers=headers, media_type=file.kind)
    return Response(file.plain, headers=headers, media_type=file.kind)


def routes() -> list[ControllerRouterHandler]:
    """One route for all files, the console's included."""
    return [static_file]
