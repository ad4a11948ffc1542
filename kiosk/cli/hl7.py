"""``kiosk hl7``: hospital systems that are told who came by HL7 v2.5 over MLLP."""

import click

from kiosk.cli.running import OPERATOR, CommandFailed, as_json, settings_now, tell, with_store
from kiosk.cli.target_commands import add_target, not_yet, of_kind, why_unreachable
from kiosk.exchange.target_setup import TargetWrong, new_hl7
from queueing.store.store import Store
from queueing.targets import TargetKind


@click.group()
def hl7() -> None:
    """Hospital systems that are told who came by HL7 v2.5 (ADT^A04, A08, A11) over MLLP."""


@hl7.command()
@click.argument("address", metavar="HOST:PORT")
@click.option("--facility", required=True, help="HIP id.")
@click.option("--tls", is_flag=True, help="Encrypt; required outside private networks.")
@as_json
def add(address: str, facility: str, tls: bool, json: bool) -> None:
    """Add an HL7 receiver. Names and numbers are in its messages after the facility's administrator allowed it."""
    try:
        target = new_hl7(address, facility, tls=tls, by=OPERATOR.login)
    except TargetWrong as wrong:
        raise CommandFailed(str(wrong)) from None

    async def write(store: Store) -> None:
        await add_target(store, target)

    settings = settings_now()
    with_store(settings, write)
    why = why_unreachable(settings, target)
    tell(
        json,
        {"id": target.id, "facility": facility, "address": address, "tls": tls, "unreachable": why or None},
        f"id  {target.id}",
        "Messages name the person after the facility's administrator has allowed it at /console/connections.",
        *not_yet(why),
    )


of_kind(hl7, TargetKind.HL7)
