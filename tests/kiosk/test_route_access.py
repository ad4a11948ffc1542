"""Every route, tried by every kind of caller over HTTP. ``route_access`` holds the decisions.

``tests/house/test_route_decisions.py`` finds a route without a decision.
"""

import re
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar

from kiosk.accounts.sessions import EVERY_FACILITY, Session
from kiosk.app import create_app
from kiosk.console import messages
from kiosk.exchange.target_setup import new_webhook
from kiosk.locales.corrections import source_mark
from kiosk.posters import drawing
from kiosk.security import own_ca
from kiosk.services.web import Services
from kiosk.settings import load
from queueing.announcement import Announcement
from queueing.api_keys import Scope
from queueing.audit import UNRECORDED
from queueing.corrections import Correction
from queueing.registry import Hospital
from queueing.screens import Screen, ScreenId, ScreenKind, new_secret, screen_id
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, arrive, build_hospitals, ready_login, services_of
from tests.kiosk.hospital import emptied, serving
from tests.kiosk.route_access import CALLERS, ROUTES, Result, Try
from tests.ports import free_port

pytestmark = pytest.mark.anyio
STAFF = {
    "clerk": (HIP, "clerk", HIP),
    "other_clerk": (OTHER_HIP, "clerk", OTHER_HIP),
    "admin": (HIP, "admin", HIP),
    "other_admin": (OTHER_HIP, "admin", OTHER_HIP),
    "state": (EVERY_FACILITY, "admin", HIP),
    "state_elsewhere": (EVERY_FACILITY, "admin", OTHER_HIP),
    "state_nowhere": (EVERY_FACILITY, "admin", ""),
}
"""Home, role, and the facility worked in."""
WRONG_SECRETS = [messages.SIGN_IN[key] for key in ("wrong", "old", "code", "phone_again")]
"""Said to somebody who may call the route and sent a wrong password or code."""
OF_ANOTHER_FACILITY = ("stranger", "other_clerk", "other_admin", "state_elsewhere", "state_nowhere")


class Running:
    """The application behind the production server; each caller has an address of its own behind a proxy."""

    def __init__(self, app: Litestar, url: str) -> None:
        self.app, self.url = app, url
        self.services: Services = services_of(app)

    async def build(self) -> None:
        await build_hospitals(self.services)
        await self.corrected()
        for caller, (home, role, _) in STAFF.items():
            await ready_login(self.services.staff, caller, home, "admin" if role == "admin" else "clerk")

    async def headers_of(self, caller: str) -> dict[str, str]:
        """What the caller's browser sends: a fresh session for staff."""
        address = "127.0.0.1" if caller == "operator" else f"10.1.2.{10 + CALLERS.index(caller)}"
        headers = {"x-forwarded-for": address, "origin": self.url, "accept": "text/html"}
        if caller == "screen":
            return headers | {"cookie": f"kiosk-screen={(await self.paired())[0]}"}
        if caller not in STAFF:
            return headers
        staff = self.services.staff
        reference, session = await self.session_of(caller, address)
        if session.home == EVERY_FACILITY and STAFF[caller][2]:
            await staff.sessions.choose_facility(session, STAFF[caller][2])
        return headers | {"cookie": f"kiosk={reference}", "x-csrf-token": session.csrf}

    async def paired(self) -> tuple[str, ScreenId]:
        """The one screen of this facility, made anew: its secret and its id."""
        for one in await self.services.screens.of(HIP):
            await self.services.screens.remove(HIP, one.id, act=UNRECORDED)
        secret = new_secret()
        code = await self.services.screens.show_code(screen_id(secret), address=secrets.token_hex(4))
        taken = await self.services.screens.take_code(code.code, HIP, login="admin", address="10.1.2.3")
        await self.services.screens.put(HIP, taken.screen, Screen(name="Hall", kind=ScreenKind.BOARD), act=UNRECORDED)
        return secret, taken.screen

    async def announced(self) -> str:
        """The one announcement of this facility, made anew."""
        snapshot = await self.services.desk.snapshot(HIP)
        for one in snapshot.announcements if snapshot else ():
            await self.services.announcements.end(HIP, one.id, act=UNRECORDED)
        until_ms = time.time_ns() // 1_000_000 + 60_000
        one = Announcement(id=secrets.token_hex(8), text="Doctor delayed", language="ks", until_ms=until_ms)
        await self.services.announcements.announce(HIP, one, act=UNRECORDED)
        return one.id

    async def corrected(self) -> str:
        """The key of a Hindi sentence that this facility corrected; made anew where a try before took it back."""
        mine = Correction(
            language="hi", key="board.closed", forms=("बंद है",), source=source_mark("board.closed"), by="admin", at_ms=1
        )
        facility = await self.services.registry.facility(HIP)
        if facility and mine not in facility.corrections.entries:
            await self.services.corrected_sentences.correct(HIP, mine, act=UNRECORDED)
        return mine.key

    async def target(self) -> str:
        """The one webhook of this facility, made anew. Those that other tries added are removed."""
        for one in await self.services.targets.of(HIP):
            await self.services.targets.remove(one.id)
        target, _ = new_webhook("https://hmis.example/in", HIP, self.services.target_seal, by="admin")
        await self.services.targets.add(target)
        return target.id

    async def session_of(self, login: str, address: str = "10.1.2.3") -> tuple[str, Session]:
        staff = self.services.staff
        member = await staff.member(login)
        assert member is not None
        reference, _ = await staff.sessions.open(login, member.generation, address=address, device="")
        session = await staff.session(reference)
        assert session is not None
        return reference, session

    async def sample(self, caller: str, one: Try) -> dict[str, str]:
        """The things that the sample names, made anew: a try before may have ended them."""
        made = {"hip": HIP}
        names = set(re.findall(r"{(\w+)}", repr((one.path, one.form, one.json))))
        if names & {"ticket", "token", "ticket_link"}:
            place = await arrive(self.services.check_in, f"Zoona Begum {secrets.token_hex(4)}")
            made |= {"ticket": place.ticket, "token": place.token}
        if names & {"login", "foreign_session"}:
            made["login"] = f"target-{secrets.token_hex(4)}"
            await self.services.staff.add(made["login"], facility=HIP, role="clerk")
        now_s = int(time.time())
        if "ticket_link" in names:
            links = self.services.ticket_links
            made["ticket_link"] = links.mint(HIP, made["ticket"], expires_s=now_s + 60, now_s=now_s)
        if "camera_link" in names:
            camera_links = self.services.camera_links
            made["camera_link"] = camera_links.mint(HIP, "medicine", expires_s=now_s + 60, now_s=now_s)
        if "announcement" in names:
            made["announcement"] = await self.announced()
        if "corrected" in names:
            made["corrected"] = await self.corrected()
        if "clip" in names:
            made["clip"] = "n7"
            self.services.clips.save("en", "n7", bytes(200), HIP)
        if "screen" in names:
            made["screen"] = (await self.paired())[1]
        if "target" in names:
            made["target"] = await self.target()
        if "api_key" in names:
            made["api_key"] = (await self.services.api.keys.add("HIS", HIP, [Scope.TICKETS_READ], by="admin"))[0].id
        if "code" in names:
            shown = await self.services.screens.show_code(screen_id(new_secret()), address=secrets.token_hex(4))
            made["code"] = shown.code
        if "foreign_session" in names:
            made["foreign_session"] = (await self.session_of(made["login"]))[1].key
        if "own_session" in names:
            made["own_session"] = (await self.session_of(caller))[1].key if caller in STAFF else ""
        return made


@pytest.fixture(scope="module")
async def running(valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    await emptied(valkey_url)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    folder: Path = tmp_path_factory.mktemp("routes")
    own_ca.make(folder, ["127.0.0.1"], own_ca.utc_now())
    environ = {
        "DATA_DIR": str(folder),
        "REDIS_URL": valkey_url,
        "PUBLIC_URL": url,
        "PORT": str(port),
        "SECURITY_CONTACT": "mailto:security@example.org",
    }
    environ |= {"TRUSTED_PROXIES": "127.0.0.1", "FACILITY_BURST": "1000"}
    app = create_app(load({f"KIOSK_{name}": value for name, value in environ.items()}))
    async with serving(app, port):
        built = Running(app, url)
        await built.build()
        yield built


def test_every_decision_names_every_caller() -> None:
    assert set(CALLERS) == {*STAFF, "stranger", "screen", "operator"}


@pytest.mark.parametrize(("method", "path"), [pytest.param(*key, id=" ".join(key)) for key in ROUTES])
async def test_each_caller_gets_what_was_decided(running: Running, method: str, path: str) -> None:
    wrong: list[str] = []
    # Everybody who may have the set of posters is asked to wait: drawing it takes seconds for each caller.
    async with drawing.one_at_a_time, httpx.AsyncClient(base_url=running.url, timeout=30) as client:
        for one in ROUTES[method, path]:
            for caller in sorted(CALLERS, key=OF_ANOTHER_FACILITY.__contains__, reverse=True):
                before = await running.services.registry.hospital(HIP)
                result = await tried(client, running, method, path, one, caller)
                decided: Result = getattr(one.decision, caller)
                if result != decided:
                    wrong.append(f"{caller}: decided {decided!r}, got {result!r} at {one.path or path}")
                if caller in OF_ANOTHER_FACILITY and path.startswith("/console"):
                    assert await hospital_now(running) == before, caller
    assert not wrong, "\n".join(wrong)


async def hospital_now(running: Running) -> Hospital | None:
    return await running.services.registry.hospital(HIP)


async def tried(
    client: httpx.AsyncClient, running: Running, method: str, path: str, one: Try, caller: str
) -> Result | str:
    """Send the sample as this caller's browser would."""
    things = await running.sample(caller, one)
    headers = await running.headers_of(caller)
    if one.path == "{picture}":
        codes = await client.get(f"/kiosk/{HIP}/M1/qr", headers=headers)
        things["picture"] = codes.json()["abdm"]["svg"]
    body: dict[str, Any] = {}
    if one.form is not None:
        body["data"] = {name: value.format_map(things) for name, value in one.form.items()}
        headers["content-type"] = "application/x-www-form-urlencoded"
        body["data"]["_csrf"] = headers.get("x-csrf-token", "")
    if one.json is not None:
        headers |= {"accept": "application/json", "content-type": "application/json"}
        body["json"] = {name: value.format_map(things) for name, value in one.json.items()}
    verb = method if method != "MOUNT" else "POST" if one.json is not None else "HEAD"
    return result_of(await client.request(verb, (one.path or path).format_map(things), headers=headers, **body))


def result_of(answer: httpx.Response) -> Result | str:
    """An answer in the words of the table. An unexpected status stands for itself, so no decision fits it."""
    location = answer.headers.get("location", "")
    signed_out = "set-cookie" in answer.headers
    unproved = answer.status_code == 401 and not any(sentence in answer.text for sentence in WRONG_SECRETS)
    if unproved or (location.partition("?")[0] == "/console/login" and not signed_out):
        return Result.UNPROVED
    if location == "/console/facility" or "console-no-facility" in answer.text:
        return Result.CHOOSE
    if answer.status_code == 403:
        return Result.REFUSED
    if answer.status_code == 404 or any(word in answer.text for word in ("UNKNOWN_TICKET", "Nobody of this facility")):
        return Result.NOTHING
    waits = answer.status_code == 503 and "Posters are being drawn for somebody else" in answer.text
    if waits or answer.status_code in (200, 202, 204, 303, 401, 409, 422):
        return Result.IN
    return f"{answer.status_code} {answer.text[:60]}"
