"""Keys of other programs: found by their text alone, revoked everywhere within five seconds, recorded in the audit."""

from typing import Any

import pytest

from queueing import library
from queueing.api_keys import KNOWN_S, USED_EACH_S, ApiKeys, Scope
from queueing.audit import Audit
from queueing.redis_keys import STAFF_SLOT
from queueing.store.store import Store
from tests.queueing.a_facility import HIP

pytestmark = pytest.mark.anyio


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def test_a_key_is_found_by_its_text_and_by_no_other(store: Store) -> None:
    keys = ApiKeys(store)
    key, text = await keys.add("HIS", HIP, [Scope.TICKETS_READ, Scope.PROFILES_READ], by="asha")
    assert await keys.find(text) == key
    assert key.scopes == (Scope.PROFILES_READ, Scope.TICKETS_READ)
    other = text[:-1] + ("A" if text[-1] != "A" else "B")
    for wrong in (other, text[:-1], text + "A", "", "kiosk_", text.replace(key.id, "0123456789")):
        assert await keys.find(wrong) is None


async def test_the_store_has_no_text_of_a_key(store: Store) -> None:
    keys = ApiKeys(store)
    key, text = await keys.add("HIS", HIP, [Scope.TICKETS_READ], by="asha")
    stored: Any = await store.call("staff:{staff}:apikeys", "HGET", "staff:{staff}:apikeys", key.id)
    secret = text.removeprefix(f"kiosk_{key.id}_").encode()
    assert secret not in stored


async def test_a_key_is_for_its_facility_or_for_all(store: Store) -> None:
    keys = ApiKeys(store)
    one, _ = await keys.add("HIS", HIP, [Scope.TICKETS_READ], by="asha")
    every, _ = await keys.add("State", "*", [Scope.TICKETS_READ], by="asha")
    assert one.may_see(HIP)
    assert not one.may_see("IN0110000999")
    assert every.may_see(HIP)
    assert [key.id for key, _ in await keys.of(HIP)] == [one.id]
    assert {key.id for key, _ in await keys.of()} == {one.id, every.id}


async def test_another_process_takes_a_revoked_key_for_less_than_five_seconds(store: Store) -> None:
    clock = Clock()
    here, there = ApiKeys(store), ApiKeys(store, clock_s=clock)
    key, text = await here.add("HIS", HIP, [Scope.TICKETS_READ], by="asha")
    assert await there.find(text) == key
    assert await here.revoke(key.id, by="asha") == key
    clock.now_s += KNOWN_S
    assert KNOWN_S < 5
    assert await there.find(text) is None
    assert await here.revoke(key.id, by="asha") is None
    assert await here.of(HIP) == []


async def test_a_key_that_is_known_costs_no_call_to_the_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    keys = ApiKeys(store, clock_s=clock)
    key, text = await keys.add("HIS", HIP, [Scope.TICKETS_READ], by="asha")
    await keys.find(text)

    async def no_call(*_: object) -> None:
        raise AssertionError("the store was called")

    monkeypatch.setattr(store, "call", no_call)
    assert await keys.find(text) == key


async def test_the_last_use_is_written_once_a_minute(store: Store) -> None:
    clock = Clock()
    keys = ApiKeys(store, clock_s=clock)
    key, text = await keys.add("HIS", HIP, [Scope.TICKETS_READ], by="asha")
    assert (await keys.of(HIP))[0][1] == 0
    await keys.find(text)
    assert (await keys.of(HIP))[0][1] >= key.made_s
    used = "staff:{staff}:apikeys:used"
    await store.call(used, "HSET", used, key.id, 1)
    clock.now_s += USED_EACH_S - 1
    await keys.find(text)
    assert (await keys.of(HIP))[0][1] == 1
    clock.now_s += 1
    await keys.find(text)
    assert (await keys.of(HIP))[0][1] >= key.made_s


async def test_a_use_that_comes_after_the_revocation_leaves_nothing(store: Store) -> None:
    keys = ApiKeys(store)
    key, _ = await keys.add("HIS", HIP, [Scope.TICKETS_READ], by="asha")
    assert await library.call(store, "api_keys_used", STAFF_SLOT, key.id, 1) == 1
    await keys.revoke(key.id, by="asha")
    assert await library.call(store, "api_keys_used", STAFF_SLOT, key.id, 2) == 0
    assert await store.call("staff:{staff}:apikeys:used", "EXISTS", "staff:{staff}:apikeys:used") == 0


async def test_only_the_own_facility_revokes(store: Store) -> None:
    keys = ApiKeys(store)
    key, text = await keys.add("HIS", HIP, [Scope.TICKETS_READ], by="asha")
    every, _ = await keys.add("State", "*", [Scope.TICKETS_READ], by="asha")
    assert await keys.revoke(key.id, by="asha", within="IN0110000999") is None
    assert await keys.revoke(every.id, by="asha", within=HIP) is None
    assert await keys.find(text) == key
    assert await keys.revoke(key.id, by="asha", within=HIP) == key


async def test_the_audit_has_who_made_and_who_revoked(store: Store) -> None:
    keys = ApiKeys(store)
    key, text = await keys.add("HIS", HIP, [Scope.TICKETS_READ], by="asha", address="10.1.2.3")
    await keys.revoke(key.id, by="imran")
    entries = [(one.kind, one.by, one.address, one.why) for one in await Audit(store).read(HIP)]
    assert entries == [
        ("api_key_revoked", "imran", "", f"api:{key.id}"),
        ("api_key_added", "asha", "10.1.2.3", f"api:{key.id} tickets:read"),
    ]
    assert text not in repr(entries)
