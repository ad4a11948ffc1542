"""Keys carry no text from outside, and a facility's keys stay in one slot."""

import re

from hypothesis import given
from hypothesis import strategies as st

from queueing.redis_keys import ALL_PARTITIONS, PARTITIONS, facility_root, request_digest
from queueing.store.slots import SLOTS, slot_of

ROOT = re.compile(r"\{k\d+\}:[a-z2-7]{12}")


@given(st.text(max_size=250))
def test_no_character_of_a_hip_id_reaches_a_key(hip_id: str) -> None:
    assert ROOT.fullmatch(facility_root(hip_id))


@given(st.text(max_size=250), st.text(max_size=100))
def test_a_request_is_24_hex_characters(hip_id: str, request: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{24}", request_digest(hip_id, request))


def test_a_facility_and_request_cannot_be_cut_elsewhere() -> None:
    assert request_digest("IN1", "2") != request_digest("IN", "12")


def test_every_equal_share_of_the_slots_has_one_partition() -> None:
    shares = {slot_of(tag.strip("{}")) * PARTITIONS // SLOTS for tag in ALL_PARTITIONS}
    assert shares == set(range(PARTITIONS))


def test_the_slot_is_the_one_of_the_cluster_specification() -> None:
    # CRC16 of the specification's own example: 31C3 for "123456789".
    assert slot_of("123456789") == 0x31C3 % SLOTS
