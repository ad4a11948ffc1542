"""The page of a facility's screens: pairing, guesses, other facilities, networks."""

import asyncio

import pytest
from litestar import Litestar

from kiosk.services.web import Services
from queueing.audit import UNRECORDED
from queueing.screens import ALPHABET, SCREENS_MAX, Screen, ScreenKind, new_secret, screen_id
from tests.kiosk.console.signed_in import HIP, OTHER_HIP, OWN_PASSWORD, Browser, browser, ready_login

pytestmark = pytest.mark.anyio
PAGE = "/console/admin/screens"
WISHES = {"name": "Old wing, stairs", "kind": "board", "volume": "60", "look": "night"}


async def shown_code(services: Services) -> str:
    """The code of a new television."""
    shown = await services.screens.show_code(screen_id(new_secret()), address="10.0.0.1")
    return shown.code


async def test_a_screen_is_paired_shown_changed_and_removed(admin: Browser, services: Services) -> None:
    form = WISHES | {"queue.medicine": "1", "language.ur": "1", "language.en": "1"}
    answer = await admin.send_form(f"{PAGE}/pair", code=(await shown_code(services)).lower(), **form)
    assert answer.headers["location"] == f"{PAGE}?done=paired"
    [one] = await services.screens.of(HIP)
    wanted = ("Old wing, stairs", ScreenKind.BOARD, ("medicine",), ("en", "ur"), 60, "night", "imran")
    row = one.screen
    assert (row.name, row.kind, row.queues, row.languages, row.volume, row.look, row.paired_by) == wanted
    page = (await admin.get(PAGE)).text
    assert "Old wing, stairs" in page
    assert "Not seen yet" in page
    await services.screens.report(HIP, one.id, release="0.1.0", sound="off", silent_s=None)
    page = (await admin.get(PAGE)).text
    assert "Sound is off" in page
    assert ">up<" in page
    changed = await admin.send_form(
        f"{PAGE}/{one.id}/change", name="Counter", kind="counter", counter="R1", volume="100"
    )
    assert changed.headers["location"] == f"{PAGE}?done=change"
    [one] = await services.screens.of(HIP)
    row = one.screen
    assert (row.kind, row.counter, row.queues, row.languages) == (ScreenKind.COUNTER, "R1", (), ())
    assert (row.paired_by, row.paired_ms > 0) == ("imran", True), "who paired it stays"
    await admin.send_form(f"{PAGE}/{one.id}/remove")
    assert await services.screens.of(HIP) == []
    acts = {entry.kind for entry in await services.audit.read(HIP)}
    assert {"admin_screen-pair", "admin_screen-change", "admin_screen-remove"} <= acts


@pytest.mark.parametrize(
    ("form", "status", "sentence"),
    [
        (WISHES | {"code": "BCD"}, 422, "Type them as they stand there"),
        (WISHES | {"code": "BBBBBB"}, 404, "No screen shows these letters"),
        (WISHES | {"name": ""}, 422, "needs a name"),
        (WISHES | {"volume": "101"}, 422, "from 0 to 100"),
        (WISHES | {"kind": "counter", "counter": "Z9"}, 422, "Choose a counter"),
    ],
)
async def test_what_does_not_fit_is_said_and_the_code_can_be_used_again(
    admin: Browser, services: Services, form: dict[str, str], status: int, sentence: str
) -> None:
    code = await shown_code(services)
    answer = await admin.send_form(f"{PAGE}/pair", **({"code": code} | form))
    assert (answer.status_code, sentence in answer.text) == (status, True)
    assert await services.screens.of(HIP) == []
    assert (await admin.send_form(f"{PAGE}/pair", code=code, **WISHES)).status_code == 303


async def test_ten_thousand_guesses_are_refused(admin: Browser, app: Litestar, services: Services) -> None:
    """From ten administrators of one address: thirty codes are looked at, all others are refused unseen."""
    code = await shown_code(services)
    screens = services.screens
    guesses = [f"{ALPHABET[n // 361 % 19]}{ALPHABET[n // 19 % 19]}{ALPHABET[n % 19]}BCD" for n in range(10_000)]
    looked_at = 0
    for begin in range(0, len(guesses), 100):
        answers = await asyncio.gather(*(
            screens.take_code(guess, HIP, login=f"admin{number % 10}", address="10.1.2.5")
            for number, guess in enumerate(guesses[begin : begin + 100]) if guess != code
        ))  # fmt: skip
        looked_at += sum(one.wait_s == 0 for one in answers)
    assert looked_at <= 30
    answer = await admin.send_form(f"{PAGE}/pair", code=code, **WISHES)
    assert (answer.status_code, "Too many wrong letters" in answer.text) == (429, True)
    assert await services.screens.of(HIP) == []
    assert "refused" in {entry.kind for entry in await services.audit.read(HIP)}
    await ready_login(services.staff, "honest", OTHER_HIP, "admin")
    async with browser(app, address="10.77.0.1") as other:
        await other.sign_in("honest")
        assert (await other.send_form(f"{PAGE}/pair", code=code, **WISHES)).status_code == 303


async def test_an_administrator_guesses_ten_times_from_any_address(app: Litestar, services: Services) -> None:
    await ready_login(services.staff, "imran", HIP, "admin")
    statuses = []
    for number in range(12):
        async with browser(app, address=f"10.50.0.{number}") as one:
            await one.sign_in("imran")
            statuses.append((await one.send_form(f"{PAGE}/pair", code="BBBBBB", **WISHES)).status_code)
    assert statuses == [404] * 10 + [429] * 2


async def test_an_administrator_of_another_facility_changes_and_ends_no_screen(
    app: Litestar, admin: Browser, services: Services
) -> None:
    await admin.send_form(f"{PAGE}/pair", code=await shown_code(services), **WISHES)
    before = await services.screens.of(HIP)
    await ready_login(services.staff, "other", OTHER_HIP, "admin")
    async with browser(app, address="10.9.9.9") as other:
        await other.sign_in("other")
        for act in ("change", "remove", "dance"):
            answer = await other.send_form(f"{PAGE}/{before[0].id}/{act}", **WISHES)
            assert answer.status_code == 404, act
        assert "Old wing" not in (await other.get(PAGE)).text
    assert await services.screens.of(HIP) == before


async def test_a_facility_with_all_its_screens_is_told_so_before_the_code_is_used(
    admin: Browser, services: Services
) -> None:
    for number in range(SCREENS_MAX):
        await services.screens.put(
            HIP, screen_id(str(number)), Screen(name=f"S{number}", kind=ScreenKind.BOARD), act=UNRECORDED
        )
    code = await shown_code(services)
    answer = await admin.send_form(f"{PAGE}/pair", code=code, **WISHES)
    assert (answer.status_code, f"has {SCREENS_MAX} screens already" in answer.text) == (409, True)
    await services.screens.remove(HIP, screen_id("7"), act=UNRECORDED)
    assert (await admin.send_form(f"{PAGE}/pair", code=code, **WISHES)).status_code == 303


async def test_networks_are_saved_shown_and_refused_in_words(admin: Browser, services: Services) -> None:
    await admin.send_form(f"{PAGE}/networks", networks="10.20.0.5/16, 192.0.2.7\n2001:db8:1::/48")
    hospital = await services.registry.hospital(HIP)
    assert hospital
    assert hospital.facility.networks == ("10.20.0.0/16", "192.0.2.7/32", "2001:db8:1::/48")
    page = (await admin.get(PAGE)).text
    assert 'value="10.20.0.0/16, 192.0.2.7/32, 2001:db8:1::/48"' in page
    assert "Your address now: <bdi>10.1.2.5</bdi>" in page
    for wrong in ("0.0.0.0/0", "everywhere", " ".join(f"10.{number}.0.0/16" for number in range(20))):
        answer = await admin.send_form(f"{PAGE}/networks", networks=wrong)
        assert (answer.status_code, "The networks cannot be saved" in answer.text) == (422, True)
    assert (await services.registry.hospital(HIP)) == hospital
    await admin.send_form(f"{PAGE}/networks", networks="")
    emptied = await services.registry.hospital(HIP)
    assert emptied
    assert emptied.facility.networks == ()


async def test_a_name_from_outside_stands_as_words(admin: Browser, services: Services) -> None:
    evil = '"><script>alert(1)</script>'
    await admin.send_form(f"{PAGE}/pair", code=await shown_code(services), **(WISHES | {"name": evil}))
    await admin.send_form(f"{PAGE}/pair", code=evil, **(WISHES | {"name": evil}))
    for path in (PAGE, f"{PAGE}?code={evil}", "/console/audit"):
        assert "<script>alert" not in (await admin.get(path)).text
    assert 'value="BCDFGH"' in (await admin.get(f"{PAGE}?code=bcdfgh")).text


async def test_the_qr_of_a_screen_leads_through_the_sign_in_to_the_form(
    app: Litestar, stranger: Browser, services: Services
) -> None:
    await ready_login(services.staff, "imran", HIP, "admin")
    code = await shown_code(services)
    answer = await stranger.get(f"{PAGE}?code={code}")
    assert answer.headers["location"] == f"/console/login?screen={code}"
    assert f'name="screen" value="{code}"' in (await stranger.get(f"/console/login?screen={code}")).text
    wrong = await stranger.post("/console/login", data={"login": "imran", "password": "no", "screen": code})
    assert f'name="screen" value="{code}"' in wrong.text, "a wrong password loses nothing"
    form = {"login": "imran", "password": OWN_PASSWORD, "screen": code}
    assert (await stranger.post("/console/login", data=form)).headers["location"] == f"{PAGE}?code={code}"
    assert f'value="{code}"' in (await stranger.get(f"{PAGE}?code={code}")).text
    for odd in ("//evil.example", "BCD", "<b>"):
        assert (await stranger.post("/console/login", data=form | {"screen": odd})).headers["location"] == "/console"
