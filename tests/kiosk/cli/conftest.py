"""A served data folder for the commands that need one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kiosk.in_process import kiosk
from tests.kiosk.process_tree import serving


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose ``kiosk serve`` runs, with one facility and one queue. All files of this folder share it:
    what a test adds has names of its own.
    """
    data_dir = tmp_path_factory.mktemp("home") / "data"
    assert kiosk(data_dir, "facility", "add", "IN01", "--name", "District Hospital").returncode == 0
    added = kiosk(
        data_dir, "queue", "add", "IN01", "medicine", "--name", "Medicine", "--prefix", "m", "--counters", "3"
    )
    assert added.returncode == 0
    with serving(data_dir) as tree:
        tree.ready()
        yield data_dir
