"""The alarm with the page closed, in a real Chromium: agreeing to it, the message, and a browser that gets none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, expect

from kiosk.delivery.phone_alarms import Alarm, message_for
from kiosk.locales import BOOK
from queueing.push_phones import Phone
from tests import browser
from tests.accessible import serious_problems
from tests.kiosk.delivery.push_service import PhoneBrowser, point, text
from tests.kiosk.displays.pages import PHONE
from tests.kiosk.hospital import HIP, Hospital, application, emptied, serving, until
from tests.ports import free_port

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

SUBSCRIBES = """([endpoint, p256dh, auth]) => {
  PushManager.prototype.subscribe = async ({ applicationServerKey }) => ({
    options: { applicationServerKey },
    toJSON: () => ({ endpoint, keys: { p256dh, auth } }),
  });
}"""
"""A push service that can be reached: Chromium's own cannot be from here. All else is real."""
SHOWN = """async () => {
  const registration = await navigator.serviceWorker.getRegistration("/t/");
  return (await registration.getNotifications()).map((one) =>
    ({ title: one.title, body: one.body, lang: one.lang, dir: one.dir, data: one.data }));
}"""

TAP = """(key) => new Promise((done) => {
  WindowClient.prototype.focus = async function () {
    done(["focus", this.url]);
    return this;
  };
  Clients.prototype.openWindow = async (address) => done(["open", address]);
  self.registration.getNotifications({ tag: key }).then(([notification]) =>
    self.dispatchEvent(new NotificationEvent("notificationclick", { notification })));
})"""
"""A tap on the notification with this key, in the worker. Only a person's tap may bring a window forward or open one,
so these two answer where they were to go; notification, windows and the worker's own code are real.
"""


@pytest.fixture(scope="module")
async def whole_browser() -> AsyncIterator[Browser]:
    """One that shows notifications."""
    async with browser.chromium(whole=True) as opened:
        yield opened


@pytest.fixture
async def notified_browser(whole_browser: Browser) -> AsyncIterator[Browser]:
    """Pages that a test left open are closed."""
    yield whole_browser
    await browser.close_pages(whole_browser)


@pytest.fixture
async def pushing(valkey_url: str, tmp_path: Path) -> AsyncIterator[Hospital]:
    await emptied(valkey_url)
    port = free_port()
    app = application(valkey_url, tmp_path / "data", port, KIOSK_PUSH_SERVICES="push.example")
    async with serving(app, port):
        hospital = Hospital(app, f"http://127.0.0.1:{port}")
        await hospital.build()
        yield hospital


@asynccontextmanager
async def phone(browser: Browser, hospital: Hospital, *permissions: str) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(viewport=PHONE)
    await context.grant_permissions(list(permissions), origin=hospital.url)
    yield context
    await context.close()


async def opened(context: BrowserContext, address: str) -> Page:
    page = await context.new_page()
    await page.goto(address)
    await expect(page.locator("body")).to_have_attribute("data-link", "live")
    return page


async def test_a_phone_that_gets_no_messages_says_so_and_rings_all_the_same(
    pushing: Hospital, notified_browser: Browser
) -> None:
    [mine] = await pushing.arrive()
    async with phone(notified_browser, pushing, "notifications") as context:
        page = await opened(context, f"{pushing.url}{pushing.ticket_link(mine)}?lang=en")
        await page.locator("#ring").click()
        await expect(page.locator("#push-note")).to_have_text(BOOK["en"].say("ticket.push_none"), timeout=30_000)
        await expect(page.locator("#ring")).to_have_attribute("aria-pressed", "true")
        assert await serious_problems(page) == []
        await pushing.call("M1")
        await expect(page.locator("body")).to_have_attribute("data-alarms", "1")
        assert await pushing.services.push_phones.of(HIP) == {}


async def test_a_phone_agrees_with_the_alarm_and_takes_it_back_with_it(
    pushing: Hospital, notified_browser: Browser
) -> None:
    *_, mine = await pushing.arrive(patients=5)
    mark = PhoneBrowser("https://push.example/send")
    keys = [mark.endpoint, text(point(mark.private.public_key())), text(mark.auth)]
    async with phone(notified_browser, pushing, "notifications") as context:
        await context.add_init_script(f"({SUBSCRIBES})({msgspec.json.encode(keys).decode()})")
        page = await opened(context, f"{pushing.url}{pushing.ticket_link(mine)}?lang=ur")
        await page.select_option("#near", "2")
        await expect(page.locator("#push-note")).to_have_text(BOOK["ur"].say("ticket.push_works"))
        [stored] = (await pushing.services.push_phones.of(HIP))[mine.ticket]
        assert (stored.near, stored.language, stored.warned) == (2, "ur", 0)
        await page.reload()
        await expect(page.locator("#push-note")).to_have_text(BOOK["ur"].say("ticket.push_works"))
        await page.evaluate(
            "(endpoint) => { PushManager.prototype.getSubscription = async () => ({ endpoint }); }", mark.endpoint
        )
        async with page.expect_response("**/push/end*") as ended:
            await page.locator("#ring").click()
        assert (await ended.value).status == 204
        await expect(page.locator("#push-note")).to_be_hidden()
        assert await pushing.services.push_phones.of(HIP) == {}


async def test_a_message_is_shown_with_the_page_closed_and_not_beside_a_page_that_rings(
    pushing: Hospital, notified_browser: Browser
) -> None:
    [mine] = await pushing.arrive()
    link = pushing.ticket_link(mine)
    ticket = await pushing.services.desk.ticket(HIP, mine.ticket)
    assert ticket is not None
    sent = message_for(Alarm.CALLED, Phone("p", 0, "", 0, "k", "ur", calls=0), ticket).plain.decode()
    async with phone(notified_browser, pushing, "notifications") as context:
        page = await opened(context, f"{pushing.url}{link}?lang=ur")
        await page.wait_for_function("async () => (await (await caches.open('kiosk-pages')).keys()).length === 1")
        [worker] = context.service_workers
        await worker.evaluate("(sent) => announce(JSON.parse(sent))", sent)
        assert await page.evaluate(SHOWN) == []
        session = await context.new_cdp_session(page)
        registration = await registered(session)
        await page.goto(f"{pushing.url}/find/{HIP}")
        await session.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": pushing.url, "registrationId": registration, "data": sent},
        )
        await page.wait_for_function(f"async () => (await ({SHOWN})()).length === 1")
        [shown] = await page.evaluate(SHOWN)
        assert shown == {
            "title": "M-001", "body": BOOK["ur"].say("push.called"), "lang": "ur", "dir": "rtl",
            "data": {"page": f"{pushing.url}{link}", "lang": "ur"},
        }  # fmt: skip


async def test_a_tap_on_the_message_leads_to_the_page_of_its_ticket(
    pushing: Hospital, notified_browser: Browser
) -> None:
    other, mine = await pushing.arrive(patients=2)
    addresses = [f"{pushing.url}{pushing.ticket_link(one)}" for one in (other, mine)]
    ticket = await pushing.services.desk.ticket(HIP, mine.ticket)
    assert ticket is not None
    sent = message_for(Alarm.CALLED, Phone("p", 0, "", 0, "k", "ur", calls=0), ticket).plain.decode()
    key = msgspec.json.decode(sent)["key"]
    async with phone(notified_browser, pushing, "notifications") as context:
        first = await opened(context, f"{addresses[1]}?lang=ur")
        await first.wait_for_function("async () => (await (await caches.open('kiosk-pages')).keys()).length === 1")
        [worker] = context.service_workers
        elsewhere = await context.new_page()
        await elsewhere.goto(f"{pushing.url}/find/{HIP}")
        await first.close()

        await worker.evaluate("(sent) => announce(JSON.parse(sent))", sent)
        assert await worker.evaluate(TAP, key) == ["open", f"{addresses[1]}?lang=ur"], "no page of a ticket is open"
        await elsewhere.wait_for_function(f"async () => (await ({SHOWN})()).length === 0")

        await opened(context, f"{addresses[0]}?lang=en")
        await worker.evaluate("(sent) => announce(JSON.parse(sent))", sent)
        assert await worker.evaluate(TAP, key) == ["open", f"{addresses[1]}?lang=ur"], "another ticket's page is open"

        await worker.evaluate("(sent) => announce(JSON.parse(sent))", sent)
        await opened(context, f"{addresses[1]}?lang=hi")
        assert await worker.evaluate(TAP, key) == ["focus", f"{addresses[1]}?lang=hi"], "its own page, read in Hindi"

        await worker.evaluate("() => caches.delete('kiosk-pages')")
        await worker.evaluate("(sent) => announce(JSON.parse(sent))", sent)
        assert await worker.evaluate(TAP, key) == ["open", f"{pushing.url}/?lang=ur"], "the way back to a lost page"


async def registered(session: CDPSession) -> str:
    """The id under which Chromium knows the page's worker."""
    found: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(one["registrationId"] for one in event["registrations"]),
    )
    await session.send("ServiceWorker.enable")
    await until(lambda: bool(found))
    return found[0]
