"""Screens and the ticket page show who serves at a counter, where the facility wants it, and cut nothing for it."""

import httpx
import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, expect

from kiosk.locales import ROTATION
from queueing.limits import SERVED_BY_MAX
from tests.kiosk.displays.pages import PHONE, opened
from tests.kiosk.displays.test_nothing_is_cut import EVERY_SIZE, fill, fill_twelve_queues, walk
from tests.kiosk.hospital import HIP, Hospital

pytestmark = pytest.mark.anyio
DOCTOR, NEXT_DOCTOR = "Dr. Asha Kumari, Medicine", "डॉ. मीरा <शर्मा>"
LONG_NAMES = {
    "capitals": "DR. MUHAMMAD WASEEM WANI, MD, GYNAECOLOGY AND OBSTETRICS, ROOM 3",
    "hindi": "डॉ. आशा कुमारी राजवंशी, स्त्री रोग एवं प्रसूति विभाग, कक्ष तीन",
    "urdu": "ڈاکٹر عائشہ کماری راجونشی، شعبۂ امراضِ نسواں و زچگی، کمرہ نمبر ۳",
}


async def give_name(hospital: Hospital, served_by: str, *names: str) -> None:
    registry = hospital.services.registry
    for counter in await registry.counters(HIP):
        if counter.name in names:
            await registry.put_counter(HIP, replace(counter, served_by=served_by))


async def test_without_scripts_the_pages_show_who_serves(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    first, second = await hospital.arrive(patients=2)
    await give_name(hospital, DOCTOR, "M1")
    screen = await visitor.get(f"/kiosk/{HIP}/M1")
    assert DOCTOR in screen.text
    assert DOCTOR not in (await visitor.get(f"/kiosk/{HIP}/M2")).text
    await hospital.call("M1")
    await hospital.call("M2")
    board = (await visitor.get(f"/board/{HIP}")).text.split("<main", 1)[1]
    assert DOCTOR not in board, "the newest call is at another counter"
    assert DOCTOR in (await visitor.get(hospital.ticket_link(first))).text.split("<main", 1)[1]
    assert DOCTOR not in (await visitor.get(hospital.ticket_link(second))).text.split("<main", 1)[1]
    assert (await visitor.get(hospital.ticket_link(first) + "/now")).json()["served_by"] == DOCTOR
    live = (await visitor.get(f"/live/{HIP}/now")).json()
    assert {one["name"]: one["served_by"] for one in live["counters"]} == {
        "M1": DOCTOR, "M2": "", "M3": "", "R1": "", "ROOM17": "",
    }  # fmt: skip


@pytest.mark.browser
async def test_open_pages_follow_a_change_of_who_serves(served: Hospital, kiosk_browser: Browser) -> None:
    (place,) = await served.arrive()
    async with (
        opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=en") as board,
        opened(kiosk_browser, f"{served.url}/kiosk/{HIP}/M1?lang=en") as screen,
        opened(kiosk_browser, served.url + served.ticket_link(place) + "?lang=en", PHONE) as ticket,
    ):
        for page in (board, screen, ticket):
            await expect(page.locator("body")).to_have_attribute("data-link", "live")
        await give_name(served, DOCTOR, "M1")
        await expect(screen.locator("#who")).to_have_text(DOCTOR)
        await expect(ticket.locator("#who")).to_be_hidden()
        await served.call("M1")
        for name in (board.locator("#hero .who"), ticket.locator("#who")):
            await expect(name).to_have_text(DOCTOR)
            await expect(name).to_be_visible()
        await expect(board.locator("#announcement")).to_have_text("Number M-001, counter M1")
        await give_name(served, NEXT_DOCTOR, "M1")
        for name in (board.locator("#hero .who"), screen.locator("#who"), ticket.locator("#who")):
            await expect(name).to_have_text(NEXT_DOCTOR)
        await give_name(served, "", "M1")
        for name in (board.locator("#hero .who"), screen.locator("#who"), ticket.locator("#who")):
            await expect(name).to_be_hidden()


@pytest.mark.browser
@pytest.mark.parametrize(("script", "code"), [("capitals", "en"), ("hindi", "en"), ("urdu", "ur")])
async def test_a_long_name_cuts_nothing(served: Hospital, kiosk_browser: Browser, script: str, code: str) -> None:
    assert SERVED_BY_MAX - 5 <= len(LONG_NAMES[script]) <= SERVED_BY_MAX
    await fill(served)
    await give_name(served, LONG_NAMES[script], "M1", "R1")
    assert await walk(served, kiosk_browser, [(1366, 768), (1920, 1080), (1080, 1920)], (code,)) == []


@pytest.mark.browser
@pytest.mark.proof
@pytest.mark.parametrize("script", LONG_NAMES)
async def test_a_long_name_cuts_nothing_on_the_fullest_board(
    served: Hospital, kiosk_browser: Browser, script: str
) -> None:
    await fill_twelve_queues(served)
    await give_name(served, LONG_NAMES[script], "M1", "J2")
    assert await walk(served, kiosk_browser, EVERY_SIZE, ROTATION) == []
