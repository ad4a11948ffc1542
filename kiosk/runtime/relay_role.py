"""The relay process: sends pending replies to the gateway, in a process of its own so that it never delays a scan."""

import asyncio

from kiosk.abdm.errors import Verdict
from kiosk.abdm.relay import Relay
from kiosk.observability import metrics
from kiosk.services.relay import relay_services
from kiosk.settings import Settings


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Send replies until ``stop``. With ABDM off nothing is pending, and it waits."""
    try:
        async with relay_services(settings) as services:
            if services is None:
                await stop.wait()
                return
            watch = services.connection

            def count(verdict: Verdict, seconds: float) -> None:
                metrics.reply_ended(verdict.value, seconds)
                watch.note_reply(verdict)

            as_number = settings.gateway_expiry == "number"
            relay = Relay(services.outbox, services.gateway, services.seal, expiry_as_number=as_number, watch=count)
            await relay.run(stop)
    finally:
        metrics.write_counts()
