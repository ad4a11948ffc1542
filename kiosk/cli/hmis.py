"""``kiosk hmis``: what a vendor of hospital software tries an integration with."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

import click

from kiosk.cli import hmis_tools
from kiosk.cli.running import OPERATOR, CommandFailed, as_json, opened, settings_now, tell
from kiosk.settings import Settings

TEST_GATEWAYS: Final = ("dev.abdm.gov.in", "localhost", "127.0.0.1", "::1")
"""Hosts of gateways that know invented people alone."""
PATIENTS_MAX: Final = 10_000
"""Of one run: a day of the largest hospital is some 3,000."""


@click.group()
def hmis() -> None:
    """Tools for vendors of hospital software; docs/hmis.md explains them."""


@hmis.command()
@click.argument("hip_id", default="SANDBOX0001")
@click.option("--patients", type=click.IntRange(1, PATIENTS_MAX), default=20, show_default=True, help="How many come.")
@click.option("--every", type=click.FloatRange(0, 3600), default=5.0, show_default=True, help="Seconds between two.")
@click.option(
    "--seed", type=click.IntRange(0, 999), default=1, show_default=True, help="Other people for another number."
)
@as_json
def sandbox(hip_id: str, patients: int, every: float, seed: int, json: bool) -> None:
    """Let invented people come to a facility of their own: events for webhooks, the API and HL7.

    The facility is made at the first run. A facility with real people is refused, and so is a service whose gateway is
    not a sandbox: invented numbers must not be counted among real ones.
    """
    settings = settings_now()
    if settings.gateway_client_id and urlsplit(settings.gateway_url).hostname not in TEST_GATEWAYS:
        raise CommandFailed("this service is connected to a live gateway: run the sandbox on an installation for tests")
    asyncio.run(_run(settings, hip_id, patients, every, seed, json))


async def _run(settings: Settings, hip_id: str, patients: int, every_s: float, seed: int, json: bool) -> None:
    from kiosk.cli.check_in import check_in_on
    from kiosk.demo.sandbox import NotASandbox, Sandbox, prepare
    from queueing.day_keys import DayKeys
    from queueing.desk import OpdDesk
    from queueing.registry import Registry

    async with opened(settings) as store:
        try:
            await prepare(Registry(store, OPERATOR), hip_id)
        except NotASandbox:
            raise CommandFailed(f"{hip_id} is a facility with real people: name another one") from None
        desk = OpdDesk(store, timezone=settings.timezone)
        check_in, seal = await check_in_on(store, settings, desk)
        counted: dict[str, int] = {}
        async for step in Sandbox(hip_id, desk, check_in, seed).run(
            patients, every_s, lambda: seal.refresh(DayKeys(store), erase=False)
        ):
            counted[step.what] = counted.get(step.what, 0) + 1
            if not json:
                tell(json, None, f"{step.token} {step.what}")
        tell(json, {"facility": hip_id, "events": counted}, f"{sum(counted.values())} events at {hip_id}")


hmis.add_command(hmis_tools.receive)
hmis.add_command(hmis_tools.check)
