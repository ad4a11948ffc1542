"""Screens in a real browser: a server on a port, and a Chromium."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests import browser


@pytest.fixture(scope="session")
async def kiosk_browser() -> AsyncIterator[Browser]:
    """As it runs on a wall: it may sound at once."""
    async with browser.chromium("--autoplay-policy=no-user-gesture-required") as opened:
        yield opened


@pytest.fixture
def plain_browser(chromium: Browser) -> Browser:
    """As anybody has it: silent until somebody touches the page."""
    return chromium
