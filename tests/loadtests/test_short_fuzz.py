"""Some thousand hostile requests over HTTP. ``make fuzz`` sends a million of the same kind."""

import asyncio

import pytest
from rich.progress import Progress

from loadtests.fuzz.__main__ import fuzz

pytestmark = pytest.mark.slow
INPUTS = 4_000
MINUTES = 0.2
"""Twelve seconds at most; a machine alone sends these in six."""


def test_hostile_requests_break_nothing_and_a_correct_share_is_accepted_afterwards() -> None:
    found = asyncio.run(fuzz(INPUTS, MINUTES, 20_261_128, Progress(disable=True)))
    assert found["findings"] == []
    assert found["good"], found
    assert found["inputs"] > 500, "the machine was too busy to say anything"
    assert set(found["statuses"]) == {"share", "legacy", "status", "form", "scanned", "address"}
