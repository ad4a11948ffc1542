"""Only a browser that stands in the hospital gets codes that prove presence; every other one sees the poster's."""

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest

from kiosk.patient.person import Patient
from kiosk.voice.parts import all_parts
from queueing.audit import UNRECORDED
from queueing.models import Assurance, State
from queueing.policy import PresenceRule
from queueing.screens import Screen, ScreenId, ScreenKind, new_secret, screen_id
from tests.kiosk.console.signed_in import ready_login
from tests.kiosk.displays.test_counter_screen import codes_of, counter_text
from tests.kiosk.hospital import HIP, Hospital
from tests.kiosk.phone.test_camera_form import send
from tests.kiosk.share_builders import scan_of

pytestmark = pytest.mark.anyio
OTHER = "IN0110000777"
SCREEN = f"/kiosk/{HIP}/M1"


@pytest.fixture
async def open_hospital(hospital: Hospital) -> Hospital:
    """Without networks of its own: no browser is known by its address."""
    await hospital.services.registry.set_networks(HIP, [])
    return hospital


@asynccontextmanager
async def browser(hospital: Hospital, address: str = "203.0.113.9", **cookies: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=cast(Any, hospital.app), client=(address, 40_000))
    async with httpx.AsyncClient(transport=transport, base_url=hospital.url, cookies=cookies) as client:
        yield client


async def paired(hospital: Hospital, hip: str = HIP) -> tuple[str, ScreenId]:
    """The secret and the id of a new screen of this facility."""
    screens, secret = hospital.services.screens, new_secret()
    shown = await screens.show_code(screen_id(secret), address="10.0.0.1")
    taken = await screens.take_code(shown.code, hip, login="admin", address="10.0.0.2")
    await screens.put(hip, taken.screen, Screen(name="Hall", kind=ScreenKind.BOARD), act=UNRECORDED)
    return secret, taken.screen


async def scanned(hospital: Hospital, context: str) -> tuple[State, Assurance]:
    """State and assurance of the place that a share with this text gets; the phone says no place."""
    scan = scan_of(Patient(name="Zooni Dar", abha_address=f"{uuid.uuid4()}@sbx"), str(uuid.uuid4()), facility=HIP,
                   context=context)  # fmt: skip
    place = await hospital.services.check_in.scanned(scan)
    ticket = await hospital.services.desk.ticket(HIP, place.ticket)
    assert ticket
    return place.state, ticket.assurance


async def test_a_stranger_gets_the_code_of_the_poster_and_reads_how_to_pair(open_hospital: Hospital) -> None:
    async with browser(open_hospital) as stranger:
        codes = await codes_of(stranger)
        assert counter_text(codes["abdm"]["text"]) == "M1"
        assert codes["fresh"] is cast(Any, False)
        page = (await stranger.get(SCREEN)).text
        assert 'data-fresh="no"' in page
        assert "/screen" in page.partition('class="unpaired"')[2].partition("</p>")[0]
        picture = (await stranger.get(codes["abdm"]["svg"])).content
    async with browser(open_hospital) as another:
        assert (await another.get(codes["abdm"]["svg"])).content == picture
    assert await scanned(open_hospital, counter_text(codes["abdm"]["text"])) == (State.WAITING, Assurance.POSTER)
    rules = await open_hospital.services.registry.facility(HIP)
    assert rules
    assert rules.policy.poster is PresenceRule.TAKE


async def test_the_camera_link_of_a_stranger_gives_a_place_that_waits_for_check_in(open_hospital: Hospital) -> None:
    async with browser(open_hospital) as stranger:
        codes = await codes_of(stranger)
        link = codes["camera"]["text"]
        answer = await send(stranger, link.removeprefix(open_hospital.url))
        assert answer.status_code == 303
    [ticket] = await open_hospital.services.desk.tickets(HIP)
    assert (ticket.state, ticket.assurance) == (State.EXPECTED, Assurance.CAMERA)


async def test_a_paired_screen_gets_fresh_codes_until_it_is_removed(open_hospital: Hospital) -> None:
    secret, screen = await paired(open_hospital)
    async with browser(open_hospital, **{"kiosk-screen": secret}) as television:
        text = counter_text((await codes_of(television))["abdm"]["text"])
        assert await scanned(open_hospital, text) == (State.WAITING, Assurance.SCREEN)
        page = await television.get(SCREEN)
        assert 'data-fresh="yes"' in page.text
        assert 'class="unpaired"' not in page.text
        assert f"kiosk-screen={secret}" in page.headers["set-cookie"], "the browser keeps its secret for longer"
        assert await open_hospital.services.screens.remove(HIP, screen, act=UNRECORDED)
        assert counter_text((await codes_of(television))["abdm"]["text"]) == "M1"
        assert 'data-fresh="no"' in (await television.get(SCREEN)).text


async def test_a_screen_of_another_facility_is_a_stranger_here(open_hospital: Hospital) -> None:
    secret, _ = await paired(open_hospital, OTHER)
    async with browser(open_hospital, **{"kiosk-screen": secret}) as television:
        assert counter_text((await codes_of(television))["abdm"]["text"]) == "M1"


@pytest.mark.parametrize(
    ("address", "fresh"), [("10.20.1.2", True), ("10.21.1.2", False), ("127.0.0.1", False), ("2001:db8:1::7", True)]
)
async def test_a_browser_in_the_hospitals_own_networks_gets_fresh_codes(
    open_hospital: Hospital, address: str, fresh: bool
) -> None:
    await open_hospital.services.registry.set_networks(HIP, ["10.20.0.0/16", "2001:db8:1::/48"])
    async with browser(open_hospital, address) as visitor:
        text = counter_text((await codes_of(visitor))["abdm"]["text"])
        assert (len(text) == 20) is fresh
        headers = {"x-forwarded-for": "10.20.1.2"}
        forged = counter_text((await visitor.get(f"{SCREEN}/qr", headers=headers)).json()["abdm"]["text"])
        assert (len(forged) == 20) is fresh, "a header that no trusted proxy wrote is not believed"


@pytest.mark.parametrize(("home", "fresh"), [(HIP, True), (OTHER, False)])
async def test_staff_of_the_facility_see_fresh_codes(open_hospital: Hospital, home: str, fresh: bool) -> None:
    staff = open_hospital.services.staff
    await ready_login(staff, "asha", home)
    member = await staff.member("asha")
    assert member
    reference, _ = await staff.sessions.open("asha", member.generation, address="10.0.0.1", device="")
    async with browser(open_hospital, kiosk=reference) as clerk:
        assert (len(counter_text((await codes_of(clerk))["abdm"]["text"])) == 20) is fresh
        await staff.end_sessions("asha", within=home)
        assert counter_text((await codes_of(clerk))["abdm"]["text"]) == "M1"


async def test_a_secret_of_any_shape_is_a_stranger(open_hospital: Hospital) -> None:
    for secret in ("x", "x" * 5_000, "%00", new_secret()):
        async with browser(open_hospital, **{"kiosk-screen": secret}) as television:
            assert counter_text((await codes_of(television))["abdm"]["text"]) == "M1"
            answer = await television.post("/screen/state", json={})
            assert (answer.status_code, answer.json()["paired"]) == (200, False)


async def test_a_new_television_shows_a_code_and_becomes_the_screen_it_was_made(open_hospital: Hospital) -> None:
    async with browser(open_hospital) as television:
        answer = await television.get("/screen")
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=lax"} <= set(cookie.split("; "))
        code = answer.text.partition('id="code" dir="ltr">')[2].partition("<")[0]
        assert code in (await television.get("/screen")).text, "the same letters while they are valid"
        assert (await television.post("/screen/state", json={})).json()["paired"] is False
        screens = open_hospital.services.screens
        taken = await screens.take_code(code, HIP, login="admin", address="10.0.0.2")
        row = Screen(name="M1", kind=ScreenKind.COUNTER, counter="M1", languages=("ur", "en"), volume=30, look="night")
        await screens.put(HIP, taken.screen, row, act=UNRECORDED)
        state = (await television.post("/screen/state", json={"release": "0.1.0", "sound": "on"})).json()
        address = f"/kiosk/{HIP}/M1?lang=ur,en&look=night"
        assert state == {"paired": True, "address": address, "volume": 30, "voices": ""}
        assert (await television.get("/screen")).headers["location"] == address
        [seen] = await screens.of(HIP)
        assert seen.report
        assert abs(seen.report.seen_ms - time.time() * 1000) < 30_000


async def test_a_paired_board_hears_which_of_its_languages_speak_now(open_hospital: Hospital) -> None:
    secret, screen = await paired(open_hospital)
    screens, clips = open_hospital.services.screens, open_hospital.services.clips
    row = Screen(name="Hall", kind=ScreenKind.BOARD, languages=("ur", "ks", "en"))
    await screens.put(HIP, screen, row, act=UNRECORDED)
    async with browser(open_hospital, **{"kiosk-screen": secret}) as television:
        assert (await television.post("/screen/state", json={})).json()["voices"] == ""
        for language, hip in (("en", ""), ("ks", HIP), ("ur", OTHER), ("hi", "")):
            for part in all_parts(language):
                clips.save(language, part, b"\0\x20" * 100, hip)
        assert (await television.post("/screen/state", json={})).json()["voices"] == "ks,en"


async def test_a_removed_screen_is_given_a_new_secret_before_it_can_be_paired_again(open_hospital: Hospital) -> None:
    """Whoever copied the secret of a removed screen gains nothing when that screen is paired anew."""
    secret, screen = await paired(open_hospital)
    await open_hospital.services.screens.remove(HIP, screen, act=UNRECORDED)
    async with browser(open_hospital, **{"kiosk-screen": secret}) as television:
        answer = await television.get("/screen")
        assert answer.status_code == 200
        assert f"kiosk-screen={secret}" not in answer.headers["set-cookie"]


async def test_codes_of_televisions_are_bounded_by_address_and_the_page_asks_again_by_itself(
    open_hospital: Hospital,
) -> None:
    statuses = []
    for _ in range(70):
        async with browser(open_hospital) as television:
            answer = await television.get("/screen")
            statuses.append(answer.status_code)
    assert statuses == [200] * 60 + [429] * 10
    assert 'http-equiv="refresh"' in answer.text
    assert int(answer.headers["retry-after"]) > 0
    async with browser(open_hospital, "198.51.100.4") as elsewhere:
        assert (await elsewhere.get("/screen")).status_code == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"silent_s": "x"}', b"{}" + b" " * 2_000])
async def test_a_foolish_report_is_refused(open_hospital: Hospital, body: bytes) -> None:
    secret, _ = await paired(open_hospital)
    async with browser(open_hospital, **{"kiosk-screen": secret}) as television:
        headers = {"content-type": "application/json"}
        answer = await television.post("/screen/state", content=body, headers=headers)
        assert answer.status_code in (400, 413)
        foreign = await television.post("/screen/state", json={}, headers={"origin": "https://evil.example"})
        assert foreign.status_code == 403
        odd = await television.post("/screen/state", json={"sound": "loud", "silent_s": -5, "release": "x" * 500})
        assert odd.status_code == 200
    [seen] = await open_hospital.services.screens.of(HIP)
    assert seen.report
    assert (seen.report.sound, seen.report.sounded_ms, len(seen.report.release)) == ("", 0, 40)


async def test_paired_screens_have_their_streams_when_strangers_hold_all_others(open_hospital: Hospital) -> None:
    secret, screen = await paired(open_hospital)
    open_hospital.services.stream_limits._limits["facility"] = 0
    async with browser(open_hospital) as stranger:
        assert (await stranger.head(f"/live/{HIP}")).status_code == 503
    async with browser(open_hospital, **{"kiosk-screen": secret}) as television:
        assert (await television.head(f"/live/{HIP}")).status_code == 200
        await open_hospital.services.screens.remove(HIP, screen, act=UNRECORDED)
        assert (await television.head(f"/live/{HIP}")).status_code == 503
