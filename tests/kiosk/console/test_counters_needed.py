"""How many counters a queue needs: Erlang's formula, and those who wait already."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.console.counters_needed import (
    COUNTERS_MAX,
    PART,
    WITHIN_MIN,
    QueueNeed,
    counters_needed,
    part_later,
)


@pytest.mark.parametrize(
    ("arrivals", "service_min", "waiting", "needed"),
    [
        (0, 5, 0, 0),  # nobody comes and nobody waits
        (0, 5, 1, 1),
        (1, 2, 0, 1),
        (18, 5, 0, 2),  # 1.5 counters of work
        (20, 5, 0, 3),  # 1.7: with two, one of ten would wait a little longer than half an hour
        (120, 5, 0, 11),  # ten counters of work: ten are never enough
        (0, 5, 60, 10),  # sixty visits of five minutes within half an hour
        (60, 5, 60, 10),
        (40, 3, 0, 3),  # two counters of work: two would be busy without end
    ],
)
def test_known_days(arrivals: float, service_min: float, waiting: int, needed: int) -> None:
    assert counters_needed(arrivals, service_min, waiting) == needed


def test_erlangs_formula_agrees_with_published_values() -> None:
    """Erlang C of two busy lines on three is 0.4444, of one on two is 1/3 (any table of teletraffic)."""
    assert part_later(3, 2, 5, within_min=0) == pytest.approx(4 / 9)
    assert part_later(2, 1, 5, within_min=0) == pytest.approx(1 / 3)
    assert part_later(2, 2, 5) == 1.0


@given(st.floats(0, 400), st.floats(0.2, 60), st.integers(0, 500))
def test_the_promise_holds_and_one_counter_fewer_would_not_do(arrivals: float, service: float, waiting: int) -> None:
    needed = counters_needed(arrivals, service, waiting)
    load = arrivals / 60 * service
    if 0 < needed < COUNTERS_MAX:
        assert part_later(needed, load, service) <= 1 - PART
        assert needed * WITHIN_MIN >= waiting * service - 1e-6
        one_fewer = needed - 1
        work = max(waiting * service / WITHIN_MIN, (waiting + arrivals) * service / 60)
        assert one_fewer == 0 or one_fewer < work or part_later(one_fewer, load, service) > 1 - PART


@given(st.floats(0, 400), st.floats(0.2, 60), st.integers(0, 500))
def test_more_people_never_need_fewer_counters(arrivals: float, service: float, waiting: int) -> None:
    assert counters_needed(arrivals + 10, service, waiting + 5) >= counters_needed(arrivals, service, waiting)


def test_a_queue_without_a_measured_visit_has_no_figure() -> None:
    need = QueueNeed(queue="Eye", arrivals_per_h=10, service_min=None, waiting=3)
    assert need.needed is None
