"""During a flood of forms every share gets its number: real processes, over loopback, with the default limits."""

import asyncio
import os

import pytest
from msgspec import structs

from loadtests.bench.setup import prepared
from loadtests.floods import measured
from loadtests.floods.__main__ import meets_promise
from loadtests.floods.kinds import CONNECTIONS, KINDS
from loadtests.floods.measured import DEFAULT_LIMITS, SMALL_SIZE

pytestmark = pytest.mark.slow
FORMS = 5_000
SHARES = 200


@pytest.mark.proof
def test_under_5000_forms_every_share_gets_its_number() -> None:
    async def flooded() -> measured.Result:
        async with prepared(SMALL_SIZE, seed=7, more=DEFAULT_LIMITS) as setup:
            return await measured.measured_under(
                "forms", setup, shares=SHARES, per_s=SHARES / 10, load=os.getloadavg()[0], most=FORMS
            )

    result = asyncio.run(flooded())
    assert (result.shares, result.taken, result.numbers) == (SHARES, SHARES, SHARES), result
    assert result.attack.get("429", 0) > 1_000, "the flood was too small to tell anything"
    assert sum(result.attack.values()) >= FORMS - CONNECTIONS  # some were under way when the flood ended


def test_a_flood_that_meets_an_error_of_the_service_is_a_failure() -> None:
    result = measured.Result(
        kind="logins", shares=1, taken=1, numbers=1, p50_ms=1, p99_ms=2, attack={"429": 9, "503": 9}, load=0
    )
    assert meets_promise(result)
    assert not meets_promise(structs.replace(result, attack={"429": 9, "500": 1}))


def test_every_kind_of_flood_has_a_description_and_a_function() -> None:
    assert all(sentence and callable(flood) for sentence, flood in KINDS.values())
    assert len(KINDS) > 9
