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
async def test_a_sealed_envelope_opens(seal: Seal, length: int) -> None:
    plain = (b'{"name":"Asha Devi"}' * (length // 20 + 1))[:length]
    assert seal.open("profile", "f", "r", seal.close("profile", "f", "r", plain)) == plain


async def test_a_sealed_envelope_shows_nothing_of_its_content(seal: Seal) -> None:
    sealed = seal.close("profile", "f", "r", b"Asha Devi 91-0000-4444-1111" * 20)
    assert b"Asha" not in sealed
    assert b"4444" not in sealed


@pytest.mark.parametrize("elsewhere", [("note", "f", "r"), ("profile", "g", "r"), ("profile", "f", "s")])
async def test_an_envelope_does_not_open_for_another_purpose_facility_or_request(
    seal: Seal, elsewhere: tuple[str, str, str]
) -> None:
    sealed = seal.close("profile", "f", "r", b"Asha Devi")
    with pytest.raises(SealBroken):
        seal.open(*elsewhere, sealed)


async def test_an_envelope_with_one_changed_bit_does_not_open(seal: Seal) -> None:
    sealed = seal.close("profile", "f", "r", b"Asha Devi" * 30)
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(SealBroken):
            seal.open("profile", "f", "r", bytes(changed))


@given(st.binary(max_size=200))
async def test_random_bytes_do_not_open(noise: bytes) -> None:
    with pytest.raises(SealBroken):
        seal_of(RING, Clock()).open("profile", "f", "r", noise)


async def test_other_processes_and_rotated_rings_open_an_envelope(store: Store, seal: Seal) -> None:
    sealed = seal.close("profile", "f", "r", b"Asha Devi")
    other = seal_of(RING.rotate(NOW_S + 2 * DAY_S), Clock())
    await other.refresh(DayKeys(store))
    assert other.open("profile", "f", "r", sealed) == b"Asha Devi"


async def test_two_processes_that_start_at_once_agree_on_the_days_key(store: Store) -> None:
    one, two = seal_of(RING, Clock()), seal_of(RING, Clock())
    await one.refresh(DayKeys(store))
    await two.refresh(DayKeys(store))
    assert two.open("note", "f", "r", one.close("note", "f", "r", b"note")) == b"note"


async def test_the_key_of_tomorrow_is_made_a_day_ahead(store: Store) -> None:
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


async def test_copies_of_the_store_and_of_todays_ring_do_not_open_a_day_whose_retention_is_over(store: Store) -> None:
    clock = Clock()
    ring = RING.forget_days(NOW_S, DAY_S)
    seal = seal_of(ring, clock)
    await seal.refresh(DayKeys(store))
    sealed = seal.close("profile", "f", "r", b"Asha Devi")
    copied = await DayKeys(store).all()
    later_s = NOW_S + 3 * DAY_S
    clock.now_s = later_s
    await seal.refresh(DayKeys(store))
    assert not copied.keys() & (await DayKeys(store).all()).keys() - {NOW_S // DAY_S + 1}

    assert thief_opens(ring, copied, sealed) == b"Asha Devi", "the ring of that day opens it: that is not promised"
    assert thief_opens(ring.forget_days(later_s, DAY_S), copied, sealed) is None


def thief_opens(ring: KeyRing, wrapped: dict[int, bytes], sealed: bytes) -> bytes | None:
    """What opens with this ring and a copy of the wrapped keys, for somebody who ignores every clock."""
    thief = seal_of(ring, Clock())
    keys = {number: key for number, value in wrapped.items() if (key := thief._unwrap(number, value))}
    thief._keys = keys
    try:
        return thief.open("profile", "f", "r", sealed)
    except SealBroken:
        return None


async def test_after_a_theft_new_profiles_do_not_open_with_the_stolen_ring_and_old_ones_open_with_the_new(
    store: Store,
) -> None:
    clock = Clock()
    seal = seal_of(RING, clock)
    await seal.refresh(DayKeys(store))
    before = seal.close("profile", "f", "r", b"Asha Devi")
    clean = RING.revoke_all(NOW_S)
    seal.use(clean.seal_masters(), clean.seal_master_id)
    await seal.refresh(DayKeys(store), announce=True)
    assert thief_opens(RING, await DayKeys(store).all(), seal.close("profile", "f", "r", b"x")) == b"x"
    await seal.refresh(DayKeys(store))
    after = seal.close("profile", "f", "r", b"Ravi Kumar")
    stolen_and_all_keys = await DayKeys(store).all()
    assert thief_opens(RING, stolen_and_all_keys, before) == b"Asha Devi", "what the thief had is lost"
    assert thief_opens(RING, stolen_and_all_keys, after) is None
    other = seal_of(clean, clock)
    await other.refresh(DayKeys(store))
    assert other.open("profile", "f", "r", before) == b"Asha Devi"
    assert other.open("profile", "f", "r", after) == b"Ravi Kumar"


async def test_a_process_with_an_older_ring_keeps_sealing_with_the_keys_it_can_open(store: Store) -> None:
    old = seal_of(RING, Clock())
    await old.refresh(DayKeys(store))
    clean = RING.revoke_all(NOW_S)
    await seal_of(clean, Clock()).refresh(DayKeys(store))
    await old.refresh(DayKeys(store))
    assert old.open("note", "f", "r", old.close("note", "f", "r", b"note")) == b"note"


async def test_no_nonce_is_used_twice(seal: Seal) -> None:
    nonces = {seal.close("note", "f", "r", b"")[3:15] for _ in range(20_000)}
    assert len(nonces) == 20_000


async def test_with_another_key_ring_new_envelopes_are_sealed_and_old_ones_stay_closed(
    store: Store, seal: Seal
) -> None:
    before = seal.close("note", "f", "r", b"before")
    other = seal_of(KeyRing.generate(NOW_S), Clock())
    await other.refresh(DayKeys(store))
    assert other.lost_days == [NOW_S // DAY_S, NOW_S // DAY_S + 1]
    assert other.open("note", "f", "r", other.close("note", "f", "r", b"after")) == b"after"
    with pytest.raises(SealBroken):
        other.open("note", "f", "r", before)
    await other.refresh(DayKeys(store))
    assert other.lost_days == [], "told once"
    assert other.closed_days(await DayKeys(store).all()) == [NOW_S // DAY_S, NOW_S // DAY_S + 1]
    await seal.refresh(DayKeys(store))
    assert seal.open("note", "f", "r", before) == b"before"
