"""Announcements and hours on a board in a real Chromium: shown, read aloud after the chime, silent, dark, moved."""

import io
import secrets
import time
import wave

import httpx
import pytest
from playwright.async_api import Browser, expect

from queueing.announcement import Announcement, BoardHours
from queueing.audit import UNRECORDED
from tests.kiosk.displays.pages import opened
from tests.kiosk.hospital import HIP, MEDICINE, Hospital

pytestmark = pytest.mark.anyio
HEARD_MS = 40_000
"""Chime and a sentence take six seconds; a busy machine is given time."""


async def announce(hospital: Hospital, text: str, *, queue: str = "", language: str = "en", seconds: int = 60) -> str:
    now_ms = time.time_ns() // 1_000_000
    one = Announcement(
        id=secrets.token_hex(8),
        text=text,
        language=language,
        queue=queue,
        at_ms=now_ms,
        until_ms=now_ms + 1_000 * seconds,
    )
    await hospital.services.announcements.announce(HIP, one, act=UNRECORDED)
    return one.id


async def test_an_announcement_is_read_by_the_kiosks_voice(hospital: Hospital, visitor: httpx.AsyncClient) -> None:
    english = await announce(hospital, "The doctor is delayed until eleven")
    answer = await visitor.get(f"/board/{HIP}/announcement/{english}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    with wave.open(io.BytesIO(answer.content)) as sound:
        assert 1 < sound.getnframes() / sound.getframerate() < 6
    part = await visitor.get(f"/board/{HIP}/announcement/{english}", headers={"range": "bytes=0-99"})
    assert (part.status_code, len(part.content)) == (206, 100)
    kashmiri = await announce(hospital, "ڈاکٹر", language="ks")
    assert (await visitor.get(f"/board/{HIP}/announcement/{kashmiri}")).status_code == 204
    assert (await visitor.get(f"/board/{HIP}/announcement/unknown")).status_code == 404
    assert "The doctor is delayed until eleven" in (await visitor.get(f"/board/{HIP}")).text


@pytest.mark.browser
async def test_a_board_shows_and_reads_what_concerns_its_queues(served: Hospital, kiosk_browser: Browser) -> None:
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=en&queues=R") as page:
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        await expect(page.locator("#announced")).to_be_hidden()
        await announce(served, "For medicine alone", queue=MEDICINE)
        identifier = await announce(served, "The doctor is delayed until eleven", seconds=600)
        await expect(page.locator("#announced")).to_be_visible()
        await expect(page.locator("#announced-text")).to_have_text("The doctor is delayed until eleven")
        await expect(page.locator("body")).to_have_attribute("data-spoken", "1", timeout=HEARD_MS)
        assert await page.locator("body").get_attribute("data-chimes") == "1"
        await served.services.announcements.end(HIP, identifier, act=UNRECORDED)
        await expect(page.locator("#announced")).to_be_hidden()


@pytest.mark.browser
async def test_in_its_hours_a_board_is_silent_and_dark(served: Hospital, kiosk_browser: Browser) -> None:
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=en") as page:
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        await expect(page.locator("body")).to_have_attribute("data-quiet", "no")
        hours = BoardHours(quiet_from="00:00", quiet_to="23:59", night_from="00:00", night_to="23:59", moves=False)
        await served.services.announcements.set_hours(HIP, hours, act=UNRECORDED)
        await expect(page.locator("body")).to_have_attribute("data-quiet", "yes")
        await expect(page.locator("#quiet")).to_have_text("00:00–23:59")
        await expect(page.locator("html")).to_have_attribute("data-look", "night")
        await served.arrive(patients=1)
        await served.call("M1")
        await expect(page.locator("#hero .token")).to_have_text("M-001")
        await expect(page.locator("body")).to_have_attribute("data-announced", "1")
        await expect(page.locator("body")).to_have_attribute("data-announcing", "no", timeout=HEARD_MS)
        assert await page.locator("body").get_attribute("data-chimes") == "0"
        await served.services.announcements.set_hours(HIP, BoardHours(), act=UNRECORDED)
        await expect(page.locator("html")).to_have_attribute("data-look", "day")


@pytest.mark.browser
async def test_the_picture_moves_within_the_boards_edge(served: Hospital, kiosk_browser: Browser) -> None:
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=en") as page:
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        width = (page.viewport_size or {"width": 0})["width"]
        boxes: list[list[float]] = await page.evaluate(
            """() => [...Array(24).keys()].map((hour) => {
                 kiosk.followHours({ moves: true }, 3600000 * hour, "Asia/Kolkata", document.getElementById("quiet"));
                 const box = document.querySelector("main").getBoundingClientRect();
                 return [box.left, box.right, box.top, document.documentElement.scrollHeight - innerHeight];
               })"""
        )
    assert len({(left, top) for left, _, top, _ in boxes}) == 8
    assert max(left for left, *_ in boxes) - min(left for left, *_ in boxes) == pytest.approx(8)
    assert all(left > 4 and right < width - 4 and longer <= 0 for left, right, _, longer in boxes)
