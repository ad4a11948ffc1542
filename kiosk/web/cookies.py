"""Our cookies: names and attributes, written once for staff and for screens."""

from typing import Final

from litestar.datastructures import Cookie

from kiosk.web.path_prefix import url

SESSION: Final = "kiosk"
"""Of a signed-in member of staff."""
DEVICE: Final = "kiosk-desk"
"""Marks a browser that signed in before."""
SCREEN: Final = "kiosk-screen"
"""The secret of a screen, or of a browser that waits to be paired."""
VALUE_MAX: Final = 128
"""Characters of a value that are read; ours have 43."""


def is_secure(public_url: str) -> bool:
    """Whether browsers open us over https; only then do they keep a cookie that is ``Secure``."""
    return public_url.startswith("https://")


def cookie_name(name: str, *, secure: bool) -> str:
    """``__Host-`` needs Secure, which a browser keeps only over https: a plain loopback address goes without. It also
    needs the path ``/``: under a path prefix ``__Secure-`` stands in its place.
    """
    prefix = "" if not secure else "__Host-" if url("/") == "/" else "__Secure-"
    return prefix + name


def new_cookie(name: str, value: str, *, secure: bool, max_age: int, same_site: str = "strict") -> Cookie:
    """A cookie of this service alone, which no script reads. ``max_age`` 0 removes it."""
    return Cookie(
        key=cookie_name(name, secure=secure), value=value, max_age=max_age, path=url("/").rstrip("/") or "/",
        httponly=True, secure=secure, samesite="lax" if same_site == "lax" else "strict",
    )  # fmt: skip
