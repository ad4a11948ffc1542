"""Phones of tickets: bounded for a ticket and for a facility, replaced by the same browser, never brought back."""

import time

import pytest

from queueing import push_phones
from queueing.push_phones import Phone, PushPhones, Stored
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, arrival, build, open_desk

pytestmark = pytest.mark.anyio

NOW_MS = int(time.time() * 1000)


def phone(name: str, *, near: int = 0, until_ms: int = NOW_MS + 3_600_000) -> Phone:
    return Phone(name, until_ms, "sealed", near, "kid", "ks", calls=0)


async def tickets(store: Store, count: int) -> list[str]:
    await build(store)
    return [(await open_desk(store).enqueue(arrival())).ticket for _ in range(count)]


async def test_a_ticket_has_four_phones_at_most_and_the_same_browser_once(store: Store) -> None:
    [ticket] = await tickets(store, 1)
    phones = PushPhones(store)
    for name in ("a", "b", "c", "d", "e"):
        assert await phones.put(HIP, ticket, phone(name)) is Stored.DONE
    assert await phones.put(HIP, ticket, phone("c", near=3)) is Stored.DONE
    stored = (await phones.of(HIP))[ticket]
    assert [(one.id, one.near) for one in stored] == [("b", 0), ("d", 0), ("e", 0), ("c", 3)]
    assert await phones.facilities(NOW_MS) == [HIP]
    assert await phones.facilities(NOW_MS + 3_600_001) == []


async def test_a_full_facility_takes_no_more_until_pages_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_phones, "FACILITY_MAX", 2)
    first, second, third = await tickets(store, 3)
    phones = PushPhones(store)
    for ticket in (first, second):
        await phones.put(HIP, ticket, phone("a"))
    assert await phones.put(HIP, third, phone("a")) is Stored.FULL
    assert await phones.put(HIP, first, phone("b")) is Stored.DONE, "a ticket that has phones may have another"
    assert await phones.put(HIP, second, phone("a", until_ms=NOW_MS - 1)) is Stored.DONE
    assert await phones.put(HIP, third, phone("a")) is Stored.DONE
    assert set(await phones.of(HIP)) == {first, third}
    assert await phones.put(HIP, "9-9", phone("a")) is Stored.UNKNOWN_TICKET


async def test_what_a_phone_knows_is_remembered_and_a_forgotten_one_stays_forgotten(store: Store) -> None:
    [ticket] = await tickets(store, 1)
    phones = PushPhones(store)
    await phones.put(HIP, ticket, phone("a"))
    await phones.put(HIP, ticket, phone("b"))
    await phones.mark(HIP, ticket, "a", calls=2, warned=True)
    assert [(one.calls, one.warned) for one in (await phones.of(HIP))[ticket]] == [(2, 1), (0, 0)]
    assert await phones.forget(HIP, ticket, "a")
    assert not await phones.forget(HIP, ticket, "a")
    await phones.mark(HIP, ticket, "a", calls=3, warned=False)
    assert [one.id for one in (await phones.of(HIP))[ticket]] == ["b"]
    assert await phones.forget(HIP, ticket)
    assert await phones.of(HIP) == {}
