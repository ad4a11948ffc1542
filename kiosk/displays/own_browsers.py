"""Which browsers stand in the hospital. Only they get fresh codes, so a fresh code means: in the hall.

They are the paired screens of the facility, browsers in the facility's own networks, and signed-in staff of the
facility. Every other browser gets what a printed poster shows.
"""

from typing import Any
from urllib.parse import quote, urlencode

from litestar import Request, Response
from litestar.datastructures import Cookie, State

from kiosk.accounts.service import Staff
from kiosk.settings import Settings
from kiosk.web.client_address import address_to_count, client_address, is_in, networks_of
from kiosk.web.cookies import SCREEN, SESSION, VALUE_MAX, cookie_name, is_secure, new_cookie
from kiosk.web.path_prefix import url
from queueing.models import Facility
from queueing.screens import Screen, ScreenId, ScreenKind, Screens, screen_id

COOKIE_S = 400 * 86_400
"""As long as browsers keep a cookie at most. Each page of a paired screen renews it."""
ScreenRequest = Request[Any, Any, State]


class OwnBrowsers:
    """Decides for one worker; it remembers nothing, so a removed screen is a stranger at once."""

    def __init__(self, screens: Screens, staff: Staff, settings: Settings) -> None:
        self._screens = screens
        self._staff = staff
        self._secure = is_secure(settings.public_url)
        self._trusted = networks_of(settings.trusted_proxies)

    def secret_of(self, request: ScreenRequest) -> str:
        """What this browser sends as its secret; empty when it has none."""
        return request.cookies.get(cookie_name(SCREEN, secure=self._secure), "")[:VALUE_MAX]

    def id_of(self, request: ScreenRequest) -> ScreenId | None:
        """The id of this browser's secret."""
        secret = self.secret_of(request)
        return screen_id(secret) if secret else None

    def cookie(self, secret: str) -> Cookie:
        """Lets the browser keep its secret. ``lax``: a television opens its page from a bookmark or a home screen."""
        return new_cookie(SCREEN, secret, secure=self._secure, max_age=COOKIE_S, same_site="lax")

    def renewed(self, answer: Response[str], request: ScreenRequest) -> Response[str]:
        """The page with the screen's cookie, so that the browser keeps it for another year."""
        answer.set_cookie(self.cookie(self.secret_of(request)))
        return answer

    def address_of(self, request: ScreenRequest) -> str:
        """The client's address, as limits count it."""
        return address_to_count(request.scope, self._trusted)

    async def screen_of(self, request: ScreenRequest, hip: str) -> Screen | None:
        """The paired screen of this facility that asks."""
        screen = self.id_of(request)
        return await self._screens.one(hip, screen) if screen else None

    async def is_own(self, request: ScreenRequest, facility: Facility) -> bool:
        """Whether this browser stands in this hospital."""
        if await self.screen_of(request, facility.hip_id):
            return True
        networks = networks_of(facility.networks)
        if networks and is_in(client_address(request.scope, self._trusted), networks):
            return True
        reference = request.cookies.get(cookie_name(SESSION, secure=self._secure), "")[:VALUE_MAX]
        session = await self._staff.session(reference, used=False) if reference else None
        return session is not None and session.facility == facility.hip_id and session.is_complete


def screen_address(hip: str, screen: Screen) -> str:
    """The page that this screen shows."""
    wishes = {"queues": ",".join(screen.queues), "lang": ",".join(screen.languages)}
    wishes["look"] = "" if screen.look == "day" else screen.look
    query = urlencode({name: wish for name, wish in wishes.items() if wish}, safe=",")
    place = quote(hip, safe="")
    if screen.kind is ScreenKind.COUNTER:
        path = url(f"/kiosk/{place}/{quote(screen.counter, safe='')}")
    else:
        path = url(f"/board/{place}")
    return f"{path}?{query}" if query else path
