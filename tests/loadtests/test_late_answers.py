"""The gateway refuses an answer that comes more than thirty seconds after the share."""

import pytest

from loadtests.simulator.gateway import strict
from loadtests.simulator.gateway.ledger import SHARE_LIVES_MS, Share

AT_MS = 1_790_000_000_000
SHARE = Share(request_id="r", hip_id="HIP", context="M1", abha_address="a@sbx", app="a", session="s", shared_ms=AT_MS)


def test_an_answer_in_the_last_millisecond_is_in_time() -> None:
    strict.check_in_time(SHARE, AT_MS + SHARE_LIVES_MS)


def test_a_late_answer_is_refused_and_no_protocol_fault_is_recorded() -> None:
    with pytest.raises(strict.CallRefused) as late:
        strict.check_in_time(SHARE, AT_MS + SHARE_LIVES_MS + 1)
    assert (late.value.status, late.value.code, late.value.fault) == (408, "ABDM-1007", False)
