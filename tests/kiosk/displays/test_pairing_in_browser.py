"""A television is paired by an administrator, in a real Chromium: no login on it, and changed from the page."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, expect

from kiosk.patient.person import Patient
from queueing.models import Assurance, Facility, State
from queueing.screens import screen_id
from tests.kiosk.console.signed_in import OWN_PASSWORD, ready_login
from tests.kiosk.displays.pages import each_language, opened
from tests.kiosk.displays.test_nothing_is_cut import SIZES, fill, outside
from tests.kiosk.hospital import HIP, Hospital
from tests.kiosk.share_builders import scan_of

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.proof]
OTHER = "IN0110000777"


@pytest.fixture
async def open_hospital(served: Hospital) -> Hospital:
    """Without networks of its own: no browser is known by its address."""
    await served.services.registry.set_networks(HIP, [])
    return served


@asynccontextmanager
async def television(browser: Browser, hospital: Hospital, **wishes: str) -> AsyncIterator[Page]:
    """A new one at the short address; it must not complain."""
    context = await browser.new_context(viewport=ViewportSize(width=1920, height=1080), locale="en-IN")
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    query = "&".join(f"{name}={value}" for name, value in wishes.items())
    await page.goto(f"{hospital.url}/screen?{query}")
    yield page
    await context.close()
    assert wrong == []


async def administrator(browser: Browser, hospital: Hospital, hip: str = HIP) -> tuple[BrowserContext, Page]:
    """Signed in, on the page of the screens."""
    login = f"admin-{hip.lower()}"
    if await hospital.services.staff.member(login) is None:
        await ready_login(hospital.services.staff, login, hip, "admin")
    context = await browser.new_context(viewport=ViewportSize(width=1366, height=900), locale="en-IN")
    page = await context.new_page()
    await page.goto(f"{hospital.url}/console/login")
    await page.fill("[name=login]", login)
    await page.fill("[name=password]", OWN_PASSWORD)
    await page.click("button.main")
    await page.wait_for_url("**/console/**")
    await page.goto(f"{hospital.url}/console/admin/screens")
    return context, page


async def pair(page: Page, code: str, name: str, **fields: str) -> None:
    form = page.locator("#pair form")
    await form.locator("[name=code]").fill(code)
    await form.locator("[name=name]").fill(name)
    for field, value in fields.items():
        await form.locator(f"[name={field}]").select_option(value)
    await form.get_by_role("button", name="Pair").click()


async def shared(hospital: Hospital, context: str) -> tuple[State, Assurance]:
    """What a share with this text of a code gets; the phone says no place."""
    person = Patient(name="Zooni Dar", abha_address=f"{uuid.uuid4()}@sbx")
    place = await hospital.services.check_in.scanned(
        scan_of(person, str(uuid.uuid4()), facility=HIP, context=context)
    )  # fmt: skip
    ticket = await hospital.services.desk.ticket(HIP, place.ticket)
    assert ticket
    return place.state, ticket.assurance


async def code_on(page: Page) -> str:
    """The counter text of the ABDM code that the page shows."""
    text = await page.locator(".code.abdm").get_attribute("data-text")
    assert text
    return text.partition("counter-id=")[2]


@pytest.mark.proof
async def test_a_television_is_paired_shows_fresh_codes_is_changed_and_removed(
    open_hospital: Hospital, kiosk_browser: Browser, plain_browser: Browser
) -> None:
    context, admin = await administrator(plain_browser, open_hospital)
    async with television(kiosk_browser, open_hospital) as screen:
        code = await screen.locator("#code").inner_text()
        await expect(screen.locator(".code img")).to_be_visible()
        await pair(admin, code.lower(), "Counter M1", kind="counter", counter="M1")
        await expect(admin.get_by_role("status")).to_contain_text("Paired")
        await expect(screen).to_have_url(f"{open_hospital.url}/kiosk/{HIP}/M1")
        await expect(screen.locator("body")).to_have_attribute("data-fresh", "yes")
        fresh = await code_on(screen)
        assert len(fresh) == 20
        assert await shared(open_hospital, fresh) == (State.WAITING, Assurance.SCREEN)

        await admin.reload()
        row = admin.locator("details.screen")
        await expect(row).to_contain_text("Counter M1")
        await expect(row.locator(".tag")).to_have_text("up")
        await row.locator("summary").click()
        await row.locator("[name=kind]").select_option("board")
        await row.locator("[name='queue.registration']").check()
        await row.locator("[name='language.ur']").check()
        await row.get_by_role("button", name="Save").click()
        await expect(screen).to_have_url(f"{open_hospital.url}/board/{HIP}?queues=registration&lang=ur")
        await expect(screen.locator("html")).to_have_attribute("lang", "ur")

        await row.locator("summary").click()
        await row.locator("[name=kind]").select_option("counter")
        await row.locator("[name=counter]").select_option("R1")
        await row.get_by_role("button", name="Save").click()
        await expect(screen).to_have_url(f"{open_hospital.url}/kiosk/{HIP}/R1?lang=ur")
        assert len(await code_on(screen)) == 20
        await row.locator("summary").click()
        await row.get_by_role("button", name="Remove").click()
        await expect(admin.get_by_role("status")).to_contain_text("Removed")
        await expect(screen.locator("body")).to_have_attribute("data-fresh", "no")
        assert await code_on(screen) == "R1"
        await expect(screen.locator(".unpaired")).to_be_visible()
        await screen.goto(f"{open_hospital.url}/screen")
        assert await screen.locator("#code").inner_text() != code
    await context.close()


async def test_a_browser_that_is_not_paired_shows_the_poster_and_no_browser_pairs_itself(
    open_hospital: Hospital, plain_browser: Browser
) -> None:
    async with opened(plain_browser, f"{open_hospital.url}/kiosk/{HIP}/M1?lang=en") as page:
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        await expect(page.locator(".unpaired")).to_contain_text("/screen")
        text = await code_on(page)
        assert text == "M1"
        assert await shared(open_hospital, text) == (State.WAITING, Assurance.POSTER)


async def test_the_volume_of_a_board_is_changed_without_a_new_page(
    open_hospital: Hospital, kiosk_browser: Browser, plain_browser: Browser
) -> None:
    context, admin = await administrator(plain_browser, open_hospital)
    async with television(kiosk_browser, open_hospital) as screen:
        await pair(admin, await screen.locator("#code").inner_text(), "Hall")
        await expect(screen).to_have_url(f"{open_hospital.url}/board/{HIP}")
        await expect(screen.locator("body")).to_have_attribute("data-link", "live")
        await screen.evaluate("window.sameDocument = true")
        await open_hospital.arrive()
        await open_hospital.call()
        await expect(screen.locator("body")).to_have_attribute("data-chimes", "1")
        assert await screen.evaluate("kiosk.volume") == 1
        await admin.reload()
        row = admin.locator("details.screen")
        await row.locator("summary").click()
        await row.locator("[name=volume]").fill("20")
        await row.get_by_role("button", name="Save").click()
        await expect(screen.locator("body")).to_have_attribute("data-volume", "20")
        assert await screen.evaluate("kiosk.volume") == 0.2
        assert await screen.evaluate("window.sameDocument === true")
    await context.close()


async def test_a_code_that_ended_pairs_nothing_and_the_television_shows_a_new_one(
    open_hospital: Hospital, kiosk_browser: Browser, plain_browser: Browser
) -> None:
    context, admin = await administrator(plain_browser, open_hospital)
    async with television(kiosk_browser, open_hospital) as screen:
        old = await screen.locator("#code").inner_text()
        store = open_hospital.services.store
        for key in (f"pairing:{{pairing}}:code:{old}", f"pairing:{{pairing}}:shows:{await _id(screen)}"):
            assert await store.call(key, "DEL", key) == 1  # as its end does
        await pair(admin, old, "Stolen")
        await expect(admin.get_by_role("alert")).to_contain_text("No screen shows these letters")
        assert await open_hospital.services.screens.of(HIP) == []
        await screen.reload()
        assert await screen.locator("#code").inner_text() != old
    await context.close()


async def test_an_administrator_of_another_facility_neither_sees_nor_ends_a_screen(
    open_hospital: Hospital, kiosk_browser: Browser, plain_browser: Browser
) -> None:
    await open_hospital.services.registry.put_facility(_other())
    context, admin = await administrator(plain_browser, open_hospital)
    other_context, other = await administrator(plain_browser, open_hospital, OTHER)
    async with television(kiosk_browser, open_hospital) as screen:
        code = await screen.locator("#code").inner_text()
        await pair(admin, code, "Hall")
        await expect(admin.get_by_role("status")).to_contain_text("Paired")
        await pair(other, code, "Taken over")
        await expect(other.get_by_role("alert")).to_contain_text("No screen shows these letters")
        await expect(other.locator("#paired")).to_contain_text("No screen yet")
        await expect(screen).to_have_url(f"{open_hospital.url}/board/{HIP}")
        [mine] = await open_hospital.services.screens.of(HIP)
        action = f"{open_hospital.url}/console/admin/screens/{mine.id}/remove"
        await other.locator("#networks form").evaluate("(form, action) => { form.action = action; }", action)
        async with other.expect_response(action) as answer:
            await other.get_by_role("button", name="Save networks").click()
        assert (await answer.value).status == 404
        assert [one.id for one in await open_hospital.services.screens.of(HIP)] == [mine.id]
    await context.close()
    await other_context.close()


@each_language
async def test_no_text_of_an_unpaired_screen_is_outside_its_box(
    open_hospital: Hospital, kiosk_browser: Browser, code: str
) -> None:
    await fill(open_hospital)
    async with opened(kiosk_browser, f"{open_hospital.url}/kiosk/{HIP}/M1?lang={code}") as page:
        await expect(page.locator("body")).to_have_attribute("data-link", "live")
        await expect(page.locator("#home .token")).to_have_count(4)
        await _fits(page, f"unpaired {code}")
    async with opened(kiosk_browser, f"{open_hospital.url}/screen?lang={code}") as page:
        await expect(page.locator("#code")).to_be_visible()
        await _fits(page, f"pairing {code}")


async def _id(page: Page) -> str:
    """The id of the browser's secret, as the store knows it."""
    cookies = await page.context.cookies()
    return screen_id(next(one["value"] for one in cookies if one["name"] == "kiosk-screen"))


def _other() -> Facility:
    return Facility(hip_id=OTHER, name="Sub-District Hospital Sopore")


async def _fits(page: Page, what: str) -> None:
    for width, height in SIZES:
        await page.set_viewport_size(ViewportSize(width=width, height=height))
        assert await outside(page) == [], f"{what} {width}x{height}"
        over = await page.evaluate("document.documentElement.scrollHeight - innerHeight")
        assert over <= 1, f"{what} {width}x{height} is {over} pixels too high"
