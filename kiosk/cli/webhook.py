"""``kiosk webhook``: programs that are told of ticket events by HTTP."""

from typing import Final

import click

from kiosk.cli.running import OPERATOR, CommandFailed, as_json, settings_now, tell, with_store
from kiosk.cli.target_commands import add_target, not_yet, of_kind, target_seal, why_unreachable
from kiosk.exchange.target_setup import TargetWrong, new_webhook
from queueing.store.store import Store
from queueing.targets import EVERY_FACILITY, TargetFormat, TargetKind

FORMATS: Final = [one.value for one in TargetFormat]


@click.group()
def webhook() -> None:
    """Programs that are told of ticket events by HTTP; docs/hmis.md explains the messages."""


@webhook.command()
@click.argument("url")
@click.option("--facility", required=True, help="HIP id; '*' for every facility.")
@click.option("--events", default="", metavar="TYPE,…", help="Types of events that are sent; without it: all.")
@click.option("--profiles", is_flag=True, help="Ask for profiles. The facility's administrator switches them on.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="json", show_default=True)
@as_json
def add(url: str, facility: str, events: str, profiles: bool, format_: str, json: bool) -> None:
    """Add a webhook and print its secret, once. It is told of what happens from now on."""
    settings = settings_now()
    try:
        target, secret = new_webhook(
            url, facility, target_seal(settings), events=events.split(","), profiles=profiles,
            format_=TargetFormat(format_), by=OPERATOR.login,
        )  # fmt: skip
    except TargetWrong as wrong:
        raise CommandFailed(str(wrong)) from None

    async def write(store: Store) -> None:
        await add_target(store, target)

    with_store(settings, write)
    lines = [
        f"id      {target.id}", f"secret  {secret}",
        "The secret is shown only now. The receiver verifies each event with it (docs/hmis.md).",
    ]  # fmt: skip
    if profiles:
        where = "each facility's administrator" if facility == EVERY_FACILITY else "the facility's administrator"
        lines.append(f"Profiles are sent after {where} has switched them on at /console/connections.")
    why = why_unreachable(settings, target)
    document = {"id": target.id, "facility": facility, "url": url, "secret": secret, "unreachable": why or None}
    tell(json, document, *lines, *not_yet(why))


of_kind(webhook, TargetKind.WEBHOOK)
