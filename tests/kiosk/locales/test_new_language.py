"""``make words ARGS=xx``: a language begins with a file of its own."""

import shutil
import subprocess
import sys
from pathlib import Path
from unicodedata import decimal

import pytest

from tests.kiosk.locales.catalogues import ROOT, header

ROOMS = ("kiosk", "queueing", "tokens", "tests")


SCHEDULED = (
    "as", "bn", "brx", "doi", "gu", "hi", "kn", "kok", "ks", "mai", "ml", "mni", "mr", "ne", "or", "pa", "sa", "sat",
    "sd", "ta", "te", "ur",
)  # fmt: skip
"""The languages of the Eighth Schedule of India's constitution."""


@pytest.mark.parametrize("code", SCHEDULED)
def test_every_scheduled_language_has_its_own_name_and_ten_digits(code: str) -> None:
    facts = header(code, {})
    assert facts["X-Language-Name"]
    assert [decimal(digit) for digit in facts["X-Digits"]] == list(range(10))


def words(copy: Path, code: str) -> "subprocess.CompletedProcess[str]":
    """Run the program in a copy of the tree."""
    command = [sys.executable, "-m", "tests.kiosk.locales.catalogues", code]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_new_language_gets_its_file_and_an_unknown_one_leaves_nothing_behind(tmp_path: Path) -> None:
    unread = shutil.ignore_patterns("__pycache__", "static", "samples")
    for room in ROOMS:
        shutil.copytree(ROOT.parent / room, tmp_path / room, ignore=unread)
    shutil.copytree(ROOT / "static", tmp_path / "kiosk" / "static")
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT.parent / "docs" / "languages.md", tmp_path / "docs")
    made = words(tmp_path, "mr")
    assert made.returncode == 0, made.stderr
    text = (tmp_path / "kiosk" / "locales" / "mr" / "LC_MESSAGES" / "kiosk.po").read_text("utf-8")
    assert '"X-Language-Name: मराठी\\n"' in text
    assert 'msgctxt "board.closed"' in text
    refused = words(tmp_path, "zz")
    assert refused.returncode == 2
    assert "no language 'zz'" in refused.stderr
    assert not (tmp_path / "kiosk" / "locales" / "zz").exists()
