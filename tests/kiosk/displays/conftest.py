"""Screens in a real browser: a server on a port, and a Chromium."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests import browser


@pytest.fixture(scope="session")
async def loud_browser() -> AsyncIterator[Browser]:
    """One that may sound at once."""
    async with browser.chromium("--autoplay-policy=no-user-gesture-required") as opened:
        yield opened


@pytest.fixture
async def kiosk_browser(loud_browser: Browser) -> AsyncIterator[Browser]:
    """As it runs on a wall. Pages that a test left open are closed: a board would go on moving beside other tests."""
    yield loud_browser
    await browser.close_pages(loud_browser)


@pytest.fixture
def plain_browser(chromium: Browser) -> Browser:
    """As anybody has it: silent until somebody touches the page."""
    return chromium
