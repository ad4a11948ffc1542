"""``kiosk hmis receive`` and ``kiosk hmis check``: a receiver to try webhooks against, and a walk through one's own."""

import asyncio
import signal
import threading
from typing import Any

import click
import msgspec

from kiosk.cli.running import CommandFailed, as_json, json_text, tell
from kiosk.delivery.conformance import Checklist, Row
from kiosk.delivery.try_receiver import Faults, Line, TryReceiver, server_for
from kiosk.exchange.target_setup import PREFIX, TargetWrong, parse_url
from queueing.display_text import terminal_text


def _secret(_context: click.Context, _option: click.Parameter, text: str) -> str:
    if text and not text.startswith(PREFIX):
        raise click.BadParameter(f"a secret begins with {PREFIX}")
    return text


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="IP address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8090, show_default=True, help="0 takes any free one.")
@click.option("--secret", default="", callback=_secret, help="The webhook's whsec_…; without it nothing is verified.")
@click.option("--fail", type=click.IntRange(0, 100), default=0, help="Answer 500 to the first tries of each event.")
@click.option("--slow", type=click.FloatRange(0, 60), default=0.0, help="Seconds before each answer.")
@click.option("--status", type=click.IntRange(200, 599), default=200, help="Status of every answer.")
@click.option("--gone-after", type=click.IntRange(0), default=0, help="Answer 410 after so many events.")
@click.option("--endless", is_flag=True, help="Answer without an end.")
@as_json
def receive(
    host: str, port: int, secret: str, fail: int, slow: float, status: int, gone_after: int, endless: bool, json: bool
) -> None:  # fmt: skip
    """Verify, print and acknowledge webhooks, until Ctrl-C. Faults on demand show how deliveries are tried again.

    Prints `ready http://…`, then a line for each request. No name of a person is printed. GET /seen answers the ids
    that were taken.
    """
    faults = Faults(fail=fail, slow_s=slow, status=status, gone_after=gone_after, endless=endless)
    printing = threading.Lock()

    def say(line: Line) -> None:
        with printing:
            click.echo(msgspec.json.encode(line).decode() if json else _as_text(line))

    try:
        server = server_for(TryReceiver(secret, faults, say), host, port)
    except OSError as failure:
        raise CommandFailed(f"cannot listen on {host} port {port}: {failure.strerror}") from None
    except ValueError:
        raise CommandFailed("the secret cannot be read: copy all of it") from None
    if not secret:
        click.echo("no --secret: signatures are not verified", err=True)
    click.echo(f"ready http://{host}:{server.server_address[1]}/")

    def stop(_number: int, _frame: Any) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    with server:
        server.serve_forever(poll_interval=0.1)


def _as_text(line: Line) -> str:
    mark = "again" if line.again else "verified" if line.verified else "NOT verified" if line.why else "taken"
    return terminal_text(f"{line.status}  {mark:12}  {line.type:26}  {line.token:9}  {line.id}  {line.why}".rstrip())


@click.command()
@click.argument("url")
@click.option("--secret", required=True, callback=_secret, help="The secret that the receiver verifies with.")
@click.option("--seen", default="", metavar="URL", help="A page of the receiver: JSON list of the ids that it took.")
@as_json
def check(url: str, secret: str, seen: str, json: bool) -> None:
    """Walk a receiver through the checklist of docs/hmis.md: signatures, duplicates, order, speed.

    It is sent invented events whose ids begin with `check-`. Exits 1 when a point is wrong.
    """
    try:
        for address in filter(None, (url, seen)):
            parse_url(address)
    except TargetWrong as wrong:
        raise CommandFailed(str(wrong)) from None
    rows = asyncio.run(_walk(url, secret, seen, json))
    if json:
        click.echo(json_text(rows))
    wrong_points = sum(row.verdict == "wrong" for row in rows)
    if wrong_points:
        points = "1 point is" if wrong_points == 1 else f"{wrong_points} points are"
        raise CommandFailed(f"{points} wrong: {url}")


async def _walk(url: str, secret: str, seen: str, json: bool) -> list[Row]:
    checklist, rows = Checklist(url, secret, seen), []
    try:
        async for row in checklist.rows():
            rows.append(row)
            if not json:
                tell(False, None, f"{row.verdict:5}  {row.point}: {row.words}")
    finally:
        await checklist.close()
    return rows
