"""Who may call the API: 401, 403, 404 and 429, in this order, and what each answer says."""

import httpx
import pytest

from kiosk.api.key_rates import Rates
from queueing.api_keys import KNOWN_S, ApiKeys, Scope
from queueing.api_rates import ApiRates
from queueing.models import Facility
from tests.kiosk.api.program import OTHER_HIP, Program, address, problem
from tests.kiosk.hospital import HIP, Hospital

pytestmark = pytest.mark.anyio
READS = ("queues", "tickets", "events", "tickets/20785-1", "tickets/20785-1/profile")
WRITES = ("tickets", "counters/M1/next", "tickets/20785-1/moves")


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer kiosk_0123456789_" + "A" * 43])
async def test_without_a_valid_key_every_address_answers_401(
    hospital: Hospital, visitor: httpx.AsyncClient, value: str
) -> None:
    headers = {"authorization": value} if value else {}
    for path in READS:
        answer = await visitor.get(address(path), headers=headers)
        problem(answer, 401, "no-key")
        assert answer.headers["www-authenticate"] == 'Bearer realm="kiosk"'
    for path in WRITES:
        problem(await visitor.post(address(path), headers=headers, json={}), 401, "no-key")


async def test_the_scheme_may_be_written_in_any_case(program: Program) -> None:
    program.headers = {"authorization": f"bearer  {program.text}"}
    assert (await program.get("queues")).status_code == 200


async def test_a_key_of_another_facility_gets_403_whether_the_facility_exists_or_not(program: Program) -> None:
    await program.hospital.services.registry.put_facility(Facility(hip_id=OTHER_HIP, name="Elsewhere"))
    for hip in (OTHER_HIP, "NOWHERE"):
        for path in READS:
            problem(await program.get(path, hip), 403, "other-facility")
        for path in WRITES:
            problem(await program.post(path, {}, hip), 403, "other-facility")


async def test_a_key_without_the_scope_gets_403(hospital: Hospital, visitor: httpx.AsyncClient) -> None:
    reader = await Program.of(hospital, visitor, Scope.TICKETS_READ)
    writer = await Program.of(hospital, visitor, Scope.TICKETS_WRITE)
    problem(await reader.get("tickets/20785-1/profile"), 403, "scope-missing")
    for path in WRITES:
        problem(await reader.post(path, {}), 403, "scope-missing")
    for path in READS:
        problem(await writer.get(path), 403, "scope-missing")


async def test_a_key_for_all_facilities_gets_404_where_there_is_none(
    hospital: Hospital, visitor: httpx.AsyncClient
) -> None:
    state = await Program.of_state(hospital, visitor)
    assert (await state.get("queues")).status_code == 200
    for path in READS:
        problem(await state.get(path, "NOWHERE"), 404, "not-there")


async def test_what_another_facility_has_does_not_exist_here(hospital: Hospital, visitor: httpx.AsyncClient) -> None:
    state = await Program.of_state(hospital, visitor)
    await hospital.services.registry.put_facility(Facility(hip_id=OTHER_HIP, name="Elsewhere"))
    ticket = (await state.register())["id"]
    elsewhere = await state.get(f"tickets/{ticket}", OTHER_HIP)
    nowhere = await state.get("tickets/20785-999", OTHER_HIP)
    assert problem(elsewhere, 404, "not-there") == problem(nowhere, 404, "not-there")


async def test_a_revoked_key_ends_within_five_seconds(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = program.hospital.services.api.keys
    assert (await program.get("queues")).status_code == 200
    assert await ApiKeys(program.hospital.services.store).revoke(program.key.id, by="imran")
    assert KNOWN_S < 5
    later = keys._clock_s() + KNOWN_S
    monkeypatch.setattr(keys, "_clock_s", lambda: later)
    problem(await program.get("queues"), 401, "no-key")


async def test_every_answer_tells_what_is_left_of_the_rate(program: Program) -> None:
    first, second = await program.get("queues"), await program.get("tickets/nothing")
    assert first.headers["ratelimit-policy"] == '"key";q=6000;w=60'
    assert first.headers["ratelimit"].startswith('"key";r=5999;t=')
    assert second.status_code == 404
    assert second.headers["ratelimit"].startswith('"key";r=5998;t=')


async def test_over_its_rate_a_key_gets_429_and_when_to_come_again(
    hospital: Hospital, visitor: httpx.AsyncClient, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = Rates(ApiRates(hospital.services.store), per_facility_key=3)
    monkeypatch.setattr(hospital.services.api.rates, "count", rates.count)
    answers = [await program.get("queues") for _ in range(4)]
    assert [one.status_code for one in answers] == [200, 200, 200, 429]
    problem(answers[-1], 429, "too-fast")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].headers["ratelimit"].startswith('"key";r=0;t=')
    another = await Program.of(hospital, visitor, *Scope)
    assert (await another.get("queues")).status_code == 200


async def test_a_facility_whose_id_has_a_slash_has_its_api(hospital: Hospital, visitor: httpx.AsyncClient) -> None:
    await hospital.services.registry.put_facility(Facility(hip_id="IN/1", name="Elsewhere"))
    program = await Program.of(hospital, visitor, *Scope, facility="IN/1")
    assert (await program.get("queues", "IN/1")).json()["items"] == []
    assert HIP not in (await program.get("tickets", "IN/1")).text
