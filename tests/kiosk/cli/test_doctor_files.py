"""``kiosk doctor`` on file modes, secrets in files and root."""

import json
import os
from pathlib import Path

from tests.kiosk.in_process import kiosk


def rows(folder: Path, config: str = "") -> list[tuple[str, str, str]]:
    done = kiosk(folder, "doctor", "--json", KIOSK_CONFIG=config)
    return [(row["what"], row["verdict"], row["words"]) for row in json.loads(done.stdout)]


def test_files_that_others_may_read_are_wrong_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert kiosk(folder, "keys", "list").returncode == 0
    assert not [row for row in rows(folder) if row[0] == "files"]
    assert ("user" in [what for what, _, _ in rows(folder)]) == (os.geteuid() == 0)
    (folder / "keyring.json").chmod(0o644)
    config = tmp_path / "kiosk.toml"
    config.write_text("port = 8000\n")
    config.chmod(0o604)
    wrong = [row for row in rows(folder, str(config)) if row[0] == "files"]
    assert [verdict for _, verdict, _ in wrong] == ["wrong", "wrong"]
    assert "keyring.json" in wrong[0][2]
    assert "KIOSK_CONFIG" in wrong[1][2]
