"""Screens in a real browser: a server on a port, and a Chromium."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.browser import chromium

PATIENCE_MS = 20_000
"""No promise: a busy machine is given time before a test gives up."""


@pytest.fixture(scope="module")
async def kiosk_browser() -> AsyncIterator[Browser]:
    """As it runs on a wall: it may sound at once."""
    expect.set_options(timeout=PATIENCE_MS)
    async with chromium("--autoplay-policy=no-user-gesture-required") as browser:
        yield browser


@pytest.fixture(scope="module")
async def plain_browser() -> AsyncIterator[Browser]:
    """As anybody has it: silent until somebody touches the page."""
    expect.set_options(timeout=PATIENCE_MS)
    async with chromium() as browser:
        yield browser
