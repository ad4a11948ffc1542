"""The API against its own description: schemathesis sends what the description allows, and what it does not.

``make api-fuzz`` sends a hundred thousand requests.
"""

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
    compared = await compare(
        document(served.app, served.url), settings, served.url, examples=REQUESTS // CALLS,
        checks=(*CHECKS, "negative_data_rejection", "missing_required_header"),
    )  # fmt: skip
    sys.stdout.write(f"{compared.output}\n{compared.statuses}\n")
    assert compared.good, compared.output
    assert compared.sent >= REQUESTS // 2, compared.output
    assert compared.untried == [], compared.statuses
