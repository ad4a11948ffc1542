"""Sealed bodies open only where they belong, and not after their day was erased."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.security.encryption import DAY_S, Seal, SealBroken
from queueing.day_keys import DayKeys
from queueing.store.store import Store
from tokens import KeyRing

pytestmark = pytest.mark.anyio
NOW_S = 1_795_000_000


class Clock:
    now_s = NOW_S

    def __call__(self) -> int:
        return self.now_s


RING = KeyRing.generate(NOW_S)


def seal_of(ring: KeyRing, clock: Clock, retention_h: int = 24) -> Seal:
    return Seal(ring.seal_masters(), ring.seal_master_id, now_s=clock, retention_h=retention_h)


@pytest.fixture
async def seal(store: Store) -> Seal:
    made = seal_of(RING, Clock())
    await made.refresh(DayKeys(store))
    return made


@pytest.mark.parametrize("length", [0, 1, 700, 65_536])
async def test_what_was_closed_opens(seal: Seal, length: int) -> None:
    plain = (b'{"name":"Asha Devi"}' * (length // 20 + 1))[:length]
    assert seal.open("profile", "f", "r", seal.close("profile", "f", "r", plain)) == plain


async def test_nothing_of_it_shows(seal: Seal) -> None:
    sealed = seal.close("profile", "f", "r", b"Asha Devi 91-0000-4444-1111" * 20)
    assert b"Asha" not in sealed
    assert b"4444" not in sealed


@pytest.mark.parametrize("elsewhere", [("note", "f", "r"), ("profile", "g", "r"), ("profile", "f", "s")])
async def test_it_does_not_open_elsewhere(seal: Seal, elsewhere: tuple[str, str, str]) -> None:
    sealed = seal.close("profile", "f", "r", b"Asha Devi")
    with pytest.raises(SealBroken):
        seal.open(*elsewhere, sealed)


async def test_one_changed_bit_breaks_it(seal: Seal) -> None:
    sealed = seal.close("profile", "f", "r", b"Asha Devi" * 30)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(SealBroken):
            seal.open("profile", "f", "r", bytes(changed))


@given(st.binary(max_size=200))
async def test_noise_does_not_open(noise: bytes) -> None:
    with pytest.raises(SealBroken):
        seal_of(RING, Clock()).open("profile", "f", "r", noise)


async def test_other_processes_and_rotated_rings_open_what_was_closed(store: Store, seal: Seal) -> None:
    sealed = seal.close("profile", "f", "r", b"Asha Devi")
    other = seal_of(RING.rotate(NOW_S + 2 * DAY_S), Clock())
    await other.refresh(DayKeys(store))
    assert other.open("profile", "f", "r", sealed) == b"Asha Devi"


async def test_two_processes_that_start_at_once_agree_on_the_days_key(store: Store) -> None:
    one, two = seal_of(RING, Clock()), seal_of(RING, Clock())
    await one.refresh(DayKeys(store))
    await two.refresh(DayKeys(store))
    assert two.open("note", "f", "r", one.close("note", "f", "r", b"note")) == b"note"


async def test_tomorrow_is_ready_before_it_begins(store: Store) -> None:
    clock = Clock()
    seal = seal_of(RING, clock)
    await seal.refresh(DayKeys(store))
    clock.now_s += DAY_S
    assert seal.close("note", "f", "r", b"note")


async def test_after_its_retention_a_day_is_erased(store: Store) -> None:
    clock = Clock()
    seal = seal_of(RING, clock)
    await seal.refresh(DayKeys(store))
    sealed = seal.close("profile", "f", "r", b"Asha Devi")
    clock.now_s += DAY_S
    await seal.refresh(DayKeys(store))
    assert seal.open("profile", "f", "r", sealed) == b"Asha Devi"
    clock.now_s += DAY_S
    await seal.refresh(DayKeys(store))
    with pytest.raises(SealBroken):
        seal.open("profile", "f", "r", sealed)
    fresh = seal_of(RING, clock)
    await fresh.refresh(DayKeys(store))
    with pytest.raises(SealBroken):
        fresh.open("profile", "f", "r", sealed)


async def test_no_nonce_comes_twice(seal: Seal) -> None:
    nonces = {seal.close("note", "f", "r", b"")[3:15] for _ in range(20_000)}
    assert len(nonces) == 20_000
