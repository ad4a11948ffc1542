"""Screens stay true when streams are few: many pages of one browser, a full server, a proxy that holds streams back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.kiosk.hospital import HIP, Hospital, until

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@asynccontextmanager
async def one_browser(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Pages of one context share connections and channels, as the tabs of a browser do."""
    context = await browser.new_context()
    try:
        yield context
    finally:
        await context.close()


async def opened(context: BrowserContext, address: str) -> Page:
    page = await context.new_page()
    await page.goto(address)
    await expect(page.locator("body")).to_have_attribute("data-link", "live")
    return page


async def shows(page: Page, token: str, counter: str, waiting: int = 0) -> None:
    """This call stands on a board; so many wait by a counter's screen, and by the page of the last of them."""
    if await page.locator("body.board").count():
        await expect(page.locator("#hero")).to_have_attribute("data-token", token)
        await expect(page.locator("#hero")).to_have_attribute("data-counter", counter)
    elif await page.locator("body.kiosk").count():
        await expect(page.locator("#waiting")).to_have_text(str(waiting))
    else:
        await expect(page.locator("#ahead")).to_have_text(str(waiting - 1))


async def test_seven_pages_of_one_browser_all_show_true_numbers(served: Hospital, kiosk_browser: Browser) -> None:
    places = await served.arrive(patients=4)
    addresses = [f"/board/{HIP}"] * 3 + [f"/kiosk/{HIP}/{counter}" for counter in ("M1", "M2", "M3")]
    async with one_browser(kiosk_browser) as context:
        pages = [await opened(context, served.url + address) for address in addresses]
        pages.append(await opened(context, served.url + served.ticket_link(places[3])))
        await until(lambda: served.services.hub.listeners == 1)
        assert await served.call("M1") == "M-001"
        for page in pages:
            await shows(page, "M-001", "M1", waiting=3)
        await pages[0].close()  # it may have had the stream
        await pages[1].close()
        assert await served.call("M2") == "M-002"
        for page in pages[2:]:
            await shows(page, "M-002", "M2", waiting=2)
        await until(lambda: served.services.hub.listeners == 1)


async def test_a_page_leaves_the_stream_to_the_others_when_it_goes_elsewhere(
    served: Hospital, kiosk_browser: Browser
) -> None:
    await served.arrive(patients=2)
    async with one_browser(kiosk_browser) as context:
        first = await opened(context, f"{served.url}/board/{HIP}")
        second = await opened(context, f"{served.url}/board/{HIP}")
        await first.goto(f"{served.url}/healthz")
        await served.call("M1")
        await shows(second, "M-001", "M1")
        await first.go_back()
        await expect(first.locator("body")).to_have_attribute("data-link", "live")
        await served.call("M2")
        await shows(first, "M-002", "M2")
        await until(lambda: served.services.hub.listeners == 1)


async def test_where_pages_cannot_speak_to_each_other_each_has_its_stream(
    served: Hospital, kiosk_browser: Browser
) -> None:
    await served.arrive()
    async with one_browser(kiosk_browser) as context:
        await context.add_init_script("delete window.BroadcastChannel")
        pages = [await opened(context, f"{served.url}/board/{HIP}") for _ in range(2)]
        await until(lambda: served.services.hub.listeners == 2)
        await served.call("M1")
        for page in pages:
            await shows(page, "M-001", "M1")


async def test_a_board_asks_while_the_server_has_no_stream_left(
    served: Hospital, kiosk_browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.services.hub, "_most", 0)
    await served.arrive()
    async with one_browser(kiosk_browser) as context:
        pages = [await opened(context, f"{served.url}{path}") for path in (f"/board/{HIP}", f"/kiosk/{HIP}/M1")]
        await served.call("M1")
        for page in pages:
            await shows(page, "M-001", "M1")
        await expect(pages[0].locator("body")).to_have_attribute("data-chimes", "1")
        assert served.services.hub.listeners == 0


async def test_a_board_behind_a_proxy_that_holds_the_stream_back_asks(served: Hospital, kiosk_browser: Browser) -> None:
    await served.arrive()
    async with holding_proxy(served.url) as (address, streams), one_browser(kiosk_browser) as context:
        page = await opened(context, f"{address}/board/{HIP}")
        await served.call("M1")
        await shows(page, "M-001", "M1")
        await expect(page.locator("body")).to_have_attribute("data-chimes", "1")
        await expect(page.locator("#old")).to_be_hidden()
        assert streams


@asynccontextmanager
async def holding_proxy(url: str) -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that keeps the body of an event stream until its end, which never comes. Its address, and the streams."""
    streams: list[str] = []
    port = urlsplit(url).port
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.current_task())  # type: ignore[arg-type]  # it runs in a task
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            line = head.partition(b"\r\n")[0].decode()
            up_writer.write(head.replace(b"Connection: keep-alive", b"Connection: close"))
            if f"/live/{HIP} " in line:
                streams.append(line)
                writer.write(await up_reader.readuntil(b"\r\n\r\n"))
                await reader.read()  # until the browser gives up
            while part := await up_reader.read(65_536):
                writer.write(part)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the browser went away
        finally:
            up_writer.close()
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", streams
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
