"""What the hall sees and hears, and the patient's phone, in a real Chromium."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Browser, ViewportSize, expect

from kiosk.locales import BOOK
from tests.codes import codes_in
from tests.kiosk.displays.pages import PHONE, TELEVISION, UPRIGHT, board, history, opened
from tests.kiosk.hospital import HIP, Hospital, application, emptied, serving
from tests.ports import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_a_call_is_seen_and_heard_and_so_is_its_recall(served: Hospital, kiosk_browser: Browser) -> None:
    await served.arrive(patients=2)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}") as page:
        await board(page)
        await served.call("M1")
        hero = page.locator("#hero")
        await expect(hero).to_have_attribute("data-token", "M-001")
        await expect(hero.locator(".counter")).to_have_text("M1")
        await expect(page.locator("body")).to_have_attribute("data-announcing", "yes")
        await expect(page.locator("body")).to_have_attribute("data-chimes", "1")
        await expect(page.locator("#announcement")).to_contain_text("M-001")
        await served.services.desk.recall(HIP, "M1", by="asha")
        await expect(page.locator("body")).to_have_attribute("data-chimes", "2")
        await expect(hero).to_have_attribute("data-again", "yes")


async def test_calls_in_one_moment_are_announced_one_after_another(served: Hospital, kiosk_browser: Browser) -> None:
    await served.arrive(patients=3)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}") as page:
        await board(page)
        await history(page)
        tokens = [f"{await served.call(counter)} {counter}" for counter in ("M1", "M2", "M3")]
        await expect(page.locator("body")).to_have_attribute("data-chimes", "3", timeout=40_000)
        assert await page.evaluate("announced") == tokens
        for token in tokens:
            number = f"[data-token='{token.split()[0]}']"
            await expect(page.locator(f"#hero{number}, #others {number}")).to_have_count(1)


async def test_what_was_called_before_the_board_came_is_shown_without_noise(
    served: Hospital, kiosk_browser: Browser
) -> None:
    await served.arrive(patients=3)
    await served.call("M1")
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}") as page:
        await board(page)
        await expect(page.locator("#hero")).to_have_attribute("data-token", "M-001")
        await served.call("M2")
        await expect(page.locator("body")).to_have_attribute("data-chimes", "1")
        await expect(page.locator("body")).to_have_attribute("data-announced", "1")


async def test_a_board_of_one_queue_is_silent_for_the_others(served: Hospital, kiosk_browser: Browser) -> None:
    await served.arrive(patients=2)
    await served.arrive("registration")
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}?queues=m") as page:
        await board(page)
        await served.call("R1")
        await served.call("M1")
        await expect(page.locator("#hero")).to_have_attribute("data-token", "M-001")
        await expect(page.locator("body")).to_have_attribute("data-announced", "1")
        await expect(page.locator(".queue")).to_have_count(1)


async def test_a_call_taken_back_before_its_turn_is_not_announced(served: Hospital, kiosk_browser: Browser) -> None:
    await served.arrive(patients=3)
    async with opened(kiosk_browser, f"{served.url}/board/{HIP}") as page:
        await board(page)
        await history(page)
        await served.call("M1")
        await served.call("M2")
        await served.services.desk.undo(HIP, "M2", by="asha")
        await served.call("M3")
        await expect(page.locator("body")).to_have_attribute("data-announced", "2", timeout=40_000)
        await expect(page.locator("body")).to_have_attribute("data-announcing", "no", timeout=40_000)
        assert await page.evaluate("announced") == ["M-001 M1", "M-002 M3"]


async def test_where_the_browser_is_silent_a_touch_brings_the_sound(served: Hospital, plain_browser: Browser) -> None:
    await served.arrive(patients=2)
    async with opened(plain_browser, f"{served.url}/board/{HIP}?lang=en") as page:
        await board(page, sound="off")
        await expect(page.locator("#sound")).to_contain_text("for sound")
        await page.keyboard.press("Enter")
        await board(page, sound="on")
        await served.call("M1")
        await expect(page.locator("body")).to_have_attribute("data-chimes", "1")


async def test_a_board_comes_back_by_itself_and_shows_what_it_missed(
    valkey_url: str, tmp_path: Path, kiosk_browser: Browser
) -> None:
    await emptied(valkey_url)
    port = free_port()
    app = application(valkey_url, tmp_path / "data", port)
    async with serving(app, port):
        hospital = Hospital(app, f"http://127.0.0.1:{port}")
        await hospital.build()
        await hospital.arrive(patients=3)
        context = await kiosk_browser.new_context(viewport=TELEVISION)
        page = await context.new_page()
        await page.goto(f"{hospital.url}/board/{HIP}?lang=en")
        await board(page)
        await hospital.call("M1")
        await expect(page.locator("body")).to_have_attribute("data-chimes", "1")
    await expect(page.locator("body")).to_have_attribute("data-link", "lost")
    await expect(page.locator("#old")).to_contain_text("No news since")
    await expect(page.locator("#hero")).to_have_attribute("data-token", "M-001")
    async with _elsewhere(valkey_url, tmp_path) as hospital:
        await hospital.call("M1")
        await hospital.call("M1")
    again = application(valkey_url, tmp_path / "data", port)
    async with serving(again, port):
        await board(page)
        await expect(page.locator("#old")).to_be_hidden()
        await expect(page.locator("body")).to_have_attribute("data-missed", "yes")
        await expect(page.locator("#last-title")).to_be_visible()
        await expect(page.locator("#last [data-token='M-002']")).to_be_visible()
        await expect(page.locator("body")).to_have_attribute("data-chimes", "3")  # M-001, then the two it missed
        await context.close()


@asynccontextmanager
async def _elsewhere(valkey_url: str, folder: Path) -> AsyncIterator[Hospital]:
    """The same hospital from another process's point of view: the clerk works on while the board is cut off."""
    app = application(valkey_url, folder / "data", free_port())
    async with app.lifespan():
        yield Hospital(app, "")


@pytest.mark.parametrize("size", [TELEVISION, UPRIGHT, PHONE], ids=["wide", "upright", "phone"])
async def test_both_codes_of_a_kiosk_are_read_from_its_picture(
    served: Hospital, kiosk_browser: Browser, size: ViewportSize
) -> None:
    async with opened(kiosk_browser, f"{served.url}/kiosk/{HIP}/M1", size) as page:
        await page.wait_for_function(
            "() => [...document.images].every((image) => image.complete && image.naturalWidth)"
        )
        texts = {await page.locator(f".code.{kind}").get_attribute("data-text") for kind in ("abdm", "camera")}
        picture = await page.screenshot(full_page=True)
    with Image.open(BytesIO(picture)) as image:
        # A small screen has no room for the third, which finds a number again.
        assert {code.text for code in codes_in(image)} - {f"{served.url}/find/{HIP}"} == texts


async def test_a_kiosk_fetches_the_next_code_when_its_slot_ends(served: Hospital, kiosk_browser: Browser) -> None:
    context = await kiosk_browser.new_context(viewport=TELEVISION)
    page = await context.new_page()
    await page.clock.install()
    await page.goto(f"{served.url}/kiosk/{HIP}/M1")
    first = await page.locator(".code.abdm").get_attribute("data-text")
    drawn = json.loads(await page.locator("body").get_attribute("data-drawn") or "")
    fresh = {
        "abdm": {"svg": f"/kiosk/{HIP}/M1/abdm-2.svg", "text": "next"},
        "camera": drawn["camera"],
        "fresh": drawn["fresh"],
    }
    requests = 0

    async def answer(route: object) -> None:
        nonlocal requests
        requests += 1
        now_ms = await page.evaluate("Date.now()")
        times = {
            "rotates_at_ms": now_ms + 60_000,
            "good_until_ms": now_ms + 660_000,
            "slot_ms": 60_000,
            "now_ms": now_ms,
        }
        await route.fulfill(json={**fresh, **times})  # type: ignore[attr-defined]  # playwright's Route

    await page.route("**/qr", answer)
    await page.clock.run_for(drawn["rotates_at_ms"] - drawn["now_ms"] + 2_000)
    await expect(page.locator(".code.abdm")).to_have_attribute("data-text", "next")
    assert first != "next"
    assert requests == 1
    await page.unroute("**/qr")
    await page.route("**/qr", lambda route: route.abort())
    await page.clock.run_for(700_000)
    await expect(page.locator("#old")).to_be_visible()
    await expect(page.locator("#abdm")).not_to_be_visible()
    await context.close()


async def test_a_kiosk_shows_who_waits_who_is_called_and_that_it_closed(
    served: Hospital, kiosk_browser: Browser
) -> None:
    async with opened(kiosk_browser, f"{served.url}/kiosk/{HIP}/M1?lang=en") as page:
        await expect(page.locator("#waiting")).to_have_text("0")
        await served.arrive(patients=3)
        await expect(page.locator("#waiting")).to_have_text("3")
        await served.call("M2")
        await expect(page.locator("#now .token")).to_have_text("M-001")
        await expect(page.locator("#now .counter")).to_have_text("M2")
        await served.services.registry.open_counter(HIP, "M1", False)
        await expect(page.locator("#closed")).to_be_visible()
        await expect(page.locator("#abdm")).not_to_be_visible()


async def test_hall_screens_hold_every_script_before_its_turn_comes(served: Hospital, kiosk_browser: Browser) -> None:
    for path in (f"/board/{HIP}", f"/kiosk/{HIP}/M1"):
        async with opened(kiosk_browser, f"{served.url}{path}") as page:
            await page.wait_for_function("() => [...document.fonts].every((face) => face.status === 'loaded')")
            assert await page.evaluate("document.fonts.size") == 10


async def test_a_kiosk_speaks_the_language_somebody_touches(served: Hospital, kiosk_browser: Browser) -> None:
    async with opened(kiosk_browser, f"{served.url}/kiosk/{HIP}/M1") as page:
        await page.locator("[data-language=ks]").click()
        await expect(page.locator("h1")).to_have_text(BOOK["ks"].say("counter_screen.title"))
        await expect(page.locator("h1")).to_have_attribute("dir", "rtl")
        await expect(page.locator("[data-language=ks]")).to_have_attribute("aria-pressed", "true")
