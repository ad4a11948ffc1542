"""The Chromium of the machine: ``KIOSK_CHROMIUM`` names it, else it is found on the path."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright, expect

PATIENCE_MS = 20_000
"""No promise: a busy machine is given time before a test gives up."""
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
WITHOUT = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess",
    # Playwright's own list, which ours replaces.
    "AimEnabled", "AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay", "MediaRouter",
    "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch", "TcpPortRandomizationWin",
    "ThirdPartyStoragePartitioning",
)  # fmt: skip
"""Features that are off. The first two draw the suggestions below an address bar, which nobody sees here, as two pages
of their own for each window: more than half of what a small page costs. The third holds a process ready in each context
for a second site, which no test visits.
"""
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", f"--disable-features={','.join(WITHOUT)}",
)  # fmt: skip
"""Without a sandbox a container of ours can run it; and it speaks to nobody but the test."""


SHELL = "chromium-headless-shell"
"""Debian's package of the same engine without windows."""


def chromium_path() -> str:
    """Where the browser is. Says what to do where there is none."""
    found = os.environ.get("KIOSK_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        raise FileNotFoundError("no Chromium found: install it (apt install chromium) or name it in KIOSK_CHROMIUM")
    return found


def shell_path() -> str:
    """The shell where it is installed beside the browser: a test costs a sixth less. Else the browser itself."""
    browser = chromium_path()
    return (shutil.which(SHELL) if browser == shutil.which("chromium") else None) or browser


@asynccontextmanager
async def chromium(*more: str, whole: bool = False) -> AsyncIterator[Browser]:
    """A browser of the test's own. Only the ``whole`` one shows notifications, and takes as long as a clerk's."""
    path = chromium_path() if whole else shell_path()
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*QUIET, *more])
        try:
            yield browser
        finally:
            await browser.close()


async def close_pages(browser: Browser) -> None:
    """Close every page, also those of a test that failed: an open screen keeps its stream, and moves."""
    for context in browser.contexts:
        await context.close()
