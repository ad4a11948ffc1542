"""Pages of screens and phones in a browser, watched for complaints."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, Response, ViewportSize, expect

from kiosk.locales import LANGUAGES

TELEVISION = ViewportSize(width=1920, height=1080)


UPRIGHT = ViewportSize(width=1080, height=1920)


PHONE = ViewportSize(width=360, height=740)


LAID_OUT = ("en", "hi", "ur")
"""One language of each script that lays lines out in a way of its own. ``make proofs`` looks at all."""
each_language = pytest.mark.parametrize(
    "code", [code if code in LAID_OUT else pytest.param(code, marks=pytest.mark.proof) for code in LANGUAGES]
)
"""The test runs in each language; those whose layout another one shares are proofs."""


SMALLEST_TARGET = 24
"""CSS pixels (WCAG 2.2, 2.5.8); ours are 44 where a finger is meant."""


@asynccontextmanager
async def opened(
    browser: Browser, address: str, size: ViewportSize = TELEVISION, locale: str = "en-IN"
) -> AsyncIterator[Page]:
    """A page that must not complain: no script error, nothing refused by the content policy, nothing missing."""
    context = await browser.new_context(viewport=size, locale=locale)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("response", lambda answer: complaints.append(answer.url) if _missing(answer) else None)
    await page.goto(address)
    yield page
    await context.close()
    assert [one for one in complaints if not one.startswith("Failed to load resource")] == []


def _missing(answer: Response) -> bool:
    """Something a page needs; the page itself may well be a 404 or a form with faults."""
    return answer.status >= 400 and answer.request.resource_type != "document"


async def board(page: Page, *, sound: str = "on") -> None:
    await expect(page.locator("body")).to_have_attribute("data-link", "live")
    await expect(page.locator("body")).to_have_attribute("data-sound", sound)


async def history(page: Page) -> None:
    """From now on, remember what was announced in what order."""
    await page.evaluate(
        """() => {
          globalThis.announced = [];
          new MutationObserver(() => {
            const hero = document.getElementById("hero").dataset;
            const last = globalThis.announced.at(-1);
            const call = `${hero.token} ${hero.counter}`;
            if (document.body.dataset.announcing === "yes" && call !== last) globalThis.announced.push(call);
          }).observe(document.body, { attributes: true, subtree: true });
        }"""
    )
