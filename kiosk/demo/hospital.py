"""A whole hospital on one machine: our own process tree, a simulated gateway, simulated patients and clerks.

Everything outside the service is a process of its own that speaks HTTP to it, as the real ones will. Nothing is left
running at the end; a folder that was named is kept, and the next start on it goes on where this one was, even after
``kill -9`` of everything.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from kiosk.accounts import passwords
from kiosk.accounts.service import LoginTaken, SignedIn, Staff
from kiosk.fittings import open_settings_store
from kiosk.runtime import supervisor
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.settings import Settings, child_environment, load
from queueing import library
from queueing.desk import OpdDesk
from queueing.embedded.data_folder import private_folder
from queueing.errors import QueueingError
from queueing.models import Arrival, Assurance, Facility, Queue, Snapshot
from queueing.registry import Registry
from queueing.store.store import Store
from tokens import CameraLinks, TicketLinks

ROOT: Final = Path(__file__).resolve().parents[2]
HOSPITAL: Final = Facility(
    hip_id="IN0110009001",
    name="Zafran District Hospital",
    district="Zafranpora",
    state="Jammu and Kashmir",
    latitude=34.02,
    longitude=74.93,
)
"""Invented, as is everybody in it."""
QUEUES: Final = ((Queue(id="registration", name="Registration", prefix="R"), 2),
                 (Queue(id="medicine", name="Medicine OPD", prefix="M"), 2),
                 (Queue(id="pharmacy", name="Pharmacy", prefix="P"), 1))  # fmt: skip
"""With how many counters serve each."""
CLIENT_ID: Final = "SBX_000000"
APP_ID: Final = "PHR_SIMULATED"
SEED: Final = 7
"""The gateway's keys follow from it: a kiosk that remembers them from the last start believes this one too."""
TICKET_S: Final = 12 * 3600
CAMERA_S: Final = 3600
"""As long as such a link may live; the screen's own lives minutes, and is drawn anew."""
GATEWAY_WITHIN_S: Final = 60.0
ENDS_WITHIN_S: Final = 4.0
"""For simulators, after which they are killed: they promise nothing."""


class Kept(Struct, frozen=True, kw_only=True):
    """What the next start on the same folder must know."""

    port: int = 0
    """Links carry it: another port would make them another place's."""
    runs: int = 0
    """Starts so far: each has patients of its own."""


class Seat(Struct, frozen=True, kw_only=True):
    login: str
    password: str
    counter: str


class Addresses(Struct, frozen=True, kw_only=True):
    """What a visitor opens."""

    board: str
    kiosk: str
    ticket: str
    no_app: str
    console: str
    login: str
    password: str
    gateway: str


class Told(Struct, frozen=True, kw_only=True):
    """How the people's process says it goes."""

    scans: int = 0
    acknowledged: int = 0
    refused: int = 0
    silent: int = 0
    called: int = 0
    p50_ms: int = 0
    p99_ms: int = 0
    patients: int = 0
    to_come: int = 0
    over: bool = False
    trouble: str = ""


class Announced(Struct, frozen=True):
    """How the simulated gateway says it is ready."""

    url: str
    issuer: str
    cm_id: str


class Morning(Struct, frozen=True, kw_only=True):
    patients: int
    minutes: float


class Demo:
    """A running demonstration."""

    def __init__(self, addresses: Addresses, people: asyncio.subprocess.Process, store: Store) -> None:
        self.addresses = addresses
        self.told = Told()
        self.over = asyncio.Event()
        """The morning is over, or its people are gone."""
        self._people = people
        self._desk = OpdDesk(store)

    async def listen(self) -> None:
        """Hear how it goes, until the people's process ends."""
        assert self._people.stdout is not None  # noqa: S101 - it was asked for as a pipe; narrows the type
        async for line in self._people.stdout:
            with contextlib.suppress(msgspec.MsgspecError):
                self.told = msgspec.json.decode(line, type=Told)
            if self.told.over:
                self.over.set()
        self.over.set()

    async def hall(self) -> Snapshot | None:
        """How the hall looks now; None while the store is away."""
        try:
            return await self._desk.snapshot(HOSPITAL.hip_id)
        except QueueingError:
            return None


@asynccontextmanager
async def running(folder: Path, morning: Morning, *, workers: int) -> AsyncIterator[Demo]:
    """Everything, in order; and gone in the opposite order. Raises CannotServe."""
    kept = remembered(folder)
    secret = {name: secrets.token_urlsafe(24) for name in ("client", "app")}
    async with _gateway(secret) as gateway:
        said = _said(folder, kept, gateway, secret["client"], workers)
        settings = load(said)
        async with supervisor.running(settings, said) as url:
            port = int(url.rpartition(":")[2])
            remember(folder, Kept(port=port, runs=kept.runs + 1))
            store = await open_settings_store(settings)
            try:
                addresses, seats = await _furnish(store, settings.at_port(port), gateway.url)
                plan = {
                    "kiosk_url": url, "hip_id": HOSPITAL.hip_id, "hospital": HOSPITAL.name, "seats": seats,
                    "patients": morning.patients, "minutes": morning.minutes, "seed": SEED + kept.runs,
                    "place": (HOSPITAL.latitude, HOSPITAL.longitude),
                    "gateway": {
                        "url": gateway.url, "cm_id": gateway.cm_id, "app_id": APP_ID, "app_secret": secret["app"],
                    },
                }  # fmt: skip
                async with _people(plan) as people:
                    demo = Demo(addresses, people, store)
                    listening = asyncio.create_task(demo.listen())
                    try:
                        yield demo
                    finally:
                        listening.cancel()
            finally:
                await store.close()


@contextlib.contextmanager
def data_folder(named: Path | None) -> Iterator[Path]:
    """The folder that was named, which stays; or one for the moment."""
    if named is not None:
        private_folder(named)
        yield named.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="kiosk-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remembered(folder: Path) -> Kept:
    try:
        return msgspec.json.decode((folder / "demo.json").read_bytes(), type=Kept)
    except (OSError, msgspec.MsgspecError):
        return Kept()


def remember(folder: Path, kept: Kept) -> None:
    part = folder / "demo.part"
    part.write_bytes(msgspec.json.encode(kept))
    part.replace(folder / "demo.json")


def _said(folder: Path, kept: Kept, gateway: Announced, secret: str, workers: int) -> dict[str, str]:
    """The settings of the demonstration, as an operator would say them; nothing of the environment's is used."""
    return {
        "KIOSK_DATA_DIR": str(folder),
        "KIOSK_PORT": str(_free_or_zero(kept.port)),
        "KIOSK_WORKERS": str(workers),
        "KIOSK_GATEWAY_URL": gateway.url,
        "KIOSK_GATEWAY_ISSUER": gateway.issuer,
        "KIOSK_CM_ID": gateway.cm_id,
        "KIOSK_GATEWAY_CLIENT_ID": CLIENT_ID,
        "KIOSK_GATEWAY_CLIENT_SECRET": secret,
        "KIOSK_LOG_LEVEL": "warning",
    }


def _free_or_zero(port: int) -> int:
    """The port of the last start, if nobody took it meanwhile."""
    try:
        with supervisor.reserved("127.0.0.1", port):
            return port
    except supervisor.CannotServe:
        return 0


async def _furnish(store: Store, settings: Settings, gateway_url: str) -> tuple[Addresses, list[Seat]]:
    """The hospital, its people and one ticket to look at; all of it is there again after a restart."""
    await library.load(store)
    registry = Registry(store)
    await registry.put_facility(HOSPITAL)
    for queue, counters in QUEUES:
        await registry.put_queue(HOSPITAL.hip_id, queue, counters)
    staff = Staff(store)
    try:
        names = [one.name for one in await registry.counters(HOSPITAL.hip_id)]
        seats = [Seat(login=login, password=await _signed_up(staff, login, "clerk"), counter=name)
                 for name in names if (login := f"clerk.{name.lower()}")]  # fmt: skip
        login, password = "visitor", await _settled_in(staff, "visitor", await _signed_up(staff, "visitor", "admin"))
    finally:
        staff.close()
    ring = KeysOnDisk(settings.data_dir).load()
    now_s = int(time.time())
    # The visitor's own ticket, as a clerk would register a walk-in; nobody's profile stands behind it.
    visit = Arrival(facility=HOSPITAL.hip_id, queue="medicine", assurance=Assurance.STAFF, request=str(uuid.uuid4()))
    place = await OpdDesk(store).enqueue(visit)
    ticket = TicketLinks(ring, audience=settings.public_url).mint(
        HOSPITAL.hip_id, place.ticket, expires_s=now_s + TICKET_S, now_s=now_s
    )
    camera = CameraLinks(ring, audience=settings.public_url).mint(
        HOSPITAL.hip_id, "medicine", expires_s=now_s + CAMERA_S, now_s=now_s
    )
    url = settings.public_url
    return Addresses(
        board=f"{url}/board/{HOSPITAL.hip_id}", kiosk=f"{url}/kiosk/{HOSPITAL.hip_id}/M1", ticket=f"{url}/t/{ticket}",
        no_app=f"{url}/go/{camera}", console=f"{url}/console", login=login, password=password, gateway=gateway_url,
    ), seats  # fmt: skip


async def _signed_up(staff: Staff, login: str, role: str) -> str:
    try:
        return await staff.add(login, facility=HOSPITAL.hip_id, role="admin" if role == "admin" else "clerk")
    except LoginTaken:
        return await staff.reset(login, within=HOSPITAL.hip_id)


async def _settled_in(staff: Staff, login: str, given: str) -> str:
    """The password chosen in place of the one that was given, as everybody does: a visit begins at the desk."""
    entered = await staff.sign_in(login, given, address="127.0.0.1")
    session = await staff.session(entered.reference) if isinstance(entered, SignedIn) else None
    if session is None:
        return given
    own = passwords.generated()
    changed = await staff.change_password(session, given, own, address="127.0.0.1")
    return own if isinstance(changed, SignedIn) else given


@asynccontextmanager
async def _gateway(secret: Mapping[str, str]) -> AsyncIterator[Announced]:
    words = ["--client-id", CLIENT_ID, "--app-id", APP_ID, "--seed", str(SEED), "--accept-unknown"]
    given = {"SIMULATOR_CLIENT_SECRET": secret["client"], "SIMULATOR_APP_SECRET": secret["app"]}
    async with _simulator("loadtests.simulator.gateway", *words, given=given) as child:
        assert child.stdout is not None  # noqa: S101 - it was asked for as a pipe; narrows the type
        try:
            async with asyncio.timeout(GATEWAY_WITHIN_S):
                line = await child.stdout.readline()
            announced = msgspec.json.decode(line, type=Announced)
        except (TimeoutError, msgspec.MsgspecError):
            raise supervisor.CannotServe("the simulated gateway did not start; its words stand above") from None
        yield announced


@asynccontextmanager
async def _people(plan: Mapping[str, object]) -> AsyncIterator[asyncio.subprocess.Process]:
    async with _simulator("loadtests.simulator.people", given={}) as child:
        assert child.stdin is not None  # noqa: S101 - it was asked for as a pipe; narrows the type
        child.stdin.write(msgspec.json.encode(plan) + b"\n")
        yield child


@asynccontextmanager
async def _simulator(module: str, *words: str, given: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    path = os.pathsep.join(filter(None, (str(ROOT), child_environment({}, metrics=ROOT).get("PYTHONPATH", ""))))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *words,
        env={**child_environment({}, metrics=ROOT), **given, "PYTHONPATH": path},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield child
    finally:
        if child.returncode is None:
            child.terminate()
        try:
            async with asyncio.timeout(ENDS_WITHIN_S):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()
