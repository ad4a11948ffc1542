"""Screens are paired by a code that is hard to guess, and belong to one facility until it removes them."""

import msgspec
import pytest

from queueing import screens as limits
from queueing.audit import UNRECORDED
from queueing.models import Facility
from queueing.redis_keys import facility_root
from queueing.registry import DoesNotFit, Registry
from queueing.screens import (
    ALPHABET,
    CODE_LENGTH,
    SLOT,
    Report,
    Screen,
    ScreenId,
    ScreenKind,
    Screens,
    TooManyScreens,
    as_code,
    new_secret,
    screen_id,
)
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, build, open_desk

pytestmark = pytest.mark.anyio
BOARD = Screen(name="Hall", kind=ScreenKind.BOARD)


async def paired(screens: Screens, hip: str = HIP, row: Screen = BOARD) -> ScreenId:
    shown = await screens.show_code(screen_id(new_secret()), address="10.0.0.1")
    taken = await screens.take_code(shown.code, hip, login="admin", address="10.0.0.2")
    await screens.put(hip, taken.screen, row, act=UNRECORDED)
    return taken.screen


async def test_a_browser_keeps_its_code_and_another_browser_has_another(store: Store) -> None:
    screens, browser = Screens(store), screen_id(new_secret())
    first = await screens.show_code(browser, address="10.0.0.1")
    assert (len(first.code), set(first.code) <= set(ALPHABET)) == (CODE_LENGTH, True)
    assert 0 < first.left_s <= limits.CODE_S
    again = await screens.show_code(browser, address="10.0.0.1")
    other = await screens.show_code(screen_id(new_secret()), address="10.0.0.1")
    assert (again.code, other.code != first.code) == (first.code, True)
    assert await screens.shown_code(browser)
    assert not await screens.shown_code(screen_id("unknown"))


async def test_a_code_works_once_and_makes_the_screen_one_of_the_facility(store: Store) -> None:
    await build(store)
    screens, secret = Screens(store), new_secret()
    shown = await screens.show_code(screen_id(secret), address="10.0.0.1")
    taken = await screens.take_code(shown.code, HIP, login="admin", address="10.0.0.2")
    assert taken.screen == screen_id(secret)
    await screens.put(HIP, taken.screen, BOARD, act=UNRECORDED)
    assert await screens.facility_of(taken.screen) == HIP
    assert await screens.one(HIP, taken.screen) == BOARD
    assert await screens.one("IN9999999999", taken.screen) is None
    assert (await screens.take_code(shown.code, HIP, login="admin", address="10.0.0.2")).screen == ""


async def test_a_code_ends_after_its_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CODE_S", 1)
    screens, browser = Screens(store), screen_id(new_secret())
    shown = await screens.show_code(browser, address="10.0.0.1")
    key = f"{SLOT}:code:{shown.code}"
    assert await store.call(key, "TTL", key) == 1
    await store.call(key, "PEXPIRE", key, 1)
    while await store.call(key, "EXISTS", key):
        pass
    assert (await screens.take_code(shown.code, HIP, login="admin", address="10.0.0.2")).screen == ""


async def test_wrong_codes_are_bounded_for_a_login_and_for_an_address(store: Store) -> None:
    screens = Screens(store)
    shown = await screens.show_code(screen_id(new_secret()), address="10.0.0.1")
    for _ in range(limits.TRIES_OF_LOGIN):
        assert (await screens.take_code("BBBBBB", HIP, login="guesser", address="10.9.9.9")).wait_s == 0
    assert (await screens.take_code(shown.code, HIP, login="guesser", address="10.8.8.8")).wait_s > 0
    for number in range(limits.TRIES_OF_ADDRESS - limits.TRIES_OF_LOGIN):
        assert (await screens.take_code("BBBBBB", HIP, login=f"g{number}", address="10.9.9.9")).wait_s == 0
    assert (await screens.take_code(shown.code, HIP, login="another", address="10.9.9.9")).wait_s > 0
    assert (await screens.take_code(shown.code, HIP, login="honest", address="10.7.7.7")).screen


async def test_codes_are_bounded_for_an_address_and_for_the_service(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CODES_OF_ADDRESS", 3)
    monkeypatch.setattr(limits, "CODES_AT_ONCE", 5)
    screens = Screens(store)
    shown = [await screens.show_code(screen_id(new_secret()), address="10.0.0.1") for _ in range(4)]
    assert [bool(one.code) for one in shown] == [True, True, True, False]
    assert shown[3].left_s > 0
    elsewhere = [await screens.show_code(screen_id(new_secret()), address=f"10.1.0.{n}") for n in range(3)]
    assert [bool(one.code) for one in elsewhere] == [True, True, False]


async def test_a_removed_screen_is_no_longer_known(store: Store) -> None:
    await build(store)
    screens = Screens(store)
    screen = await paired(screens)
    assert not await screens.remove("IN9999999999", screen, act=UNRECORDED)
    assert await screens.remove(HIP, screen, act=UNRECORDED)
    assert await screens.one(HIP, screen) is None
    assert await screens.facility_of(screen) == ""
    assert await screens.report(HIP, screen, release="1", sound="on", silent_s=None) is None
    assert await screens.of(HIP) == []
    assert not await screens.remove(HIP, screen, act=UNRECORDED)


async def test_a_facility_has_a_bounded_number_of_screens(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SCREENS_MAX", 2)
    await build(store)
    screens = Screens(store)
    first = await paired(screens)
    await paired(screens)
    with pytest.raises(TooManyScreens):
        await paired(screens)
    await screens.put(HIP, first, msgspec.structs.replace(BOARD, name="Renamed"), act=UNRECORDED)
    assert [one.screen.name for one in await screens.of(HIP)] == ["Hall", "Renamed"]


async def test_a_report_is_written_once_a_minute_and_says_when_the_screen_was_seen(store: Store) -> None:
    await build(store)
    screens = Screens(store)
    screen = await paired(screens)
    assert [one.report for one in await screens.of(HIP)] == [None]
    assert await screens.report(HIP, screen, release="0.1.0", sound="on", silent_s=20) == BOARD
    [first] = await screens.of(HIP)
    assert isinstance(first.report, Report)
    assert (first.report.release, first.report.sound) == ("0.1.0", "on")
    assert first.report.seen_ms - first.report.sounded_ms == 20_000
    await screens.report(HIP, screen, release="0.2.0", sound="off", silent_s=None)
    assert [one.report for one in await screens.of(HIP)] == [first.report], "not written again within the minute"


async def test_every_change_of_a_screen_shows_in_the_snapshot(store: Store) -> None:
    await build(store)
    screens, desk = Screens(store), open_desk(store)

    async def count() -> int:
        snapshot = await desk.snapshot(HIP)
        assert snapshot
        return snapshot.screens

    assert await count() == 0
    screen = await paired(screens)
    assert await count() == 1
    await screens.put(HIP, screen, msgspec.structs.replace(BOARD, volume=20), act=UNRECORDED)
    await screens.remove(HIP, screen, act=UNRECORDED)
    assert await count() == 3


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "x" * 81}, {"volume": 101}, {"volume": -1}])
async def test_a_screen_outside_its_limits_is_not_written(store: Store, wrong: dict[str, object]) -> None:
    await build(store)
    screens = Screens(store)
    screen = await paired(screens)
    with pytest.raises(DoesNotFit):
        await screens.put(HIP, screen, msgspec.structs.replace(BOARD, **wrong), act=UNRECORDED)
    assert await screens.one(HIP, screen) == BOARD


@pytest.mark.parametrize(
    ("typed", "code"),
    [("bcdfgh", "BCDFGH"), (" BCD-FGH ", "BCDFGH"), ("bcd fgh", "BCDFGH"), ("BCDFG", ""), ("BCDFGHJ", ""),
     ("ABCDEF", ""), ("", ""), ("B" * 1_000, ""), ("BCDFG\u0301", "")],
)  # fmt: skip
def test_a_code_is_read_as_people_type_it(typed: str, code: str) -> None:
    assert as_code(typed) == code


def test_the_store_holds_no_secret() -> None:
    secret = new_secret()
    assert secret not in screen_id(secret)
    assert len(secret) >= 43


async def test_own_networks_are_kept_in_one_spelling_and_stay_when_the_facility_is_registered_again(
    store: Store,
) -> None:
    await build(store)
    registry = Registry(store)
    await registry.set_networks(HIP, ["10.20.3.4/16", "10.20.0.0/16", "2001:db8::1/48", "192.0.2.7"])
    await registry.put_facility(Facility(hip_id=HIP, name="Renamed"))
    wanted = ("10.20.0.0/16", "2001:db8::/48", "192.0.2.7/32")
    facility, hospital = await registry.facility(HIP), await registry.hospital(HIP)
    assert facility
    assert hospital
    assert facility.networks == hospital.facility.networks == wanted
    await registry.set_networks(HIP, [])
    emptied = await registry.facility(HIP)
    assert emptied
    assert emptied.networks == ()


@pytest.mark.parametrize("wrong", ["0.0.0.0/0", "10.0.0.0/7", "::/0", "2001::/16", "hospital", "10.0.0.0/33", ""])
async def test_a_network_that_no_hospital_has_is_refused(store: Store, wrong: str) -> None:
    await build(store)
    registry = Registry(store)
    with pytest.raises(DoesNotFit):
        await registry.set_networks(HIP, ["10.1.0.0/16", wrong])
    with pytest.raises(DoesNotFit):
        await registry.set_networks(HIP, [f"10.{number}.0.0/16" for number in range(17)])
    root = facility_root(HIP)
    assert await store.call(root, "HGET", f"{root}:f", "networks") is None
