"""The key ring's file: whole, private, and the same for everybody."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.security import keyring_file
from kiosk.security.keyring_file import KeysOnDisk, KeysUnreadable
from tokens.keyring import KeyRing

NOW_S = 1_780_000_000
DAY_S = 86_400


@pytest.fixture
def keys(tmp_path: Path) -> KeysOnDisk:
    return KeysOnDisk(tmp_path / "data")


def test_the_first_use_makes_a_private_ring_and_later_uses_read_it(keys: KeysOnDisk) -> None:
    ring = keys.load_or_create(NOW_S)
    assert keys.path.stat().st_mode & 0o777 == 0o600
    assert keys.path.parent.stat().st_mode & 0o777 == 0o700
    assert keys.load_or_create(NOW_S + 9) == ring == keys.load()


def test_a_ring_that_forgot_today_while_the_clock_ran_ahead_is_given_a_master_for_today(keys: KeysOnDisk) -> None:
    keys.load_or_create(NOW_S)
    keys.forget_days(NOW_S + 3650 * DAY_S, DAY_S)
    found: list[bytes] = []
    in_threads(8, lambda: found.append(keys.load_or_create(NOW_S).to_json()))
    assert set(found) == {keys.load().to_json()}
    ring = keys.load()
    assert ring.seal_masters()[ring.seal_master_id].for_day(NOW_S // DAY_S)


def in_threads(count: int, act: Callable[[], object]) -> None:
    threads = [threading.Thread(target=act) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_processes_that_start_at_once_share_one_ring(keys: KeysOnDisk) -> None:
    found: list[bytes] = []
    in_threads(16, lambda: found.append(keys.load_or_create(NOW_S).to_json()))
    assert len(found) == 16
    assert len(set(found)) == 1


def test_no_rotation_is_lost_when_two_people_rotate_at_once(keys: KeysOnDisk) -> None:
    first = keys.load_or_create(NOW_S)
    in_threads(8, lambda: keys.change(lambda ring: ring.rotate(NOW_S + 1), NOW_S + 1))
    ring = keys.load()
    assert first.signing.kid in {generation.kid for generation in ring.believed}
    assert len(ring.believed) == 2 + 8


def test_a_ring_that_others_can_read_is_refused(keys: KeysOnDisk) -> None:
    keys.load_or_create(NOW_S)
    keys.path.chmod(0o640)
    with pytest.raises(KeysUnreadable, match="chmod 600"):
        keys.load_or_create(NOW_S)


def test_a_damaged_ring_is_never_replaced_by_a_new_one(keys: KeysOnDisk) -> None:
    secret = keys.load_or_create(NOW_S).to_json()
    keys.path.write_bytes(secret[:-40])
    with pytest.raises(KeysUnreadable) as caught:
        keys.load_or_create(NOW_S)
    assert "\n" not in str(caught.value)
    assert keys.path.read_bytes() == secret[:-40]


def test_a_change_that_fails_leaves_the_ring_as_it_was(keys: KeysOnDisk) -> None:
    ring = keys.load_or_create(NOW_S)

    def fail(_: KeyRing) -> KeyRing:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        keys.change(fail, NOW_S)
    assert keys.load() == ring
    assert sorted(os.listdir(keys.path.parent)) == [keyring_file.FILE, keyring_file.LOCK_FILE]


@pytest.mark.anyio
async def test_a_running_process_notices_a_rotation(keys: KeysOnDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring_file, "LOOK_EVERY_S", 0.01)
    keys.load_or_create(NOW_S)
    changes = keys.changes()
    coming = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0.05)
    assert not coming.done()
    keys.path.write_bytes(b"half a ri")  # a file in the middle of a restore is not believed
    await asyncio.sleep(0.05)
    keys.path.unlink()
    rotated = keys.change(lambda ring: ring.rotate(NOW_S + 1), NOW_S + 1)
    assert await asyncio.wait_for(coming, 10) == rotated
