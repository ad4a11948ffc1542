"""A person's own sessions, first passwords with an end, and logins that tell nothing about other hospitals."""

import re
import time

import msgspec
import pytest
from litestar import Litestar

from kiosk.accounts.browsers import browser_words
from kiosk.accounts.outcomes import Wrong
from kiosk.accounts.service import FIRST_PASSWORD_S, login_ending
from kiosk.accounts.sessions import USED_EVERY_S
from kiosk.console import messages
from kiosk.services.web import Services
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, OWN_PASSWORD, Browser, browser, ready_login

pytestmark = pytest.mark.anyio
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def keys_of(one: Browser) -> list[str]:
    """Sessions that the page offers to end."""
    return re.findall(r'name="session"\s+value="([0-9a-f]{40})"', (await one.get("/console/account")).text)


async def test_a_person_sees_where_they_are_signed_in_and_ends_one(app: Litestar, clerk: Browser) -> None:
    async with browser(app, address="10.6.6.6") as other:
        other.headers["user-agent"] = FIREFOX
        await other.sign_in("asha")
        page = (await clerk.get("/console/account")).text
        assert "Firefox on Windows" in page
        assert "10.6.6.6" in page
        assert "10.1.2.4" in page
        assert page.count("this one") == 1
        [key] = await keys_of(clerk)
        assert (await clerk.send_form("/console/account/end", session=key)).status_code == 303
        assert (await other.get("/console/counters")).headers["location"].startswith("/console/login")
    assert (await clerk.get("/console/counters")).status_code == 200
    assert await keys_of(clerk) == []


async def test_ending_all_others_leaves_this_one(app: Litestar, clerk: Browser, services: Services) -> None:
    async with browser(app, address="10.6.6.6") as one, browser(app, address="10.6.6.7") as two:
        await one.sign_in("asha")
        await two.sign_in("asha")
        assert len(await keys_of(clerk)) == 2
        assert (await clerk.send_form("/console/account/end-others")).status_code == 303
        for gone in (one, two):
            assert (await gone.get("/console/counters")).headers["location"].startswith("/console/login")
    assert (await clerk.get("/console/counters")).status_code == 200
    assert await keys_of(clerk) == []
    assert (await services.audit.read(HIP))[0].kind == "sessions_ended"


async def test_a_session_of_somebody_else_cannot_be_ended(clerk: Browser, admin: Browser, services: Services) -> None:
    foreign = await services.staff.session(admin.cookies["kiosk"])
    assert foreign is not None
    for key in (foreign.key, "0" * 40, "", "x", "../" * 10):
        assert (await clerk.send_form("/console/account/end", session=key)).status_code == 404, key
    assert (await admin.get("/console/admin")).status_code == 200


async def test_an_administrator_signs_out_a_login_of_their_facility_alone(
    app: Litestar, clerk: Browser, admin: Browser, services: Services
) -> None:
    await ready_login(services.staff, "stranger", OTHER_HIP)
    async with browser(app, address="10.6.6.6") as foreign:
        await foreign.sign_in("stranger")
        assert (await admin.send_form("/console/admin/sign-out", login="stranger")).status_code == 422
        assert (await foreign.get("/console/counters")).status_code == 200
    assert (await admin.send_form("/console/admin/sign-out", login="asha")).status_code == 303
    assert (await clerk.get("/console/counters")).headers["location"].startswith("/console/login")


async def test_a_changed_password_ends_other_sessions(app: Litestar, clerk: Browser) -> None:
    async with browser(app, address="10.6.6.6") as other:
        await other.sign_in("asha")
        new = "quiet meadow 47"
        changed = await other.send_form("/console/password", old=OWN_PASSWORD, new=new, again=new)
        assert changed.status_code == 303
        assert (await other.get("/console/counters")).status_code == 200
    assert (await clerk.get("/console/counters")).headers["location"].startswith("/console/login")


@pytest.mark.parametrize("made_by", ["add", "reset"])
async def test_a_first_password_ends_after_three_days(stranger: Browser, services: Services, made_by: str) -> None:
    first = await services.staff.add("newcomer", facility=HIP, role="clerk")
    if made_by == "reset":
        first = await services.staff.reset("newcomer", within=HIP)
    clock = services.staff._clock
    try:
        services.staff._clock = lambda: time.time() + FIRST_PASSWORD_S - 60
        assert (await stranger.sign_in("newcomer", first)).status_code == 303
        services.staff._clock = lambda: time.time() + FIRST_PASSWORD_S + 60
        late = await stranger.sign_in("newcomer", first)
        assert (late.status_code, messages.SIGN_IN["ended"] in late.text) == (401, True)
        wrong = await stranger.sign_in("newcomer", "wrong")
        assert messages.SIGN_IN["ended"] not in wrong.text
    finally:
        services.staff._clock = clock


async def test_a_chosen_password_has_no_end(stranger: Browser, services: Services) -> None:
    first = await services.staff.add("newcomer", facility=HIP, role="clerk")
    await stranger.sign_in("newcomer", first)
    await stranger.send_form("/console/password", old=first, new=OWN_PASSWORD, again=OWN_PASSWORD)
    row = await services.staff._records.login("newcomer")
    assert row is not None
    assert (row.must_change, row.first_until_s) == (False, 0)


async def test_adding_a_login_that_another_hospital_has_tells_nothing(admin: Browser, services: Services) -> None:
    await ready_login(services.staff, "bilal", OTHER_HIP)
    taken = await admin.send_form("/console/admin/staff", login="bilal", role="clerk")
    free = await admin.send_form("/console/admin/staff", login="zoona", role="clerk")
    secrets_gone = [re.sub(r"[a-z]{4}(-[a-z]{4}){4}|bilal|zoona", "", page.text) for page in (taken, free)]
    assert taken.status_code == free.status_code == 200
    assert f"Password for <bdi>bilal{login_ending(HIP)}" in taken.text
    assert secrets_gone[0].count("Password for") == secrets_gone[1].count("Password for") == 1
    again = await admin.send_form("/console/admin/staff", login="bilal", role="clerk")
    assert (again.status_code, "Your facility has the login" in again.text) == (422, True)


async def test_a_login_taken_elsewhere_with_the_same_ending_gets_more_digits(services: Services) -> None:
    whole = f"bilal{login_ending(HIP)}"
    await services.staff.add(whole, facility=OTHER_HIP, role="clerk")
    login, _ = await services.staff.add_here("bilal", facility=HIP, role="clerk")
    assert login == f"bilal{login_ending(HIP, 5)}"
    with_ending, _ = await services.staff.add_here(f"zoona{login_ending(HIP)}", facility=HIP, role="clerk")
    assert with_ending == f"zoona{login_ending(HIP)}"


async def test_a_session_of_the_release_before_still_opens_and_is_listed(clerk: Browser, services: Services) -> None:
    """Its JSON names neither browser nor beginning, and it stands in no list until it is used."""
    session = await services.staff.session(clerk.cookies["kiosk"])
    assert session is not None
    key, slot = f"staff:{{staff}}:session:{session.key}", f"staff:{{staff}}:open:{session.opened.who}"
    old = {"who": session.opened.who, "generation": session.opened.generation, "csrf": session.csrf,
           "ends_s": session.ends_s, "chosen": ""}  # fmt: skip
    await services.store.call(key, "SET", key, msgspec.json.encode(old), "EX", 600)
    await services.store.call(slot, "DEL", slot)
    services.staff.sessions._clock = lambda: time.time() + USED_EVERY_S
    page = await clerk.get("/console/account")
    assert page.status_code == 200
    assert "this one" in page.text


async def test_a_wrong_password_is_still_only_wrong(services: Services) -> None:
    await ready_login(services.staff, "asha")
    assert isinstance(await services.staff.sign_in("asha", "x", address="a"), Wrong)


@pytest.mark.parametrize(
    ("agent", "sentence"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("<script>alert(1)</script>", "A browser"),
    ],
)
def test_a_browser_is_named_in_our_own_words(agent: str, sentence: str) -> None:
    assert browser_words(agent) == sentence
