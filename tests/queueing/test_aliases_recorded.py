"""A further id of a facility stands in that facility's audit: who let it lead there, and who removed it."""

import pytest

from queueing.audit import Actor, Audit
from queueing.errors import StoreAway
from queueing.registry import Registry, UnknownFacility
from queueing.store.store import Store
from tests.queueing.a_facility import HIP, build

pytestmark = pytest.mark.anyio
OPERATOR = Actor(login="root", address="here")


async def acts(store: Store) -> list[tuple[str, str, str, str]]:
    """(kind, login, address, why), oldest first."""
    entries = reversed(await Audit(store).read(HIP))
    return [(one.kind, one.by, one.address, one.why) for one in entries]


async def test_an_alias_and_its_removal_are_recorded_at_the_facility(store: Store) -> None:
    await build(store)
    before = len(await acts(store))
    registry = Registry(store, OPERATOR)
    await registry.put_alias(f"{HIP}_1", HIP)
    await registry.put_alias(f"{HIP}_1", "")
    assert (await acts(store))[before:] == [
        ("admin_alias", "root", "here", f"{HIP}_1"),
        ("admin_alias-forgotten", "root", "here", f"{HIP}_1"),
    ]
    assert await registry.aliases() == {}


async def test_what_changes_nothing_is_not_recorded(store: Store) -> None:
    await build(store)
    before = await acts(store)
    registry = Registry(store, OPERATOR)
    with pytest.raises(UnknownFacility):
        await registry.put_alias("IN99_1", "IN99")
    with pytest.raises(UnknownFacility):
        await registry.put_alias(HIP, HIP)
    await registry.put_alias("nobody's", "")
    assert await acts(store) == before


async def test_an_alias_that_cannot_be_recorded_is_not_made(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await build(store)

    async def away(*_: object, **__: object) -> None:
        raise StoreAway

    monkeypatch.setattr(Audit, "record", away)
    with pytest.raises(StoreAway):
        await Registry(store, OPERATOR).put_alias(f"{HIP}_1", HIP)
    assert await Registry(store).aliases() == {}
