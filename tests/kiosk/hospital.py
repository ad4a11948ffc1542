"""A hospital for the tests of screens and pages: the program's own application on a real store, reached over HTTP."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar

from kiosk.app import create_app
from kiosk.services.web import Services
from kiosk.settings import load
from kiosk.web.handover import services_of
from queueing.lanes import Lane
from queueing.models import Arrival, Assurance, Counter, Facility, Place, Queue
from queueing.store.store import open_store

HIP = "IN0110000123"
MEDICINE, REGISTRATION = "medicine", "registration"
_requests = itertools.count(1)


class Hospital:
    """One hospital with medicine (M1 to M3, and a room whose name no code can carry) and registration (R1).

    This machine is its own network, so every browser here stands in the hospital.
    """

    def __init__(self, app: Litestar, url: str) -> None:
        self.app = app
        self.url = url
        self.services: Services = services_of(app)

    async def build(self) -> None:
        registry = self.services.registry
        await registry.put_facility(Facility(hip_id=HIP, name="District Hospital <Baramulla>", district="Baramulla"))
        await registry.set_networks(HIP, ["127.0.0.0/8"])
        await registry.put_queue(HIP, Queue(id=MEDICINE, name="Medicine & Surgery", prefix="M"), 3)
        await registry.put_queue(HIP, Queue(id=REGISTRATION, name="Registration", prefix="R"), 1)
        await registry.put_counter(HIP, Counter(name="ROOM17", queues=(MEDICINE,)))

    async def arrive(self, queue: str = MEDICINE, patients: int = 1) -> list[Place]:
        """That many new patients, registered at the desk."""
        return [await self.services.desk.enqueue(_walk_in(queue)) for _ in range(patients)]

    async def call(self, counter: str = "M1") -> str:
        """The next number to this counter. Calls of one millisecond have no order: this is the newest of all."""
        await asyncio.sleep(0.002)
        moved = await self.services.desk.call_next(HIP, counter, by="asha")
        assert moved.ticket is not None
        return moved.ticket.token

    def ticket_link(self, place: Place, *, life_s: int = 3600, made_s_ago: int = 0) -> str:
        now_s = _now_s() - made_s_ago
        return "/t/" + self.services.ticket_links.mint(HIP, place.ticket, expires_s=now_s + life_s, now_s=now_s)

    def camera_link(self, queue: str = MEDICINE, *, life_s: int = 900, made_s_ago: int = 0) -> str:
        now_s = _now_s() - made_s_ago
        return "/go/" + self.services.camera_links.mint(HIP, queue, expires_s=now_s + life_s, now_s=now_s)


def _walk_in(queue: str) -> Arrival:
    request = f"walk-in-{next(_requests)}"
    return Arrival(facility=HIP, queue=queue, assurance=Assurance.STAFF, lane=Lane.ORDINARY, request=request)


def _now_s() -> int:
    return int(time.time())


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that happens by itself; a busy machine is given time."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


async def emptied(valkey_url: str) -> None:
    store = await open_store(valkey_url)
    await store.each_primary("FLUSHALL")
    await store.close()


def application(valkey_url: str, folder: Path, port: int, **settings: str) -> Litestar:
    url = f"http://127.0.0.1:{port}"
    environ = {"KIOSK_DATA_DIR": str(folder), "KIOSK_REDIS_URL": valkey_url, "KIOSK_PUBLIC_URL": url}
    return create_app(load(environ | {"KIOSK_PORT": str(port)} | settings))


@asynccontextmanager
async def serving(app: Litestar, port: int) -> AsyncIterator[None]:
    """The application behind the server that production uses, in this event loop."""
    server = Server(app, port=port, interface=Interfaces.ASGI, log_enabled=False)
    running = asyncio.create_task(server.serve())
    try:
        await _answers(port)
        yield
    finally:
        await services_of(app).hub.close()  # as the worker does on notice: open streams would keep it from ending
        server.stop()  # type: ignore[no-untyped-call]  # untyped upstream
        await running


async def _answers(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(200):
            with suppress(httpx.TransportError):
                await client.get("/healthz")
                return
            await asyncio.sleep(0.05)
    raise TimeoutError("the server did not begin to answer")
