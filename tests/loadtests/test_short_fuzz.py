"""Some thousand hostile requests over HTTP. ``make fuzz`` sends a million of the same kind."""

import asyncio

import pytest
from rich.progress import Progress

from loadtests.fuzz.__main__ import fuzz
from loadtests.fuzz.described import FUZZING

pytestmark = pytest.mark.slow
INPUTS = 700
MINUTES = 0.2
"""Twelve seconds at most; a machine alone sends these in one or two."""
EXAMPLES = 12
"""Of each of seven kinds that are described."""
SEED = 20_261_128


def test_hostile_requests_break_nothing_and_a_correct_share_is_accepted_afterwards() -> None:
    found = asyncio.run(fuzz(INPUTS, MINUTES, SEED, Progress(disable=True), examples=EXAMPLES, phases=FUZZING))
    assert found["findings"] == []
    assert found["good"], found
    assert found["inputs"] > 300, "the machine was too busy to say anything"
    assert found["statuses"]["form"].keys() - {404}, "the link of the form was not a good one"
    described = found["described"]
    assert described["good"], described
    assert described["untried"] == []
    assert described["sent"] > 5 * EXAMPLES
    assert set(found["statuses"]) == {"share", "legacy", "status", "form", "scanned", "address"}
