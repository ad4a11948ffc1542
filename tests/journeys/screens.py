"""The pages that people in the hospital see, in a real Chromium. QR codes are read from the image, as a phone does."""

import asyncio
import re
from base64 import b64decode
from io import BytesIO
from typing import Literal

from msgspec import Struct
from PIL import Image
from playwright.async_api import Browser, Locator, Page, Response, ViewportSize, expect

from tests.codes import codes_in
from tests.journeys.running_hospital import Hospital, Login

TELEVISION: ViewportSize = {"width": 1920, "height": 1080}
MONITOR: ViewportSize = {"width": 1366, "height": 768}
PHONE: ViewportSize = {"width": 360, "height": 740}
PATIENCE_MS = 20_000
"""No promise: a busy machine is given time before a journey gives up."""
DOTS_OF_A_PRINTER = 2
"""Thermal printers draw 203 dots an inch, twice what a page counts on."""
STILL: Literal["reduce"] = "reduce"
"""A machine without a graphics card spends more on a pulsing border than on everything else together."""
OWN_PASSWORD = "saffron orchard lantern"
_DRAWN = re.compile("^data:image/svg")

expect.set_options(timeout=PATIENCE_MS)


def read_codes(picture: bytes) -> list[str]:
    """The text of every QR code in an image."""
    with Image.open(BytesIO(picture)) as image:
        return [code.text for code in codes_in(image)]


async def is_drawn(sign: Locator) -> bool:
    """Whether the image shows anything. A failed download leaves blank paper."""
    with Image.open(BytesIO(await sign.screenshot())) as image:
        return len(image.convert("RGB").getcolors(1 << 16) or ()) > 1


class Seen(Struct, frozen=True):
    """The QR code that a phone's camera reads from the kiosk screen."""

    abdm: str
    camera: str


async def look_at_kiosk(browser: Browser, hospital: Hospital, counter: str = "M1") -> Seen:
    """Open the counter's screen and read its QR code."""
    screen = await browser.new_page(viewport=TELEVISION)
    await screen.goto(f"{hospital.deployment.url}/kiosk/{hospital.hip}/{counter}")
    find = f"{hospital.deployment.url}/find/"
    texts: list[str] = []
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while len(texts) != 2:  # the codes may be changing just now
            texts = [text for text in read_codes(await screen.screenshot()) if not text.startswith(find)]
    await screen.close()
    [camera] = [text for text in texts if text.startswith(f"{hospital.deployment.url}/go/")]
    [abdm] = [text for text in texts if text != camera]
    return Seen(abdm, camera)


class Board:
    """The wall board of a waiting hall."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.now = page.locator("#hero")
        self.body = page.locator("body")

    @staticmethod
    async def opened(browser: Browser, hospital: Hospital, *, query: str = "?lang=en") -> "Board":
        """Open the board and click once, because browsers allow sound only after a click."""
        board = Board(await browser.new_page(viewport=TELEVISION, reduced_motion=STILL))
        await board.page.goto(f"{hospital.deployment.url}/board/{hospital.hip}{query}")
        await board.page.locator("#sound").click()
        await expect(board.body).to_have_attribute("data-sound", "on")
        await expect(board.body).to_have_attribute("data-link", "live")
        return board

    async def shows(self, token: str, counter: str) -> None:
        """Check that the number is shown in the middle of the board."""
        await expect(self.now.locator(".token")).to_have_text(token)
        await expect(self.now.locator(".counter")).to_have_text(counter)

    async def has_chimed(self, times: int) -> None:
        await expect(self.body).to_have_attribute("data-chimes", str(times))


class Phone:
    """A patient's phone with a page of ours open."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.token = page.locator(".slip .token")
        self.state = page.locator("#state")
        self.body = page.locator("body")

    @staticmethod
    async def opened(browser: Browser, link: str, *, locale: str = "en-IN") -> "Phone":
        page = await browser.new_page(
            viewport=PHONE, is_mobile=True, has_touch=True, locale=locale, reduced_motion=STILL
        )
        phone = Phone(page)
        await page.goto(link)
        return phone

    async def shows(self, state: str, sentence: str = "") -> None:
        """Check that the page shows this without a reload."""
        await expect(self.body).to_have_attribute("data-state", state)
        if sentence:
            await expect(self.state).to_have_text(sentence)


class Desk:
    """A clerk at a counter, with a keyboard."""

    def __init__(self, page: Page, counter: str) -> None:
        self.page, self.counter = page, counter
        self.now = page.locator("#now-token")
        self.state = page.locator("#now-state")
        self.list = page.locator("#list")
        self.rows = page.locator("#list [role=option]")
        self.message = page.locator("#said")

    @staticmethod
    async def opened(browser: Browser, hospital: Hospital, login: Login, counter: str = "M1") -> "Desk":
        """Sign in with the first password, choose another one, open the counter."""
        page = await _arrive(browser, hospital, login)
        await page.locator(f'a.choice[href$="/console/at/{counter}"]').press("Enter")
        desk = Desk(page, counter)
        await expect(desk.now).not_to_be_empty()
        await expect(page.locator("#link")).to_have_class("link")
        return desk

    async def press(self, *keys: str) -> None:
        """Press one key after the other, each after the answer to the one before."""
        for key in keys:
            await self._outcome(key)

    async def _outcome(self, key: str) -> str:
        await expect(self.page.locator("#desk")).not_to_have_attribute("aria-busy", "true")
        async with self.page.expect_response(_is_move) as answered:
            await self.page.keyboard.press(key)
        outcome: str = (await (await answered.value).json()).get("outcome", "")
        return outcome

    async def next(self, token: str) -> None:
        """Call the next patient, who has this number. If asked whether the last one came, answer yes."""
        if await self._outcome("n") == "UNANSWERED":
            await expect(self.page.locator("#came-yes")).to_be_focused()
            await self.press("Enter")
        await expect(self.now).to_have_text(token)
        await expect(self.state).to_have_text("Called")

    def row(self, token: str) -> Locator:
        return self.rows.filter(has=self.page.get_by_text(token, exact=True))

    async def select(self, token: str) -> None:
        """Select a row with the arrow keys."""
        row = self.row(token)
        await expect(row).to_be_visible()
        await self.list.focus()
        await self.page.keyboard.press("Home")
        for _ in range(await self.rows.count()):
            if await row.get_attribute("aria-selected") == "true":
                return
            await self.page.keyboard.press("ArrowDown")
        await expect(row).to_have_attribute("aria-selected", "true")

    async def listed(self, section: str) -> list[str]:
        """The numbers of a section, from the top."""
        return await self.page.locator(f".section.{section} [role=option] .token").all_text_contents()

    async def slip_link(self, token: str) -> str:
        """Print this number's slip and read the QR on the paper."""
        await self.select(token)
        async with self.page.expect_response("**/console/slip"):
            await self.page.keyboard.press("l")
        await expect(self.page.locator("#slip .slip-token")).to_have_text(token, use_inner_text=False)
        return await self.read_paper()

    async def read_paper(self) -> str:
        """The link on the last printed slip."""
        await expect(self.page.locator("#slip-qr")).to_have_attribute("src", _DRAWN)
        await self.page.emulate_media(media="print")
        [link] = read_codes(await self._printed())
        await self.page.emulate_media(media="screen")
        return link

    async def _printed(self) -> bytes:
        """An image of the page in the resolution of a printer."""
        drawing = await self.page.context.new_cdp_session(self.page)
        clip = {"x": 0, "y": 0, **MONITOR, "scale": DOTS_OF_A_PRINTER}
        drawn = await drawing.send("Page.captureScreenshot", {"format": "png", "clip": clip})
        await drawing.detach()
        return b64decode(drawn["data"])


async def administration(browser: Browser, hospital: Hospital, login: Login) -> Page:
    """The administrator's page, signed in."""
    page = await _arrive(browser, hospital, login)
    await page.goto(f"{hospital.deployment.url}/console/admin")
    return page


async def _arrive(browser: Browser, hospital: Hospital, login: Login) -> Page:
    context = await browser.new_context(viewport=MONITOR, reduced_motion=STILL)
    page = await context.new_page()
    await page.goto(f"{hospital.deployment.url}/console")
    await page.locator("[name=login]").fill(login.login)
    await page.locator("[name=password]").fill(login.password)
    await page.keyboard.press("Enter")
    await page.locator("[name=old]").fill(login.password)
    await page.locator("[name=new]").fill(OWN_PASSWORD)
    await page.locator("[name=again]").fill(OWN_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Where do you sit?")).to_be_visible()
    return page


def _is_move(response: Response) -> bool:
    return "/console/desk/" in response.url and response.request.method == "POST"
