"""One checked fact. ``kiosk doctor`` prints it; the administrators' page shows it."""

from typing import Literal

from msgspec import Struct

Verdict = Literal["ok", "warning", "wrong"]


class Check(Struct, frozen=True):
    """``words`` says what is so; ``todo`` says what to do about it, or is empty."""

    what: str
    verdict: Verdict
    words: str
    todo: str = ""
