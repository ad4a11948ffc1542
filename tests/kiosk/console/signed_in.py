"""A hospital with two queues, its staff and its patients, for the tests of the console."""

import asyncio
import html
import re
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import httpx
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from litestar import Litestar

from kiosk import app as application
from kiosk.accounts import second_factor
from kiosk.accounts.outcomes import Role
from kiosk.accounts.service import Staff
from kiosk.accounts.sessions import EVERY_FACILITY
from kiosk.app import create_app
from kiosk.checkin import CheckIn
from kiosk.patient.person import Patient
from kiosk.services.web import Services, web_services
from kiosk.settings import Settings, load
from kiosk.web import handover
from queueing.models import Facility, Place, Queue
from tests.kiosk.share_builders import scan_of

HIP = "IN0110000123"
OTHER_HIP = "IN0110000999"
ADDRESS = "http://127.0.0.1:8000"
OWN_PASSWORD = "lantern orchard drizzle"
PHONE = bytes(range(20))
"""Secret of every state administrator's authenticator app."""
_hashed: dict[str, str] = {}
_closed: dict[tuple[str, tuple[str, ...]], list[Litestar]] = {}
"""Applications that run no more, by the only settings that an application itself knows: its address and its hosts."""


@asynccontextmanager
async def opened_app(valkey_url: str, folder: Path, **settings: str) -> AsyncIterator[Litestar]:
    """The application of one worker, running, with nobody listening on a port.

    One that was closed is opened again with services of these settings: registering all routes takes a fifth of a
    second.
    """
    environ = {"KIOSK_DATA_DIR": str(folder), "KIOSK_REDIS_URL": valkey_url, "KIOSK_PUBLIC_URL": ADDRESS} | settings
    wanted = load(environ)
    closed = _closed.setdefault((wanted.public_url, wanted.hosts), [])
    app = closed.pop() if closed else create_app(wanted)
    async with in_own_task(_running(app, wanted)):
        yield app
    closed.append(app)


@asynccontextmanager
async def _running(app: Litestar, wanted: Settings) -> AsyncIterator[None]:
    async with AsyncExitStack() as running:
        with patch.object(application, "web_services", lambda _: web_services(wanted)):
            await running.enter_async_context(app.lifespan())
        yield


@asynccontextmanager
async def in_own_task(application: AbstractAsyncContextManager[None]) -> AsyncIterator[None]:
    """A running application, which a task of its own started and will end.

    It holds a cancel scope open, and those of one task must be left in reverse order. All fixtures share one task, and
    those of a file end before those of the session that began after them.
    """
    started, ends = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with application:
            started.set()
            await ends.wait()

    holder = asyncio.create_task(hold())
    holder.add_done_callback(lambda _: started.set())
    await started.wait()
    try:
        if not holder.done():
            yield
    finally:
        ends.set()
        await holder


def services_of(app: Litestar) -> Services:
    services: Services = handover.services_of(app)
    return services


async def build_hospitals(services: Services) -> None:
    """Two hospitals with queues of the same names."""
    await build_hospital(services, HIP, "District Hospital Baramulla")
    await build_hospital(services, OTHER_HIP, "Sub-District Hospital Sopore")


async def build_hospital(services: Services, hip: str, name: str) -> None:
    """Medicine (M1 to M3, the default) and registration (R1)."""
    facility = Facility(hip_id=hip, name=name, district="Baramulla", latitude=34.2, longitude=74.3)
    await services.registry.put_facility(facility)
    await services.registry.put_queue(hip, Queue(id="medicine", name="Medicine OPD", prefix="M"), 3)
    await services.registry.put_queue(hip, Queue(id="registration", name="Registration", prefix="R"), 1)


def shown_text(answer: httpx.Response) -> str:
    """A page's text without the marks that isolate a value within a sentence."""
    return re.sub("</?bdi>", "", html.unescape(answer.text))


def code_for(secret: bytes, steps: int = 0) -> str:
    """What an authenticator app shows, ``steps`` half minutes from now."""
    hotp = HOTP(secret, second_factor.DIGITS, SHA1())  # noqa: S303 - what every app computes
    return hotp.generate(int(time.time()) // second_factor.STEP_S + steps).decode()


async def enrol(staff: Staff, login: str, secret: bytes = PHONE) -> None:
    """An authenticator app for this login, as if it had been set up on the page."""
    await staff._records.change(login, second_factor=staff._seal.close(login, secret), code_step=0)


async def ready_login(staff: Staff, login: str, facility: str = HIP, role: Role = "clerk", name: str = "") -> str:
    """A login whose first password was changed already; returns the password. Spares the hashing of the change."""
    await staff.add(login, facility=facility, role=role, name=name)
    if OWN_PASSWORD not in _hashed:
        _hashed[OWN_PASSWORD] = await staff._hasher.hash(OWN_PASSWORD)
    await staff._records.change(login, hash=_hashed[OWN_PASSWORD], must_change=0)
    if facility == EVERY_FACILITY:
        await enrol(staff, login)
    return OWN_PASSWORD


async def arrive(
    check_in: CheckIn, patient: Patient | str, *, context: str = "M1", hip: str = HIP,
    position: tuple[float, float] | None = None,
) -> Place:  # fmt: skip
    """Somebody shares a profile by the poster of a counter."""
    known = Patient(name=patient) if isinstance(patient, str) else patient
    return await check_in.scanned(scan_of(known, str(uuid.uuid4()), facility=hip, context=context, position=position))


class Browser(httpx.AsyncClient):
    """A browser on our own page: it sends the Origin and, once signed in, the token of its page."""

    csrf = ""

    async def sign_in(self, login: str, password: str = OWN_PASSWORD) -> httpx.Response:
        answer = await self.post("/console/login", data={"login": login, "password": password})
        if answer.headers.get("location", "").partition("?")[0] == "/console/code":
            await self.read_csrf("/console/code")
            answer = await self.send_form("/console/code", code=code_for(PHONE))
        if answer.status_code == 303:
            await self.read_csrf("/console/password")
        return answer

    async def read_csrf(self, path: str) -> None:
        """The token of the page, which every form carries."""
        page = await self.get(path)
        found = re.search(r'name="(?:csrf-token" content|_csrf" value)="([^"]+)"', page.text)
        self.csrf = found[1] if found else ""

    async def send_form(self, path: str, **fields: str) -> httpx.Response:
        return await self.post(path, data={"_csrf": self.csrf, **fields})

    async def ask(self, path: str, **body: Any) -> httpx.Response:
        return await self.post(path, json=body, headers={"x-csrf-token": self.csrf, "accept": "application/json"})

    async def desk(self, counter: str = "M1") -> dict[str, Any]:
        answer = await self.get("/console/desk", params={"counter": counter}, headers={"accept": "application/json"})
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()
        return view


def browser(app: Litestar, *, address: str = "10.1.2.3", base: str = ADDRESS) -> Browser:
    transport = httpx.ASGITransport(app=cast(Any, app), client=(address, 40000))  # two spellings of ASGI's types
    headers = {"origin": base, "accept": "text/html"}
    return Browser(transport=transport, base_url=base, headers=headers)
