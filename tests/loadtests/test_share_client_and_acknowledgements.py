"""The load generator reports correct figures, and the check of acknowledgements finds every broken promise."""

import asyncio
from array import array
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loadtests.acknowledgements import Acknowledgements, Verdict
from loadtests.chaos import redelivery
from loadtests.simulator.gateway.http1 import Answer, Reply, Request, Server
from loadtests.simulator.gateway.journal import Journal, Line
from loadtests.simulator.people.crowd import Crowd, Share, read_request_id
from loadtests.simulator.people.share_client import SendResult, ShareClient, post, timestamp

pytestmark = pytest.mark.anyio
CROWD = Crowd(seed=3, run=9)


class Hospital:
    """A server that answers as a test decides and records the requests."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.taken: list[Request] = []
        self.open = 0
        self.most_open = 0
        self.server = Server(self.take)

    async def take(self, request: Request) -> Answer:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        self.taken.append(request)
        await asyncio.sleep(0)
        self.open -= 1
        return Reply(self.statuses.pop(0) if self.statuses else 202, b"{}")


@pytest.fixture
async def hospital() -> AsyncIterator[Hospital]:
    hospital = Hospital()
    await hospital.server.listen("127.0.0.1", 0)
    yield hospital
    await hospital.server.stop()


def client_of(hospital: Hospital, connections: int = 4) -> ShareClient:
    host, port = hospital.server.address
    return ShareClient(f"http://{host}:{port}", connections=connections)


def requests(count: int) -> list[bytes]:
    shares = [Share(index, 0) for index in range(count)]
    now = timestamp()
    return [post("here", "t", "HIP", CROWD.request_id(one), CROWD.body(one, "HIP"), now=now) for one in shares]


async def test_every_request_is_sent_once_and_its_own_status_is_kept(hospital: Hospital) -> None:
    async with client_of(hospital, connections=1) as share_client:
        hospital.statuses = [202, 503, 202]
        result = await share_client.send_all(requests(3))
    assert list(result.answered) == [202, 503, 202]
    assert result.refused == 1
    assert [read_request_id(one.headers["request-id"]) for one in hospital.taken] == [
        (9, Share(n, 0)) for n in range(3)
    ]


async def test_no_connection_carries_two_requests_at_once(hospital: Hospital) -> None:
    async with client_of(hospital, connections=3) as share_client:
        result = await share_client.send_all(requests(60))
    assert result.statuses == {202: 60}
    assert hospital.most_open <= 3


async def test_a_window_is_never_exceeded(hospital: Hospital) -> None:
    async with client_of(hospital) as share_client:
        run = asyncio.create_task(share_client.send_in_window(requests(10), lambda: 4))
        while len(hospital.taken) < 4:  # noqa: ASYNC110  the endpoint says nothing until it is done
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        assert len(hospital.taken) == 4
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


async def test_connections_that_were_closed_while_idle_come_back(hospital: Hospital) -> None:
    async with client_of(hospital) as share_client:
        await share_client.send_all(requests(4))
        for line in tuple(hospital.server.lines):
            assert line.transport is not None
            line.transport.abort()
        await asyncio.sleep(0.05)
        assert (await share_client.send_all(requests(8))).statuses == {202: 8}


async def test_a_share_that_was_not_accepted_is_delivered_again_unchanged(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redelivery, "AGAIN_S", 0.01)
    hospital.statuses = [503, 202, 503, 500]
    host, port = hospital.server.address
    async with redelivery.Redelivery(f"http://{host}:{port}", connections=2) as gateway:
        delivering = asyncio.create_task(gateway.deliver(requests(20), per_s=100))
        while len(hospital.taken) < 10:  # noqa: ASYNC110  it says nothing until it is done
            await asyncio.sleep(0.005)
        for line in tuple(hospital.server.lines):
            if line.transport is not None:
                line.transport.abort()
        delivered = await delivering
    assert list(delivered.sent.answered) == [202] * 20
    assert (delivered.statuses[503], delivered.statuses[500], delivered.statuses[202]) == (2, 1, 20)
    assert len(delivered.taken_s) == 20
    assert {read_request_id(one.headers["request-id"]) for one in hospital.taken} == {
        (9, Share(n, 0)) for n in range(20)
    }


def test_every_share_of_a_crowd_is_another_person() -> None:
    bodies = {CROWD.body(Share(index, 0), "HIP") for index in range(1_500)}
    assert len(bodies) == 1_500
    assert Crowd(seed=3, run=10).address(1) != CROWD.address(1)


def line(index: int, token: str = "", *, facility: int = 0, status: int = 202, **changed: str) -> Line:
    share = Share(index, facility)
    address = changed.get("address", CROWD.address(index))
    return Line(1_000 + index, CROWD.request_id(share), status, token, changed.get("error", ""), 1800, "M1", address)


async def judged(tmp_path: Path, lines: list[Line], statuses: dict[int, int]) -> Verdict:
    journal = Journal(tmp_path / "answers.tsv")
    for one in lines:
        journal.write(one)
    journal.close()
    acknowledgements = Acknowledgements(CROWD)
    count = len(statuses)
    result = SendResult(
        seconds=1.0, statuses={}, answered=array("h", statuses.values()), due_s=array("d", [0.5] * count),
        took_s=array("d", [0.1] * count),
    )  # fmt: skip
    acknowledgements.record_answers([Share(index, 0) for index in statuses], result)
    acknowledgements.follow(tmp_path / "answers.tsv")
    try:
        return acknowledgements.verdict()
    finally:
        acknowledgements.close()


async def test_a_run_without_faults_is_good(tmp_path: Path) -> None:
    found = await judged(tmp_path, [line(0, "M-001"), line(1, "M-002")], {0: 202, 1: 202})
    assert found.good
    assert (found.taken, found.tokens) == (2, 2)


@pytest.mark.parametrize(
    ("lines", "statuses", "fault"),
    [
        ([line(0, "M-001")], {0: 202, 1: 202}, "lost"),
        ([line(0, "M-001"), line(0, "M-001")], {0: 202}, "repeated"),
        ([line(0, "M-001"), line(1, "M-001")], {0: 202, 1: 202}, "number_twice"),
        ([line(0, "M-001"), line(1, "M-003")], {0: 202, 1: 202}, "holes"),
        ([line(0, "M-001"), line(1, error="ABDM-1024")], {0: 202, 1: 202}, "refused"),
        ([line(0, "M-001", address="another@sbx")], {0: 202}, "wrong"),
        ([line(0, "M-001"), line(7, "M-002")], {0: 202}, "wrong"),
        ([line(0, "M-001"), line(0, "M-002")], {0: 202}, "two_numbers"),
        ([line(0, "M-001")], {0: 202, 1: 503}, "not_taken"),
        ([line(0, "M-001", status=0)], {0: 202}, "lost"),
    ],
)
async def test_each_broken_promise_is_found(
    tmp_path: Path, lines: list[Line], statuses: dict[int, int], fault: str
) -> None:
    found = await judged(tmp_path, lines, statuses)
    assert not found.good
    assert getattr(found, fault) == 1
    assert found.sound == (fault == "repeated")
