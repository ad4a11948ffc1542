"""Metrics for alerts: after a fault is made or removed, both workers show it within fifteen seconds."""

import asyncio
import re
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator

import pytest

from tests.journeys.running_hospital import Deployment, opened
from tests.kiosk.process_tree import below, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
TRUE_WITHIN_S = 15.0
SHARE = "/api/v3/hip/patient/share"


@pytest.fixture(scope="module")
async def deployment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with opened(tmp_path_factory.mktemp("alerts"), KIOSK_WORKERS="2") as running:
        assert len(below(running.tree.pid_of("web"))) == 2
        yield running


def figures(deployment: Deployment, name: str) -> dict[str, float]:
    """Every sample with this name by its labels, from one of the workers."""
    page = deployment.get_page("/metrics")
    found = re.findall(rf"^{re.escape(name)}(?:\{{(.*)\}})? (\S+)$", page, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def total(deployment: Deployment, name: str, label: str = "") -> float:
    return sum(value for labels, value in figures(deployment, name).items() if label in labels)


async def becomes(deployment: Deployment, name: str, value: float, label: str = "") -> None:
    """Wait until four answers in a row show it, so that probably both workers were asked."""

    def four_say_so() -> bool:
        return all(total(deployment, name, label) == value for _ in range(4))

    await asyncio.to_thread(until, four_say_so, TRUE_WITHIN_S)


async def test_replies_wait_while_the_gateway_is_silent_and_are_sent_when_it_answers(deployment: Deployment) -> None:
    hospital = deployment.hospital()
    await deployment.simulator.order(endpoints={"on_share": {"reset_rate": 1.0}})
    scans = [asyncio.create_task(hospital.scan(deployment.patient(), hospital.poster("M1"))) for _ in range(12)]
    await becomes(deployment, "kiosk_replies_pending", 12)
    await deployment.simulator.clear()
    assert len({one.token for one in await asyncio.gather(*scans)}) == 12
    await becomes(deployment, "kiosk_replies_pending", 0)
    await becomes(deployment, "kiosk_replies_total", 12, 'result="delivered"')


async def test_callers_that_are_refused_are_counted_by_reason(deployment: Deployment) -> None:
    before = total(deployment, "kiosk_callers_rejected_total")
    for _ in range(10):
        assert await asyncio.to_thread(share, deployment, "Bearer not.a.token") == 401
    await becomes(deployment, "kiosk_callers_rejected_total", before + 10)
    reasons = figures(deployment, "kiosk_callers_rejected_total")
    assert all(re.fullmatch(r'reason="[a-z_]+"', labels) for labels in reasons)


def share(deployment: Deployment, authorization: str) -> int:
    headers = {"Authorization": authorization, "REQUEST-ID": str(uuid.uuid4()), "Content-Type": "application/json"}
    request = urllib.request.Request(deployment.url + SHARE, b"{}", headers)  # noqa: S310 - an address of the test's own
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
