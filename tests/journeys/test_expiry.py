"""An operator chooses how an expiry is written, and the gateway gets it in this form."""

import asyncio

import pytest

from loadtests.simulator.people.crowd import Crowd, Share
from loadtests.simulator.people.share_client import ShareClient, post, timestamp
from loadtests.stack import Stack, fresh_stack

pytestmark = [pytest.mark.anyio, pytest.mark.proof]


async def share_one(stack: Stack) -> None:
    crowd, share, token = Crowd(seed=1, run=1), Share(0, 0), await stack.simulator.callback_token()
    hip = stack.hips[0]
    async with ShareClient(stack.kiosk_url, connections=1) as share_client:
        body = crowd.body(share, hip)
        request = post(share_client.authority, token, hip, crowd.request_id(share), body, now=timestamp())
        await share_client.send_all([request])


@pytest.mark.parametrize(("form", "complaints"), [("text", 0), ("number", 1)])
async def test_the_gateway_hears_the_chosen_form(form: str, complaints: int) -> None:
    """The simulator accepts an expiry as text only, and records what it got instead."""
    more = {"KIOSK_GATEWAY_EXPIRY": form}
    async with fresh_stack(seed=1, facilities=1, counters=1, staffed=0, strangers=True, more=more) as stack:
        await share_one(stack)
        for _ in range(200):
            if any(call.startswith("on_share") for call in (await stack.simulator.summary())["calls"]):
                break
            await asyncio.sleep(0.1)
        heard = [fault["words"] for fault in (await stack.simulator.faults())["protocol_faults"]]
    assert len(heard) == complaints
    assert all("Expected `str`, got `int` - at `$.acknowledgement.profile.expiry`" in sentence for sentence in heard)
