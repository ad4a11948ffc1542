"""The console's scripts find every sentence that they show."""

import re
from collections.abc import Mapping

from kiosk.console import poster_messages
from kiosk.console.desk_messages import DESK
from kiosk.console.messages import SCREEN
from kiosk.console.voice_messages import PAGE
from kiosk.web.static_files import FOLDER

OWN: dict[str, Mapping[str, object]] = {
    "colleagues": DESK,
    "list": {**SCREEN, **DESK},
    "pending_moves": DESK,
    "poster_check": poster_messages.SCREEN,
    "voice": PAGE,
}
"""Script → its table, where it is not the desk's."""


def test_every_sentence_that_a_script_names_is_there() -> None:
    for path in sorted((FOLDER / "console").glob("*.js")):
        names = set(re.findall(r"\bmessages\.([a-z_]+)", path.read_text(encoding="utf-8")))
        assert sorted(names - OWN.get(path.stem, SCREEN).keys()) == [], path.name
        assert names or path.stem not in {"desk", *OWN}
