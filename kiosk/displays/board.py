"""The wall board. The page shows the snapshot it was served with, then follows the stream of ``kiosk.live``."""

import time
from typing import Annotated

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from kiosk.locales import BOOK, books, choose, several
from kiosk.settings import Settings
from kiosk.web.templating import page, sorry
from queueing.desk import OpdDesk
from queueing.registry import Registry

LOOKS = ("day", "night", "contrast")
_QUERY = QueryParameter(max_length=300)
"""A board's address is typed by hand: a longer value is a mistake."""


@get("/board/{hip_id:str}", include_in_schema=False)
async def board(
    hip_id: FromPath[str],
    request: Request[object, object, State],
    desk: NamedDependency[OpdDesk],
    registry: NamedDependency[Registry],
    settings: NamedDependency[Settings],
    queues: Annotated[str, _QUERY] = "",
    lang: Annotated[str, _QUERY] = "",
    digits: Annotated[str, _QUERY] = "",
    look: Annotated[str, _QUERY] = "",
) -> Response[str]:
    """``?queues=M,R`` by prefix or id, ``?lang=ur`` or several that take turns (default: all five), ``?digits=native``,
    ``?look=night`` or ``contrast``.
    """
    snapshot = await desk.snapshot(hip_id)
    facility = await registry.facility(hip_id)
    if snapshot is None or facility is None:
        words = choose(lang, request.headers.get("accept-language", ""))
        return sorry(words, 404, "board.unknown_facility", "common.ask_desk")
    codes = several(lang)
    return page(
        "board.html",
        BOOK[codes[0]],
        facility=facility,
        hip_id=hip_id,
        queues=[name.strip() for name in queues.split(",") if name.strip()],
        codes=codes,
        digits="native" if digits == "native" else "latin",
        look=look if look in LOOKS else "day",
        zone=facility.timezone or settings.timezone,
        now_ms=time.time_ns() // 1_000_000,
        book=books(codes, "common", "board"),
        snapshot=snapshot,
    )
