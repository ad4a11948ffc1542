"""The description of the API is for everybody, and names every call."""

import httpx
import pytest

from kiosk.api.description import handlers_of
from tests.kiosk.api.program import Program, problem
from tests.kiosk.hospital import HIP, Hospital

pytestmark = pytest.mark.anyio
ADDRESS = "/schema/openapi.json"


async def test_anybody_reads_the_description(hospital: Hospital, visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get(ADDRESS, headers={"x-forwarded-for": "192.0.2.7"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*", "testing tools in a browser read it"
    assert answer.headers["cache-control"] == "public, max-age=300"
    described = answer.json()
    assert (described["openapi"], described["servers"]) == ("3.1.0", [{"url": "/"}])


async def test_every_call_of_the_api_is_described_and_nothing_else(
    hospital: Hospital, visitor: httpx.AsyncClient
) -> None:
    described = (await visitor.get(ADDRESS)).json()["paths"]
    calls = {(path.replace(":str", ""), method.lower()) for path, method, _ in handlers_of(hospital.app)}
    assert {(path, method) for path, item in described.items() for method in item} == calls
    assert ("/api/v1/facilities/{hip_id}/tickets/{ticket}/moves", "post") in calls


@pytest.mark.parametrize("path", ["/schema/other", "/schema/openapi.yaml"])
async def test_there_is_no_other_form_of_it(visitor: httpx.AsyncClient, path: str) -> None:
    assert (await visitor.get(path)).status_code == 404


@pytest.mark.parametrize("name", ["state", "date", "changed_after"])
async def test_the_text_null_is_no_value_of_a_query(hospital: Hospital, visitor: httpx.AsyncClient, name: str) -> None:
    """Taken as *not sent*, a program's mistake would list everybody."""
    program = await Program.of_state(hospital, visitor)
    path = f"/api/v1/facilities/{HIP}/tickets?{name}=null"
    refused = problem(await visitor.get(path, headers=program.headers), 422, "wrong-value")
    assert refused["errors"] == [{"field": name, "message": "null is no value"}]
