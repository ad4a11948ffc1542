"""A session that ended: the sign-in says why, and leads back to the page of before."""

from typing import cast

import pytest
from litestar import Litestar

from kiosk.accounts.outcomes import Role
from kiosk.accounts.sessions import EVERY_FACILITY
from kiosk.services.web import Services
from tests.kiosk.console.signed_in import (
    ADDRESS,
    HIP,
    OWN_PASSWORD,
    PHONE,
    Browser,
    browser,
    code_for,
    ready_login,
)

pytestmark = pytest.mark.anyio

SIGNED_OUT = "You were signed out: that happens after 30 minutes without use, after 12 hours"


async def test_whoever_was_signed_out_reads_why_and_comes_back_to_the_page(
    app: Litestar, clerk: Browser, services: Services
) -> None:
    await services.staff.end_sessions("asha", within=HIP)
    sent = await clerk.get("/console/at/M2")
    assert sent.headers["location"] == "/console/login?back=%2Fconsole%2Fat%2FM2"
    page = await clerk.get(sent.headers["location"])
    assert SIGNED_OUT in page.text
    assert 'name="back" value="/console/at/M2"' in page.text
    wrong = {"login": "asha", "password": "not this one", "back": "/console/at/M2"}
    assert 'name="back" value="/console/at/M2"' in (await clerk.post("/console/login", data=wrong)).text
    again = await clerk.post("/console/login", data=wrong | {"password": OWN_PASSWORD})
    assert again.headers["location"] == "/console/at/M2"
    assert SIGNED_OUT not in (await clerk.get("/console/login")).text, "signed in"
    async with browser(app) as other:
        assert SIGNED_OUT not in (await other.get("/console/login?back=/console/at/M2")).text, "never signed in"


async def test_a_form_of_a_session_that_ended_leads_back_to_its_page(admin: Browser, services: Services) -> None:
    await services.staff.end_sessions("imran", within=HIP)
    page = f"{ADDRESS}/console/admin/rooms/queues?queue=medicine"
    sent = await admin.post("/console/admin/queue", data={"name": "Eye"}, headers={"referer": page})
    assert sent.headers["location"] == ("/console/login?back=%2Fconsole%2Fadmin%2Frooms%2Fqueues%3Fqueue%3Dmedicine")


@pytest.mark.parametrize(
    ("login", "back", "leads"),
    [
        ("asha", "/console/announcements", "/console/announcements"),
        ("asha", "/console/admin/rooms/queues", "/console"),
        ("asha", "//evil.example/console/at/M1", "/console"),
        ("asha", "https://evil.example/console/at/M1", "/console"),
        ("asha", "/console/at/M1/../../logout", "/console"),
        ("asha", "/console/at/M1?x=%0d%0aset-cookie:", "/console/at/M1?x=%0d%0aset-cookie:"),
        ("asha", "/console/at/M1\\\r\nx: y", "/console"),
        ("asha", "/console/desk?counter=M1", "/console"),
        ("imran", "/console/admin/rooms/queues?queue=medicine", "/console/admin/rooms/queues?queue=medicine"),
        ("imran", "/console/admin/queues/medicine", "/console/admin/queues/medicine"),
        ("imran", "/console/today?period=week", "/console/today?period=week"),
        ("imran", "/console/today/csv/hours", "/console"),
        ("imran", "/console/review", "/console"),
        ("sheikh", "/console/review", "/console/review"),
    ],
)
async def test_a_sign_in_leads_back_to_pages_of_ours_that_the_login_may_open(
    stranger: Browser, services: Services, login: str, back: str, leads: str
) -> None:
    facility, role = {"asha": (HIP, "clerk"), "imran": (HIP, "admin"), "sheikh": (EVERY_FACILITY, "admin")}[login]
    await ready_login(services.staff, login, facility, cast(Role, role))
    form = {"login": login, "password": OWN_PASSWORD, "back": back}
    answer = await stranger.post("/console/login", data=form)
    if login == "sheikh":
        await stranger.read_csrf(answer.headers["location"])
        assert f'name="back" value="{back}"' in (await stranger.get(answer.headers["location"])).text
        answer = await stranger.send_form("/console/code", code=code_for(PHONE), back=back)
    assert answer.headers["location"] == leads
