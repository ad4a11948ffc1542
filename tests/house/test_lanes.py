"""A lane stands in one table, ``queueing/lanes.py``. What cannot be made from it is compared with it here."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.pofile import read_po

from kiosk.api.shapes import LaneWord
from queueing.lanes import LANES, REASONS, Lane, LaneRow

ROOT = Path(__file__).parents[2]
STAFF_CATALOGUES = sorted((ROOT / "kiosk" / "locales").glob("*/LC_MESSAGES/staff.po"))
WORD_MAX = 16
"""Characters of the archive's column (``kiosk/archive/schema.py``)."""


def read(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def has_its_colours(word: str, _row: LaneRow) -> bool:
    rule = re.search(rf"^\.lane\.{word} {{(.*?)}}", read("kiosk/static/console/controls.css"), re.MULTILINE | re.DOTALL)
    return rule is not None and all(
        f"  --{name}:" in read("kiosk/static/console/base.css") for name in re.findall(r"var\(--([\w-]+)\)", rule[1])
    )


def is_counted_by_the_archive(word: str, _row: LaneRow) -> bool:
    migrations = (ROOT / "kiosk/archive/migrations/versions").glob("*.py")
    return len(word) <= WORD_MAX and any(
        re.search(rf"\blane_{word}\b", migration.read_text("utf-8")) for migration in migrations
    )


def is_translated(_word: str, row: LaneRow) -> bool:
    return all(translates(catalogue, row.label, row.who) for catalogue in STAFF_CATALOGUES)


def translates(catalogue: Path, *sentences: str) -> bool:
    with catalogue.open("rb") as file:
        messages = read_po(file)
    found = [messages.get(sentence) for sentence in sentences]
    return all(message is not None and message.string and not message.fuzzy for message in found)


def is_named_for_integrators(word: str, _row: LaneRow) -> bool:
    line = re.search(r"^\| `lane`: ([\w, ]*)", read("docs/hmis.md"), re.MULTILINE)
    return line is not None and word in re.findall(r"\w+", line[1])


def has_its_minutes_in_the_story(_word: str, row: LaneRow) -> bool:
    story = read("docs/how-a-scan-travels.md")
    return row.is_emergency or not row.head_start_min or bool(re.search(rf"\b{row.head_start_min}\sminutes", story))


def can_be_chosen(word: str, _row: LaneRow) -> bool:
    return word == Lane.ORDINARY.word or word in {reason.lane.word for reason in REASONS.values()}


PLACES: dict[str, Callable[[str, LaneRow], bool]] = {
    "queueing/lanes.py: a reason in REASONS that leads to it": can_be_chosen,
    "kiosk/api/shapes.py: its word in LaneWord": lambda word, _row: word in get_args(LaneWord),
    "kiosk/archive/migrations/versions/: a column lane_… in the tables of sums": is_counted_by_the_archive,
    "kiosk/static/console/controls.css, base.css: the colours of its mark": has_its_colours,
    "kiosk/locales/*/LC_MESSAGES/staff.po: label and who, translated (make words)": is_translated,
    "docs/hmis.md: its word in the row `lane`": is_named_for_integrators,
    "docs/how-a-scan-travels.md: its minutes": has_its_minutes_in_the_story,
}


def lacking(word: str, row: LaneRow) -> list[str]:
    return [place for place, holds in PLACES.items() if not holds(word, row)]


@pytest.mark.parametrize("lane", Lane, ids=lambda lane: lane.word)
def test_every_place_knows_the_lane(lane: Lane) -> None:
    assert lane in LANES, "queueing/lanes.py: a row in LANES"
    places = lacking(lane.word, LANES[lane])
    assert places == [], "\n".join(["these lack it:", *places])


def test_every_place_that_lacks_a_new_lane_is_named() -> None:
    assert lacking("pilgrim", LaneRow("Pilgrim", "PILG", 47, "Comes from the shrine.")) == list(PLACES)


def test_a_place_that_knows_too_many_lanes_is_seen() -> None:
    words = {lane.word for lane in Lane}
    coloured = set(re.findall(r"^\.lane\.(\w+)", read("kiosk/static/console/controls.css"), re.MULTILINE))
    assert set(get_args(LaneWord)) == words
    assert coloured == words
    assert list(LANES) == list(Lane)


@pytest.mark.parametrize("row", LANES.values(), ids=lambda row: row.label)
def test_only_the_ordinary_lane_has_no_mark(row: LaneRow) -> None:
    assert row.label
    assert row.who
    assert bool(row.mark) is (row is not LANES[Lane.ORDINARY])
    assert len(row.mark) <= 5
