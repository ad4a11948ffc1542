"""Codes of an authenticator app: demanded of state administrators, offered to administrators, used once."""

import base64
import re

import pytest
from litestar import Litestar

from kiosk.accounts import passwords
from kiosk.accounts.login_throttle import LIMITS
from kiosk.accounts.second_factor import STEP_S, step_of
from kiosk.security.encryption import LastingSeal
from kiosk.services.web import Services
from queueing.audit import Actor
from queueing.staff import StaffRecords, login_digest, login_key
from tests.kiosk.console.signed_in import HIP, OWN_PASSWORD, PHONE, Browser, browser, code_for, ready_login

pytestmark = pytest.mark.anyio
RFC_SECRET = b"12345678901234567890"
CODE = re.compile(r"[a-z]{4}(?:-[a-z]{4}){4}")


@pytest.mark.parametrize(("at_s", "code"), [(1111111111, "050471"), (1111111109, "081804"), (1234567890, "005924")])
def test_codes_are_those_of_the_standard(at_s: int, code: str) -> None:
    """RFC 6238, appendix B, in six digits."""
    assert step_of(RFC_SECRET, code, at_s) == at_s // STEP_S
    assert step_of(RFC_SECRET, code[:3] + " " + code[3:], at_s + STEP_S) == at_s // STEP_S
    assert step_of(RFC_SECRET, code, at_s + 2 * STEP_S) is None
    assert step_of(RFC_SECRET, code[:5], at_s) is None


def test_a_sealed_secret_opens_for_its_login_and_its_ring_alone() -> None:
    seal = LastingSeal(bytes(32))
    sealed = seal.close("director", PHONE)
    assert seal.open("director", sealed) == PHONE
    assert seal.open("imran", sealed) is None
    assert LastingSeal(bytes(31) + b"x").open("director", sealed) is None
    assert seal.open("director", sealed[:-4] + "AAAA") is None
    assert seal.open("director", "not sealed") is None


async def start_enrolment(one: Browser) -> tuple[bytes, str]:
    """The secret that the page shows, and the same sealed."""
    page = (await one.get("/console/account/phone")).text
    shown = re.search(r'class="token key">([A-Z2-7 ]+)<', page)
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)
    assert shown is not None
    assert sealed is not None
    assert "<svg" in page
    return base64.b32decode(shown[1].replace(" ", "")), sealed[1]


async def unenrolled(services: Services) -> None:
    await ready_login(services.staff, "director", "*", "admin")
    await services.staff._records.change("director", second_factor="")


async def test_a_state_administrator_reaches_no_page_before_the_app_is_set_up(
    app: Litestar, services: Services
) -> None:
    await unenrolled(services)
    async with browser(app) as one:
        assert (await one.sign_in("director")).status_code == 303
        for path in ("/console", "/console/facility", "/console/admin", "/console/account", "/console/audit"):
            answer = await one.get(path)
            assert (answer.status_code, answer.headers.get("location")) == (303, "/console/account/phone"), path
        assert (await one.send_form("/console/facility", hip=HIP)).headers["location"] == "/console/account/phone"
        secret, sealed = await start_enrolment(one)
        wrong = await one.send_form("/console/account/phone", sealed=sealed, code="000000")
        assert (wrong.status_code, sealed in wrong.text) == (401, False)
        done = await one.send_form("/console/account/phone", sealed=sealed, code=code_for(secret))
        assert done.status_code == 200
        assert len(set(CODE.findall(done.text))) == 10
        assert (await one.get("/console/facility")).status_code == 200


async def test_a_stored_app_is_sealed_and_recovery_codes_are_digests(app: Litestar, services: Services) -> None:
    await unenrolled(services)
    async with browser(app) as one:
        await one.sign_in("director")
        secret, sealed = await start_enrolment(one)
        done = await one.send_form("/console/account/phone", sealed=sealed, code=code_for(secret))
    key = login_key(login_digest("director"))
    stored = repr(await services.store.call(key, "HGETALL", key))
    assert base64.b32encode(secret).decode() not in stored
    assert base64.b64encode(secret).decode() not in stored
    assert not any(code in stored for code in CODE.findall(done.text))


async def half_in(one: Browser, login: str = "director") -> None:
    """Signed in by the password; the code is missing."""
    answer = await one.post("/console/login", data={"login": login, "password": OWN_PASSWORD})
    assert answer.headers["location"].startswith("/console/code")
    await one.read_csrf("/console/code")


async def test_the_password_alone_opens_nothing(app: Litestar, services: Services) -> None:
    await ready_login(services.staff, "director", "*", "admin")
    async with browser(app) as one:
        await half_in(one)
        for path in (
            "/console",
            "/console/password",
            "/console/account",
            "/console/account/phone",
            "/console/facility",
        ):
            answer = await one.get(path)
            assert (answer.status_code, answer.headers.get("location")) == (303, "/console/code"), path
        changed = await one.send_form("/console/password", old=OWN_PASSWORD, new="x" * 9, again="x" * 9)
        assert changed.headers["location"] == "/console/code"
        assert (await one.send_form("/console/logout")).headers["location"] == "/console/login"


async def test_a_code_is_accepted_once_on_every_browser(app: Litestar, services: Services) -> None:
    await ready_login(services.staff, "director", "*", "admin")
    async with browser(app) as one, browser(app, address="10.9.9.9") as other:
        await half_in(one)
        await half_in(other)
        code = code_for(PHONE)
        assert (await one.send_form("/console/code", code=code)).headers["location"] == "/console"
        assert (await other.send_form("/console/code", code=code)).status_code == 401
        assert (await other.send_form("/console/code", code=code_for(PHONE, -1))).status_code == 401
        assert (await other.send_form("/console/code", code=code_for(PHONE, 1))).headers["location"] == "/console"
    whys = [entry.why for entry in await services.audit.read("*") if entry.kind == "sign_in_refused"]
    assert whys == ["code used before", "code used before"]


async def test_tries_of_codes_are_limited_like_passwords(app: Litestar, services: Services) -> None:
    await ready_login(services.staff, "director", "*", "admin")
    async with browser(app) as one:
        await half_in(one)
        answers = [(await one.send_form("/console/code", code="000000")).status_code for _ in range(12)]
        assert answers[:3] == [401, 401, 401]
        assert answers.count(401) == LIMITS.per_login_and_address - 1
        assert (await one.send_form("/console/code", code=code_for(PHONE))).status_code == 429


async def test_a_good_sign_in_with_a_code_uses_up_no_try(app: Litestar, services: Services) -> None:
    await ready_login(services.staff, "director", "*", "admin")
    records = StaffRecords(services.store)
    async with browser(app) as one:
        assert (await one.sign_in("director")).status_code == 303
        for _ in range(LIMITS.per_login_and_address):
            wait_s, _row = await records.take_try("director", address="10.1.2.3", device="", limits=LIMITS)
            assert wait_s == 0


async def test_a_recovery_code_works_once(app: Litestar, services: Services) -> None:
    await unenrolled(services)
    async with browser(app) as one:
        await one.sign_in("director")
        secret, sealed = await start_enrolment(one)
        done = await one.send_form("/console/account/phone", sealed=sealed, code=code_for(secret))
        code = CODE.findall(done.text)[0]
        await half_in(one)
        assert (await one.send_form("/console/code", code=code.upper().replace("-", " "))).status_code == 303
        await half_in(one)
        assert (await one.send_form("/console/code", code=code)).status_code == 401
    entry = next(entry for entry in await services.audit.read("*") if entry.why == "recovery code")
    assert entry.kind == "sign_in"


async def test_a_facility_administrator_sets_up_and_removes_an_app_with_the_password(
    admin: Browser, services: Services
) -> None:
    assert "Set it up" in (await admin.get("/console/account")).text
    secret, sealed = await start_enrolment(admin)
    before = admin.cookies["kiosk"]
    assert (await admin.send_form("/console/account/phone", sealed=sealed, code=code_for(secret))).status_code == 200
    assert await services.staff.session(before) is None
    await admin.read_csrf("/console/account")
    assert (await admin.send_form("/console/account/phone/remove", password="wrong")).status_code == 401
    again, sealed_again = await start_enrolment(admin)
    replaced = await admin.send_form(
        "/console/account/phone", sealed=sealed_again, code=code_for(again), password="wrong"
    )
    assert replaced.status_code == 401
    assert (await admin.send_form("/console/account/phone/remove", password=OWN_PASSWORD)).status_code == 303
    member = await services.staff.member("imran")
    assert member is not None
    assert not member.second_factor


async def test_a_state_administrator_cannot_remove_the_app(app: Litestar, services: Services) -> None:
    await ready_login(services.staff, "director", "*", "admin")
    async with browser(app) as one:
        await one.sign_in("director")
        assert (await one.send_form("/console/account/phone/remove", password=OWN_PASSWORD)).status_code == 403
    member = await services.staff.member("director")
    assert member is not None
    assert member.second_factor


async def test_a_lost_phone_is_forgotten_by_the_operator_and_set_up_anew(app: Litestar, services: Services) -> None:
    await ready_login(services.staff, "director", "*", "admin")
    async with browser(app) as one:
        await one.sign_in("director")
        await services.staff.reset_phone("director", Actor(login="(command line)"))
        assert (await one.get("/console/facility")).headers["location"] == "/console/login"
        await one.sign_in("director")
        assert (await one.get("/console/facility")).headers["location"] == "/console/account/phone"
    entry = (await services.audit.read("*"))[1]
    assert (entry.kind, entry.by, entry.why) == ("second_factor_reset", "(command line)", "director")


async def test_after_the_key_ring_was_replaced_the_app_is_refused_and_not_skipped(
    app: Litestar, services: Services
) -> None:
    """``kiosk keys revoke --all``: the secret may be stolen, so its codes are worth nothing."""
    await ready_login(services.staff, "director", "*", "admin")
    await services.staff._records.change("director", second_factor=LastingSeal(bytes(32)).close("director", PHONE))
    async with browser(app) as one:
        await half_in(one)
        assert (await one.send_form("/console/code", code=code_for(PHONE))).status_code == 401
        assert (await one.get("/console")).headers["location"] == "/console/code"


async def test_a_clerk_has_no_app_to_set_up(clerk: Browser, services: Services) -> None:
    assert (await clerk.get("/console/account/phone")).status_code == 403
    assert "Authenticator" not in (await clerk.get("/console/account")).text


def test_ten_recovery_codes_are_hard_to_guess() -> None:
    assert len({passwords.generated() for _ in range(100)}) == 100
