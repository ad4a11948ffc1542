"""After journeys of every kind no patient data is readable on disk, in logs, on screens or in streams."""

import asyncio
import stat
import uuid
from datetime import UTC, datetime
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from msgspec import json
from playwright.async_api import Browser, expect

from loadtests.simulator.people.invented import Patient
from tests.journeys.running_hospital import DELHI, Hospital
from tests.journeys.screens import Board, Desk, Phone, look_at_kiosk

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

CANARY = "Zubaida Qurratulain Kanari"
WALK_IN = "Ghulam Nabi Kanari"
WITHOUT_APP = "कनारी देवी"
PHONES = ("9906543217", "9419123457")
MARKS = {CANARY, "Kanari", WALK_IN, WITHOUT_APP, *PHONES}


async def test_no_patient_data_is_readable_anywhere_but_on_the_desk(browser: Browser, hospital: Hospital) -> None:
    deployment = hospital.deployment
    board = await Board.opened(browser, hospital)
    desk = await Desk.opened(browser, hospital, await hospital.staff("asha"))
    await _everybody_comes(browser, hospital, desk)
    await desk.next("M-001")
    await board.shows("M-001", "M1")
    phone = await Phone.opened(browser, await desk.slip_link("M-002"))
    shown = {name: await page.content() for name, page in (("board", board.page), ("ticket", phone.page))}
    public = [f"/kiosk/{hospital.hip}/M1", f"/board/{hospital.hip}", "/metrics", "/readyz", "/healthz"]
    shown |= {path: await asyncio.to_thread(deployment.get_page, path) for path in public}
    shown["live"] = str(await asyncio.to_thread(hospital.hall))

    page_source = await desk.page.content()
    assert all(name in page_source for name in (CANARY, WALK_IN, WITHOUT_APP)), "the desk itself must show the names"
    assert {
        (where, mark) for where, text in shown.items() for mark in deployment.marks() | MARKS if mark in text
    } == set()
    assert deployment.readable_marks(*MARKS) == set()


async def test_the_data_folder_opens_to_nobody_else(hospital: Hospital) -> None:
    paths = [hospital.deployment.data, *hospital.deployment.data.rglob("*")]
    assert len(paths) > 5
    assert [path.name for path in paths if stat.S_IMODE(path.lstat().st_mode) & 0o077] == []


async def _everybody_comes(browser: Browser, hospital: Hospital, desk: Desk) -> None:
    """Patients come in every possible way, also in ways that are refused."""
    deployment = hospital.deployment
    somebody = deployment.patient(name=CANARY, phone=PHONES[0])
    screen = await look_at_kiosk(browser, hospital)
    await hospital.scan(somebody, screen.abdm)
    await _walks_in(desk)
    phone = await Phone.opened(browser, screen.camera)
    await phone.page.locator("#name").fill(WITHOUT_APP)
    await phone.page.locator("#age").fill("45")
    await phone.page.locator("#phone").fill(PHONES[1])
    await phone.page.locator("[name=gender][value=F]").check()
    await phone.page.locator("[name=consent]").check()
    await phone.page.get_by_role("button").tap()
    await expect(phone.token).to_have_text("M-003")
    await hospital.scan(deployment.patient(name=CANARY), hospital.poster("M1"), at=DELHI)
    await deployment.phones.scan(deployment.patient(name=CANARY), "IN0199999999", "M1")
    await _nonsense_is_delivered(hospital, somebody)
    await expect(desk.row("M-003")).to_be_visible()


async def _walks_in(desk: Desk) -> None:
    await desk.page.keyboard.press("w")
    await expect(desk.page.locator("#walk [name=name]")).to_be_focused()
    await desk.page.keyboard.type(WALK_IN)
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.locator("#walk-token")).to_have_text("M-002")
    await desk.page.keyboard.press("Escape")


async def _nonsense_is_delivered(hospital: Hospital, patient: Patient) -> None:
    """Send messages with the gateway's token that fit no schema and are full of personal data."""
    share_client = f"{hospital.deployment.url}/api/v3/hip/patient/share"
    token = await hospital.deployment.simulator.callback_token()
    for body in (
        f'{{"intent": "{patient.name}", "metaData": "{patient.abha_number}"}}',
        f'{{"intent": "PROFILE_SHARE", "metaData": {{"hipId": "{hospital.hip}"}}, "profile": ["{patient.name}"]}}',
        f'{{"{patient.name}": "{patient.phone}"',
    ):
        headers = _headers(hospital, token)
        await _announce(hospital, headers["REQUEST-ID"])
        assert 200 <= await asyncio.to_thread(_post, share_client, headers, body.encode()) < 500


async def _announce(hospital: Hospital, request_id: str) -> None:
    """Register this request, so that the simulator records no protocol fault for its answer."""
    known = {"request_id": request_id, "hip_id": hospital.hip, "context": "", "abha_address": ""}
    book = f"{hospital.deployment.simulator.url}/_sim/expect"
    assert await asyncio.to_thread(_post, book, {}, json.encode([known])) == 204


def _headers(hospital: Hospital, token: str) -> dict[str, str]:
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "Authorization": f"Bearer {token}", "REQUEST-ID": str(uuid.uuid4()), "TIMESTAMP": moment,
        "X-HIP-ID": hospital.hip,
    }  # fmt: skip


def _post(address: str, headers: dict[str, str], body: bytes) -> int:
    request = Request(address, body, {**headers, "Content-Type": "application/json"})  # noqa: S310 - the test's own address
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            return int(answer.status)
    except HTTPError as refused:
        with refused:
            return refused.code
