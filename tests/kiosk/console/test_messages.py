"""The desk's scripts find every sentence that they show."""

import re

from kiosk.console.messages import SCREEN
from kiosk.web.static_files import FOLDER


def test_every_sentence_that_a_script_names_is_there() -> None:
    scripts = sorted((FOLDER / "console").glob("*.js"))
    names = {name for path in scripts for name in re.findall(r"\bwords\.([a-z_]+)", path.read_text(encoding="utf-8"))}
    assert {"cancel_sure", "slip_found", "failed"} <= names
    assert sorted(names - SCREEN.keys()) == []
