"""``/screen``: the page that a new television opens. It shows six letters until an administrator has typed them.

Nobody signs in on a television. The letters are bound to a secret in its browser; once they are typed on the page of
the facility's screens, that secret makes the browser a screen of the facility. A paired screen reports itself here, and
hears what it is to show.
"""

import asyncio
import base64
from typing import Annotated, Final

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import PermissionDeniedException
from litestar.params import QueryParameter
from litestar.response import Redirect
from msgspec import Struct
from msgspec.json import Decoder

from kiosk.displays.own_browsers import OwnBrowsers, screen_address
from kiosk.locales import BOOK, LANGUAGES, ROTATION, books, several
from kiosk.settings import Settings
from kiosk.voice.clips import Clips
from kiosk.web.limits import SCREEN_REPORT_MAX
from kiosk.web.link_urls import as_shown
from kiosk.web.page_bodies import read_json
from kiosk.web.same_origin import is_own_page
from kiosk.web.security_headers import PAGE
from kiosk.web.templating import AGAIN_S, messages_for, page
from queueing.screens import ScreenId, Screens, new_secret, screen_id
from tokens import qr

SILENT_MAX_S: Final = 10_000_000
"""Four months: a screen that says it was silent for longer says nothing."""


FORM: Final = "/console/admin/screens"
"""Where an administrator types the letters; the QR leads an administrator's phone there."""


class ScreenReport(Struct, frozen=True):
    """What a screen says of itself."""

    release: str = ""
    sound: str = ""
    """``on`` or ``off``."""
    silent_s: int | None = None
    """Seconds since it last sounded; none: not since its page was loaded."""


class ScreenState(Struct, frozen=True):
    """What a browser is to show."""

    paired: bool
    address: str = ""
    volume: int = 100
    voices: str = ""
    """The languages of a board that the kiosk can speak now, joined by commas."""


_read_report: Final = Decoder(ScreenReport)


@get("/screen", include_in_schema=False)
async def new_screen(
    request: Request[object, object, State],
    screens: NamedDependency[Screens],
    own_browsers: NamedDependency[OwnBrowsers],
    settings: NamedDependency[Settings],
    lang: Annotated[str, QueryParameter(max_length=300)] = "",
) -> Response[str] | Redirect:
    """The page of a paired screen, or a code to pair this browser."""
    secret = own_browsers.secret_of(request)
    if secret and (address := await _page_of(screens, secret)):
        return Redirect(address, status_code=303, headers=PAGE, cookies=[own_browsers.cookie(secret)])
    # A secret is used for one pairing only: somebody may have copied the one of a removed screen.
    if not secret or not await screens.shown_code(screen_id(secret)):
        secret = new_secret()
    shown = await screens.show_code(screen_id(secret), address=own_browsers.address_of(request))
    if not shown.code:
        messages = messages_for(request, lang)
        what, do = messages.say("pairing.busy"), messages.say("pairing.busy_do")
        answer = page("sorry.html", messages, status=429, what=what, do=do, again_s=max(AGAIN_S, shown.left_s))
        answer.headers["Retry-After"] = str(shown.left_s)
        return answer
    codes = several(lang)
    answer = page(
        "pairing.html",
        BOOK[codes[0]],
        codes=codes,
        code=shown.code,
        left_s=shown.left_s,
        address=as_shown(settings.public_url + FORM),
        picture=await asyncio.to_thread(_picture, f"{settings.public_url}{FORM}?code={shown.code}"),
        book=books(LANGUAGES, "common", "pairing"),
    )
    answer.set_cookie(own_browsers.cookie(secret))
    return answer


@post("/screen/state", include_in_schema=False, status_code=200)
async def screen_state(
    request: Request[object, object, State],
    screens: NamedDependency[Screens],
    own_browsers: NamedDependency[OwnBrowsers],
    settings: NamedDependency[Settings],
    clips: NamedDependency[Clips],
) -> Response[ScreenState]:
    """Asked every few seconds by an unpaired browser, twice a minute by a paired screen, which reports itself."""
    if not is_own_page(request, settings.public_url):
        raise PermissionDeniedException
    report = await read_json(request, _read_report, SCREEN_REPORT_MAX)
    state = ScreenState(paired=False)
    if screen := own_browsers.id_of(request):
        state = await _reported(screens, screen, report, clips)
    return Response(state, headers=PAGE)


async def _page_of(screens: Screens, secret: str) -> str:
    """The address of the page that the screen with this secret shows; empty when it is not paired."""
    screen = screen_id(secret)
    hip = await screens.facility_of(screen)
    row = await screens.one(hip, screen) if hip else None
    return screen_address(hip, row) if row else ""


async def _reported(screens: Screens, screen: ScreenId, report: ScreenReport, clips: Clips) -> ScreenState:
    silent_s = report.silent_s if report.silent_s is not None and 0 <= report.silent_s <= SILENT_MAX_S else None
    sound = report.sound if report.sound in ("on", "off") else ""
    hip = await screens.facility_of(screen)
    if not hip:
        return ScreenState(paired=False)
    row = await screens.report(hip, screen, release=report.release, sound=sound, silent_s=silent_s)
    if row is None:
        return ScreenState(paired=False)
    voices = await asyncio.to_thread(clips.languages, hip, row.languages or ROTATION)
    return ScreenState(paired=True, address=screen_address(hip, row), volume=row.volume, voices=",".join(voices))


def _picture(text: str) -> str:
    """A QR as an address that stands in the page itself: a browser without a session could ask for none."""
    return f"data:image/svg+xml;base64,{base64.b64encode(qr.svg(text)).decode()}"
