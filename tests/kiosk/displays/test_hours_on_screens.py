"""Counter screens and boards say today's hours, and when a closed queue opens, in the language of the screen."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, expect

from kiosk.locales import BOOK
from queueing.opening_hours import DAY_MIN
from tests.kiosk.displays.pages import opened
from tests.kiosk.hospital import HIP, Hospital

pytestmark = pytest.mark.anyio


def spans_in(days: int) -> tuple[int, ...]:
    """One span a week, 9:00 to 14:00, so many days after today: midnight may pass while a test runs."""
    weekday = (datetime.now(ZoneInfo("Asia/Kolkata")) + timedelta(days=days)).weekday()
    return (weekday * DAY_MIN + 540, weekday * DAY_MIN + 840)


async def test_a_screen_says_when_its_closed_queue_opens_and_opens_again(
    served: Hospital, kiosk_browser: Browser
) -> None:
    registry = served.services.registry
    date = (datetime.now(UTC).astimezone(ZoneInfo("Asia/Kolkata")) + timedelta(days=3)).date().isoformat()
    async with (
        opened(kiosk_browser, f"{served.url}/kiosk/{HIP}/M1?lang=ur") as screen,
        opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=en") as board,
    ):
        await expect(screen.locator("#abdm")).to_be_visible()
        await expect(screen.locator("#hours")).to_be_hidden()
        await registry.set_hours(HIP, "medicine", spans_in(3))
        await expect(screen.locator("#opens")).to_have_text(
            BOOK["ur"].say("common.opens_on", date=BOOK["ur"].day(date), time="09:00")
        )
        await expect(screen.locator("#abdm")).to_be_hidden()
        sentence = BOOK["en"].say("common.opens_on", date=BOOK["en"].day(date), time="09:00")
        await expect(board.locator("[data-queue=medicine] .opens")).to_have_text(sentence)
        await board.goto(board.url)
        await expect(board.locator("[data-queue=medicine] .opens")).to_have_text(sentence)
        week = tuple(edge for day in range(7) for edge in (day * DAY_MIN, (day + 1) * DAY_MIN))
        await registry.set_hours(HIP, "medicine", week)
        await expect(screen.locator("#abdm")).to_be_visible()
        await expect(screen.locator("#hours")).to_have_text(BOOK["ur"].say("common.hours_today", hours="00:00–24:00"))
