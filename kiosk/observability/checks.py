"""One thing that was looked at, as ``kiosk doctor`` prints it and an administrators' page shows it."""

from collections.abc import Awaitable, Callable
from typing import Literal

from msgspec import Struct

Verdict = Literal["ok", "warning", "wrong"]


class Check(Struct, frozen=True):
    """``todo`` says what to do, where something is to be done."""

    what: str
    verdict: Verdict
    words: str
    todo: str = ""


Report = Callable[[], Awaitable[list[Check]]]
