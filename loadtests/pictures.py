"""``python -m loadtests.pictures``: a picture of every screen, for docs/screens/.

Runs the demonstration for some patients, opens each page in Chromium and saves it as a JPEG: boards and counter screens
as televisions both ways, pages of patients as a phone, pages of staff as the PC of a desk, each in its languages, some
of them dark or on paper. Ends by itself.
"""

import argparse
import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from loadtests import graceful_run, large_hall

LANGUAGES: Final = ("en", "hi", "ur", "ks", "doi", "pa")
STAFF_LANGUAGES: Final[tuple[Literal["en", "hi", "ur"], ...]] = ("en", "hi", "ur")
TELEVISION, UPRIGHT, PHONE, DESK = (1920, 1080), (1080, 1920), (390, 844), (1366, 768)
READY_WITHIN_S: Final = 120
PATIENTS_COME_S: Final = 30
"""Until some numbers are called and some people wait."""
SETTLES_MS: Final = 1_500
"""A page has its events and its fonts."""
QUALITY: Final = 72
INDIA: Final = timezone(timedelta(hours=5, minutes=30))
"""The demonstration's clock."""
STAFF_PAGES: Final = {
    "desk": "/console/at/{counter}",
    "counters": "/console/counters",
    "today": "/console/today",
    "administration": "/console/admin",
    "queues": "/console/admin/rooms/queues",
    "staff": "/console/admin/rooms/staff",
    "rules": "/console/admin/rooms/rules",
    "facility": "/console/admin/rooms/facility",
    "posters": "/console/admin/rooms/posters",
    "screens": "/console/admin/screens",
    "queue-names": "/console/admin/queues/medicine",
    "announcements": "/console/announcements",
    "voice": "/console/voice",
    "connections": "/console/connections",
    "keys": "/console/connections/keys",
    "copying": "/console/admin/copying",
    "printers": "/console/admin/printers",
    "hours": "/console/admin/hours",
    "words": "/console/words",
    "poster-check": "/console/posters",
    "account": "/console/account",
    "audit": "/console/audit",
    "connection-to-abdm": "/console/connection",
}
"""Name of the picture → path."""
FOLDS: Final = {"hours": "#hours-medicine summary"}
"""Name of the picture → the fold that holds what it is of."""


class Shot(Struct, frozen=True, kw_only=True):
    """One picture to take."""

    name: str
    url: str
    size: tuple[int, int]
    dark: bool = False
    paper: bool = False
    whole: bool = False
    """The whole page, not only what the window shows."""
    keys: str = ""
    """A key to press first."""
    unfold: str = ""
    """The fold of the page to open first."""


class Demo(Struct, frozen=True):
    """The demonstration's addresses, by name, and the login that it prints."""

    folder: Path
    urls: dict[str, str]
    login: str
    password: str

    @property
    def origin(self) -> str:
        return self.urls["console"].removesuffix("/console")


@asynccontextmanager
async def demonstration() -> AsyncIterator[Demo]:
    """A running ``kiosk demo``."""
    with tempfile.TemporaryDirectory(prefix="kiosk-pictures-") as folder:
        options = ("--patients", "180", "--minutes", "8", "--data-dir", folder)
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kiosk", "demo", *options, stdout=asyncio.subprocess.PIPE
        )
        try:
            yield await asyncio.wait_for(_announced(child, Path(folder)), READY_WITHIN_S)
        finally:
            if child.returncode is None:
                child.send_signal(signal.SIGTERM)
            await child.wait()


async def _announced(child: asyncio.subprocess.Process, folder: Path) -> Demo:
    assert child.stdout is not None  # noqa: S101  a pipe was asked for; narrows the type
    urls, login, password = dict[str, str](), "", ""
    async for line in child.stdout:
        text = line.decode().strip()
        if address := re.match(r"(\S+(?: app)?)\s+(http\S+)", text):
            urls[address[1]] = address[2]
        if staff := re.search(r"login (\S+)\s+password (\S+)", text):
            login, password = staff[1], staff[2]
        if text == "ready":
            return Demo(folder, urls, login, password)
    raise SystemExit("the demonstration ended before it was ready")


async def waiting_ticket(context: BrowserContext, demo: Demo) -> str:
    """The page of a number that was just taken with the form for phones without an ABHA app."""
    page = await context.new_page()
    await page.goto(demo.urls["no app"] + "?lang=en")
    await page.fill("[name=name]", "Gulzar Ahmad")
    await page.fill("[name=age]", "44")
    await page.check("[name=gender] >> nth=1", force=True)
    await page.check("[name=consent]", force=True)
    await page.click("button[type=submit]")
    await page.wait_for_url("**/t/**")
    url = page.url.partition("?")[0]
    await page.close()
    return url


def shots_of_tickets(ticket: str) -> list[Shot]:
    """Phones of somebody who waits."""
    shots = [Shot(name=f"ticket-{code}", url=f"{ticket}?lang={code}", size=PHONE, whole=True) for code in LANGUAGES]
    shots += [
        Shot(name="ticket-dark-en", url=f"{ticket}?lang=en", size=PHONE, dark=True, whole=True),
        Shot(name="ticket-dark-ur", url=f"{ticket}?lang=ur", size=PHONE, dark=True, whole=True),
        Shot(name="ticket-paper-hi", url=f"{ticket}?lang=hi", size=PHONE, paper=True),
    ]
    return shots


async def called_tickets(screens: BrowserContext, staff: BrowserContext, demo: Demo, ticket: str, folder: Path) -> None:
    """Phones of somebody who is called: all languages are open before, because a clerk soon goes on."""
    pages = {code: await screens.new_page() for code in LANGUAGES}
    for code, page in pages.items():
        await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        await page.emulate_media(reduced_motion="reduce")
        await page.goto(f"{ticket}?lang={code}")
    token = await pages["en"].locator("strong.token").inner_text()
    desk = await staff.new_page()
    await desk.goto(demo.origin + STAFF_PAGES["desk"].format(counter=demo.urls["screen"].rpartition("/")[2]))
    await desk.fill("#search", token)
    for key in ("Enter", "Shift+N"):
        await desk.wait_for_timeout(SETTLES_MS)  # quicker keys are those of a scanner
        await desk.keyboard.press(key)
    await desk.wait_for_timeout(SETTLES_MS)
    if await desk.locator("#ask-came").is_visible():
        await desk.keyboard.press("Enter")
    for page in pages.values():
        await page.wait_for_selector("[data-state=called]")
    await asyncio.gather(
        *(
            page.screenshot(path=folder / f"ticket-called-{code}.jpg", type="jpeg", quality=QUALITY, scale="css")
            for code, page in pages.items()
        )
    )
    for page in (desk, *pages.values()):
        await page.close()


def shots_of_screens(demo: Demo) -> list[Shot]:
    """Televisions, and phones of somebody who has no number yet."""
    board, screen, form = demo.urls["board"], demo.urls["screen"], demo.urls["no app"]
    shots: list[Shot] = []
    for code in LANGUAGES:
        shots += [
            Shot(name=f"board-{code}", url=f"{board}?lang={code}", size=TELEVISION),
            Shot(name=f"board-upright-{code}", url=f"{board}?lang={code}", size=UPRIGHT),
            Shot(name=f"counter-screen-{code}", url=f"{screen}?lang={code}", size=TELEVISION),
            Shot(name=f"counter-screen-upright-{code}", url=f"{screen}?lang={code}", size=UPRIGHT),
            Shot(
                name=f"find-{code}",
                url=f"{demo.origin}/find/{board.rpartition('/')[2]}?lang={code}",
                size=PHONE,
                whole=True,
            ),
            Shot(name=f"form-{code}", url=f"{form}?lang={code}", size=PHONE, whole=True),
        ]
    shots += [
        Shot(name="home", url=demo.origin + "/", size=PHONE, whole=True),
        Shot(name="board-night-en", url=f"{board}?lang=en&look=night", size=TELEVISION),
        Shot(name="board-night-ur", url=f"{board}?lang=ur&look=night", size=TELEVISION),
        Shot(name="board-contrast-hi", url=f"{board}?lang=hi&look=contrast", size=TELEVISION),
        Shot(name="counter-screen-night-hi", url=f"{screen}?lang=hi&look=night", size=UPRIGHT),
        Shot(name="find-dark-ur", url=f"{demo.origin}/find/{board.rpartition('/')[2]}?lang=ur", size=PHONE, dark=True),
        Shot(name="form-dark-hi", url=f"{form}?lang=hi", size=PHONE, whole=True, dark=True),
        Shot(name="pairing", url=demo.origin + "/screen", size=TELEVISION),
    ]
    return shots


async def shots_of_large_halls(demo: Demo) -> list[Shot]:
    """Televisions of hospitals with 12 and 20 counters, and as many queues as belong to them."""
    twelve, twenty = [await large_hall.build(demo.folder, demo.origin, counters) for counters in large_hall.HIP_IDS]
    return [
        Shot(name="board-12-counters-en", url=f"{twelve}?lang=en", size=TELEVISION),
        Shot(name="board-20-counters-en", url=f"{twenty}?lang=en", size=TELEVISION),
        Shot(name="board-20-counters-ur", url=f"{twenty}?lang=ur", size=TELEVISION),
        Shot(name="board-20-counters-upright-hi", url=f"{twenty}?lang=hi", size=UPRIGHT),
    ]


def shots_of_staff(demo: Demo, language: Literal["en", "hi", "ur"]) -> list[Shot]:
    """What staff see on the PC of a desk, and the figures on paper and as a phone."""
    counter = demo.urls["screen"].rpartition("/")[2]
    pages = {name: demo.origin + path.format(counter=counter) for name, path in STAFF_PAGES.items()}
    shots = [
        Shot(name=f"{name}-{language}", url=url, size=DESK, unfold=FOLDS.get(name, "")) for name, url in pages.items()
    ]
    shots.append(Shot(name=f"walk-in-{language}", url=pages["desk"], size=DESK, keys="w"))
    if language == "en":
        shots += [
            Shot(name="desk-dark-en", url=pages["desk"], size=DESK, dark=True),
            Shot(name="today-dark-en", url=pages["today"], size=DESK, dark=True),
            Shot(name="queues-dark-en", url=pages["queues"], size=DESK, dark=True),
            Shot(name="rules-dark-en", url=pages["rules"], size=DESK, dark=True),
            Shot(name="today-phone-en", url=pages["today"], size=PHONE, whole=True),
            Shot(name="today-paper-en", url=pages["today"], size=DESK, paper=True, whole=True),
        ]
    return shots


async def take(context: BrowserContext, shot: Shot, folder: Path) -> None:
    """Open the page and save its picture. A page that does not answer with 200 ends the run."""
    page: Page = await context.new_page()
    await page.set_viewport_size({"width": shot.size[0], "height": shot.size[1]})
    await page.emulate_media(
        color_scheme="dark" if shot.dark else "light",
        media="print" if shot.paper else "screen",
        reduced_motion="reduce",
    )
    answer = await page.goto(shot.url)
    if answer is None or answer.status != 200:
        raise SystemExit(f"{shot.name}: {shot.url} answered {answer.status if answer else 'nothing'}")
    await page.wait_for_timeout(SETTLES_MS)
    if shot.unfold:
        await page.click(shot.unfold)
    if shot.keys:
        await page.keyboard.press(shot.keys)
        await page.wait_for_timeout(SETTLES_MS)
    await page.screenshot(
        path=folder / f"{shot.name}.jpg", type="jpeg", quality=QUALITY, full_page=shot.whole, scale="css"
    )
    await page.close()


async def closed_forms(screens: BrowserContext, staff: BrowserContext, demo: Demo, folder: Path) -> None:
    """Phones of somebody who comes after the hours: the queue opens again tomorrow."""
    page = await staff.new_page()
    await page.goto(demo.origin + STAFF_PAGES["hours"])
    queue = page.locator("#hours-medicine")
    await queue.locator("summary").click()
    tomorrow = (datetime.now(INDIA) + timedelta(days=1)).weekday()
    await queue.locator(f"[name=d{tomorrow}from0]").fill("09:00")
    await queue.locator(f"[name=d{tomorrow}to0]").fill("14:00")
    await queue.locator("button.main").click()
    await page.wait_for_selector("[role=status]")
    for code in LANGUAGES:
        url = f"{demo.urls['no app']}?lang={code}"
        await take(screens, Shot(name=f"form-closed-{code}", url=url, size=PHONE), folder)
    await queue.locator("button[name=hours]").click()  # at any hour again
    await page.wait_for_load_state()
    await page.close()


async def erasure(staff: BrowserContext, demo: Demo, language: str, folder: Path) -> None:
    """The question before the details of a person are erased."""
    page = await staff.new_page()
    await page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    await page.goto(demo.origin + STAFF_PAGES["administration"])
    await page.fill("[name=person]", "M-001")
    await page.locator("[name=person]").press("Enter")
    await page.wait_for_url("**/console/erasure")
    await page.screenshot(path=folder / f"erasure-{language}.jpg", type="jpeg", quality=QUALITY, scale="css")
    await page.close()


async def sign_in(context: BrowserContext, demo: Demo) -> None:
    """Sign in as the demonstration's administrator."""
    page = await context.new_page()
    await page.goto(demo.urls["console"])
    await page.fill("[name=login]", demo.login)
    await page.fill("[name=password]", demo.password)
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: not url.endswith("/login"))
    await page.close()


async def take_all(browser: Browser, demo: Demo, folder: Path, only: str) -> None:
    """All pictures whose names begin with ``only``, or with one of several."""
    wanted = tuple(only.split(","))
    screens = await browser.new_context()
    staff = {language: await browser.new_context(locale=language) for language in STAFF_LANGUAGES}
    for context in staff.values():
        await sign_in(context, demo)
    ticket = await waiting_ticket(screens, demo)
    for shot in shots_of_tickets(ticket):
        if shot.name.startswith(wanted):
            await take(screens, shot, folder)
    if "ticket-called".startswith(wanted):
        await called_tickets(screens, staff["en"], demo, await waiting_ticket(screens, demo), folder)
    for shot in shots_of_screens(demo):
        if shot.name.startswith(wanted):
            # A counter screen shows fresh codes to the facility's own browsers only.
            await take(staff["en"] if shot.name.startswith("counter-screen") else screens, shot, folder)
    if any(name.startswith(("board-12", "board-20")) or "board-20-counters".startswith(name) for name in wanted):
        for shot in await shots_of_large_halls(demo):
            if shot.name.startswith(wanted):
                await take(screens, shot, folder)
    if "form-closed".startswith(wanted):
        await closed_forms(screens, staff["en"], demo, folder)
    for language, context in staff.items():
        if "erasure".startswith(wanted):
            await erasure(context, demo, language, folder)
        for shot in shots_of_staff(demo, language):
            if shot.name.startswith(wanted):
                await take(context, shot, folder)


async def pictures(folder: Path, only: str) -> None:
    """Take them into this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    async with demonstration() as demo, async_playwright() as playwright:
        await asyncio.sleep(PATIENTS_COME_S)
        browser = await playwright.chromium.launch(
            executable_path=os.environ.get("KIOSK_CHROMIUM") or None, args=["--no-sandbox"]
        )
        await take_all(browser, demo, folder, only)
        await browser.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.pictures", description=(__doc__ or "").split("\n\n")[0].partition(": ")[2]
    )
    parser.add_argument("--folder", type=Path, default=Path("docs/screens"), help="where the pictures go")
    parser.add_argument("--only", default="", help="pictures whose names begin so; several are separated by commas")
    args = parser.parse_args()
    graceful_run.run(pictures(args.folder, args.only))


if __name__ == "__main__":
    main()
