"""The stops of a ticket on its page in a real Chromium: as it is sent on, in each language, without a network."""

import re

import httpx
import pytest
from playwright.async_api import Browser, Locator, Page, Route, ViewportSize, expect

from kiosk.locales import BOOK
from queueing.models import Place, Queue
from tests.accessible import problems_in_any_light
from tests.kiosk.displays.pages import PHONE, each_language, opened
from tests.kiosk.displays.test_nothing_is_cut import OVERLAPPING, outside
from tests.kiosk.hospital import HIP, MEDICINE, REGISTRATION, Hospital

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

LABORATORY = Queue(id="laboratory", name="Laboratory", prefix="L", names={"ur": "لیبارٹری", "hi": "प्रयोगशाला"})
NARROW = ViewportSize(width=320, height=640)
KEPT = "async () => (await (await caches.open('kiosk-pages')).keys()).length"


async def registered(hospital: Hospital) -> Place:
    await hospital.services.registry.put_queue(HIP, LABORATORY, 1)
    [place] = await hospital.arrive(REGISTRATION)
    return place


async def seen_and_sent_on(hospital: Hospital, place: Place, counter: str, to: str) -> None:
    await hospital.services.desk.call_this(HIP, counter, place.ticket, by="asha")
    await hospital.services.desk.transfer(HIP, place.ticket, to=to, by="asha")


def stops(page: Page) -> Locator:
    return page.locator("#stop-list > li")


async def live(page: Page) -> None:
    await expect(page.locator("body")).to_have_attribute("data-link", "live")


async def test_an_open_page_lists_each_stop_as_the_person_is_sent_on(served: Hospital, kiosk_browser: Browser) -> None:
    place = await registered(served)
    async with opened(kiosk_browser, f"{served.url}{served.ticket_link(place)}?lang=en", PHONE) as page:
        await live(page)
        await expect(page.locator("#stops")).to_be_hidden()
        await seen_and_sent_on(served, place, "R1", MEDICINE)
        await expect(stops(page)).to_have_count(2)
        await expect(stops(page).nth(0)).to_contain_text("Done at")
        await seen_and_sent_on(served, place, "M1", LABORATORY.id)
        await expect(stops(page)).to_have_count(3)
        await expect(stops(page).locator("bdi")).to_have_text(["Registration", "Medicine & Surgery", "Laboratory"])
        await expect(stops(page).nth(2)).to_contain_text("Now here. People before you: 0")
        await expect(stops(page).nth(2)).to_have_attribute("aria-current", "step")
        await expect(page.locator("[aria-current=step]")).to_have_count(1)
        await expect(page.get_by_role("list", name="").get_by_role("listitem")).to_have_count(3)
        await served.call("L1")
        await expect(stops(page).nth(2)).to_contain_text("Go to counter L1 now")
        await served.services.desk.finish(HIP, place.ticket, by="asha")
        await expect(stops(page).nth(2)).to_contain_text("Finished")
        await expect(page.locator("[aria-current=step]")).to_have_count(0)


async def test_an_undone_transfer_leaves_the_list(served: Hospital, kiosk_browser: Browser) -> None:
    place = await registered(served)
    async with opened(kiosk_browser, f"{served.url}{served.ticket_link(place)}?lang=en", PHONE) as page:
        await live(page)
        await served.services.desk.transfer(HIP, place.ticket, to=MEDICINE, by="asha")
        await expect(stops(page)).to_have_count(2)
        await expect(stops(page).nth(0)).to_contain_text("Sent on at")
        await served.services.desk.undo(HIP, "R1", by="asha")
        await expect(page.locator("#stops")).to_be_hidden()


@each_language
async def test_the_list_is_accessible_and_whole_in_each_language(
    served: Hospital, kiosk_browser: Browser, code: str
) -> None:
    place = await registered(served)
    await seen_and_sent_on(served, place, "R1", MEDICINE)
    await served.services.desk.transfer(HIP, place.ticket, to=LABORATORY.id, by="asha")
    async with opened(kiosk_browser, f"{served.url}{served.ticket_link(place)}?lang={code}", NARROW) as page:
        await live(page)
        await expect(stops(page).nth(2)).to_contain_text(BOOK[code].say("ticket.stop_now", ahead=0))
        await expect(stops(page).nth(2)).to_contain_text(LABORATORY.name_in(code))
        assert await problems_in_any_light(page) == []
        assert await outside(page) + await page.evaluate(OVERLAPPING) == []


async def test_without_a_network_the_stops_are_read_as_they_were_last(served: Hospital, plain_browser: Browser) -> None:
    place = await registered(served)
    context = await plain_browser.new_context(viewport=PHONE)
    page = await context.new_page()
    await page.goto(f"{served.url}{served.ticket_link(place)}?lang=hi")
    await live(page)
    await page.wait_for_function(f"async () => await ({KEPT})() === 1")
    await seen_and_sent_on(served, place, "R1", LABORATORY.id)
    await expect(stops(page)).to_have_count(2)
    await expect(stops(page).nth(0)).to_contain_text("Registration")
    await context.set_offline(True)
    await page.reload()
    await expect(stops(page)).to_have_count(2)
    await expect(stops(page).locator("bdi")).to_have_text(["Registration", "प्रयोगशाला"])
    await expect(stops(page).nth(0).locator(".icon")).to_have_class("icon icon-check")
    await expect(page.locator("#old")).to_be_visible()
    stored = await page.evaluate("Object.values(localStorage).join()")
    assert "R-001" in stored
    assert "next_keys" not in stored, "the numbers of others stay away"
    await context.set_offline(False)
    await live(page)
    await seen_and_sent_on(served, place, "L1", MEDICINE)
    await expect(stops(page)).to_have_count(3)
    await context.close()


async def test_a_page_that_slept_while_the_person_was_sent_on_and_back_learns_the_stops(
    served: Hospital, kiosk_browser: Browser
) -> None:
    """The ticket stands in the queue that the page knows: a snapshot alone does not show where it was meanwhile."""
    place = await registered(served)
    address = f"{served.url}{served.ticket_link(place)}?lang=en"
    async with httpx.AsyncClient() as phone:
        before = re.sub(r'data-now="[0-9]+"', 'data-now="1000"', (await phone.get(address)).text)
    await seen_and_sent_on(served, place, "R1", MEDICINE)
    await seen_and_sent_on(served, place, "M1", REGISTRATION)

    async def as_it_was(route: Route) -> None:
        await route.fulfill(response=await route.fetch(), body=before)

    async with opened(kiosk_browser, "about:blank", PHONE) as page:
        await page.route(address, as_it_was)
        await page.goto(address)
        await live(page)
        await expect(stops(page)).to_have_count(3)
        await expect(stops(page).locator("bdi")).to_have_text(["Registration", "Medicine & Surgery", "Registration"])
