"""``kiosk store``: what an operator types after a start was refused for a damaged journal."""

import json
import re
from pathlib import Path

from queueing.embedded.data_folder import FolderLock
from tests.kiosk.process_tree import kiosk


def damage_the_middle(folder: Path) -> None:
    [file] = (folder / "appendonlydir").glob("*.incr.*")
    data = file.read_bytes()
    place = data.rindex(b"MULTI") - 20  # within the command before the last transaction
    file.write_bytes(data[:place] + bytes(64) + data[place + 64 :])


def test_the_command_that_a_refused_start_names_makes_it_start(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for number in range(3):
        assert kiosk(folder, "facility", "add", f"IN0{number}", "--name", f"Hospital {number}").returncode == 0
    assert kiosk(folder, "store", "check").returncode == 0
    damage_the_middle(folder)
    refused = kiosk(folder, "facility", "list")
    assert refused.returncode == 1
    named = re.search(r"`kiosk (store repair)`", refused.stderr)
    assert named
    assert refused.stderr.count("\n") == 1
    checked = kiosk(folder, "store", "check")
    assert checked.returncode == 1
    assert "cannot be read from byte" in checked.stdout

    lock = FolderLock(folder)
    assert lock.take(brief=False)
    in_use = kiosk(folder, *named[1].split())
    lock.release()
    assert "stop the service first" in in_use.stderr

    repaired = kiosk(folder, *named[1].split())
    assert repaired.returncode == 0
    assert "cut there, the rest is in" in repaired.stdout
    assert kiosk(folder, "facility", "list").returncode == 0
    assert len(json.loads(kiosk(folder, "store", "check", "--json").stdout)["set_aside"]) >= 1
    rows = json.loads(kiosk(folder, "doctor", "--json").stdout)
    assert any(row["what"] == "journal" and "set aside" in row["words"] for row in rows)


def test_the_journal_of_a_store_of_your_own_is_not_ours_to_repair(tmp_path: Path) -> None:
    done = kiosk(tmp_path / "data", "store", "repair", KIOSK_REDIS_URL="redis://127.0.0.1:1")
    assert done.returncode == 1
    assert "KIOSK_REDIS_URL is set" in done.stderr
