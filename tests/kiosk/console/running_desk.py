"""The program's web role in a process of its own, one hospital for each test, and hands for the page of the desk."""

import asyncio
import contextlib
import os
import re
import sys
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from playwright.async_api import Browser, Page, expect

from kiosk.patient.person import Patient
from kiosk.services.web import Services
from queueing.embedded.server import EmbeddedValkey
from queueing.models import Place
from tests.kiosk.console.signed_in import arrive, opened_app, services_of
from tests.ports import free_port


class Program:
    """The program's web role at an address, and services on the same store for what happens elsewhere."""

    def __init__(self, address: str, services: Services) -> None:
        self.address, self.services = address, services


class Served:
    """One hospital of the running program; each test has its own, and its own clerk."""

    def __init__(self, program: Program, hip: str) -> None:
        self.address, self.services, self.hip = program.address, program.services, hip
        self.login = f"clerk-{hip.lower()}"
        self.desk = program.services.desk

    async def session(self) -> str:
        """A session of the clerk, as the cookie says it."""
        staff = self.services.staff
        member = await staff.member(self.login)
        assert member is not None
        reference, _ = await staff.sessions.open(self.login, member.generation, address="127.0.0.1", device="")
        return reference

    async def arrive(self, patient: Patient | str) -> Place:
        return await arrive(self.services.check_in, patient, hip=self.hip)


@asynccontextmanager
async def running_program(folder: Path, **more: str) -> AsyncIterator[Program]:
    """The web role on a store of its own, which no other test empties. ``more``: settings without ``KIOSK_``."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    # A socket's path has at most a hundred characters, and ``folder`` may lie deep.
    with tempfile.TemporaryDirectory(prefix="kiosk-program-") as store:
        with EmbeddedValkey(Path(store) / "data", maxmemory_bytes=128 << 20, brief=True) as server:
            url = server.operator_url
            async with opened_app(url, folder, KIOSK_PUBLIC_URL=address) as app:
                settings = {"PUBLIC_URL": address, "PORT": str(port), "DATA_DIR": str(folder), "REDIS_URL": url} | more
                async with _web_role({f"KIOSK_{name}": value for name, value in settings.items()}, address):
                    yield Program(address, services_of(app))


@asynccontextmanager
async def _web_role(settings: dict[str, str], address: str) -> AsyncIterator[None]:
    command = [sys.executable, "-m", "kiosk", "web"]
    web = await asyncio.create_subprocess_exec(*command, env={**os.environ, **settings}, stdout=DEVNULL, stderr=DEVNULL)
    async with httpx.AsyncClient() as client:
        while web.returncode is None:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"{address}/console/login")).status_code == 200:
                    break
            await asyncio.sleep(0.1)
    try:
        yield
    finally:
        web.terminate()
        await web.wait()


@asynccontextmanager
async def watched_page(chromium: Browser) -> AsyncIterator[Page]:
    """A page in a window of its own. Anything it complains about fails the test at its end."""
    context = await chromium.new_context(viewport={"width": 1366, "height": 768})
    opened = await context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("dialog", lambda dialog: wrong.append(dialog.message))
    opened.on("console", lambda line: wrong.append(line.text) if "Content Security" in line.text else None)
    yield opened
    await context.close()
    assert wrong == []


async def desk_is_ready(page: Page) -> None:
    """The list has the focus, and what changes elsewhere arrives."""
    await expect(page.locator("#list")).to_be_focused()
    await expect(page.locator("#link")).to_have_class("link")


async def press(page: Page, key: str, sentence: str | re.Pattern[str]) -> None:
    await page.keyboard.press(key)
    await expect(page.locator("#said")).to_have_text(sentence)


async def choose_first(page: Page, token: str) -> None:
    """Choose the first row, once the list shows what the last move made of it."""
    await expect(page.locator("#list [role=option] .token").first).to_have_text(token)
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[aria-selected=true] .token")).to_have_text(token)


async def states_of(served: Served) -> list[str]:
    return [ticket.state.name for ticket in await served.desk.tickets(served.hip)]
