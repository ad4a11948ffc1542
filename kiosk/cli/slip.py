"""``kiosk slip print``: a sample slip on a printer, to see that it understands us before desks use it."""

import asyncio
import os

import click

from kiosk.cli.running import CommandFailed, as_json, tell
from kiosk.console.slip_printing import sample
from kiosk.exchange.target_setup import TargetWrong, parse_host_port
from kiosk.posters.slip_drawing import SlipJob, commands_of
from kiosk.posters.slip_printer import WITHIN_S, NotPrinted, send


@click.group()
def slip() -> None:
    """Printers of slips."""


@slip.command("print")
@click.argument("to")
@click.option("--paper", type=click.Choice(("58", "80")), default="80", show_default=True, help="Width in mm.")
@click.option("--large", is_flag=True, help="In large type.")
@as_json
def print_sample(to: str, paper: str, large: bool, json: bool) -> None:
    """Print a sample slip: a number of nobody, a line of Hindi, Punjabi and Urdu, and a code.

    TO is the address of a network printer, such as 10.20.0.30:9100, or the device of a USB printer at this machine,
    such as /dev/usb/lp0. No service and no setting is needed.
    """
    text = sample("District Hospital", "https://hospital.example")
    commands = commands_of(SlipJob(slip=text, paper=58 if paper == "58" else 80, large=large))
    if to.startswith("/"):
        with os.fdopen(os.open(to, os.O_WRONLY), "wb") as device:  # a device that is missing is not made as a file
            device.write(commands)
    else:
        try:
            place = parse_host_port(to, tls=False, example="10.20.0.30:9100")
            asyncio.run(asyncio.wait_for(send(place.host, place.port, commands), WITHIN_S))
        except TargetWrong as wrong:
            raise CommandFailed(f"{to} is no printer: {wrong}, or a device such as /dev/usb/lp0") from None
        except (NotPrinted, TimeoutError) as failed:
            fault = failed.fault.value if isinstance(failed, NotPrinted) else "slow"
            raise CommandFailed(f"{to} did not print: {_MEANS[fault]}") from None
    tell(json, {"to": to, "bytes": len(commands)}, f"{len(commands)} bytes went to {to}; look at the slip")


_MEANS = {
    "away": "it does not answer, or it hung up",
    "paper": "it has no paper, or its cover is open",
    "slow": "it did not take the slip in time",
}
