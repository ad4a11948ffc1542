"""The desk in a real Chromium: keys, names, live changes and trouble, as a clerk meets them."""

import asyncio
import contextlib
import os
import shutil
import socket
import sys
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from kiosk.locales import BOOK
from kiosk.patient.names import display_text
from kiosk.patient.person import Patient
from kiosk.services import Services
from queueing.models import Place
from tests.kiosk.console.signed_in import OWN_PASSWORD, arrive, build_hospital, opened_app, ready_login, services_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
_numbers = count(1)
EVIL = [
    "<script>window.ran=1</script>", "<img src=x onerror=window.ran=1>", "<svg/onload=window.ran=1>",
    '"><script>window.ran=1</script>', "'-window.ran=1-'", "javascript:window.ran=1", "{{7*7}}${7*7}<%=7*7%>",
    "</bdi><iframe srcdoc='<script>parent.ran=1</script>'>", "<a href=javascript:window.ran=1>Asha</a>",
    "</span></div><style>*{display:none}</style>", "<base href=//evil.example>", "<math><mtext></table><mglyph>",
    "<meta http-equiv=refresh content=0>", "&lt;script&gt;window.ran=1&lt;/script&gt;", "\u202eived ahsA\u2066",
    "Za" + "\u0301" * 300 + "lgo", "<details open ontoggle=window.ran=1>", "x\x00<script>window.ran=1</script>",
    "<form><button formaction=javascript:window.ran=1>", "=cmd|'/c calc'!A1", "%3Cscript%3Ewindow.ran=1%3C/script%3E",
]  # fmt: skip


class Program:
    """The program's web role at an address, and a house on the same store for what happens elsewhere."""

    def __init__(self, address: str, services: Services) -> None:
        self.address, self.services = address, services


class Served:
    """One hospital of the running program; each test has its own, and its own clerk."""

    def __init__(self, program: Program, hip: str) -> None:
        self.address, self.services, self.hip = program.address, program.services, hip
        self.desk = program.services.desk

    async def arrive(self, patient: Patient | str) -> Place:
        return await arrive(self.services.check_in, patient, hip=self.hip)


@pytest.fixture(scope="module")
async def program(valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    port, folder = free_port(), tmp_path_factory.mktemp("program")
    address = f"http://127.0.0.1:{port}"
    async with opened_app(valkey_url, folder, KIOSK_PUBLIC_URL=address) as app:
        settings = {"PUBLIC_URL": address, "PORT": str(port), "DATA_DIR": str(folder), "REDIS_URL": valkey_url}
        async with _web_role({f"KIOSK_{name}": value for name, value in settings.items()}, address):
            yield Program(address, services_of(app))


@pytest.fixture
async def served(program: Program) -> Served:
    hip = f"IN01{next(_numbers):08}"
    await build_hospital(program.services, hip, "District Hospital Baramulla")
    await ready_login(program.services.staff, f"clerk-{hip.lower()}", hip, name="Asha Koul")
    return Served(program, hip)


@asynccontextmanager
async def _web_role(settings: dict[str, str], address: str) -> AsyncIterator[None]:
    command = [sys.executable, "-m", "kiosk", "web"]
    web = await asyncio.create_subprocess_exec(*command, env={**os.environ, **settings}, stdout=DEVNULL, stderr=DEVNULL)
    async with httpx.AsyncClient() as client:
        while web.returncode is None:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"{address}/console/login")).status_code == 200:
                    break
            await asyncio.sleep(0.1)
    yield
    web.terminate()
    await web.wait()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    path = os.environ.get("KIOSK_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    expect.set_options(timeout=20_000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(chromium: Browser, served: Served) -> AsyncIterator[Page]:
    """Signed in by keyboard, sitting at M1; anything a page complains about fails the test at its end."""
    context = await chromium.new_context(viewport={"width": 1366, "height": 768})
    opened = await context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("dialog", lambda dialog: wrong.append(dialog.message))
    opened.on("console", lambda line: wrong.append(line.text) if "Content Security" in line.text else None)
    await opened.goto(served.address + "/console")
    await expect(opened.locator("[name=login]")).to_be_focused()
    await opened.keyboard.type(f"clerk-{served.hip.lower()}")
    await opened.keyboard.press("Tab")
    await opened.keyboard.type(OWN_PASSWORD)
    await opened.keyboard.press("Enter")
    await expect(opened.get_by_role("heading", name="Where do you sit?")).to_be_visible()
    await opened.keyboard.press("Enter")
    await expect(opened.locator("#list")).to_be_focused()
    await expect(opened.locator("#link")).to_have_class("link")
    yield opened
    await context.close()
    assert wrong == []


async def press(page: Page, key: str, sentence: str) -> None:
    """One key and what the desk says then. Whoever is at the counter and was not started came."""
    await page.keyboard.press(key)
    sentence_shown = expect(page.locator("#said"))
    if key in {"n", "Shift+N"}:
        with contextlib.suppress(AssertionError):
            await expect(page.locator("#ask-came")).to_be_visible(timeout=700)
            await page.keyboard.press("n")
    await sentence_shown.to_have_text(sentence)


async def test_a_morning_by_keyboard_alone(page: Page, served: Served) -> None:
    for name in ("First", "Second", "Third"):
        await served.arrive(name)
    await expect(page.locator("#list [role=option]")).to_have_count(3)
    await press(page, "n", "M-001 called to M1.")
    await expect(page.locator("#now-name")).to_have_text("First")
    await press(page, "r", "M-001 called again.")
    await press(page, "s", "M-001 is at the counter.")
    await press(page, "f", "M-001 finished.")
    await press(page, "u", "Undone. M-001: At the counter.")
    await press(page, "Space", "M-002 called to M1.")
    await press(page, "x", "M-002 did not come.")
    await press(page, "Enter", "M-003 called to M1.")
    await page.keyboard.press("ArrowDown")
    await press(page, "b", "M-002 is back, near the front.")
    await press(page, "h", "M-003 on hold; the place is kept.")
    await page.keyboard.press("ArrowDown")
    await press(page, "Shift+N", "M-002 called to M1.")
    await page.keyboard.press("t")
    await press(page, "1", "M-002 sent to Registration.")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("p")
    await press(page, "5", "M-003 is now: Emergency.")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Delete")
    await press(page, "Enter", "M-003 cancelled.")
    await press(page, "n", "Nobody is waiting.")
    await expect(page.locator("#list")).to_be_focused()


async def test_next_asks_once_whether_somebody_who_was_never_started_came(page: Page, served: Served) -> None:
    for name in ("First", "Second", "Third"):
        await served.arrive(name)
    await expect(page.locator("#list [role=option]")).to_have_count(3)
    await page.keyboard.press("n")
    await expect(page.locator("#said")).to_have_text("M-001 called to M1.")
    await page.keyboard.press("n")
    await expect(page.locator("#came-text")).to_have_text("M-001 was called here. Did the patient come?")
    await page.keyboard.press("x")
    await expect(page.locator("#said")).to_have_text("M-002 called to M1.")
    await page.keyboard.press("s")
    await expect(page.locator("#said")).to_have_text("M-002 is at the counter.")
    await page.keyboard.press("n")
    await expect(page.locator("#said")).to_have_text("M-003 called to M1.")
    await page.keyboard.press("n")
    await expect(page.locator("#ask-came")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#ask-came")).to_be_hidden()
    states = {ticket.token: ticket.state.name for ticket in await served.desk.tickets(served.hip)}
    assert states == {"M-001": "NO_SHOW", "M-003": "CALLED"}


async def test_a_held_down_key_calls_one_patient(page: Page, served: Served) -> None:
    for name in ("First", "Second", "Third"):
        await served.arrive(name)
    await expect(page.locator("#list [role=option]")).to_have_count(3)
    for _ in range(20):
        await page.keyboard.down("n")
    await page.keyboard.up("n")
    await expect(page.locator("#said")).to_have_text("M-001 called to M1.")
    states = [ticket.state.name for ticket in await served.desk.tickets(served.hip)]
    assert states == ["CALLED", "WAITING", "WAITING"]


async def test_names_from_strangers_stay_names(page: Page, served: Served) -> None:
    for number, name in enumerate(EVIL):
        await served.arrive(Patient(name=name, line=name, district=name, abha_address=f"{number}@sbx"))
    names = page.locator("#list .who bdi")
    await expect(names).to_have_count(len(EVIL))
    assert [display_text(text) for text in await names.all_text_contents()] == [display_text(name) for name in EVIL]
    for number, name in enumerate(EVIL, start=1):
        await press(page, "n", f"M-{number:03d} called to M1.")
        await expect(page.locator("#now-name bdi")).to_have_text(display_text(name), use_inner_text=False)
        await expect(page.locator("#details dd").first).to_have_text(display_text(name), use_inner_text=False)
    assert await page.evaluate("window.ran") is None
    assert await page.locator("#list script, #list img, #now img, #now iframe, #now style, base").count() == 0


async def test_a_name_of_three_hundred_marks_stays_in_its_row(page: Page, served: Served) -> None:
    await served.arrive("Za" + "\u0301" * 300 + "lgo \u202eeman" + "ﷺ" * 80)
    await served.arrive("Neighbour")
    rows = page.locator("#list [role=option]")
    await expect(rows).to_have_count(2)
    first, second = await rows.nth(0).bounding_box(), await rows.nth(1).bounding_box()
    name, age = await rows.nth(0).locator(".who").bounding_box(), await rows.nth(0).locator(".age").bounding_box()
    assert first and second and name and age  # noqa: PT018 - all four are boxes, or the page is not there
    assert first["y"] + first["height"] <= second["y"] + 1
    assert name["x"] + name["width"] <= age["x"]
    assert await rows.nth(0).locator(".token").inner_text() == "M-001"


async def test_what_changes_elsewhere_comes_by_itself_and_takes_neither_focus_nor_selection(
    page: Page, served: Served
) -> None:
    places = [await served.arrive(name) for name in ("First", "Second", "Third")]
    await expect(page.locator("#list [role=option]")).to_have_count(3)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await served.desk.call_next(served.hip, "M2", by="other")
    await served.arrive("Fourth")
    await expect(page.locator(".section.elsewhere .token")).to_have_text("M-001")
    await expect(page.locator(".section.waiting .token")).to_have_text(["M-002", "M-003", "M-004"])
    await expect(page.locator("#list")).to_be_focused()
    await expect(page.locator("#list")).to_have_attribute("aria-activedescendant", f"t-{places[1].ticket}")
    await expect(page.locator("[aria-selected=true] .token")).to_have_text("M-002")
    await served.desk.cancel(served.hip, places[1].ticket, by="other")
    await expect(page.locator("[aria-selected=true]")).to_have_count(0)


async def test_a_slower_clerk_sees_which_counter_was_quicker(page: Page, served: Served) -> None:
    place: Place = await served.arrive("Wanted")
    await expect(page.locator("#list [role=option]")).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await page.route("**/console/desk?*", lambda route: route.abort())
    await served.desk.call_this(served.hip, "M2", place.ticket, by="other")
    await press(page, "Shift+N", "Counter M2 took M-001 first.")


async def test_the_search_finds_by_number_name_and_last_four(page: Page, served: Served) -> None:
    patients = (("Asha Devi", "91000044441111"), ("Ramesh Koul", "91000066663337"), ("शान्ति देवी", ""))
    for name, number in patients:
        await served.arrive(Patient(name=name, abha_number=number))
    await expect(page.locator("#list [role=option]")).to_have_count(3)
    for typed, token in (("koul", "M-002"), ("m001", "M-001"), ("3337", "M-002"), ("शान्ति", "M-003")):
        await page.keyboard.press("/")
        await expect(page.locator("#search")).to_be_focused()
        await page.keyboard.type(typed)
        await expect(page.locator("#list [role=option] .token")).to_have_text([token])
        await page.keyboard.press("Escape")
        await expect(page.locator("#list")).to_be_focused()
    await page.keyboard.press("/")
    await expect(page.locator("#search")).to_be_focused()
    await page.keyboard.type("koul")
    await page.keyboard.press("Enter")
    await press(page, "Shift+N", "M-002 called to M1.")
    await expect(page.locator("#search")).to_have_value("")
    await expect(page.locator("#list [role=option] .token")).to_have_text(["M-001", "M-003"])


async def test_a_walk_in_has_a_number_after_a_name_and_one_key(page: Page, served: Served) -> None:
    await page.evaluate("() => { window.print = () => { window.printed = (window.printed ?? 0) + 1; }; }")
    await page.keyboard.press("w")
    await expect(page.locator("#walk [name=name]")).to_be_focused()
    await page.keyboard.type("Zoona Begum")
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-token")).to_have_text("M-001")
    await expect(page.locator("#walk-print")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#slip .slip-token")).to_have_text("M-001", use_inner_text=False)
    await page.emulate_media(media="print")
    await expect(page.locator("#slip")).to_be_visible()
    await expect(page.locator("#desk")).to_be_hidden()
    assert "Zoona" not in await page.locator("#slip").inner_text()
    await page.emulate_media(media="screen")
    assert await page.evaluate("window.printed") == 1
    await page.keyboard.press("Escape")
    await expect(page.locator("#list .who bdi")).to_have_text("Zoona Begum")


async def test_a_slip_says_in_the_patients_language_what_to_do(page: Page, served: Served) -> None:
    await served.arrive("Zoona Begum")
    await page.evaluate("() => { window.print = () => {}; }")
    slip = page.locator("#slip")
    await page.keyboard.press("w")
    await expect(page.locator("#walk [name=name]")).to_be_focused()
    await page.keyboard.type("Ghulam Nabi")
    await page.keyboard.press("Enter")
    await page.locator("#slip-language").select_option(label="اردو")
    await page.locator("#walk-print").click()
    await page.emulate_media(media="print")
    urdu = slip.locator("[data-local]")
    translated = BOOK["ur"].say
    await expect(urdu).to_have_text(
        [translated("ticket.title"), f"{translated('ticket.ahead')}: 1", translated("board.hint")]
    )
    await expect(urdu.first).to_have_attribute("dir", "rtl")
    assert "1 before you" in await slip.inner_text()
    await page.emulate_media(media="screen")
    await page.reload()  # chosen once for this machine
    await page.evaluate("() => { window.print = () => {}; }")
    await page.locator("#list").focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("l")
    await expect(urdu.first).to_have_text(translated("ticket.title"), use_inner_text=False)


@pytest.mark.parametrize("opened_first", [True, False])
async def test_a_scanned_card_fills_the_walk_in_wherever_the_clerk_was(
    page: Page, served: Served, opened_first: bool
) -> None:
    await served.arrive("Not To Be Moved")
    card = '{"hidn":"91-0000-5555-2228","hid":"gnbhat@abdm","name":"Ghulam Nabi Bhat","gender":"M","dob":"6/6/1972"}'
    if opened_first:
        await page.keyboard.press("w")
        await expect(page.locator("#walk [name=name]")).to_be_focused()
    await page.keyboard.type(card)
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-claim")).to_be_visible()
    await expect(page.locator("#walk [name=name]")).to_have_value("Ghulam Nabi Bhat")
    await expect(page.locator("#walk [name=age]")).to_have_value("1972")
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-token")).to_have_text("M-002")
    await page.keyboard.press("Escape")
    await expect(page.locator("#list .four")).to_have_text(["", "··2228"])
    assert [ticket.state.name for ticket in await served.desk.tickets(served.hip)] == ["WAITING", "WAITING"]


async def test_a_lost_connection_is_shown_and_the_list_stays(page: Page, served: Served) -> None:
    await served.arrive("Still Shown")
    await expect(page.locator("#list [role=option]")).to_have_count(1)
    await page.context.set_offline(True)
    await page.keyboard.press("n")
    await expect(page.locator("#lost")).to_contain_text("Connection lost since")
    await expect(page.locator("#list .who bdi")).to_have_text("Still Shown")
    await page.context.set_offline(False)
    await expect(page.locator("#lost")).to_be_hidden()
    await press(page, "n", "M-001 called to M1.")


async def test_a_desk_signed_out_elsewhere_locks_and_shows_nobody_new(page: Page, served: Served) -> None:
    await served.services.staff.sign_out_everywhere(f"clerk-{served.hip.lower()}")
    await page.keyboard.press("n")
    await expect(page.locator("#locked")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#locked")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


NO_PATIENT = [
    '<?xml version="1.0" encoding="UTF-8"?> <PrintLetterBarcodeData uid="999900000000" name="Sample Person"/>',
    "2374" * 60,
    "UHID-SNX 2026/4471",
    "https://example.org/xnnhfu",
    "8901234567894",
]


async def states_of(served: Served) -> list[str]:
    return [ticket.state.name for ticket in await served.desk.tickets(served.hip)]


@pytest.mark.parametrize("ending", ["Enter", "Tab", ""])
@pytest.mark.parametrize("text", NO_PATIENT)
async def test_a_scan_that_is_no_patient_moves_nobody_and_says_what_it_was(
    page: Page, served: Served, text: str, ending: str
) -> None:
    for name in ("First", "Second"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    await page.keyboard.type(text, delay=1)
    if ending:
        await page.keyboard.press(ending)
    what = "Aadhaar" if "Barcode" in text or len(text) > 200 else "not"
    await expect(page.locator("#said")).to_contain_text(what)
    await expect(page.locator("dialog[open]")).to_have_count(0)
    assert await states_of(served) == ["CALLED", "WAITING"]


async def test_the_qr_of_our_own_slip_chooses_its_ticket_wherever_the_focus_is(page: Page, served: Served) -> None:
    await served.arrive("First")
    place = await served.arrive("Second")
    await expect(page.locator("#list [role=option]")).to_have_count(2)
    now_s = int(time.time())
    token = served.services.ticket_links.mint(served.hip, place.ticket, expires_s=now_s + 3_600, now_s=now_s)
    for focus in ("#list", "#search"):
        await page.locator(focus).focus()
        await page.keyboard.type(f"{served.address}/t/{token}")
        await page.keyboard.press("Enter")
        await expect(page.locator("#said")).to_have_text("M-002 is chosen in the list.")
        await expect(page.locator("[aria-selected=true] .token")).to_have_text("M-002")
        await expect(page.locator("#search")).to_have_value("")
        await page.keyboard.press("Escape")
    assert await states_of(served) == ["WAITING", "WAITING"]


async def test_a_card_read_under_an_urdu_layout_is_read_by_the_place_of_its_keys(page: Page, served: Served) -> None:
    await served.arrive("Not To Be Moved")
    card = '{"hidn":"91-0000-5555-2228","phr":"gnbhat@abdm","name":"Ghulam Nabi Bhat","gender":"M","dob":"1972"}'
    session = await page.context.new_cdp_session(page)
    for character in card:
        code, shift = key_of(character)
        other = chr(0x0627 + ord(character) % 30) if character.isalpha() else character
        event = {"code": code, "key": other, "text": other, "modifiers": 8 if shift else 0}
        await session.send("Input.dispatchKeyEvent", {"type": "keyDown", **event})
        await session.send("Input.dispatchKeyEvent", {"type": "keyUp", **event, "text": ""})
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk [name=name]")).to_have_value("Ghulam Nabi Bhat")
    assert await states_of(served) == ["WAITING"]


def key_of(character: str) -> tuple[str, bool]:
    """The key of a US keyboard, and whether Shift is held."""
    if character.isalpha():
        return f"Key{character.upper()}", character.isupper()
    if character.isdigit():
        return f"Digit{character}", False
    marks = {"{": "BracketLeft+", "}": "BracketRight+", '"': "Quote+", ":": "Semicolon+", ",": "Comma", "-": "Minus"}
    mark = {**marks, "@": "Digit2+", " ": "Space"}[character]
    return mark.removesuffix("+"), mark.endswith("+")
