"""The desk in a real Chromium: keys, names, live changes and trouble, as a clerk meets them."""

import asyncio
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from playwright.async_api import Page, expect

from kiosk.locales import BOOK
from kiosk.patient.person import Patient
from queueing.display_text import display_text
from queueing.models import Place
from queueing.policy import Policy
from tests.kiosk.console.keyboards import scan
from tests.kiosk.console.running_desk import Served, choose_first, press, states_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

EVIL = [
    "<script>window.ran=1</script>", "<img src=x onerror=window.ran=1>", "<svg/onload=window.ran=1>",
    '"><script>window.ran=1</script>', "'-window.ran=1-'", "javascript:window.ran=1", "{{7*7}}${7*7}<%=7*7%>",
    "</bdi><iframe srcdoc='<script>parent.ran=1</script>'>", "<a href=javascript:window.ran=1>Asha</a>",
    "</span></div><style>*{display:none}</style>", "<base href=//evil.example>", "<math><mtext></table><mglyph>",
    "<meta http-equiv=refresh content=0>", "&lt;script&gt;window.ran=1&lt;/script&gt;", "\u202eived ahsA\u2066",
    "Za" + "\u0301" * 300 + "lgo", "<details open ontoggle=window.ran=1>", "x\x00<script>window.ran=1</script>",
    "<form><button formaction=javascript:window.ran=1>", "=cmd|'/c calc'!A1", "%3Cscript%3Ewindow.ran=1%3C/script%3E",
]  # fmt: skip


async def test_a_morning_by_keyboard_alone(page_by_keys: Page, served: Served) -> None:
    page = page_by_keys
    for name in ("First", "Second", "Third"):
        await served.arrive(name)
    await expect(page.locator("#list [role=option]")).to_have_count(3)
    await press(page, "n", "M-001 called to M1.")
    await expect(page.locator("#now-name")).to_have_text("First")
    await press(page, "r", "M-001 called again.")
    await press(page, "s", "M-001 is at the counter.")
    await press(page, "f", "M-001 finished.")
    await press(page, "u", "Undone at M1. M-001: At the counter.")
    await press(page, "Space", "M-002 called to M1.")
    await press(page, "x", "M-002 did not come.")
    await press(page, "Enter", "M-003 called to M1.")
    await expect(page.locator("#list [role=option]")).to_have_count(1)  # M-002: the list comes a moment later
    await choose_first(page, "M-002")
    await press(page, "b", "M-002 is back, near the front.")
    await press(page, "h", "M-003 on hold; the place is kept.")
    await choose_first(page, "M-002")
    await press(page, "Shift+N", "M-002 called to M1.")
    await page.keyboard.press("t")
    await press(page, "1", "M-002 sent to Registration.")
    await choose_first(page, "M-003")
    await page.keyboard.press("p")
    await press(page, "5", "M-003 is now: Emergency.")
    await choose_first(page, "M-003")
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


async def test_next_asks_once_whether_a_called_patient_came(page: Page, served: Served) -> None:
    for name in ("First", "Second", "Third", "Fourth"):
        await served.arrive(name)
    asks = page.locator("#ask-came")
    await press(page, "n", "M-001 called to M1.")
    await press(page, "n", "M-001 was called here. Did the patient come?")
    await expect(asks).to_be_visible()
    question, number = await asks.bounding_box(), await page.locator("#now").bounding_box()
    assert question and number  # noqa: PT018 - both are boxes, or the page is not there
    assert number["x"] <= question["x"] <= question["x"] + question["width"] <= number["x"] + number["width"]
    await page.keyboard.press("Escape")
    await expect(asks).to_be_hidden()
    assert await states_of(served) == ["CALLED", "WAITING", "WAITING", "WAITING"]
    await page.keyboard.press("n")
    await expect(asks).to_be_visible()
    await press(page, "x", "M-002 called to M1.")
    await press(page, "Space", "M-002 was called here. Did the patient come?")
    await press(page, "Enter", "M-003 called to M1.")
    await expect(page.locator(".section.waiting [role=option]")).to_have_count(1)  # the list comes a moment later
    await choose_first(page, "M-004")
    await press(page, "Shift+N", "M-003 was called here. Did the patient come?")
    await press(page, "f", "M-004 called to M1.")
    await expect(page.locator(".section.no_show .token")).to_have_text("M-001")
    assert await states_of(served) == ["CALLED", "NO_SHOW"]
    assert [ticket.token for ticket in await served.desk.ended(served.hip)] == ["M-003", "M-002"]


async def test_a_started_visit_and_the_rule_of_the_facility_are_not_asked_about(page: Page, served: Served) -> None:
    for name in ("First", "Second", "Third"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    await press(page, "s", "M-001 is at the counter.")
    await press(page, "n", "M-002 called to M1.")
    await served.services.registry.set_policy(served.hip, Policy(no_show_after_s=1))
    await asyncio.sleep(1.1)
    await press(page, "n", "M-003 called to M1.")
    await expect(page.locator("#ask-came")).to_be_hidden()
    await expect(page.locator(".section.no_show .token")).to_have_text("M-002")


@pytest.mark.parametrize("key", ["Space", "Enter"])
async def test_a_held_down_key_asks_and_does_not_answer(page: Page, served: Served, key: str) -> None:
    for name in ("First", "Second"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    await page.keyboard.down(key)
    await expect(page.locator("#came-yes")).to_be_focused()
    for _ in range(5):
        await page.keyboard.down(key)
    await page.keyboard.up(key)
    await page.evaluate("new Promise(requestAnimationFrame)")
    await expect(page.locator("#ask-came")).to_be_visible()
    assert await states_of(served) == ["CALLED", "WAITING"]


async def test_undo_takes_back_the_last_moves_one_by_one_also_after_a_scan(page: Page, served: Served) -> None:
    await page.clock.install(time=time.time())
    for name in ("First", "Second"):
        await served.arrive(name)
    await press(page, "n", "M-001 called to M1.")
    await press(page, "s", "M-001 is at the counter.")
    await press(page, "n", "M-002 called to M1.")
    await asyncio.sleep(0.4)  # a person scans no sooner after a key; sooner, the key counts as the scan's beginning
    await scan(page, "8901234567894")
    await expect(page.locator("#said")).to_contain_text("not an ABHA card")
    await expect(page.locator("#toast-undo")).to_be_hidden()
    await press(page, "u", "Undone at M1. M-001: At the counter.")
    await expect(page.locator("#now-token")).to_have_text("M-001")
    assert await states_of(served) == ["SERVING", "WAITING"]
    await press(page, "u", "Undone at M1. M-001: Called.")
    await press(page, "u", "Undone at M1. M-001: Waiting.")
    await press(page, "u", "There is nothing to undo.")
    assert await states_of(served) == ["WAITING", "WAITING"]


async def test_names_from_strangers_stay_names(page: Page, served: Served) -> None:
    for number, name in enumerate(EVIL):
        await served.arrive(Patient(name=name, line=name, district=name, abha_address=f"{number}@sbx"))
    names = page.locator("#list .who bdi")
    await expect(names).to_have_count(len(EVIL))
    assert [display_text(text) for text in await names.all_text_contents()] == [display_text(name) for name in EVIL]
    for number, name in enumerate(EVIL, start=1):
        await press(page, "n", f"M-{number:03d} called to M1.")
        await page.keyboard.press("s")  # or the next call would ask whether this one came
        await expect(page.locator("#now-state")).to_have_text("At the counter")
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
    # The page is not answered what changed meanwhile. A failed answer would count as a cut line: then moves wait.
    await page.route("**/console/desk?*", lambda _route: None)
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


async def test_who_ended_today_is_found_by_a_search_and_comes_back_and_undo_takes_it_back(
    page: Page, served: Served
) -> None:
    places = [await served.arrive(name) for name in ("Asha Devi", "Asha Bano", "Asha Koul", "Ramesh Koul")]
    await press(page, "n", "M-001 called to M1.")
    await press(page, "f", "M-001 finished.")
    await press(page, "n", "M-002 called to M1.")
    await press(page, "x", "M-002 did not come.")
    await served.desk.cancel(served.hip, places[2].ticket, by="other")
    found = page.locator("#list [role=option] .token")
    await expect(found).to_have_text(["M-004", "M-002"])
    for typed, section, token in (("devi", "done", "M-001"), ("asha k", "cancelled", "M-003")):
        await page.keyboard.press("/")
        await expect(page.locator("#search")).to_be_focused()
        await page.keyboard.type(typed)
        await expect(page.locator(f".section.{section} .token")).to_have_text([token])
        await page.keyboard.press("Enter")
        await expect(page.locator("[aria-selected=true] .token")).to_have_text(token)
        await expect(page.locator("#chosen button:visible")).to_contain_text(["Bring back", "Details"])
        await press(page, "b", f"{token} is back, near the front.")
        await expect(page.locator(".section.waiting .token")).to_contain_text([token])
        undone = "Undone at M1. M-001: Finished." if section == "done" else "Undone. M-003: Cancelled."
        await press(page, "u", undone)
        await expect(found).to_have_text(["M-004", "M-002"])
    assert await states_of(served) == ["WAITING", "NO_SHOW"]


async def test_no_dialogue_is_seen_before_it_is_opened(page: Page) -> None:
    await expect(page.locator("dialog:visible")).to_have_count(0)


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


async def test_a_walk_in_goes_sooner_by_two_keys_and_the_list_says_why(page: Page, served: Served) -> None:
    await page.keyboard.press("w")
    await expect(page.locator("#walk [name=name]")).to_be_focused()
    await page.keyboard.type("Zoona Begum")
    await page.keyboard.press("F2")
    await expect(page.locator("#choice-title")).to_have_text("Why does this person go sooner?")
    await page.keyboard.press("4")
    await expect(page.locator("#ask-choice")).to_be_hidden()
    await expect(page.locator("#walk [name=reason]")).to_have_value("child")
    await expect(page.locator("#walk [name=name]")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-line")).to_contain_text("Small child")
    await page.keyboard.press("Escape")
    mark = page.locator("#list .lane")
    await expect(mark).to_have_text("CHILD")
    await expect(mark).to_have_attribute("title", "Small child")
    await choose_first(page, "M-001")
    await page.keyboard.press("p")
    await expect(page.locator("#choice-title")).to_have_text("Why does M-001 go sooner?")
    await press(page, "7", "M-001 is now: Sent back by the doctor.")
    await expect(mark).to_have_text("BACK")


async def test_after_hours_a_walk_in_takes_one_more_press(page: Page, served: Served) -> None:
    weekday = (datetime.now(ZoneInfo("Asia/Kolkata")) + timedelta(days=3)).weekday()
    await served.services.registry.set_hours(served.hip, "medicine", (weekday * 1440 + 540, weekday * 1440 + 840))
    await page.keyboard.press("w")
    await expect(page.locator("#walk [name=name]")).to_be_focused()
    await page.keyboard.type("Zoona Begum")
    await page.keyboard.press("Enter")
    await expect(page.locator("#walk-any-hour")).to_contain_text("Opens on ")
    await page.get_by_role("button", name="Give a number all the same").click()
    await expect(page.locator("#walk-token")).to_have_text("M-001")


async def test_a_slip_says_in_the_patients_language_what_to_do(page: Page, served: Served) -> None:
    name, facility = "ضلع ہسپتال بارہمولہ", await served.services.registry.facility(served.hip)
    assert facility is not None
    await served.services.registry.put_facility(replace(facility, names={"ur": name}))
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
    urdu = slip.locator("[data-local]:not([data-local=queue])")  # this queue has one name, and the hospital has two
    translated = BOOK["ur"].say
    await expect(urdu).to_have_text(
        [name, translated("ticket.title"), f"{translated('ticket.ahead')}: 1", translated("board.hint")]
    )
    await expect(urdu.first).to_have_attribute("dir", "rtl")
    assert "1 before you" in await slip.inner_text()
    assert await slip.locator(".slip-facility").all_inner_texts() == [name, facility.name]
    await page.emulate_media(media="screen")
    await page.reload()  # chosen once for this machine
    await page.evaluate("() => { window.print = () => {}; }")
    await page.locator("#list").focus()
    await choose_first(page, "M-001")
    await page.keyboard.press("l")
    await expect(urdu.first).to_have_text(name, use_inner_text=False)


async def test_a_lost_connection_is_shown_and_the_list_stays(page: Page, served: Served) -> None:
    await served.arrive("Still Shown")
    await expect(page.locator("#list [role=option]")).to_have_count(1)
    await page.context.set_offline(True)
    await page.keyboard.press("n")
    await expect(page.locator("#lost")).to_contain_text("Connection lost since")
    await expect(page.locator("#list .who bdi")).to_have_text("Still Shown")
    await page.context.set_offline(False)
    await expect(page.locator("#lost")).to_be_hidden()
    await expect(page.locator("#now-token")).to_have_text("M-001")
    await press(page, "f", "M-001 finished.")


async def test_a_desk_signed_out_elsewhere_locks_and_shows_nobody_new(page: Page, served: Served) -> None:
    await served.services.staff.end_sessions(served.login, within=served.hip)
    await page.keyboard.press("n")
    await expect(page.locator("#locked")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#locked")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
