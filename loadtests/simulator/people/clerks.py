"""Clerks: they sign in as a browser does, open a counter, and call patients until the day is over."""

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from msgspec import Struct, json
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.cookie import CookieStore
from pyreqwest.request import ConsumedRequest

_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)"')
_AWAY = 503
_TRIES = 30
_AGAIN_S = 1.0
"""The console says that the queue does not answer and to try again in a moment: so does the page, and so do clerks."""
_CHANGE_IT = 'action="/console/password"'


class SignInFailed(Exception):
    """The console did not let this clerk in."""


class Seat(Struct, frozen=True, kw_only=True):
    """A clerk and the counter this clerk sits at."""

    login: str
    password: str
    counter: str


class Habits(Struct, frozen=True, kw_only=True):
    """How a clerk works. Values below 1 are parts of the calls."""

    pace_s: float = 0.2
    """Seconds from one call to the next."""
    idle_s: float = 0.1
    """Seconds before the next look when nobody waits."""
    no_show: float = 0.05
    recall: float = 0.05
    hold: float = 0.02
    bring_back: float = 0.5
    """The part of the patients set aside who come back."""


class Clerk:
    """One signed-in clerk. ``password`` is the present one: a first password is changed at once."""

    def __init__(self, client: Client, login: str, password: str) -> None:
        self.login = login
        self.password = password
        self.outcomes: Counter[str] = Counter()
        """How often each outcome of a move came, by name."""
        self.called: list[str] = []
        """Token numbers in the order in which this clerk called them."""
        self._client = client
        self._csrf = ""

    @staticmethod
    @asynccontextmanager
    async def signed_in(kiosk_url: str, login: str, password: str) -> AsyncIterator["Clerk"]:
        """A signed-in clerk with a separate browser (cookies, same origin)."""
        browser = ClientBuilder().no_proxy().base_url(kiosk_url).default_cookie_store(True)
        headers = {"Origin": kiosk_url.rstrip("/"), "Sec-Fetch-Site": "same-origin"}
        async with browser.default_headers(headers).build() as client:
            clerk = Clerk(client, login, password)
            await clerk._sign_in()
            yield clerk

    @staticmethod
    async def cookie_of(kiosk_url: str, login: str, password: str) -> tuple[str, str, str]:
        """Cookie, CSRF token and password of a new session, for callers that build their own requests."""
        origin = kiosk_url.rstrip("/")
        jar = CookieStore()
        browser = ClientBuilder().no_proxy().base_url(kiosk_url).cookie_provider(jar)
        async with browser.default_headers({"Origin": origin, "Sec-Fetch-Site": "same-origin"}).build() as client:
            clerk = Clerk(client, login, password)
            await clerk._sign_in()
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar.get_all_any())
        return cookies, clerk._csrf, clerk.password

    async def _sign_in(self) -> None:
        page = await self._form("/console/login", {"login": self.login, "password": self.password})
        if _CHANGE_IT in page:
            old, self.password = self.password, f"{secrets.token_urlsafe(18)} desk"
            reply = {"_csrf": _csrf_of(page), "old": old, "new": self.password, "again": self.password}
            page = await self._form("/console/password", reply)
        self._csrf = _csrf_of(page)
        if not self._csrf:
            raise SignInFailed(self.login)

    async def _form(self, path: str, fields: dict[str, str]) -> str:
        """Send a form and follow the redirect."""
        request = self._client.post(path).header("Accept", "text/html").form(fields).build()
        return await (await request.send()).text()

    async def desk(self, counter: str) -> dict[str, Any]:
        """The state of this counter's desk."""
        return await _json(lambda: self._client.get("/console/desk").query({"counter": counter}).build())

    async def move(self, move: str, counter: str, *, ticket: str = "", seen: str | None = None) -> dict[str, Any]:
        """Make one move as the page does. Returns ``{outcome, words, ticket}``. A move whose answer was lost is made
        again: ``seen`` and the ticket's state let it count once.
        """
        body: dict[str, Any] = {"counter": counter, "ticket": ticket}
        if seen is not None:
            body["seen"] = seen
        path, token = f"/console/desk/{move}", self._csrf
        reply = await _json(lambda: self._client.post(path).header("X-CSRF-Token", token).body_json(body).build())
        self.outcomes[f"{move} {reply['outcome']}"] += 1
        return reply

    async def work(self, counter: str, *, seed: int, over: Callable[[], bool], habits: Habits | None = None) -> None:
        """Call one patient after the other, until nobody waits here and ``over()`` is True."""
        habits = habits or Habits()
        draw = Random(f"clerk:{seed}:{counter}")
        here = await self._seated(counter)
        aside: list[str] = []
        while True:
            here = await self._set_aside(counter, here, aside, draw, habits)
            reply = await self.move("next", counter, seen=here)
            if reply["outcome"] == "MOVED":
                here = reply["ticket"]["id"]
                self.called.append(reply["ticket"]["token"])
                await asyncio.sleep(habits.pace_s)
            elif reply["outcome"] == "TAKEN":
                here = await self._seated(counter)
            elif aside:
                await self._bring_back(counter, aside, draw, habits)
            elif over():
                return
            else:
                here = await self._seated(counter)
                await asyncio.sleep(habits.idle_s)

    async def _seated(self, counter: str) -> str:
        """The ticket id of the patient at the counter; empty if there is none."""
        current = (await self.desk(counter))["current"]
        return str(current["id"]) if current else ""

    async def _set_aside(self, counter: str, here: str, aside: list[str], draw: Random, habits: Habits) -> str:
        """Sometimes the called patient does not come, is called again, or steps out. Returns the ticket still here."""
        if not here:
            return here
        chance = draw.random()
        if chance < habits.no_show + habits.hold:
            move = "no-show" if chance < habits.no_show else "hold"
            if (await self.move(move, counter, ticket=here))["outcome"] == "MOVED":
                aside.append(here)
                return ""
        elif chance < habits.no_show + habits.hold + habits.recall:
            await self.move("recall", counter)
        return here

    async def _bring_back(self, counter: str, aside: list[str], draw: Random, habits: Habits) -> None:
        for ticket in aside:
            if draw.random() < habits.bring_back:
                await self.move("bring-back", counter, ticket=ticket)
        aside.clear()


def _csrf_of(page: str) -> str:
    found = _TOKEN.search(page)
    return found.group(1) if found else ""


async def _json(request: Callable[[], ConsumedRequest]) -> dict[str, Any]:
    response = await request().send()
    for _ in range(_TRIES):
        if response.status != _AWAY:
            break
        await asyncio.sleep(_AGAIN_S)
        response = await request().send()
    body = (await response.bytes()).to_bytes()
    if response.status != 200:
        raise RuntimeError(f"the console answered {response.status}: {body[:200].decode(errors='replace')}")
    reply: dict[str, Any] = json.decode(body)
    return reply
