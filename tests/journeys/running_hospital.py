"""The deployment for journeys: a simulated gateway with phones, one ``kiosk serve`` with all its processes, hospitals.

Every part of the service is real and set up with the program's own commands. Each journey gets its own hospital, so
that none disturbs another.
"""

import asyncio
import csv
import itertools
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from msgspec import Struct, json
from msgspec.structs import replace

from loadtests.simulator.gateway.launch import Simulator
from loadtests.simulator.people.invented import Patient, invent
from loadtests.simulator.people.phones import Phones, Received
from tests.kiosk.in_process import kiosk
from tests.kiosk.process_tree import Tree, alive, below, until
from tests.ports import free_port

SEED = 11
HOSPITALS = 24
SRINAGAR = (34.0837, 74.7973)
DELHI = (28.6139, 77.2090)
MEDICINE, PHARMACY = "medicine", "pharmacy"
GROWN_UP = range(1970, 2005)
"""Born then, nobody goes sooner by age: the order of arrival is the order of calling."""


class Login(Struct, frozen=True):
    """A member of staff, with the first password that the command printed."""

    login: str
    password: str


class Deployment:
    """The running parts. ``tree`` is the service; all other parts go on when it ends."""

    def __init__(self, simulator: Simulator, phones: Phones, folder: Path) -> None:
        self.simulator, self.phones, self.folder = simulator, phones, folder
        self.data = folder / "data"
        self.seen: list[Patient] = []
        """Everybody who was ever invented here."""
        self.log: list[str] = []
        """What services that are gone wrote."""
        self._one_command = asyncio.Lock()
        self._hips = (f"IN0110{number:06d}" for number in itertools.count(1))
        self._patients = (invent(SEED, index) for index in itertools.count())
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.settings = _settings(simulator, port)

    async def start(self) -> None:
        """Start ``kiosk serve``, each time at the same address and on the same data."""
        self.tree = Tree(self.data, **self.settings)
        assert await asyncio.to_thread(self.tree.ready) == self.url

    def kill_everything(self) -> None:
        """``kill -9`` of every process at the same moment, so that none of them can react or clean up."""
        family = [self.tree.process.pid, *below(self.tree.process.pid)]
        for blow in (signal.SIGSTOP, signal.SIGKILL):
            for pid in family:
                os.kill(pid, blow)
        self.leave()
        until(lambda: not any(map(alive, family)))

    def leave(self) -> None:
        """End the service, also processes that are frozen. Its data stays."""
        family = below(self.tree.process.pid)
        self.tree.process.kill()
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.tree.kill()
        self.log += [*self.tree.lines, *self.tree.log]

    async def command(self, *arguments: str) -> bytes:
        """Run one command of the program, as an operator does."""
        async with self._one_command:  # it has this process's environment and output for itself
            done = await asyncio.to_thread(lambda: kiosk(self.data, *arguments, **self.settings))
        assert done.returncode == 0, done.stderr
        return done.stdout.encode()

    async def build(self) -> None:
        """Add hospitals in Srinagar, each with medicine (M1, M2) and a pharmacy (P1)."""
        hips = list(itertools.islice(self._hips, HOSPITALS))
        self._unused = iter(hips)
        places = [(hip, f"District Hospital {hip[-2:]}", "Srinagar", "J&K", *SRINAGAR, "127.0.0.0/8") for hip in hips]
        lines = [(hip, MEDICINE, "Medicine OPD", "M", 2) for hip in hips]
        lines += [(hip, PHARMACY, "Pharmacy", "P", 1) for hip in hips]
        facilities = _csv(
            self.folder / "f.csv", ("hip_id", "name", "district", "state", "latitude", "longitude", "networks"), places
        )
        queues = _csv(self.folder / "q.csv", ("hip_id", "queue", "name", "prefix", "counters"), lines)
        await self.command("facility", "import", str(facilities))
        await self.command("queue", "import", str(queues))

    def hospital(self) -> "Hospital":
        """A hospital that no journey has used."""
        return Hospital(self, next(self._unused))

    def patient(self, **known: Any) -> Patient:
        """A new adult patient, whose app sends its position if the test wants it."""
        person = next(one for one in self._patients if one.year in GROWN_UP)
        self.seen.append(replace(person, **{"place": "number", "phone": f"9{len(self.seen):09d}", **known}))
        return self.seen[-1]

    def marks(self) -> set[str]:
        """All texts that identify a patient of any journey."""
        marks = set()
        for one in self.seen:
            number = one.abha_number
            dashed = f"{number[:2]}-{number[2:6]}-{number[6:10]}-{number[10:]}"
            marks |= {one.name, one.abha_address, one.abha_address.partition("@")[0], one.phone, one.line}
            marks |= {number, dashed} if number else set()
        return marks

    def readable_marks(self, *more: str) -> set[tuple[str, str]]:
        """Where a text that identifies a patient, or one of ``more``, is readable on the disk or in the log: place and
        text.
        """
        marks = self.marks() | set(more)
        written = {path.name: path.read_bytes() for path in self.data.rglob("*") if path.is_file()}
        assert any(MEDICINE.encode() in body for body in written.values()), "the journal was not read"
        written["log"] = "\n".join([*self.log, *self.tree.lines, *self.tree.log]).encode()
        return {(name, mark) for name, body in written.items() for mark in marks if mark.encode() in body}

    def get_page(self, path: str) -> str:
        """The answer to a plain GET. Blocks."""
        with urlopen(self.url + path, timeout=10) as answer:  # noqa: S310 - an address of the test's own
            text: bytes = answer.read()
        return text.decode()


class Hospital(Struct, frozen=True):
    """One hospital of the deployment."""

    deployment: Deployment
    hip: str

    async def staff(self, name: str, role: str = "clerk") -> Login:
        """Make a login for this hospital."""
        login = f"{name}.{self.hip[-3:]}"
        arguments = ("staff", "add", login, "--facility", self.hip, "--role", role, "--json")
        return Login(login, json.decode(await self.deployment.command(*arguments))["password"])

    async def scan(self, patient: Patient, text: str, at: tuple[float, float] | None = None) -> Received:
        """This person scans a QR code with ``text`` and shares."""
        return await self.deployment.phones.scan_qr(patient, text, at=at)

    def poster(self, text: str) -> str:
        """The text of a printed QR code of this hospital."""
        return f"https://phrsbx.abdm.gov.in/share-profile?hip-id={self.hip}&counter-id={text}"

    def hall(self) -> dict[str, Any]:
        """The first snapshot of the live stream, as a screen gets it. While others listen it may be one redraw old.
        Blocks.
        """
        return snapshot(f"{self.deployment.url}/live/{self.hip}")

    def queue(self, name: str = MEDICINE) -> dict[str, Any]:
        """One queue of the snapshot. Blocks."""
        return next(dict(queue) for queue in self.hall()["queues"] if queue["id"] == name)


def snapshot(address: str) -> dict[str, Any]:
    """Open a stream, read its first event, close it."""
    with urlopen(address, timeout=10) as stream:  # noqa: S310 - an address of the test's own
        data = next(line for line in stream if line.startswith(b"data: "))
    facts: dict[str, Any] = json.decode(data.removeprefix(b"data: "))
    return facts


@asynccontextmanager
async def opened(folder: Path, **settings: str) -> AsyncIterator[Deployment]:
    """A deployment that is removed at the end. ``settings``: additional settings by name."""
    async with Simulator.start(seed=SEED) as simulator:
        facts = simulator.announced
        app = Phones(facts.url, app_id=facts.app_id, secret=facts.app_secret, cm_id=facts.cm_id, run=folder.name)
        async with app as phones:
            deployment = Deployment(simulator, phones, folder)
            deployment.settings |= settings
            await simulator.set_bridge(deployment.url)
            await deployment.start()
            try:
                await deployment.build()
                yield deployment
            finally:
                deployment.leave()


def _settings(simulator: Simulator, port: int) -> dict[str, str]:
    facts = simulator.announced
    return {
        "KIOSK_PORT": str(port),
        "KIOSK_GATEWAY_URL": facts.url,
        "KIOSK_GATEWAY_CLIENT_ID": facts.client_id,
        "KIOSK_GATEWAY_CLIENT_SECRET": facts.client_secret,
        "KIOSK_GATEWAY_ISSUER": facts.issuer,
        "KIOSK_CM_ID": facts.cm_id,
    }


def _csv(path: Path, head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path
