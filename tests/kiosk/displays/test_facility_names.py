"""The hospital has its name in the reader's language on every screen and page, else the registered one."""

import httpx
import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, Page, expect

from kiosk.locales import BOOK
from queueing.models import Facility
from queueing.opening_hours import DAY_MIN
from tests.kiosk.displays.pages import PHONE, each_language, opened
from tests.kiosk.displays.test_hours_on_screens import spans_in
from tests.kiosk.displays.test_nothing_is_cut import OUTSIDE, name_facility
from tests.kiosk.hospital import HIP, MEDICINE, Hospital

pytestmark = pytest.mark.anyio
HINDI, URDU, REGISTERED = "ज़िला अस्पताल बारामूला", "ضلع ہسپتال بارہمولہ", "District Hospital <Baramulla>"
ESCAPED = {HINDI: HINDI, URDU: URDU, REGISTERED: "District Hospital &lt;Baramulla&gt;"}
EACH = pytest.mark.parametrize(
    ("language", "name"), [("hi", HINDI), ("ur", URDU), ("en", REGISTERED), ("doi", REGISTERED)]
)
WEEK = tuple(edge for day in range(7) for edge in (day * DAY_MIN, (day + 1) * DAY_MIN))


async def give_names(hospital: Hospital, *, plain: str = REGISTERED, **names: str) -> None:
    facility = await hospital.services.registry.facility(HIP)
    assert facility is not None
    await hospital.services.registry.put_facility(replace(facility, name=plain, names=names))


async def shown(visitor: httpx.AsyncClient, path: str, language: str) -> str:
    answer = await visitor.get(path, params={"lang": language})
    assert answer.status_code == 200, path
    return answer.text


@EACH
async def test_every_screen_and_page_has_the_name_of_its_language(
    visitor: httpx.AsyncClient, hospital: Hospital, language: str, name: str
) -> None:
    await give_names(hospital, hi=HINDI, ur=URDU)
    (place,) = await hospital.arrive()
    screens, ticket = (f"/board/{HIP}", f"/kiosk/{HIP}/M1"), hospital.ticket_link(place)
    for path in (*screens, ticket, hospital.camera_link(), f"/find/{HIP}"):
        drawn = (await shown(visitor, path, language)).split('class="facility"', 1)[1].split("</bdi>", 1)[0]
        assert drawn.endswith(f">{ESCAPED[name]}"), path
    for path in screens:
        title = (await shown(visitor, path, language)).split("<title>", 1)[1]
        assert title.strip().startswith(f"{ESCAPED[name]} · "), path
    manifest = (await visitor.get(f"{ticket}/app.webmanifest", params={"lang": language})).json()
    assert manifest["name"] == f"{place.token} · {name}"
    await hospital.services.registry.set_hours(HIP, MEDICINE, spans_in(3))
    closed = await shown(visitor, hospital.camera_link(), language)
    assert f"<bdi>{ESCAPED[name]}</bdi>" in closed
    assert "<form" not in closed


@EACH
async def test_the_first_page_finds_the_hospital_by_each_name_and_lists_it_by_that_of_the_page(
    visitor: httpx.AsyncClient, hospital: Hospital, language: str, name: str
) -> None:
    await give_names(hospital, hi=HINDI, ur=URDU)
    await hospital.services.registry.put_facility(Facility(hip_id="ZZ1", name="Elsewhere", names={"ur": "کہیں اور"}))
    for text in ("बारामूला", "بارہمولہ", "baramulla"):
        answer = (await visitor.get("/", params={"facility": text, "lang": language})).text
        assert f"<bdi>{ESCAPED[name]}</bdi></a>" in answer, text
        assert "ZZ1" not in answer, text


async def test_no_screen_shows_an_empty_name(visitor: httpx.AsyncClient, hospital: Hospital) -> None:
    await give_names(hospital)
    snapshot = await hospital.services.desk.snapshot(HIP)
    assert snapshot is not None
    assert (snapshot.name, snapshot.names) == (REGISTERED, {})
    assert ESCAPED[REGISTERED] in await shown(visitor, f"/board/{HIP}", "ur")


@pytest.mark.browser
async def test_the_name_turns_with_the_language_and_follows_a_change(served: Hospital, kiosk_browser: Browser) -> None:
    await give_names(served, hi=HINDI, ur=URDU)
    (place,) = await served.arrive()
    async with (
        opened(kiosk_browser, f"{served.url}/board/{HIP}?lang=hi") as board,
        opened(kiosk_browser, f"{served.url}/kiosk/{HIP}/M1") as screen,
        opened(kiosk_browser, f"{served.url}{served.ticket_link(place)}?lang=ur", PHONE) as ticket,
    ):
        for page, name, language in ((board, HINDI, "hi"), (screen, REGISTERED, None)):
            await expect(page.locator("body")).to_have_attribute("data-link", "live")
            await expect(page.locator("#facility-name")).to_have_text(name)
            assert await page.locator("#facility-name").get_attribute("lang") == language
        await expect(ticket.locator(".facility bdi")).to_have_text(URDU)
        await screen.locator("[data-language=ur]").click()
        await expect(screen.locator("#facility-name")).to_have_text(URDU)
        await expect(screen.locator("#facility-name")).to_have_attribute("lang", "ur")
        await give_names(served, hi="नया अस्पताल", ur="نیا ہسپتال")
        await expect(board.locator("#facility-name")).to_have_text("नया अस्पताल")
        await expect(screen.locator("#facility-name")).to_have_text("نیا ہسپتال")
        await screen.locator("[data-language=en]").click()
        await expect(screen.locator("#facility-name")).to_have_text(REGISTERED)


@pytest.mark.browser
async def test_a_board_of_several_languages_shows_each_name_in_its_turn(
    served: Hospital, kiosk_browser: Browser
) -> None:
    await give_names(served, hi=HINDI, ur=URDU)
    context = await kiosk_browser.new_context()
    page = await context.new_page()
    await page.clock.install()
    await page.goto(f"{served.url}/board/{HIP}?lang=en,hi,ur,doi")
    await expect(page.locator("body")).to_have_attribute("data-link", "live")
    seen = []
    for code in ("en", "hi", "ur", "doi"):
        await until_turn_of(page, code)
        seen.append(await page.locator("#facility-name").text_content())
    assert seen == [REGISTERED, HINDI, URDU, REGISTERED]
    await context.close()


async def until_turn_of(page: Page, code: str) -> None:
    for _ in range(60):
        if await page.locator("#now-title").text_content() == BOOK[code].say("board.now"):
            return
        await page.clock.run_for(1_000)
    raise AssertionError(code)


ENDS = """
  (name) => {
    const text = name.firstChild;
    const box = (from, to) => {
      const range = document.createRange();
      range.setStart(text, from);
      range.setEnd(text, to);
      return range.getBoundingClientRect();
    };
    return [box(0, 1).left, box(text.length - 1, text.length).left];
  }
"""
"""Where the first and the last character of the name stand."""


@pytest.mark.browser
async def test_a_name_of_another_direction_keeps_its_order_beside_the_hours(
    served: Hospital, kiosk_browser: Browser
) -> None:
    await served.services.registry.set_hours(HIP, MEDICINE, WEEK)
    for plain, code in (("ضلع ہسپتال (1)", "en"), ("Block (B) 2!", "ur")):
        await give_names(served, plain=plain)
        async with opened(kiosk_browser, f"{served.url}/kiosk/{HIP}/M1?lang={code}") as page:
            await expect(page.locator("#hours")).to_be_visible()
            first, last = await page.locator("#facility-name").evaluate(ENDS)
            name, hours = [await page.locator(one).bounding_box() for one in ("#facility-name", "#hours")]
            assert name is not None
            assert hours is not None
            assert (first > last, hours["x"] > name["x"]) == ((True, True) if code == "en" else (False, False))
        async with opened(kiosk_browser, f"{served.url}/?facility={HIP}&lang={code}", PHONE) as page:
            link = page.locator(f"a[href^='/find/{HIP}']")
            await expect(link).to_contain_text(plain)
            at = await link.evaluate(
                """(link) => {
                  const text = link.firstChild, start = text.data.indexOf("\\u2068") + 1;
                  const left = (from) => {
                    const range = document.createRange();
                    range.setStart(text, from);
                    range.setEnd(text, from + 1);
                    return range.getBoundingClientRect().left;
                  };
                  return [left(start), left(text.data.indexOf("\\u2069") - 1)];
                }"""
            )
            assert (at[0] > at[1]) is (code == "en")


@pytest.mark.browser
@each_language
async def test_a_long_name_is_whole_on_a_phone(served: Hospital, kiosk_browser: Browser, code: str) -> None:
    await name_facility(served)
    (place,) = await served.arrive()
    for path in (served.ticket_link(place), served.camera_link(), f"/find/{HIP}"):
        async with opened(kiosk_browser, f"{served.url}{path}?lang={code}", PHONE) as page:
            await page.wait_for_function("() => document.fonts.status === 'loaded'")
            assert await page.evaluate(OUTSIDE) == []
            name, below = [await page.locator(one).first.bounding_box() for one in (".facility bdi", "h1")]
            assert name is not None
            assert below is not None
            assert name["y"] + name["height"] <= below["y"] + 8, "a line box of Nastaliq is higher than its letters"
