"""The totals of simulated days and of the history are the reported ones."""

from datetime import date
from itertools import accumulate

import pytest

from loadtests.budget import PROMISES, judge, table
from loadtests.replay.history import TOTALS, chapters, days, institutions, shared_out, shares, some
from loadtests.run_settings import RunSettings
from loadtests.shapes import SHAPES, Chooser, sizes
from loadtests.simulator.gateway.launch import Announced


@pytest.mark.parametrize("shape", SHAPES.values(), ids=lambda shape: shape.name)
def test_a_shape_brings_as_many_people_as_it_says(shape: object) -> None:
    day = SHAPES[getattr(shape, "name", "")]
    steps = 20_000
    came = sum(day.pace((step + 0.5) / steps) for step in range(steps)) * day.minutes() / steps
    assert came == pytest.approx(day.patients, rel=0.01)
    assert max(day.pace(step / 500) for step in range(500)) <= day.peak() * 1.000001


def test_the_gate_opens_with_a_step() -> None:
    morning = SHAPES["opd-morning"]
    begins = morning.begins()
    before, after = ((minute - begins) / morning.minutes() for minute in (8 * 60 + 29, 8 * 60 + 31))
    assert morning.pace(after) > 5 * morning.pace(before)


def test_few_facilities_are_giants() -> None:
    parts = sizes(3_607)
    assert sum(parts) == pytest.approx(1)
    assert parts[0] * 60_000 > 2_000
    assert parts[1_800] * 60_000 < 6


def test_facilities_are_drawn_by_their_size() -> None:
    chooser = Chooser(100, seed=1)
    drawn = [chooser.facility() for _ in range(20_000)]
    assert drawn.count(0) / len(drawn) == pytest.approx(sizes(100)[0], rel=0.15)
    assert 0 <= min(drawn) <= max(drawn) < 100


def test_the_history_meets_every_reported_total() -> None:
    history = days()
    reached = dict(zip((day.date for day in history), accumulate(day.total for day in history), strict=True))
    assert all(reached[on] == total for on, total in TOTALS if total)
    assert sum(day.total for day in history) == 7_116_000
    assert min(min(day.tokens) for day in history) >= 0
    assert max(max(day.tokens) for day in history) < 10_000, "a queue gives no more numbers a day"


def test_institutions_join_as_reported() -> None:
    assert institutions(date(2023, 4, 15)) == 11
    assert institutions(date(2023, 5, 31)) == 33
    assert institutions(date(2025, 7, 14)) == 105


def test_a_part_of_the_history_has_whole_days_and_all_of_it_has_every_day() -> None:
    history = days()
    chosen = some(history, 200)
    assert all(day in history for day in chosen)
    assert sum(day.total for day in chosen) == pytest.approx(7_116_000 / 200, rel=0.15)
    assert some(history, 1) == history


def test_chapters_hold_every_day_once_and_everybody_comes_once() -> None:
    chosen = some(days(), 300)
    groups = chapters(chosen, 10_000)
    assert [day for group in groups for day in group] == chosen
    came = list(shares(groups[0], 0, seed=1))
    assert [one.index for one in came] == list(range(sum(day.total for day in groups[0])))
    first_day = groups[0][0]
    assert [sum(one.facility == place for one in came) for place in range(5)] == list(first_day.tokens[:5])


@pytest.mark.parametrize("total", [0, 1, 7, 10_000])
def test_sharing_out_loses_nothing(total: int) -> None:
    parts = shared_out(total, [3.0, 0.1, 2.0, 5.0])
    assert sum(parts) == total
    assert min(parts) >= 0


def test_a_missed_promise_says_by_how_much() -> None:
    met, missed = judge({"callback_ratio": PROMISES["callback_ratio"].bound, "ticket_bytes": 1536.0})
    assert met.is_met
    assert not missed.is_met
    assert missed.promise.short_by(missed.figure) == pytest.approx(0.5)
    assert "MISSED by 50%" in "\n".join(table([met, missed]))


@pytest.mark.parametrize("name", SHAPES)
def test_people_come_as_the_run_settings_say(name: str) -> None:
    gateway = Announced(url="http://here", app_id="app", app_secret="secret")
    run = RunSettings(
        kiosk_url="http://here", gateway=gateway, hips=["HIP"], hospitals=[], shape=name, patients=4_000, seconds=50,
        boards=1, seed=1, run="r",
    )  # fmt: skip
    arrival_times = [moment for moment, _ in run.arrival_times()]
    assert len(arrival_times) == 4_000
    assert arrival_times == sorted(arrival_times)
    assert 0 <= arrival_times[0] <= arrival_times[-1] <= 50
    busiest = max(range(500), key=lambda tenth: run.scans_per_s(tenth / 10)) / 10
    assert run.scans_per_s(busiest) == pytest.approx(run.peak_per_s())
    came = sum(busiest <= moment < busiest + 0.3 for moment in arrival_times)
    assert came == pytest.approx(0.3 * run.peak_per_s(), rel=0.4)


def test_the_seats_of_a_run_are_all_its_clerks() -> None:
    seat = {"login": "a", "password": "b", "counter": "M1"}
    hospitals = [{"hip_id": hip, "counters": ["M1"], "clerks": [seat]} for hip in ("A", "B")]
    run = RunSettings(
        kiosk_url="", gateway=Announced(url="", app_id="", app_secret=""), hips=["A", "B"], hospitals=hospitals,
        shape="opd-morning", patients=1, seconds=1, boards=1, seed=1, run="r",
    )  # fmt: skip
    assert [hip for hip, _ in run.seats] == ["A", "B"]
