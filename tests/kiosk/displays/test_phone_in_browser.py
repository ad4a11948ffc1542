"""The patient's phone in a real Chromium."""

import io
import math

import pytest
from PIL import Image
from playwright.async_api import Browser, FloatRect, ViewportSize, expect

from tests.kiosk.displays.pages import PHONE, SMALLEST_TARGET, each_language, opened
from tests.kiosk.hospital import HIP, MEDICINE, Hospital, until

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_a_phone_is_told_loudly_when_its_number_is_called(served: Hospital, kiosk_browser: Browser) -> None:
    _, mine = await served.arrive(patients=2)
    async with opened(kiosk_browser, f"{served.url}{served.ticket_link(mine)}?lang=en", PHONE) as page:
        body = page.locator("body")
        await expect(page.locator("#ahead")).to_have_text("1")
        await served.call("M1")
        await expect(page.locator("#ahead")).to_have_text("0")
        await expect(page.locator("#last-called")).to_have_text("M-001 → M1")
        await served.call("M2")
        await expect(body).to_have_attribute("data-state", "called")
        await expect(page.locator("#state")).to_have_text("Go to counter M2 now")
        await expect(body).to_have_attribute("data-alarms", "1")
        await served.services.desk.recall(HIP, "M2", by="asha")
        await expect(body).to_have_attribute("data-alarms", "2")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize(("code", "arrow"), [("hi", "→"), ("ur", "←"), ("ks", "←")])
async def test_the_last_call_reads_from_the_number_to_its_counter(
    served: Hospital, kiosk_browser: Browser, code: str, arrow: str, *, scripts: bool
) -> None:
    _, mine = await served.arrive(patients=2)
    await served.call("M1")
    context = await kiosk_browser.new_context(viewport=PHONE, java_script_enabled=scripts)
    page = await context.new_page()
    await page.goto(f"{served.url}{served.ticket_link(mine)}?lang={code}")
    await expect(page.locator("#last-called")).to_have_text(f"M-001 {arrow} M1")
    token, counter = await page.locator("#last-called bdi").evaluate_all(  # at once: the page draws them anew
        "parts => parts.map((part) => part.getBoundingClientRect().left)"
    )
    assert (token > counter) == (arrow == "←"), "the arrow points from the number to the counter"
    await context.close()


async def test_paper_does_not_ask_to_keep_the_page_open(served: Hospital, kiosk_browser: Browser) -> None:
    *_, mine = await served.arrive(patients=4)
    async with opened(kiosk_browser, f"{served.url}{served.ticket_link(mine)}?lang=en", PHONE) as page:
        await expect(page.locator("#do")).to_contain_text("Keep this page open.")
        await page.emulate_media(media="print")
        await expect(page.locator("#do")).to_be_hidden()
        await expect(page.locator(".slip .token")).to_be_visible()


async def test_a_phone_learns_what_the_board_does_not_show(served: Hospital, kiosk_browser: Browser) -> None:
    [mine] = await served.arrive()
    desk = served.services.desk
    async with opened(kiosk_browser, f"{served.url}{served.ticket_link(mine)}?lang=en", PHONE) as page:
        body = page.locator("body")
        await expect(body).to_have_attribute("data-link", "live")
        await served.call("M1")
        await expect(body).to_have_attribute("data-state", "called")
        await desk.hold(HIP, mine.ticket, by="asha")
        await expect(page.locator("#state")).to_have_text("Your place is kept")
        await desk.bring_back(HIP, mine.ticket, by="asha")
        await expect(body).to_have_attribute("data-state", "waiting")
        await desk.transfer(HIP, mine.ticket, to="registration", by="asha")
        await expect(page.locator("#queue")).to_have_text("Registration")
        await served.call("R1")
        await expect(page.locator("#state")).to_have_text("Go to counter R1 now")
        await desk.finish(HIP, mine.ticket, by="asha")
        await expect(page.locator("#state")).to_have_text("Finished")
        await expect(page.locator("#ring")).to_be_hidden()


async def test_a_finished_phone_holds_no_stream(served: Hospital, kiosk_browser: Browser) -> None:
    [mine] = await served.arrive()
    async with opened(kiosk_browser, f"{served.url}{served.ticket_link(mine)}", PHONE) as page:
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        await served.services.desk.cancel(HIP, mine.ticket, by="asha")
        await expect(page.locator("body")).to_have_attribute("data-state", "cancelled")
        await until(lambda: served.services.hub.listeners == 0)


@each_language
async def test_a_phone_is_never_wider_than_it_is_and_every_target_can_be_hit(
    served: Hospital, kiosk_browser: Browser, code: str
) -> None:
    [mine] = await served.arrive()
    async with opened(kiosk_browser, "about:blank", PHONE) as page:
        paths = (served.ticket_link(mine), served.camera_link(), "/t/x", f"/find/{HIP}", "/", f"/?facility={HIP}")
        for path in paths:
            await page.goto(f"{served.url}{path}{'&' if '?' in path else '?'}lang={code}")
            await expect(page.locator("html")).to_have_attribute("lang", code)
            if path.startswith("/go"):
                await page.get_by_role("button").click()
                await expect(page.locator(".fault")).to_have_count(4)
            assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], (code, path)
            small = await page.evaluate(
                """(least) => [...document.querySelectorAll("a, button, summary, input:not([type=hidden])")]
                  .map((one) => [one, one.getBoundingClientRect()])
                  .filter(([one, box]) => box.width && (box.width < least || box.height < least))
                  .map(([one]) => one.outerHTML)""",
                SMALLEST_TARGET,
            )
            assert small == [], (code, path)


@each_language
async def test_pages_are_whole_on_a_narrow_phone_set_to_large_text(
    served: Hospital, kiosk_browser: Browser, code: str
) -> None:
    called, mine, *_ = await served.arrive(patients=4)
    await served.call("M1")
    async with opened(kiosk_browser, "about:blank", ViewportSize(width=320, height=640)) as page:
        for path in (served.ticket_link(called), served.ticket_link(mine), served.camera_link(), f"/find/{HIP}"):
            await page.goto(f"{served.url}{path}?lang={code}")
            await page.evaluate("document.documentElement.style.fontSize = '200%'")
            beyond = await page.evaluate(
                """() => [...document.querySelectorAll("main *")].filter((one) => one.checkVisibility())
                  .filter((one) => one.getBoundingClientRect().right > 321 || one.getBoundingClientRect().left < -1)
                  .map((one) => one.outerHTML)"""
            )
            assert beyond == [], path
            assert await page.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("code", ["ur", "ks"])
async def test_no_stroke_of_nastaliq_leaves_the_coloured_state(
    served: Hospital, kiosk_browser: Browser, code: str
) -> None:
    """A stroke that crosses the edge is white on white there: the first lines of the box have its colour alone."""
    [mine] = await served.arrive()
    async with opened(kiosk_browser, f"{served.url}{served.ticket_link(mine)}?lang={code}", PHONE) as page:
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        await page.wait_for_function("() => document.fonts.status === 'loaded'")
        box = await page.locator(".state").bounding_box()
        assert box is not None
        edge = FloatRect(x=box["x"] + 20, y=math.ceil(box["y"]) + 1, width=box["width"] - 40, height=3)
        picture = Image.open(io.BytesIO(await page.screenshot(clip=edge)))
        colours = picture.convert("RGB").getcolors()
        assert colours is not None
        assert len(colours) == 1


@each_language
async def test_each_value_stands_beside_its_label(served: Hospital, kiosk_browser: Browser, code: str) -> None:
    *_, mine = await served.arrive(patients=3)
    await served.call("M1")
    async with opened(kiosk_browser, f"{served.url}{served.ticket_link(mine)}?lang={code}", PHONE) as page:
        await expect(page.locator("#ring-choice")).to_be_visible()
        lines = await page.locator(".facts > div:visible").evaluate_all(
            """all => all.map((line) => [...line.children].map((one) => one.getBoundingClientRect()))
              .map(([label, value]) => value.left >= label.right - 1 || value.right <= label.left + 1)"""
        )
        assert lines == [True] * 4


async def test_the_form_goes_from_screen_to_ticket_without_a_script(served: Hospital, kiosk_browser: Browser) -> None:
    context = await kiosk_browser.new_context(viewport=PHONE, java_script_enabled=False, locale="hi-IN")
    page = await context.new_page()
    await page.goto(f"{served.url}{served.camera_link(MEDICINE)}")
    await expect(page.locator("html")).to_have_attribute("lang", "hi")
    await page.locator("#name").fill("ज़ूनी दर")
    await page.locator("#age").fill("६८")
    await page.locator("[name=gender][value=F]").check()
    await page.locator("[name=consent]").check()
    await page.get_by_role("button").click()
    await expect(page.locator(".slip .token")).to_have_text("M-001")
    await expect(page.locator("#ahead")).to_have_text("0")
    await context.close()
