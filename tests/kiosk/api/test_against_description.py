"""The API against its own description: schemathesis sends what the description allows, and what it does not.

``make api-fuzz`` sends a hundred thousand requests.
"""

import asyncio
import os
import sys

import httpx
import pytest

from kiosk.api.description import document
from loadtests.fuzz.described import CHECKS, compare, real_values
from tests.kiosk.api.program import Program
from tests.kiosk.hospital import HIP, Hospital

pytestmark = [pytest.mark.anyio, pytest.mark.proof]
CALLS = 9
"""Of the description; each gets its share of the requests."""
REQUESTS = int(os.environ.get("API_REQUESTS", "2000"))
GENERATORS = (os.cpu_count() or 1) if REQUESTS > 10_000 else 1
"""Processes that make requests at the same time. To make one takes some seven milliseconds, to answer it two."""


async def test_no_answer_contradicts_the_description_and_none_is_a_failure(served: Hospital) -> None:
    await served.services.archive.prepare_in_thread()
    places = await served.arrive(patients=20)
    await served.call("M1")
    async with httpx.AsyncClient(base_url=served.url) as client:
        program = await Program.of_state(served, client)
        registered = [(await program.register(name=f"Asha {last}"))["id"] for last in "ABCDEFGHIJ"]
    values: dict[str, list[str]] = {
        "path.hip_id": [HIP],
        "path.ticket": [*(place.ticket for place in places), *registered, "1-1", "no"],
        "path.counter": ["M1", "M2", "X9"],
        "body.queue": ["medicine", "none"],
        "body.counter": ["M1", "M2"],
        "query.queue": ["medicine"],
    }
    settings = {"headers": {"Authorization": f"Bearer {program.text}"}} | real_values(values)
    description = document(served.app, served.url)
    runs = await asyncio.gather(*(
        compare(
            description, settings, served.url, examples=REQUESTS // CALLS // GENERATORS,
            checks=(*CHECKS, "negative_data_rejection", "missing_required_header"),
        )
        for _ in range(GENERATORS)
    ))  # fmt: skip
    for run in runs:
        sys.stdout.write(f"{run.output}\n{run.statuses}\n")
    assert [run.output for run in runs if not run.good] == []
    assert sum(run.sent for run in runs) >= REQUESTS // 2
    assert set.intersection(*(set(run.untried) for run in runs)) == set()
