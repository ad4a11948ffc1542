"""A hospital with two queues, its staff and its patients, for the tests of the console."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from kiosk import console, live, static_files
from kiosk.checkin import CheckIn
from kiosk.console.staff import Role, SignedIn, Staff
from kiosk.house import House
from kiosk.people import Patient, Scan
from kiosk.settings import load
from queueing.models import Facility, Place, Policy, Queue, Remote

HIP = "IN0110000123"
OTHER_HIP = "IN0110000999"
ADDRESS = "http://127.0.0.1:8000"
OWN_PASSWORD = "lantern orchard drizzle"


@asynccontextmanager
async def opened_house(valkey_url: str, folder: Path, **settings: str) -> AsyncIterator[House]:
    """A worker's house on an empty store."""
    environ = {"KIOSK_DATA_DIR": str(folder), "KIOSK_REDIS_URL": valkey_url, "KIOSK_PUBLIC_URL": ADDRESS} | settings
    async with House(load(environ)).open() as house:
        yield house


def console_app(house: House) -> Litestar:
    """The console as the program hangs it, with the stream and the static files it uses."""
    offered = {
        name: _offer(getattr(house, name))
        for name in ("settings", "registry", "desk", "outbox", "check_in", "ticket_links", "staff")
    }
    return Litestar(
        [*console.routes(), *live.routes(), *static_files.routes()],
        dependencies=offered,
        state=State({"house": house, "hub": house.hub}),
        openapi_config=None,
    )


def _offer(part: object) -> Provide:
    def offered() -> Any:
        return part

    return Provide(offered, sync_to_thread=False)


async def build_hospitals(house: House) -> None:
    """Two hospitals: medicine (M1 to M3) and registration (R1); the other one has a queue of the same name."""
    for hip, name in ((HIP, "District Hospital Baramulla"), (OTHER_HIP, "Sub-District Hospital Sopore")):
        place = {"district": "Baramulla", "state": "Jammu and Kashmir"}
        await house.registry.put_facility(Facility(hip_id=hip, name=name, latitude=34.2, longitude=74.3, **place))
        await house.registry.put_queue(hip, Queue(id="medicine", name="Medicine OPD", prefix="M"), 3)
        await house.registry.put_queue(hip, Queue(id="registration", name="Registration", prefix="R"), 1)
        await house.registry.set_policy(hip, Policy(unknown=Remote.EXPECT))


async def ready_login(staff: Staff, login: str, facility: str = HIP, role: Role = "clerk", name: str = "") -> str:
    """A login that has chosen its own password already; returns that password."""
    first = await staff.add(login, facility=facility, role=role, name=name)
    signed = await staff.sign_in(login, first, address="setup")
    assert isinstance(signed, SignedIn)
    session = await staff.session(signed.reference)
    assert session is not None
    await staff.change_password(session, first, OWN_PASSWORD, address="setup")
    return OWN_PASSWORD


async def arrive(
    check_in: CheckIn, patient: Patient | str, *, context: str = "M1", hip: str = HIP, **where: float
) -> Place:
    """Somebody shares a profile by the poster of a counter."""
    person = Patient(name=patient) if isinstance(patient, str) else patient
    request = str(uuid.uuid4())
    said = {"facility": hip, "context": context, "request_id": request}
    return await check_in.scanned(Scan(patient=person, body=request.encode(), note=b"note", **said, **where))


class Browser(httpx.AsyncClient):
    """A browser on our own page: it sends the Origin and, once signed in, the token of its page."""

    csrf = ""

    async def sign_in(self, login: str, password: str = OWN_PASSWORD) -> httpx.Response:
        answer = await self.post("/console/login", data={"login": login, "password": password})
        if answer.status_code == 303:
            page = await self.get("/console/password")
            self.csrf = page.text.partition('name="csrf-token" content="')[2].partition('"')[0]
        return answer

    async def send_form(self, path: str, **fields: str) -> httpx.Response:
        return await self.post(path, data={"_csrf": self.csrf, **fields})

    async def ask(self, path: str, **body: Any) -> httpx.Response:
        return await self.post(path, json=body, headers={"x-csrf-token": self.csrf})

    async def desk(self, counter: str = "M1") -> dict[str, Any]:
        answer = await self.get("/console/desk", params={"counter": counter}, headers={"accept": "application/json"})
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()
        return view


def browser(app: Litestar, *, address: str = "10.1.2.3", base: str = ADDRESS) -> Browser:
    transport = httpx.ASGITransport(app=app, client=(address, 40000))
    headers = {"origin": base, "accept": "text/html"}
    return Browser(transport=transport, base_url=base, headers=headers)
