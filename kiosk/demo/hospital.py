"""A hospital on one machine: our process tree, a simulated gateway, simulated patients and clerks.

Everything outside the service is its own process and speaks HTTP to it, as the real gateway and browsers do. Nothing is
left running at the end. With a named data folder the next start continues, even after ``kill -9`` of everything.
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
from kiosk.accounts.outcomes import SignedIn
from kiosk.accounts.service import LoginTaken, Staff
from kiosk.exchange.clinics import CLINICS
from kiosk.runtime import supervisor
from kiosk.security.keyring_file import KeysOnDisk
from kiosk.services.process import open_settings_store
from kiosk.settings import Settings, child_environment, load
from kiosk.voice.clips import Clips
from kiosk.voice.rendering import CannotRender, render
from kiosk.web.link_urls import camera_url, ticket_url
from queueing import library
from queueing.desk import OpdDesk
from queueing.embedded.data_folder import private_folder
from queueing.errors import QueueingError
from queueing.facility_view import Snapshot
from queueing.models import Arrival, Assurance, Facility, Queue
from queueing.registry import Registry
from queueing.store.store import Store
from tokens import CameraLinks, TicketLinks

ROOT: Final = Path(__file__).resolve().parents[2]
HOSPITAL: Final = Facility(
    hip_id="IN0110009001",
    name="Zafran District Hospital",
    names={"hi": "ज़िला अस्पताल ज़ाफ़रान", "ur": "ضلع ہسپتال زعفران"},
    district="Zafranpora",
    state="Jammu and Kashmir",
    latitude=34.02,
    longitude=74.93,
)
"""Invented, like every person in it."""
LOOPBACK: Final = ("127.0.0.0/8", "::1/128")
"""The hospital's own networks: every browser on this machine shows the codes of a screen, as a paired screen would."""


def _queue(clinic: str, name: str, prefix: str) -> Queue:
    """A queue with the names that are proposed for a usual clinic."""
    found = CLINICS[clinic]
    names = {language: own for language, own in found.names.items() if language != "en"}
    return Queue(id=clinic, name=name, prefix=prefix, names=names, department_code=found.code)


QUEUES: Final = ((_queue("registration", "Registration", "R"), 2), (_queue("medicine", "Medicine OPD", "M"), 2),
                 (_queue("pharmacy", "Pharmacy", "P"), 1))  # fmt: skip
"""Queue, and the number of its counters."""
SPOKEN: Final = ("en", "hi", "ur")
CLIENT_ID: Final = "SBX_000000"
APP_ID: Final = "PHR_SIMULATED"
SEED: Final = 7
"""The gateway's keys are made from it, so keys stored at the last start are still right."""
TICKET_S: Final = 12 * 3600
CAMERA_S: Final = 3600
"""The longest life of such a link. The one on the counter screen lives minutes and is redrawn."""
GATEWAY_WITHIN_S: Final = 60.0
ENDS_WITHIN_S: Final = 4.0
"""For the simulators; then they are killed, because they keep nothing."""


class DemoState(Struct, frozen=True, kw_only=True):
    """What the next start on the same folder needs."""

    port: int = 0
    """Links carry it: with another port, links of the last start would not open."""
    runs: int = 0
    """Starts so far. Each start has other patients."""


class Seat(Struct, frozen=True, kw_only=True):
    login: str
    password: str
    counter: str


class Addresses(Struct, frozen=True, kw_only=True):
    """The addresses to open."""

    board: str
    screen: str
    """Of a counter."""
    ticket: str
    no_app: str
    console: str
    login: str
    password: str
    gateway: str


class Progress(Struct, frozen=True, kw_only=True):
    """Progress of the simulated people, as their process reports it."""

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


class GatewayFacts(Struct, frozen=True):
    """What the simulated gateway prints when it is ready."""

    url: str
    issuer: str
    cm_id: str


class Morning(Struct, frozen=True, kw_only=True):
    patients: int
    minutes: float


class Demo:
    """A running demonstration."""

    def __init__(self, addresses: Addresses, crowd: asyncio.subprocess.Process, store: Store) -> None:
        self.addresses = addresses
        self.progress = Progress()
        self.over = asyncio.Event()
        """Set when the morning is over, or the people's process has ended."""
        self._crowd = crowd
        self._desk = OpdDesk(store)

    async def listen(self) -> None:
        """Read progress until the people's process ends."""
        assert self._crowd.stdout is not None  # noqa: S101 - started with a pipe; narrows the type
        async for line in self._crowd.stdout:
            with contextlib.suppress(msgspec.MsgspecError):
                self.progress = msgspec.json.decode(line, type=Progress)
            if self.progress.over:
                self.over.set()
        self.over.set()

    async def snapshot(self) -> Snapshot | None:
        """The queues now; None while the store is away."""
        try:
            return await self._desk.snapshot(HOSPITAL.hip_id)
        except QueueingError:
            return None


@asynccontextmanager
async def running(folder: Path, morning: Morning, *, workers: int) -> AsyncIterator[Demo]:
    """Start everything in order; stop it in reverse order. Raises CannotServe."""
    state = load_state(folder)
    secret = {name: secrets.token_urlsafe(24) for name in ("client", "app")}
    async with _voices(folder) as voices, _gateway(secret) as gateway:
        environ = _environment(folder, state, gateway, secret["client"], workers)
        settings = load(environ)
        async with supervisor.running(settings, environ) as url:
            port = int(url.rpartition(":")[2])
            save_state(folder, DemoState(port=port, runs=state.runs + 1))
            store = await open_settings_store(settings)
            try:
                addresses, seats = await _build_hospital(store, settings.at_port(port), gateway.url)
                await voices  # a board reads when it is opened which languages speak
                plan = {
                    "kiosk_url": url, "hip_id": HOSPITAL.hip_id, "hospital": HOSPITAL.name, "seats": seats,
                    "patients": morning.patients, "minutes": morning.minutes, "seed": SEED + state.runs,
                    "place": (HOSPITAL.latitude, HOSPITAL.longitude),
                    "gateway": {
                        "url": gateway.url, "cm_id": gateway.cm_id, "app_id": APP_ID, "app_secret": secret["app"],
                    },
                }  # fmt: skip
                async with _crowd(plan) as crowd:
                    demo = Demo(addresses, crowd, store)
                    listening = asyncio.create_task(demo.listen())
                    try:
                        yield demo
                    finally:
                        listening.cancel()
            finally:
                await store.close()


@contextlib.contextmanager
def data_folder(named: Path | None) -> Iterator[Path]:
    """The named folder, which is kept; or a temporary one."""
    if named is not None:
        private_folder(named)
        yield named.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="kiosk-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _voices(folder: Path) -> AsyncIterator["asyncio.Task[None]"]:
    """Makes the clips beside the start of the rest; ends before the folder is removed."""
    making = asyncio.create_task(asyncio.to_thread(_make_voices, folder))
    try:
        yield making
    finally:
        await making


def _make_voices(folder: Path) -> None:
    """The clips of the spoken languages. Without eSpeak NG the boards chime only."""
    clips = Clips(folder)
    with contextlib.suppress(CannotRender):
        for language in SPOKEN:
            if not clips.can_speak(language):
                render(clips, language)


def load_state(folder: Path) -> DemoState:
    try:
        return msgspec.json.decode((folder / "demo.json").read_bytes(), type=DemoState)
    except (OSError, msgspec.MsgspecError):
        return DemoState()


def save_state(folder: Path, state: DemoState) -> None:
    part = folder / "demo.part"
    part.write_bytes(msgspec.json.encode(state))
    part.replace(folder / "demo.json")


def _environment(folder: Path, state: DemoState, gateway: GatewayFacts, secret: str, workers: int) -> dict[str, str]:
    """The settings of the demonstration. Nothing of the real environment is used."""
    return {
        "KIOSK_DATA_DIR": str(folder),
        "KIOSK_PORT": str(_free_or_zero(state.port)),
        "KIOSK_WORKERS": str(workers),
        "KIOSK_GATEWAY_URL": gateway.url,
        "KIOSK_GATEWAY_ISSUER": gateway.issuer,
        "KIOSK_CM_ID": gateway.cm_id,
        "KIOSK_GATEWAY_CLIENT_ID": CLIENT_ID,
        "KIOSK_GATEWAY_CLIENT_SECRET": secret,
        "KIOSK_LOG_LEVEL": "warning",
    }


def _free_or_zero(port: int) -> int:
    """The port of the last start if it is free, else 0."""
    try:
        with supervisor.reserved("127.0.0.1", port):
            return port
    except supervisor.CannotServe:
        return 0


async def _build_hospital(store: Store, settings: Settings, gateway_url: str) -> tuple[Addresses, list[Seat]]:
    """Add the hospital, its staff, and one ticket to look at. Works on a folder that has them already."""
    await library.load(store)
    registry = Registry(store)
    await registry.put_facility(HOSPITAL)
    await registry.set_networks(HOSPITAL.hip_id, LOOPBACK)
    for queue, counters in QUEUES:
        await registry.put_queue(HOSPITAL.hip_id, queue, counters)
    staff = Staff(store)
    try:
        names = [one.name for one in await registry.counters(HOSPITAL.hip_id)]
        seats = [Seat(login=login, password=await _add_login(staff, login, "clerk"), counter=name)
                 for name in names if (login := f"clerk.{name.lower()}")]  # fmt: skip
        login, password = (
            "visitor",
            await _choose_password(staff, "visitor", await _add_login(staff, "visitor", "admin")),
        )
    finally:
        staff.close()
    ring = KeysOnDisk(settings.data_dir).load()
    now_s = int(time.time())
    # The visitor's own ticket, as if a clerk had registered a walk-in. It has no profile.
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
        board=f"{url}/board/{HOSPITAL.hip_id}", screen=f"{url}/kiosk/{HOSPITAL.hip_id}/M1",
        ticket=ticket_url(url, ticket),
        no_app=camera_url(url, camera), console=f"{url}/console", login=login, password=password, gateway=gateway_url,
    ), seats  # fmt: skip


async def _add_login(staff: Staff, login: str, role: str) -> str:
    try:
        return await staff.add(login, facility=HOSPITAL.hip_id, role="admin" if role == "admin" else "clerk")
    except LoginTaken:
        return await staff.reset(login, within=HOSPITAL.hip_id)


async def _choose_password(staff: Staff, login: str, first: str) -> str:
    """Change the first password, as every login must; so the visitor starts at the desk."""
    entered = await staff.sign_in(login, first, address="127.0.0.1")
    session = await staff.session(entered.reference) if isinstance(entered, SignedIn) else None
    if session is None:
        return first
    own = passwords.generated()
    changed = await staff.change_password(session, first, own, address="127.0.0.1")
    return own if isinstance(changed, SignedIn) else first


@asynccontextmanager
async def _gateway(secret: Mapping[str, str]) -> AsyncIterator[GatewayFacts]:
    arguments = ["--client-id", CLIENT_ID, "--app-id", APP_ID, "--seed", str(SEED), "--accept-unknown"]
    env = {"SIMULATOR_CLIENT_SECRET": secret["client"], "SIMULATOR_APP_SECRET": secret["app"]}
    async with _simulator("loadtests.simulator.gateway", *arguments, env=env) as child:
        assert child.stdout is not None  # noqa: S101 - started with a pipe; narrows the type
        try:
            async with asyncio.timeout(GATEWAY_WITHIN_S):
                line = await child.stdout.readline()
            announced = msgspec.json.decode(line, type=GatewayFacts)
        except (TimeoutError, msgspec.MsgspecError):
            raise supervisor.CannotServe(
                "the simulated gateway did not start; its error is in the lines above"
            ) from None
        yield announced


@asynccontextmanager
async def _crowd(plan: Mapping[str, object]) -> AsyncIterator[asyncio.subprocess.Process]:
    async with _simulator("loadtests.simulator.people", env={}) as child:
        assert child.stdin is not None  # noqa: S101 - started with a pipe; narrows the type
        child.stdin.write(msgspec.json.encode(plan) + b"\n")
        yield child


@asynccontextmanager
async def _simulator(module: str, *arguments: str, env: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    path = os.pathsep.join(filter(None, (str(ROOT), child_environment({}, metrics=ROOT).get("PYTHONPATH", ""))))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments,
        env={**child_environment({}, metrics=ROOT), **env, "PYTHONPATH": path},
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
