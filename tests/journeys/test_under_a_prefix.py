"""A whole visit when the service is under a path of a host name, through real nginx and Caddy, in a real Chromium.

The proxies run the samples of ``docs/operations.md``. Each is tested as it is, where the path is passed on, and changed
so that the proxy removes the path.
"""

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Request, Response, expect

from kiosk.security import own_ca
from tests.browser import chromium, close_pages
from tests.journeys.running_hospital import Deployment, Hospital, opened
from tests.journeys.screens import Board, Desk, Phone, administration, look_at_kiosk
from tests.kiosk.process_tree import ROOT
from tests.kiosk.runtime.test_proxy_samples import replaced, running
from tests.ports import free_ports

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.proof]

HOST = "hospital.example.in"
SAMPLES = dict(re.findall(r"```(nginx|caddy)\n(.*?)```", (ROOT / "docs/operations.md").read_text("utf-8"), re.DOTALL))
STRIPPED = {"nginx": ("http://kiosk;", "http://kiosk/;"), "caddy": ("handle /opd/*", "handle_path /opd/*")}
"""The change by which a proxy takes the path off."""
PROXIES = [
    (program, way) for program in ("nginx", "caddy") for way in ("passed on", "stripped") if shutil.which(program)
]


class Town:
    """A deployment behind a proxy: ``https`` for people, plain http for the simulated gateway."""

    def __init__(self, deployment: Deployment, folder: Path, https_port: int, http_port: int) -> None:
        self.deployment, self.folder, self.https_port, self.http_port = deployment, folder, https_port, http_port
        self.kiosk_address = deployment.url.removeprefix("http://")
        self.tls = own_ca.make(folder / "tls", [HOST], datetime.now(UTC))

    def command(self, program: str, way: str) -> list[str]:
        sample = replaced(SAMPLES[program], STRIPPED[program]) if way == "stripped" else SAMPLES[program]
        return self._nginx(sample) if program == "nginx" else self._caddy(sample)

    def _nginx(self, sample: str) -> list[str]:
        temporary = "".join(
            f"{kind}_temp_path {self.folder / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        file = self.folder / "nginx.conf"
        file.write_text(
            f"daemon off; master_process off; pid {self.folder / 'pid'}; error_log {self.folder / 'error.log'};\n"
            f"events {{}}\nhttp {{\naccess_log off;\n{temporary}upstream kiosk {{ server {self.kiosk_address}; }}\n"
            f"server {{\nlisten 127.0.0.1:{self.https_port} ssl;\nlisten 127.0.0.1:{self.http_port};\n"
            f"ssl_certificate {self.tls.certificate};\nssl_certificate_key {self.tls.key};\n{sample}}}\n}}\n"
        )
        return ["nginx", "-p", str(self.folder), "-e", str(self.folder / "error.log"), "-c", str(file)]

    def _caddy(self, sample: str) -> list[str]:
        site = replaced(sample, ("127.0.0.1:8000", self.kiosk_address))
        file = self.folder / "Caddyfile"
        file.write_text(
            f"{{\n\tadmin off\n\tgrace_period 1s\n\tauto_https off\n\tstorage file_system {self.folder}\n}}\n"
            f"https://{HOST}:{self.https_port} {{\n\ttls {self.tls.certificate} {self.tls.key}\n{site}}}\n"
            f"http://127.0.0.1:{self.http_port} {{\n{site}}}\n"
        )
        return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("prefixed")
    https_port, http_port = free_ports(2)
    public_url = f"https://{HOST}:{https_port}/opd"
    async with opened(folder, KIOSK_PUBLIC_URL=public_url, KIOSK_TRUSTED_PROXIES="127.0.0.1") as deployment:
        town = Town(deployment, folder, https_port, http_port)
        await deployment.simulator.set_bridge(f"http://127.0.0.1:{http_port}/opd")
        deployment.url = public_url
        yield town


@pytest.fixture(scope="module")
async def machine() -> AsyncIterator[Browser]:
    """A Chromium that resolves the host name to this machine and accepts the test's certificate."""
    rules = f"--host-resolver-rules=MAP {HOST} 127.0.0.1"
    async with chromium("--disable-quic", rules, "--ignore-certificate-errors") as browser:
        yield browser


@pytest.fixture
async def browser(machine: Browser) -> AsyncIterator[Browser]:
    """The same; its pages are closed after each journey."""
    yield machine
    await close_pages(machine)


@pytest.fixture(params=PROXIES, ids=" ".join)
def hospital(request: pytest.FixtureRequest, town: Town) -> Iterator[Hospital]:
    """A separate hospital behind each proxy."""
    program, way = request.param
    with running(town.command(program, way), town.folder, town.https_port):
        yield town.deployment.hospital()


async def test_a_scan_is_called_and_seen_under_the_path(browser: Browser, hospital: Hospital) -> None:
    outside: list[str] = []
    board = await Board.opened(browser, hospital)
    watch(board.page, outside)
    desk = await Desk.opened(browser, hospital, await hospital.staff("asha"))
    watch(desk.page, outside)
    seen = await look_at_kiosk(browser, hospital)

    received = await hospital.scan(hospital.deployment.patient(name="Rukhsana Akhtar"), seen.abdm)
    assert received.token == "M-001"
    await expect(desk.row("M-001")).to_contain_text("Rukhsana Akhtar")
    phone = await Phone.opened(browser, await desk.slip_link("M-001"))
    watch(phone.page, outside)
    assert phone.page.url.startswith(f"{hospital.deployment.url}/t/")
    await phone.shows("waiting")
    await desk.next("M-001")
    await board.shows("M-001", "M1")
    await phone.shows("called")
    await desk.press("s", "f")
    await phone.shows("done")
    await phone.page.reload()
    await phone.shows("done")
    assert outside == []


async def test_the_form_without_an_app_and_the_administration_work_under_the_path(
    browser: Browser, hospital: Hospital
) -> None:
    outside: list[str] = []
    seen = await look_at_kiosk(browser, hospital)
    phone = await Phone.opened(browser, seen.camera)
    watch(phone.page, outside)
    await phone.page.fill("#name", "Meera Jan")
    await phone.page.fill("#age", "40")
    await phone.page.check("[name=gender][value=F]")
    await phone.page.check("[name=consent]")
    await phone.page.click("button[type=submit]")
    await expect(phone.token).to_have_text("M-001")
    assert phone.page.url.startswith(f"{hospital.deployment.url}/t/")

    page = await administration(browser, hospital, await hospital.staff("admin", "admin"))
    watch(page, outside)
    await page.get_by_role("link", name="Queues and counters").first.click()
    await page.fill("form[action$='/console/admin/queue'] [name=id]", "eye")
    await page.fill("form[action$='/console/admin/queue'] [name=name]", "Eye")
    await page.fill("form[action$='/console/admin/queue'] [name=prefix]", "E")
    await page.locator("form[action$='/console/admin/queue'] button").click()
    await page.wait_for_url("**/opd/console/admin/rooms/queues?done=queue**")
    names = {cookie["name"]: cookie["path"] for cookie in await page.context.cookies()}
    assert names == {"__Secure-kiosk": "/opd", "__Secure-kiosk-desk": "/opd"}
    await page.get_by_role("link", name="Staff", exact=True).click()
    await page.get_by_role("link", name="Audit", exact=True).click()
    await page.wait_for_url("**/opd/console/audit")
    await page.goto(hospital.deployment.url)
    await page.locator("#facility").fill(hospital.hip)
    await page.locator("button[type=submit]").click()
    await page.get_by_role("link", name="Find my place again").click()
    await page.wait_for_url("**/opd/find/**")
    await page.go_back()
    await page.get_by_role("link", name=re.compile("^District Hospital")).click()
    await expect(page.locator("body")).to_have_attribute("data-link", "live")
    assert outside == []


def watch(page: Page, outside: list[str]) -> None:
    """Record every request of the page that is outside the path, and every answer that is an error."""

    def note_request(request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")) and "/opd/" not in f"{request.url}/":
            outside.append(request.url)

    def note_answer(response: Response) -> None:
        if response.status >= 400:
            outside.append(f"{response.status} {response.url}")

    page.on("request", note_request)
    page.on("response", note_answer)
