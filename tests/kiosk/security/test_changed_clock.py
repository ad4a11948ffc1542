"""The machine's clock is set to another day: nobody is refused, and no mistake of hours closes a profile."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pytest

from kiosk import key_upkeep
from kiosk.key_upkeep import SEAL_REFRESH_S, read_day_keys, renew_day_keys
from kiosk.security.encryption import DAY_S, Seal, SealBroken
from kiosk.security.keyring_file import KeysOnDisk
from queueing.day_keys import DayKeys
from queueing.store.store import Store

pytestmark = pytest.mark.anyio
NOW_S: Final = 1_795_000_000
HOUR_S: Final = 3_600
OFF: Final = {"three days ahead": 3 * DAY_S, "ten years ahead": 3650 * DAY_S, "in 2000": 946_684_800 - NOW_S}
"""Seconds between what the clock shows and the right time."""


class Over(Exception):
    """The time of a run has passed."""


class Machine:
    """One process on a machine whose clock a test sets: ``later`` says what happens after so many seconds."""

    def __init__(self, store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.off_s, self.ran_s = 0, 0.0
        self.retention_h = 24
        self.store_is_elsewhere = False
        """A store on another machine keeps the right time."""
        monkeypatch.setattr(DayKeys, "time_s", self._store_time_s)
        monkeypatch.setattr(key_upkeep, "is_synchronized", lambda: False)
        self._plan: list[tuple[float, Callable[[], None]]] = []
        self.keys, self.keys_on_disk = DayKeys(store), KeysOnDisk(folder)
        clocks = SimpleNamespace(time=self.now_s, monotonic=lambda: self.ran_s)
        monkeypatch.setattr(key_upkeep, "time", clocks)
        monkeypatch.setattr(key_upkeep, "asyncio", SimpleNamespace(sleep=self._sleep, to_thread=asyncio.to_thread))

    def now_s(self) -> int:
        return int(NOW_S + self.off_s + self.ran_s)

    def set_clock(self, off_s: int) -> None:
        self.off_s = off_s

    async def start(self) -> Seal:
        """A process starts with what the store and the key ring hold."""
        ring = self.keys_on_disk.load_or_create(self.now_s())
        seal = Seal(ring.seal_masters(), ring.seal_master_id, now_s=self.now_s, retention_h=self.retention_h)
        await read_day_keys(seal, self.keys)
        return seal

    async def _store_time_s(self) -> float:
        return self.now_s() - (self.off_s if self.store_is_elsewhere else 0)

    async def ran_the_days_before(self) -> None:
        """Days on which the service ran have keys."""
        for days in (3, 2, 1):
            self.off_s = -days * DAY_S
            await self.start()
        self.off_s = 0

    def later(self, after_s: float, act: Callable[[], None]) -> None:
        self._plan.append((self.ran_s + after_s, act))

    async def run(self, seal: Seal, seconds: float) -> None:
        """The upkeep of the keys, for so long."""
        self.later(seconds, self._end)
        with pytest.raises(Over):
            await renew_day_keys(seal, self.keys, self.keys_on_disk)

    async def _sleep(self, seconds: float) -> None:
        self.ran_s += seconds
        due = [act for at_s, act in self._plan if at_s <= self.ran_s]
        self._plan = [(at_s, act) for at_s, act in self._plan if at_s > self.ran_s]
        for act in due:
            act()

    @staticmethod
    def _end() -> None:
        raise Over


@pytest.fixture
def machine(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(store, tmp_path / "data", monkeypatch)


def closed(seal: Seal, plain: bytes = b"Asha Devi") -> bytes:
    return seal.close("profile", "f", "r", plain)


def opened(seal: Seal, sealed: bytes) -> bytes:
    return seal.open("profile", "f", "r", sealed)


@pytest.mark.parametrize("off", OFF)
async def test_a_scan_is_sealed_whenever_the_clock_is_set_and_opens_while_it_stays_so(
    machine: Machine, off: str
) -> None:
    seal = await machine.start()
    for off_s in (OFF[off], 0):
        machine.set_clock(off_s)
        assert opened(seal, closed(seal)) == b"Asha Devi"
        await machine.run(seal, 10)
        assert seal.has_todays_key
        assert opened(seal, closed(seal)) == b"Asha Devi"


@pytest.mark.parametrize("wrong_s", [300, 6 * HOUR_S])
@pytest.mark.parametrize("off", OFF)
async def test_a_clock_that_is_wrong_for_hours_closes_no_profile(machine: Machine, off: str, wrong_s: int) -> None:
    await machine.ran_the_days_before()
    seal = await machine.start()
    before = closed(seal)
    machine.later(60, lambda: machine.set_clock(OFF[off]))
    await machine.run(seal, wrong_s)
    assert opened(seal, before) == b"Asha Devi", "staff read it meanwhile"
    machine.set_clock(0)
    await machine.run(seal, 3 * SEAL_REFRESH_S)
    assert opened(seal, before) == b"Asha Devi"
    assert opened(await machine.start(), before) == b"Asha Devi"


@pytest.mark.parametrize("wrong_s", [300, 6 * HOUR_S])
@pytest.mark.parametrize("off", OFF)
async def test_a_clock_that_is_wrong_at_the_start_closes_no_profile(machine: Machine, off: str, wrong_s: int) -> None:
    await machine.ran_the_days_before()
    before = closed(await machine.start())
    machine.set_clock(OFF[off])
    seal = await machine.start()
    await machine.run(seal, wrong_s)
    assert opened(seal, before) == b"Asha Devi", "staff read it meanwhile"
    machine.set_clock(0)
    await machine.run(seal, 3 * SEAL_REFRESH_S)
    assert opened(seal, before) == b"Asha Devi"


@pytest.mark.parametrize("synchronized", [False, True])
async def test_a_wrong_clock_beside_a_store_with_another_one_erases_nothing_however_long(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, synchronized: bool
) -> None:
    monkeypatch.setattr(key_upkeep, "is_synchronized", lambda: synchronized)
    machine.store_is_elsewhere = True
    machine.retention_h = 2
    before = closed(await machine.start())
    machine.set_clock(OFF["ten years ahead"])
    seal = await machine.start()
    await machine.run(seal, 3 * HOUR_S)
    assert opened(seal, before) == b"Asha Devi"


@pytest.mark.parametrize("off", OFF)
async def test_after_a_day_with_a_wrong_clock_the_kiosk_starts_and_seals(machine: Machine, off: str) -> None:
    machine.set_clock(OFF[off])
    await machine.run(await machine.start(), DAY_S)
    machine.set_clock(0)
    seal = await machine.start()
    assert opened(seal, closed(seal)) == b"Asha Devi"
    await machine.run(seal, 3 * SEAL_REFRESH_S)
    assert opened(seal, closed(seal)) == b"Asha Devi"


async def test_days_that_really_passed_are_erased_after_a_quarter_of_an_hour(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_upkeep, "is_synchronized", lambda: True)
    before = closed(await machine.start())
    machine.ran_s += 3 * DAY_S  # switched off
    seal = await machine.start()
    with pytest.raises(SealBroken):
        opened(seal, before)
    assert NOW_S // DAY_S in await machine.keys.all()
    await machine.run(seal, SEAL_REFRESH_S + 5)
    assert NOW_S // DAY_S not in await machine.keys.all()
    assert machine.keys_on_disk.load().masters[0].for_day(NOW_S // DAY_S) is None


async def test_without_a_time_service_the_days_before_this_one_prove_that_the_retention_is_over(
    machine: Machine,
) -> None:
    before = closed(await machine.start())
    for _ in range(3):  # a PC that is switched off each night, and asks no gateway
        machine.ran_s += DAY_S
        seal = await machine.start()
    await machine.run(seal, SEAL_REFRESH_S + 5)
    assert NOW_S // DAY_S not in await machine.keys.all()
    with pytest.raises(SealBroken):
        opened(seal, before)


async def test_after_a_gap_the_retention_itself_proves_that_it_is_over(machine: Machine) -> None:
    before = closed(await machine.start())
    machine.ran_s += 10 * DAY_S
    seal = await machine.start()
    await machine.run(seal, SEAL_REFRESH_S + 5)
    assert opened(seal, before) == b"Asha Devi"
    await machine.run(seal, DAY_S + 2 * SEAL_REFRESH_S)
    assert NOW_S // DAY_S not in await machine.keys.all()
    with pytest.raises(SealBroken):
        opened(seal, before)
