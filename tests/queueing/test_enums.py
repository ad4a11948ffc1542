"""The small numbers of the Lua functions and the enums of Python are the same."""

import re
from enum import IntEnum
from importlib.resources import files

import msgspec
import pytest

from queueing import library
from queueing.desk import packed_arrival
from queueing.event_log import EventKind
from queueing.lanes import LANES, REASONS, Lane, lua_tables
from queueing.models import Arrival, Assurance, Nearness, Outcome, Refusal, ReplyKind, State
from queueing.policy import PresenceRule
from queueing.reasons import Reason

NUMBERS = lua_tables() + files("queueing").joinpath("functions", "shared", "enums.lua").read_text()
PAIRS = {
    "OUTCOME": Outcome,
    "STATE": State,
    "LANE": Lane,
    "ASSURANCE": Assurance,
    "NEARNESS": Nearness,
    "REFUSAL": Refusal,
    "PRESENCE_RULE": PresenceRule,
    "REPLY": ReplyKind,
    "EVENT": EventKind,
}


@pytest.mark.parametrize("table", PAIRS)
def test_the_numbers_of_lua_and_python_are_equal(table: str) -> None:
    body = re.search(rf"local {table} = {{(.*?)}}", NUMBERS, re.DOTALL)
    assert body
    numbers = {name: int(number) for name, number in re.findall(r"(\w+) = (\d+)", body[1])}
    meant: type[IntEnum] = PAIRS[table]
    assert numbers == {member.name: member.value for member in meant}


def test_the_store_counts_the_head_start_of_each_lane() -> None:
    table = re.search(r"local HEAD_START_MS = {(.*?)}", NUMBERS)
    assert table
    counted = {Lane[name]: int(ms) for name, ms in re.findall(r"\[LANE\.(\w+)\] = (\d+)", table[1])}
    assert counted == {lane: row.head_start_min * 60_000 for lane, row in LANES.items()}


def test_every_reason_has_a_lane_a_label_and_a_mark_and_is_chosen_by_one_digit() -> None:
    assert set(REASONS) == set(Reason) - {Reason.NONE}
    assert len(REASONS) <= 8, "the ninth digit takes priority away"
    for row in REASONS.values():
        assert row.label
        assert 0 < len(row.mark) <= 5
        assert row.lane is not Lane.ORDINARY


def test_every_state_but_the_ended_ones_is_living() -> None:
    table = re.search(r"local LIVING = {(.*?)}", NUMBERS, re.DOTALL)
    assert table
    ended = {State.DONE, State.CANCELLED, State.LAPSED}
    assert set(re.findall(r"\[STATE\.(\w+)\] = true", table[1])) == {
        state.name for state in State if state not in ended
    }


def test_the_version_is_in_every_name() -> None:
    assert library.version() in library.function_name("enqueue")
    assert f"name=kiosk_{library.version()}" in library.source()


def test_an_arrival_is_packed_in_the_order_in_which_it_is_read() -> None:
    source = files("queueing").joinpath("functions", "enqueue.lua").read_text()
    places = re.search(r"local A = {(.*?)}", source, re.DOTALL)
    assert places
    names = re.findall(r"(\w+) = \d+", places[1])
    arrival = Arrival(
        facility="f",
        counter="c",
        text="t",
        queue="q",
        assurance=Assurance.CAMERA,
        position=(34.5, 74.25),
        lane=Lane.PREGNANT,
        request="r",
        fingerprint=b"12345678",
        persons=(b"one", b"two"),
        envelope=b"l" * 300,
        reply_wanted=True,
        refusal=Refusal.FAR,
        late=True,
        by="clerk",
        reason=Reason.CHILD,
        any_hour=True,
    )
    packed = packed_arrival(arrival, 20, 200, "opd")
    values = msgspec.msgpack.decode(b"\xdc" + len(names).to_bytes(2) + packed)
    expected = msgspec.structs.asdict(arrival) | {"position": [34.5, 74.25], "rate": 20, "burst": 200, "likely": "opd"}
    del expected["persons"]
    expected |= {"fingerprint": "12345678", "envelope": "l" * 300, "person": "pone", "other": "ptwo"}
    assert dict(zip(names, values, strict=True)) == expected


@pytest.mark.parametrize("size", [0, 1, 31, 32, 255, 256, 65_535])
def test_bytes_of_any_size_are_a_text_of_lua(size: int) -> None:
    assert msgspec.msgpack.decode(library.text_head(size) + b"x" * size) == "x" * size


def test_a_named_number_is_replaced_by_its_value() -> None:
    assert library.in_place("local STATE = {WAITING = 2}\nreturn STATE.WAITING") == "\nreturn 2"
    whole = "local STATE = {WAITING = 2}\nfor _ in pairs(STATE) do end"
    assert library.in_place(whole) == whole
    with pytest.raises(KeyError, match="WAITNG"):
        library.in_place("local STATE = {WAITING = 2}\nreturn STATE.WAITNG")
    with pytest.raises(ValueError, match="one name"):
        library.in_place("local A = {one = 1}\nlocal A = {two = 2}\n")
