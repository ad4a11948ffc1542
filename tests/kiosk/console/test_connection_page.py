"""The page *Connection to ABDM*: who sees it, and that it says what is wrong."""

import time

import pytest

from kiosk.abdm.callers import Refusals
from kiosk.services.web import Services
from tests.kiosk.console.signed_in import Browser

pytestmark = pytest.mark.anyio


async def test_an_administrator_sees_that_abdm_is_off(admin: Browser) -> None:
    answer = await admin.request("GET", "/console/connection")
    assert answer.status_code == 200
    assert "ABDM is off here. Local queues work." in answer.text


async def test_a_clerk_does_not_see_the_connection(clerk: Browser) -> None:
    answer = await clerk.request("GET", "/console/connection", headers={"accept": "application/json"})
    assert answer.status_code == 403


async def test_the_rooms_of_an_administrator_lead_there(admin: Browser, clerk: Browser) -> None:
    link = 'href="/console/connection"'
    assert link in (await admin.request("GET", "/console/connections")).text
    assert link not in (await clerk.request("GET", "/console/counters")).text


async def test_refusals_stand_there_with_the_next_step(services: Services) -> None:
    services.callers.refusals["aud"] = Refusals(3, time.time())
    try:
        facts = await services.connection.facts()
    finally:
        services.callers.refusals.clear()
    assert facts.refusals["aud"].count == 3
