"""Counter codes: what they prove, which ones are refused, and how fresh they are, exact to a second."""

import hmac
from collections.abc import Callable

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tokens import (
    CounterCodeExpired,
    CounterCodeForged,
    CounterCodes,
    CounterCodeTooEarly,
    CounterNotCodable,
    Grade,
    KeyRing,
    NotACounterCode,
    TokenError,
    codable,
)
from tokens.counter import ALPHABET, SLOTS

NOW = 1_800_000_000
"""A whole minute, so that a slot of 60 s begins here."""
HIP = "IN0110000123"
RING = KeyRing.generate(NOW)
CODES = CounterCodes(RING)

moments = st.integers(min_value=1_500_000_000, max_value=4_000_000_000)
hip_ids = st.one_of(
    st.from_regex(r"IN[0-9]{10}(_[1-9])?", fullmatch=True),
    st.text(min_size=1, max_size=40),
    st.sampled_from(["H" * 250, "अ" * 250, "\ud800"]),
    st.from_regex(r"[A-Z0-9]{20}", fullmatch=True),
)
counters = st.from_regex(r"[A-Z]{1,4}([1-9][0-9]{0,2})?", fullmatch=True).filter(lambda name: len(name) <= 4)


@given(hip_ids, counters, moments)
def test_every_code_is_twenty_letters_and_digits_and_round_trips(hip_id: str, counter: str, now_s: int) -> None:
    code = CODES.mint(hip_id, counter, now_s)
    proof = CODES.read(code, hip_id, now_s)
    assert len(code) == 20
    assert code.isascii()
    assert code.isalnum()
    assert code == code.upper()
    assert (proof.counter, proof.grade, proof.age_s) == (counter, Grade.FRESH, 0)


@given(hip_ids, counters, moments)
def test_a_code_never_equals_the_facility_or_the_hip_id(hip_id: str, counter: str, now_s: int) -> None:
    assert CODES.mint(hip_id, counter, now_s) != hip_id


def test_a_code_begins_with_the_name_of_its_counter() -> None:
    begins = {name: CODES.mint(HIP, name, NOW)[:4] for name in ("M1", "M12", "OPD1", "ENT", "XRAY", "M", "AB9")}
    assert begins == {
        "M1": "M001",
        "M12": "M012",
        "OPD1": "OPD1",
        "ENT": "ENT0",
        "XRAY": "XRAY",
        "M": "M000",
        "AB9": "AB09",
    }


def test_no_two_counters_share_a_code() -> None:
    letters = ["M", "MA", "MAB", "MABC", "A"]
    names = [name for word in letters for number in ["", *range(1, 1000)] if codable(name := f"{word}{number}")]
    assert len(names) > 2_000
    assert len({CODES.mint(HIP, name, NOW) for name in names}) == len(names)


@pytest.mark.parametrize(
    "name",
    ["", "1", "12", "m1", "M01", "M0", "M1000", "OPD12", "RADIO", "M-1", "M 1", "1M", "M1A", "M1\n", "M١", "É1", " M1"],
)
def test_other_counter_names_get_no_code_and_need_a_poster(name: str) -> None:
    assert not codable(name)
    with pytest.raises(CounterNotCodable):
        CODES.mint(HIP, name, NOW)


@pytest.mark.parametrize("hip_id", ["", "H" * 251])
def test_a_hip_id_outside_the_bounds_gets_no_code(hip_id: str) -> None:
    with pytest.raises(CounterNotCodable):
        CODES.mint(hip_id, "M1", NOW)


@settings(max_examples=40)
@given(counters, moments, st.integers(min_value=0, max_value=600))
def test_every_single_changed_character_is_refused(counter: str, minted_s: int, later_s: int) -> None:
    code = CODES.mint(HIP, counter, minted_s)
    for at in range(20):
        for other in set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcz -٣\n") - {code[at]}:
            with pytest.raises((NotACounterCode, CounterCodeForged)):
                CODES.read(code[:at] + other + code[at + 1 :], HIP, minted_s + later_s)


@given(st.tuples(hip_ids, hip_ids).filter(lambda pair: pair[0] != pair[1]), counters, moments)
@example(("IN0110000123", "IN0110000123_1"), "M1", NOW)
@example(("IN0110000123", "in0110000123"), "M1", NOW)
def test_the_code_of_another_facility_is_refused(hips: tuple[str, str], counter: str, now_s: int) -> None:
    with pytest.raises(CounterCodeForged):
        CODES.read(CODES.mint(hips[0], counter, now_s), hips[1], now_s)


@given(st.text(max_size=40))
@example("M1")
@example("REGISTRATIONCOUNTER1")
@example("4f9c1c1e-6a51-4e43-9b57-3a0c0b7d2c11")
@example("")
@example("M001" + "0" * 17)
@example("M001" + "0" * 15 + "\n")
@example("M001" + "\ud800" * 16)
def test_text_of_another_form_is_no_counter_code(text: str) -> None:
    assume(not (len(text) == 20 and all(letter in ALPHABET for letter in text[4:])))
    with pytest.raises(NotACounterCode):
        CODES.read(text, HIP, NOW)


@given(st.from_regex(f"[A-Z][A-Z0-9]{{3}}[{ALPHABET}]{{16}}", fullmatch=True))
def test_a_guessed_code_is_refused(text: str) -> None:
    with pytest.raises((CounterCodeForged, NotACounterCode)):
        CODES.read(text, HIP, NOW)


@pytest.mark.parametrize("field", ["1M00", "MA1B", "0000", "M1A1"])
def test_a_code_whose_counter_field_belongs_to_no_name_is_no_counter_code(field: str) -> None:
    with pytest.raises(NotACounterCode):
        CODES.read(field + CODES.mint(HIP, "M1", NOW)[4:], HIP, NOW)


@pytest.mark.parametrize(
    ("later_s", "age_s", "grade"),
    [
        (0, 0, Grade.FRESH),
        (59, 0, Grade.FRESH),
        (60, 0, Grade.FRESH),
        (61, 1, Grade.FRESH),
        (60 + 599, 599, Grade.FRESH),
        (60 + 600, 600, Grade.FRESH),
        (60 + 601, 601, Grade.STALE),
        (60 + 86_399, 86_399, Grade.STALE),
        (60 + 86_400, 86_400, Grade.STALE),
    ],
)
def test_the_grade_changes_exactly_at_its_second(later_s: int, age_s: int, grade: Grade) -> None:
    proof = CODES.read(CODES.mint(HIP, "M1", NOW), HIP, NOW + later_s)
    assert (proof.grade, proof.age_s) == (grade, age_s)


@given(
    st.integers(min_value=1, max_value=3_600),
    st.integers(min_value=0, max_value=7_200),
    st.integers(min_value=0, max_value=7_200),
    moments,
)
def test_each_boundary_is_exact_for_any_setting(slot_s: int, fresh_s: int, more_s: int, minted_s: int) -> None:
    stale_s = fresh_s + more_s
    codes = CounterCodes(RING, slot_s=slot_s, fresh_s=fresh_s, stale_s=stale_s)
    code, gone_s = codes.mint(HIP, "M1", minted_s), codes.rotates_at(minted_s)
    assert codes.read(code, HIP, gone_s + fresh_s).grade is Grade.FRESH
    assert codes.read(code, HIP, gone_s + stale_s).grade is (Grade.STALE if more_s else Grade.FRESH)
    if more_s:
        assert codes.read(code, HIP, gone_s + fresh_s + 1).grade is Grade.STALE
    with pytest.raises(CounterCodeExpired):
        codes.read(code, HIP, gone_s + stale_s + 1)


@given(moments)
def test_the_next_code_begins_exactly_at_the_announced_second(now_s: int) -> None:
    change_s = CODES.rotates_at(now_s)
    assert 0 < change_s - now_s <= 60
    assert CODES.mint(HIP, "M1", change_s - 1) == CODES.mint(HIP, "M1", now_s)
    assert CODES.mint(HIP, "M1", change_s) != CODES.mint(HIP, "M1", now_s)


@given(moments)
def test_one_slot_of_clock_skew_is_accepted_and_not_a_second_more(now_s: int) -> None:
    ahead = CODES.mint(HIP, "M1", CODES.rotates_at(now_s))
    too_far = CODES.mint(HIP, "M1", CODES.rotates_at(now_s) + 60)
    proof = CODES.read(ahead, HIP, now_s)
    assert (proof.grade, proof.age_s) == (Grade.FRESH, 0)
    with pytest.raises(CounterCodeTooEarly):
        CODES.read(too_far, HIP, now_s)


@given(moments, st.integers(min_value=1, max_value=3))
def test_an_old_code_is_still_refused_when_slot_numbers_repeat(now_s: int, rounds: int) -> None:
    old = CODES.mint(HIP, "M1", now_s)
    years_later_s = now_s + rounds * SLOTS * 60
    assert CODES.mint(HIP, "M1", years_later_s)[:8] == old[:8]
    with pytest.raises(CounterCodeForged):
        CODES.read(old, HIP, years_later_s)


@given(moments, st.integers(min_value=86_461, max_value=300 * 86_400))
def test_an_old_genuine_code_is_called_expired_not_forged(now_s: int, later_s: int) -> None:
    with pytest.raises(CounterCodeExpired):
        CODES.read(CODES.mint(HIP, "M1", now_s), HIP, now_s + later_s + 60)


def test_codes_are_read_around_the_wrap_of_the_slot_number() -> None:
    wrap_s = (NOW // 60 // SLOTS + 1) * SLOTS * 60
    for minted_s in range(wrap_s - 300, wrap_s + 300, 30):
        proof = CODES.read(CODES.mint(HIP, "M1", minted_s), HIP, minted_s + 400)
        assert proof.age_s == minted_s + 400 - CODES.rotates_at(minted_s)


def test_a_clock_near_1970_refuses_instead_of_failing() -> None:
    with pytest.raises(TokenError):
        CODES.read(CODES.mint(HIP, "M1", NOW), HIP, 0)


def test_another_installation_refuses_our_codes() -> None:
    with pytest.raises(CounterCodeForged):
        CounterCodes(KeyRing.generate(NOW)).read(CODES.mint(HIP, "M1", NOW), HIP, NOW)


def test_the_proof_is_the_documented_hmac() -> None:
    """The code calculated by hand from the description, as another program would check it."""
    code = CODES.mint(HIP, "M1", NOW)
    slot = NOW // 60
    digest = hmac.digest(RING.signing.counter_key(), b"M001" + slot.to_bytes(8, "big") + HIP.encode(), "sha256")
    bits = int.from_bytes(digest, "big") >> (256 - 60)
    assert code[8:] == "".join(ALPHABET[bits >> shift & 31] for shift in range(55, -5, -5))
    assert code[4:8] == "".join(ALPHABET[slot >> shift & 31] for shift in (15, 10, 5, 0))


@pytest.mark.parametrize(
    "make",
    [
        lambda: CounterCodes(RING, slot_s=0),
        lambda: CounterCodes(RING, fresh_s=100, stale_s=99),
        lambda: CounterCodes(RING, fresh_s=-1),
        lambda: CounterCodes(RING, stale_s=30 * 86_400),
    ],
)
def test_settings_that_could_refuse_genuine_codes_are_not_accepted(make: Callable[[], CounterCodes]) -> None:
    with pytest.raises(ValueError, match="slot"):
        make()
