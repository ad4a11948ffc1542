"""Coming in: passwords, tries, sessions and their end."""

import time
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from litestar import Litestar

from kiosk.accounts import passwords
from kiosk.accounts.login_throttle import LIMITS
from kiosk.accounts.outcomes import SignedIn
from kiosk.accounts.service import BadLogin, LoginTaken, StaffError, UnknownLogin
from kiosk.accounts.sessions import USED_EVERY_S
from kiosk.services.web import Services
from queueing.redis_keys import STAFF_SLOT as SLOT
from queueing.staff import StaffRecords, login_digest, login_key, session_digest, session_key
from tests.kiosk.console.signed_in import (
    HIP,
    OTHER_HIP,
    OWN_PASSWORD,
    Browser,
    browser,
    opened_app,
    ready_login,
    services_of,
)

pytestmark = pytest.mark.anyio


async def test_a_first_password_opens_nothing_but_the_change_of_it(stranger: Browser, services: Services) -> None:
    first = await services.staff.add("newcomer", facility=HIP, role="clerk")
    assert (await stranger.sign_in("newcomer", first)).status_code == 303
    for path in ("/console", "/console/counters", "/console/at/M1"):
        answer = await stranger.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/password"), path
    assert (await stranger.get("/console/desk?counter=M1", headers={"accept": "application/json"})).status_code == 403
    changed = await stranger.send_form("/console/password", old=first, new=OWN_PASSWORD, again=OWN_PASSWORD)
    assert changed.status_code == 303
    assert (await stranger.get("/console")).headers["location"] == "/console/counters"


async def test_a_password_that_anybody_would_guess_is_not_taken(stranger: Browser, services: Services) -> None:
    first = await services.staff.add("newcomer", facility=HIP, role="clerk")
    await stranger.sign_in("newcomer", first)
    for weak in ["short", "password123", "12345678", "Qwertyui", "hospital1", "newcomer", "P@ssw0rd1", "aaaaaaaaaa"]:
        answer = await stranger.send_form("/console/password", old=first, new=weak, again=weak)
        assert answer.status_code == 422, weak
    member = await services.staff.member("newcomer")
    assert member is not None
    assert member.must_change


async def test_an_unknown_login_is_answered_like_a_wrong_password(stranger: Browser, services: Services) -> None:
    await ready_login(services.staff, "asha")
    wrong = await stranger.sign_in("asha", "not the password")
    unknown = await stranger.sign_in("nobody", "not the password")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("asha", "nobody") == unknown.text


async def test_when_too_many_passwords_wait_the_next_one_is_asked_to_come_again(
    stranger: Browser, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await services.staff.add("newcomer", facility=HIP, role="clerk")
    monkeypatch.setattr(passwords, "QUEUE", 0)
    refused = await stranger.sign_in("newcomer", first)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "Many people are signing in" in refused.text
    assert 'name="password"' in refused.text
    monkeypatch.undo()
    assert (await stranger.sign_in("newcomer", first)).status_code == 303
    monkeypatch.setattr(passwords, "QUEUE", 0)
    refused = await stranger.send_form("/console/password", old=first, new=OWN_PASSWORD, again=OWN_PASSWORD)
    assert refused.status_code == 503
    assert "Many people are signing in" in refused.text
    assert 'name="login"' not in refused.text


async def spend(services: Services, count: int, *, login: str = "asha", address: str = "10.9.9.9") -> None:
    """As many tries as somebody already made from an address, without the work of hashing."""
    records = StaffRecords(services.store)
    for _ in range(count):
        await records.take_try(login, address=address, device="", limits=LIMITS)


async def test_the_eleventh_try_of_a_login_from_one_address_waits_even_with_the_right_password(
    stranger: Browser, services: Services
) -> None:
    await ready_login(services.staff, "asha")
    await spend(services, LIMITS.per_login_and_address - 1, address="10.1.2.3")
    assert (await stranger.sign_in("asha", "wrong")).status_code == 401
    late = await stranger.sign_in("ASHA")
    assert late.status_code == 429
    assert "15 min" in late.text


async def test_a_stranger_elsewhere_cannot_use_up_the_tries_of_a_login(stranger: Browser, services: Services) -> None:
    await ready_login(services.staff, "asha")
    await spend(services, LIMITS.per_login_and_address + 5, address="10.9.9.9")
    assert (await stranger.sign_in("asha")).status_code == 303


async def test_guessing_at_one_login_from_many_addresses_is_slowed(stranger: Browser, services: Services) -> None:
    await ready_login(services.staff, "asha")
    for number in range(LIMITS.per_login):
        await spend(services, 1, address=f"10.9.9.{number}")
    assert (await stranger.sign_in("asha")).status_code == 429


async def test_a_browser_known_to_the_login_is_not_slowed_by_a_stranger_at_the_same_address(
    clerk: Browser, services: Services
) -> None:
    await clerk.send_form("/console/logout")
    await spend(services, LIMITS.per_login_and_address + 1, address="10.1.2.4")
    for login in ("one", "two", "three", "four"):
        await spend(services, LIMITS.per_login_and_address, login=login, address="10.1.2.4")
    assert (await clerk.sign_in("asha")).status_code == 303
    clerk.cookies.clear()
    await spend(services, LIMITS.per_login_and_address, address="10.1.2.4")
    assert (await clerk.sign_in("asha")).status_code == 429


async def test_an_address_this_login_signed_in_from_is_not_slowed_by_guesses_at_other_logins(
    clerk: Browser, services: Services
) -> None:
    await clerk.send_form("/console/logout")
    clerk.cookies.clear()
    for login in ("one", "two", "three", "four"):
        await spend(services, LIMITS.per_login_and_address, login=login, address="10.1.2.4")
    assert (await clerk.sign_in("asha")).status_code == 303


async def test_a_known_browser_that_guesses_is_slowed_as_well(clerk: Browser, services: Services) -> None:
    await clerk.send_form("/console/logout")
    for _ in range(LIMITS.per_device):
        await services.staff._records.take_try(
            "asha", address="10.1.2.4", device=clerk.cookies["kiosk-desk"], limits=LIMITS
        )
    assert (await clerk.sign_in("asha")).status_code == 429


async def spend_address(services: Services, address: str, count: int) -> None:
    """Tries at unknown logins, so that only the address's count fills."""
    for number in range(count):
        await spend(services, 1, login=f"nobody{number}", address=address)


async def test_thirty_wrong_tries_slow_an_address_down_whatever_the_login(app: Litestar, services: Services) -> None:
    await ready_login(services.staff, "asha")
    await spend_address(services, "10.1.2.3", LIMITS.per_address - 1)
    async with browser(app, address="10.1.2.3") as one, browser(app, address="10.1.2.77") as elsewhere:
        assert (await one.sign_in("nobody", "wrong")).status_code == 401
        assert (await one.sign_in("asha")).status_code == 429
        assert (await elsewhere.sign_in("asha")).status_code == 303


async def test_an_honest_sign_in_gives_its_try_back(app: Litestar, services: Services) -> None:
    await spend_address(services, "10.1.2.3", LIMITS.per_address - 1)
    for login in ("asha", "imran", "zoya"):
        await ready_login(services.staff, login)
        async with browser(app, address="10.1.2.3") as fresh:
            assert (await fresh.sign_in(login)).status_code == 303


async def test_a_try_that_must_wait_is_counted_nowhere(app: Litestar, services: Services) -> None:
    """An address over its limit goes on trying a login: the login's own tries stay whole for everybody else."""
    await ready_login(services.staff, "asha")
    await spend_address(services, "10.1.2.3", LIMITS.per_address)
    await spend(services, LIMITS.per_login + 10, address="10.1.2.3")
    async with browser(app, address="10.1.2.77") as elsewhere:
        assert (await elsewhere.sign_in("asha")).status_code == 303


async def test_behind_a_trusted_proxy_each_caller_has_tries_of_their_own(
    valkey_url: str, folder: Path, services: Services
) -> None:
    """A stranger behind the same proxy uses up the tries of one address; everybody else signs in."""
    await ready_login(services.staff, "asha")
    async with opened_app(valkey_url, folder, KIOSK_TRUSTED_PROXIES="10.1.2.3") as app:
        async with browser(app, address="10.1.2.3") as stranger, browser(app, address="10.1.2.3") as honest:
            stranger.headers["x-forwarded-for"] = "198.51.100.1"
            honest.headers["x-forwarded-for"] = "198.51.100.2"
            await spend_address(services_of(app), "198.51.100.1", LIMITS.per_address)
            assert (await stranger.sign_in("asha", "wrong")).status_code == 429
            assert (await honest.sign_in("asha")).status_code == 303


async def test_a_caller_cannot_choose_the_address_that_is_counted(stranger: Browser, services: Services) -> None:
    await ready_login(services.staff, "asha")
    await spend_address(services, "10.1.2.3", LIMITS.per_address)
    for number in range(3):
        stranger.headers["x-forwarded-for"] = f"198.51.100.{number}"
        assert (await stranger.sign_in("asha")).status_code == 429


async def test_every_count_of_tries_ends_by_itself(stranger: Browser, services: Services) -> None:
    await stranger.sign_in("nobody", "wrong")
    (found,) = cast("list[list[bytes]]", await services.store.each_primary("KEYS", f"{SLOT}:tries:*"))
    assert len(found) == 2  # of the login with its addresses, and of the address
    for key in found:
        left = await services.store.call(key, "TTL", key)
        assert isinstance(left, int)
        assert 0 < left <= LIMITS.window_s


async def test_a_session_given_to_the_browser_before_sign_in_is_not_kept(stranger: Browser, services: Services) -> None:
    await ready_login(services.staff, "asha")
    stranger.cookies.set("kiosk", "chosen-by-somebody-else", domain="127.0.0.1")
    answer = await stranger.sign_in("asha")
    cookies = answer.headers.get_list("set-cookie")[0]
    assert "chosen-by-somebody-else" not in cookies
    assert await services.staff.session("chosen-by-somebody-else") is None


async def test_signing_in_again_ends_the_session_before(stranger: Browser, services: Services) -> None:
    await ready_login(services.staff, "asha")
    await stranger.sign_in("asha")
    before = stranger.cookies["kiosk"]
    await stranger.sign_in("asha")
    assert stranger.cookies["kiosk"] != before
    assert await services.staff.session(before) is None


async def test_leaving_ends_the_session_in_the_store(clerk: Browser, services: Services) -> None:
    reference = clerk.cookies["kiosk"]
    await clerk.send_form("/console/logout")
    assert await services.staff.session(reference) is None


@pytest.mark.parametrize("ending", ["disable", "reset", "everywhere"])
async def test_an_ended_login_is_out_at_its_next_request(clerk: Browser, services: Services, ending: str) -> None:
    assert (await clerk.get("/console/counters")).status_code == 200
    if ending == "disable":
        await services.staff.disable("asha", within=HIP)
    elif ending == "reset":
        await services.staff.reset("asha", within=HIP)
    else:
        await services.staff.end_sessions("asha", within=HIP)
    assert (await clerk.get("/console/counters")).headers["location"] == "/console/login?back=%2Fconsole%2Fcounters"
    answer = await clerk.ask("/console/desk/next", counter="M1")
    assert answer.status_code == 303 or answer.status_code == 401


async def test_a_disabled_login_cannot_come_back(stranger: Browser, services: Services) -> None:
    await ready_login(services.staff, "asha")
    await services.staff.disable("asha", within=HIP)
    assert (await stranger.sign_in("asha")).status_code == 401
    await services.staff.disable("asha", False, within=HIP)
    assert (await stranger.sign_in("asha")).status_code == 303


async def test_a_session_ends_after_half_an_hour_idle_and_twelve_hours_of_work(services: Services) -> None:
    await ready_login(services.staff, "asha")
    signed = await services.staff.sign_in("asha", OWN_PASSWORD, address="a")
    assert isinstance(signed, SignedIn)
    key = session_key(session_digest(signed.reference))
    idle = await services.store.call(key, "TTL", key)
    assert isinstance(idle, int)
    assert 0 < idle <= 30 * 60
    session = await services.staff.session(signed.reference)
    assert session is not None
    services.staff.sessions._clock = lambda: float(session.ends_s + 1)
    assert await services.staff.session(signed.reference) is None


async def test_the_screens_own_refreshing_is_no_use_of_the_session(clerk: Browser, services: Services) -> None:
    key = session_key(session_digest(clerk.cookies["kiosk"]))
    await services.store.call(key, "EXPIRE", key, 60)
    services.staff.sessions._clock = lambda: time.time() + USED_EVERY_S
    live = {"accept": "application/json", "x-kiosk-live": "1"}
    await clerk.get("/console/desk?counter=M1", headers=live)
    untouched = await services.store.call(key, "TTL", key)
    await clerk.get("/console/desk?counter=M1", headers={"accept": "application/json"})
    touched = await services.store.call(key, "TTL", key)
    assert isinstance(untouched, int)
    assert isinstance(touched, int)
    assert untouched <= 60 < touched


async def test_the_use_of_a_session_is_written_down_once_in_half_a_minute(clerk: Browser, services: Services) -> None:
    key = session_key(session_digest(clerk.cookies["kiosk"]))
    now_s = time.time()
    left = []
    for later_s in (60, 60 + USED_EVERY_S - 1, 60 + USED_EVERY_S, 60 + 2 * USED_EVERY_S + 1):
        services.staff.sessions._clock = partial(float, now_s + later_s)
        await services.store.call(key, "EXPIRE", key, 300)
        assert await services.staff.session(clerk.cookies["kiosk"]) is not None
        left.append(await services.store.call(key, "TTL", key))
    assert [one > 300 for one in left if isinstance(one, int)] == [True, False, True, True]


async def test_the_store_holds_no_password_no_reference_and_no_login_in_its_keys(
    clerk: Browser, services: Services
) -> None:
    dumped = await services.store.each_primary("KEYS", "*")
    names = b" ".join(dumped[0])  # type: ignore[arg-type]  # KEYS answers with a list of bytes
    assert clerk.cookies["kiosk"].encode() not in names
    assert b"asha" not in names
    key = login_key(login_digest("asha"))
    stored = await services.store.call(key, "HGET", key, "hash")
    assert isinstance(stored, bytes)
    assert stored.startswith(b"$argon2id$")


async def test_sign_in_is_refused_while_the_store_is_away(valkey_url: str, folder: Path, app: Litestar) -> None:
    await ready_login(services_of(app).staff, "asha")
    async with opened_app(valkey_url, folder) as doomed, browser(doomed) as clerk, browser(doomed) as stranger:
        assert (await clerk.sign_in("asha")).status_code == 303
        await services_of(doomed).store.close()
        assert (await stranger.sign_in("asha")).status_code == 503
        page = await clerk.get("/console/counters")
        answer = await clerk.get("/console/desk?counter=M1", headers={"accept": "application/json"})
    assert page.status_code == 503
    assert "does not answer" in page.text
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")


async def test_over_https_the_cookie_is_bound_to_the_host(valkey_url: str, services: Services, folder: Path) -> None:
    await ready_login(services.staff, "asha")
    base = "https://kiosk.example"
    async with opened_app(valkey_url, folder, KIOSK_PUBLIC_URL=base) as secure:
        async with browser(secure, base=base) as one:
            cookies = (await one.sign_in("asha")).headers.get_list("set-cookie")
    for cookie in cookies:
        assert cookie.startswith("__Host-kiosk")
        assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


async def test_on_plain_loopback_the_cookie_is_still_closed_to_scripts_and_other_sites(
    stranger: Browser, services: Services
) -> None:
    await ready_login(services.staff, "asha")
    cookies = (await stranger.sign_in("asha")).headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all({"HttpOnly", "SameSite=strict"} <= set(cookie.split("; ")) for cookie in cookies)


async def test_a_login_is_given_once_and_belongs_to_its_facility(services: Services) -> None:
    await services.staff.add("asha", facility=HIP, role="clerk")
    with pytest.raises(LoginTaken):
        await services.staff.add(" Asha ", facility=OTHER_HIP, role="clerk")
    with pytest.raises(BadLogin):
        await services.staff.add("no spaces here", facility=HIP, role="clerk")
    with pytest.raises(StaffError):
        await services.staff.add("everywhere", facility="*", role="clerk")
    with pytest.raises(UnknownLogin):
        await services.staff.reset("asha", within=OTHER_HIP)
    assert [one.login for one in await services.staff.of(HIP)] == ["asha"]


async def test_a_login_whose_making_was_cut_off_can_be_made_again(services: Services) -> None:
    key = login_key(login_digest("asha"))
    await services.store.call(key, "HSETNX", key, "login", "asha")
    assert await services.staff.add("asha", facility=HIP, role="clerk")


async def test_a_browser_without_an_accept_header_sees_the_sign_in_page(
    stranger: Browser,
) -> None:
    answer = await stranger.get("/console", headers={"accept": "*/*"}, follow_redirects=True)
    assert answer.status_code == 200
    assert str(answer.url).endswith("/console/login")
