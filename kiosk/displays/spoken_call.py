"""The sound of one call, which a board plays after the chime. It says a number and a counter, as the board shows."""

import asyncio
import re
from typing import Annotated, Final

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, QueryParameter

from kiosk.displays.own_browsers import ScreenRequest
from kiosk.voice.clips import Clips
from kiosk.voice.spoken_texts import SpokenTexts
from kiosk.web.security_headers import SECURITY
from queueing.desk import OpdDesk
from queueing.limits import COUNTER_NAME_MAX, PREFIX_MAX
from queueing.registry import Registry

_texts: Final = SpokenTexts()
TOKEN: Final = rf"\A[A-Z]{{1,{PREFIX_MAX}}}-[0-9]{{1,5}}\Z"
COUNTER: Final = rf"\A[A-Za-z0-9_-]{{1,{COUNTER_NAME_MAX}}}\Z"
CACHED_S: Final = 600
"""A recall comes within minutes. After ten minutes a better recording is heard."""
_RANGE: Final = re.compile(r"bytes=([0-9]{1,9})-([0-9]{0,9})")
"""One range from a beginning: what browsers ask for. Safari plays nothing from a server that ignores it."""


@get("/board/{hip_id:str}/voice/{language:str}", include_in_schema=False)
async def spoken_call(
    hip_id: FromPath[str],
    language: FromPath[str],
    request: ScreenRequest,
    registry: NamedDependency[Registry],
    clips: NamedDependency[Clips],
    token: Annotated[str, QueryParameter(pattern=TOKEN)],
    counter: Annotated[str, QueryParameter(pattern=COUNTER)],
) -> Response[bytes]:
    """WAV; 204 where this language has no clips for the call."""
    if await registry.facility(hip_id) is None:
        raise NotFoundException
    sound = await asyncio.to_thread(clips.call, hip_id, language, token, counter)
    if sound is None:
        return Response(b"", status_code=204, headers={**SECURITY, "Cache-Control": "no-store"})
    headers = {**SECURITY, "Cache-Control": f"public, max-age={CACHED_S}", "Accept-Ranges": "bytes"}
    return _part_of(sound, request.headers.get("range", ""), headers)


@get("/board/{hip_id:str}/announcement/{identifier:str}", include_in_schema=False)
async def spoken_announcement(
    hip_id: FromPath[str], identifier: FromPath[str], request: ScreenRequest, desk: NamedDependency[OpdDesk]
) -> Response[bytes]:
    """WAV of a standing announcement; 204 where no voice of this machine speaks its language."""
    snapshot = await desk.snapshot(hip_id)
    one = next((one for one in snapshot.announcements if one.id == identifier), None) if snapshot else None
    if one is None:
        raise NotFoundException
    sound = await asyncio.to_thread(_texts.sound, one.language, one.text)
    if sound is None:
        return Response(b"", status_code=204, headers={**SECURITY, "Cache-Control": "no-store"})
    headers = {**SECURITY, "Cache-Control": f"public, max-age={CACHED_S}", "Accept-Ranges": "bytes"}
    return _part_of(sound, request.headers.get("range", ""), headers)


def _part_of(sound: bytes, wanted: str, headers: dict[str, str]) -> Response[bytes]:
    """The range that was asked for as 206, else everything (RFC 9110, 14.2)."""
    found = _RANGE.fullmatch(wanted)
    if not found:
        return Response(sound, media_type="audio/wav", headers=headers)
    first, last = int(found[1]), min(int(found[2] or len(sound)), len(sound) - 1)
    if first > last:
        headers["Content-Range"] = f"bytes */{len(sound)}"
        return Response(b"", status_code=416, headers=headers)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(sound)}"
    return Response(sound[first : last + 1], status_code=206, media_type="audio/wav", headers=headers)
