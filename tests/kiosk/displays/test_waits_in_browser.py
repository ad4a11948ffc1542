"""How long a wait is said to be, on a phone in a real Chromium."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec import to_builtins
from msgspec.structs import asdict
from playwright.async_api import Browser, expect

from kiosk.web.static_files import static_url
from queueing.usual_paces import UsualDay, write_usual_days
from queueing.waiting import SLOT_S, Pace, Usual, estimate
from tests.kiosk.displays.pages import PHONE, opened
from tests.kiosk.hospital import HIP, MEDICINE, Hospital

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_the_phone_and_the_server_tell_the_same_wait(served: Hospital, kiosk_browser: Browser) -> None:
    begins_ms = 1_790_000_000_000
    usual = Usual(from_ms=begins_ms, gaps_s=(0, 120, 45, 45, 60, 0, 300), spread=25)
    cases = [
        (ahead, Pace(mean_s=mean, deviation_s=deviation, calls=calls), known, begins_ms + minutes * 60_000)
        for ahead in (0, 1, 7, 40, 199)
        for mean, deviation, calls in ((0, 0, 0), (50, 20, 4), (20.05, 50.7, 5), (61, 299, 20), (600, 0, 12))
        for known, minutes in (
            (None, 0),
            (usual, -45),
            (usual, 0),
            (usual, 44),
            (usual, 95),
            (usual, 185),
            (usual, 211),
        )
    ]
    queues = [
        (ahead, {f"pace_{name}": value for name, value in asdict(pace).items()} | {"usual": to_builtins(known)}, now_ms)
        for ahead, pace, known, now_ms in cases
    ]
    async with opened(kiosk_browser, f"{served.url}/t/x", PHONE) as page:
        script = (await page.request.get(f"{served.url}{static_url('js/waiting.js')}")).text
        source = (await script()).replace("export function", "globalThis.estimate = function")
        estimates = await page.evaluate(
            f"() => {{ {source}; return {json.dumps(queues)}.map((one) => estimate(...one)); }}"
        )
    ours = [estimate(*case) for case in cases]
    assert estimates == [found and {"low": found.low_min, "high": found.high_min} for found in ours]


async def test_the_first_of_the_morning_is_told_the_usual_wait(served: Hospital, kiosk_browser: Browser) -> None:
    """Nobody was called today. Usually a number is called each four minutes from this half hour on."""
    now = datetime.now(ZoneInfo(served.services.settings.timezone))
    slot = (now.hour * 3600 + now.minute * 60) // SLOT_S
    usual = UsualDay(first_s=slot * SLOT_S, gaps_s=(240,) * 8, spread=10)
    await write_usual_days(served.services.store, HIP, {(weekday, MEDICINE): usual for weekday in range(7)})
    *_, mine = await served.arrive(patients=10)
    forty = "20 to 65 minutes"
    async with opened(kiosk_browser, f"{served.url}{served.ticket_link(mine)}", PHONE) as page:
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        await expect(page.locator("#estimate")).to_have_text(forty)
        await served.arrive()
        await expect(page.locator("#ahead")).to_have_text("9")
        await expect(page.locator("#estimate")).to_have_text(forty)
