"""``python -m loadtests.history.pictures``: the pages of figures with a year of the whole state, for docs/pictures/.

Starts a kiosk of its own on the archive that ``python -m loadtests.history`` made, as
``python -m loadtests.history.figures`` does, and opens the state's review and the year of the largest hospital on a
desk, on a phone and on paper.
"""

import argparse
import asyncio
import os
import tempfile
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Final

import httpx
from msgspec import json
from PIL import Image
from playwright.async_api import BrowserContext, async_playwright

from loadtests.history.figures import COUNTERS, LOGIN, environment_of, last_day
from loadtests.history.pages import SignIn
from loadtests.simulator.gateway.launch import ROOT
from loadtests.stack import add_facilities, command, hip_ids, serving

DESK, PHONE, PAPER = (1366, 1900), (390, 1010), (733, 1010)
"""A desk shows some 800 pixels of height; the picture goes on further down. Paper is A4 without its margins."""
DRAWN_MS: Final = 1_500
NAMED: Final = ("--name", "Omar Shah")


async def shown(context: BrowserContext, url: str, size: tuple[int, int], *, paper: bool = False) -> Image.Image:
    """A picture of the top of a page."""
    page = await context.new_page()
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await page.emulate_media(media="print" if paper else "screen", reduced_motion="reduce")
    answer = await page.goto(url)
    if answer is None or answer.status != 200:
        raise SystemExit(f"{url} answered {answer.status if answer else 'nothing'}")
    await page.wait_for_timeout(DRAWN_MS)
    taken = await page.screenshot(scale="css")
    await page.close()
    return Image.open(BytesIO(taken)).convert("RGB")


def beside(left: Image.Image, right: Image.Image) -> Image.Image:
    """Two pictures as one."""
    both = Image.new("RGB", (left.width + right.width, max(left.height, right.height)), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return both


def _few_colours(picture: Image.Image) -> Image.Image:
    """A third of the bytes; the colours of the plots stay what they are."""
    return picture.quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


async def take(context: BrowserContext, origin: str, hip: str, last: date, folder: Path) -> None:
    """All pictures."""
    addresses = {
        "review": f"{origin}/console/review?month={last:%Y-%m}",
        "today-year": f"{origin}/console/today?hip={hip}&from={last - timedelta(days=364)}&to={last}",
    }
    for name, url in addresses.items():
        desk = await shown(context, url, DESK)
        phone, paper = await shown(context, url, PHONE), await shown(context, url, PAPER, paper=True)
        for file, picture in ((name, desk), (f"{name}-phone-and-paper", beside(phone, paper))):
            _few_colours(picture).save(folder / f"{file}.png", optimize=True)


async def pictures(url: str, folder: Path, data: Path) -> None:
    """Take them into this folder."""
    environment, last = environment_of(url, data / "data"), last_day(url)
    async with serving(environment) as (origin, _):
        (hip,) = hips = hip_ids(1, first=0)  # the largest
        await add_facilities(environment, data, hips, COUNTERS)
        added = await command(
            environment, "staff", "add", LOGIN, "--facility", "*", "--role", "admin", *NAMED, "--json"
        )
        async with httpx.AsyncClient(base_url=origin, headers={"origin": origin, "accept": "text/html"}) as client:
            await SignIn(client, LOGIN).run(json.decode(added)["password"], "")
            cookies = [{"name": one.name, "value": one.value or "", "url": origin} for one in client.cookies.jar]
        async with async_playwright() as playwright:
            path = os.environ.get("KIOSK_CHROMIUM") or None
            browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            context = await browser.new_context(locale="en-IN")
            await context.add_cookies(cookies)  # type: ignore[arg-type]  # dicts of that shape
            await take(context, origin, hip, last, folder)
            await browser.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.history.pictures", description=(__doc__ or "").split("\n\n")[0].partition(": ")[2]
    )
    parser.add_argument("--url", default=f"sqlite:///{ROOT}/reports/history/archive.db", help="archive to read")
    parser.add_argument("--folder", type=Path, default=Path("docs/pictures"), help="where the pictures go")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kiosk-pictures-") as name:
        asyncio.run(pictures(args.url, args.folder, Path(name)))


if __name__ == "__main__":
    main()
