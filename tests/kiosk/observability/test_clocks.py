"""Which machine's clock is wrong is said in one sentence, with what to type there."""

import pytest

from kiosk.observability.clocks import Clocks, far_words

NOW = 1_795_000_000.0
DAY = 86_400.0
YEARS = 26 * 365.25 * DAY


def clocks(own: float, store: float, gateway: float | None = None, *, synchronized: bool = False) -> Clocks:
    return Clocks(
        here="web-1", own_s=NOW + own, store="10.0.0.5:6379", store_s=NOW + store,
        gateway_s=None if gateway is None else NOW + gateway, synchronized=synchronized,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        (clocks(0, 4), ""),
        (clocks(0, 1, 55), ""),
        (clocks(0, 0), ""),
        (clocks(-YEARS, 0, 0), "here"),
        (clocks(-YEARS, 0), "one"),
        (clocks(3 * DAY, 0, 20), "here"),
        (clocks(0, 3 * DAY, 20), "store"),
        (clocks(0, 7, 0), "store"),
        (clocks(0, -YEARS, synchronized=True), "store"),
        (clocks(0, 0, 3 * DAY), "both"),
        (clocks(0, DAY, 3 * DAY), "both"),
    ],
)
def test_the_gateway_or_the_time_service_tells_which_clock_is_wrong(found: Clocks, wrong: str) -> None:
    assert found.wrong == wrong
    assert bool(found.sentence) is bool(wrong)
    assert "\n" not in found.sentence


def test_the_sentence_names_the_machine_and_what_to_type_there() -> None:
    assert clocks(-YEARS, 0, 0).sentence == (
        "the clock of this machine (web-1) is 26 years behind, beside the store's and the gateway's;"
        " on web-1 type: sudo chronyc makestep"
    )
    assert clocks(0, 3 * DAY, 0).sentence == (
        "the clock of the store (10.0.0.5:6379) is 3 days ahead; the one here, on web-1, agrees with the gateway's;"
        " on 10.0.0.5:6379 type: sudo chronyc makestep"
    )
    sentence = clocks(0, -3 * DAY).sentence
    assert "web-1: 18 Nov 2026 11:06:40 UTC" in sentence
    assert "10.0.0.5:6379: 15 Nov 2026 11:06:40 UTC" in sentence
    assert sentence.endswith("3 days apart: compare both with a watch; on the wrong one type: sudo chronyc makestep")


def test_on_a_single_machine_the_gateway_tells() -> None:
    alone = Clocks(here="pc", own_s=NOW, store="", store_s=NOW, gateway_s=NOW + 7_200)
    assert alone.words == "the clock of this machine (pc) is 2.0 h behind, beside the gateway's"
    assert alone.todo == "on pc type: sudo chronyc makestep"


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (-70, "70 s behind"),
        (600, "10 min ahead"),
        (7_200, "2.0 h ahead"),
        (-5 * DAY, "5 days behind"),
        (YEARS, "26 years ahead"),
    ],
)
def test_lengths_are_said_in_a_unit_that_a_person_compares(seconds: float, sentence: str) -> None:
    assert far_words(seconds) == sentence


def test_a_clock_in_a_year_that_no_calendar_has_is_said_too() -> None:
    assert "a year that nobody lives in" in clocks(0, 1e13).sentence
