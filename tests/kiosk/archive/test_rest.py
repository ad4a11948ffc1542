"""How long the archive role rests beside the scans."""

import pytest

from kiosk.archive.role import LATE_MS, REST, REST_WHEN_LATE, rest_after

NOW_MS = 1_790_000_000_000


@pytest.mark.parametrize(
    ("complete_ms", "rest"),
    [(NOW_MS, REST), (NOW_MS - LATE_MS, REST), (NOW_MS - LATE_MS - 1, REST_WHEN_LATE), (0, REST)],
)
def test_it_rests_less_while_it_is_late(complete_ms: int, rest: float) -> None:
    assert rest_after(complete_ms, NOW_MS) == rest
