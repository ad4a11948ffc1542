"""Screens stay true when streams are few: many pages of one browser, a full server, a proxy that holds streams back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect
from playwright.async_api import Error as PageGone

from kiosk.web.page_mark import page_mark
from tests.kiosk.hospital import HIP, Hospital, until

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.proof]


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


async def test_a_screen_whose_network_is_gone_says_so_while_its_stream_seems_open(
    served: Hospital, kiosk_browser: Browser
) -> None:
    """A browser in a test keeps its open streams when it is taken off the network: so does a silent line."""
    [mine] = await served.arrive()
    async with one_browser(kiosk_browser) as context:
        for path in (f"/board/{HIP}?lang=en", f"{served.ticket_link(mine)}?lang=en"):
            page = await opened(context, served.url + path)
            await expect(page.locator("body")).to_have_attribute("data-link", "live")
            await context.set_offline(True)
            await expect(page.locator("#old")).to_contain_text("No news since")
            await context.set_offline(False)
            await expect(page.locator("#old")).to_be_hidden()
            await page.close()


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


@pytest.mark.parametrize("path", ["/board/{hip}?lang=en", "/kiosk/{hip}/M1?lang=en"])
async def test_a_hanging_screen_takes_a_new_release_once(served: Hospital, kiosk_browser: Browser, path: str) -> None:
    async with one_browser(kiosk_browser) as context:
        page, loads = await _with_loads(context, served.url + path.format(hip=HIP))
        await _serve_another_mark(page)
        await _tell_another_mark(page)
        await _until_it_loads_again(page, loads)
        await expect(page.locator("body")).to_have_attribute("data-pages", OTHER)
        await page.clock.run_for(400_000)
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        assert loads == [1, 2]


async def test_a_proxy_that_serves_the_old_page_does_not_make_a_screen_load_again(
    served: Hospital, kiosk_browser: Browser
) -> None:
    async with one_browser(kiosk_browser) as context:
        board = f"{served.url}/board/{HIP}"
        page, loads = await _with_loads(context, board)
        looks: list[str] = []  # at the page; on a busy machine the screen also asks for a snapshot
        page.on(
            "request", lambda one: looks.append(one.url) if (one.url, one.resource_type) == (board, "fetch") else None
        )
        await _tell_another_mark(page)
        await page.clock.run_for(400_000)
        await until(lambda: looks == [board])
        assert loads == [1]


async def test_a_screen_that_got_an_old_page_after_all_does_not_load_again(
    served: Hospital, kiosk_browser: Browser
) -> None:
    """Two processes of two releases answer in turn."""
    async with one_browser(kiosk_browser) as context:
        page, loads = await _with_loads(context, f"{served.url}/board/{HIP}")
        await _serve_another_mark(page, to=("fetch",))
        await _tell_another_mark(page)
        await _until_it_loads_again(page, loads)
        async with page.expect_request(lambda request: request.resource_type == "fetch"):
            await page.clock.run_for(400_000)
        await page.clock.run_for(20_000)
        assert loads == [1, 2]


async def test_a_board_that_announces_waits_with_the_new_release(served: Hospital, kiosk_browser: Browser) -> None:
    async with one_browser(kiosk_browser) as context:
        page, loads = await _with_loads(context, f"{served.url}/board/{HIP}")
        await _serve_another_mark(page)
        await page.evaluate("document.body.dataset.announcing = 'yes'")
        await _tell_another_mark(page)
        await page.clock.run_for(400_000)
        assert loads == [1]
        await page.evaluate("document.body.dataset.announcing = 'no'")
        await page.clock.run_for(20_000)
        await until(lambda: loads == [1, 2])


async def _until_it_loads_again(page: Page, loads: list[int]) -> None:
    """Its clock goes on in steps, so that the answers to its questions come in time, as they do on a wall."""
    async with asyncio.timeout(60):
        while loads != [1, 2]:
            await page.clock.run_for(1_000)
            await asyncio.sleep(0.05)


OTHER = "0123456789ab"
"""The mark of a release that is not this one."""


async def _with_loads(context: BrowserContext, address: str) -> tuple[Page, list[int]]:
    """A screen whose clock a test moves, and the number of each of its loads."""
    page = await context.new_page()
    loads: list[int] = []
    page.on("domcontentloaded", lambda _: loads.append(len(loads) + 1))
    await page.clock.install()
    await page.add_init_script("Math.random = () => 0")  # the soonest of the moments over which screens are spread
    await page.goto(address)
    await page.clock.run_for(1_000)
    await expect(page.locator("body")).to_have_attribute("data-link", "live")
    return page, loads


async def _serve_another_mark(page: Page, *, to: tuple[str, ...] = ("document", "fetch")) -> None:
    """From now on pages are those of the other release, when the browser loads them or a script fetches them."""

    async def answer(route: Route) -> None:
        if route.request.resource_type not in to:
            await route.continue_()
            return
        with suppress(PageGone):
            response = await route.fetch()
            text = (await response.text()).replace(f'data-pages="{page_mark()}"', f'data-pages="{OTHER}"')
            await route.fulfill(response=response, body=text)

    pages = (f"/board/{HIP}", f"/kiosk/{HIP}/M1")
    await page.route(lambda address: urlsplit(address).path in pages, answer)


async def _tell_another_mark(page: Page) -> None:
    """From now on polls say the other release, and streams are refused: the page must ask."""

    async def answer(route: Route) -> None:
        with suppress(PageGone):
            response = await route.fetch()
            await route.fulfill(response=response, headers={**response.headers, "kiosk-pages": OTHER})

    await page.route("**/live/*", lambda route: route.abort())
    await page.route("**/live/*/now", answer)
